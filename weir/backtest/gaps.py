"""Records that a log should hold and does not: a back-test that passed over them would be a partial
result that looks like a whole one.

The merge order says where each run of a source that a node folded begins and ends; there a record
must lie, as far as the topic reaches back. Between them offsets may be missing: markers of
transactions and what was aborted take some as well. On topics that the outside writes without
transactions they are counted and told, because nothing says what lay there.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection
from contextlib import closing

from agents.wiring import ORDER_TOPIC
from schemas.wire import Wire
from weir.errors import WeirError
from weir.replay.log import At, Log
from weir.replay.sources import PATIENCE_S
from weir.replay.survey import runs


class Folded:
    """The ends of all recorded runs of some topics, by place; none where the log has no order."""

    def __init__(self, log: Log, wire: Wire, topics: Collection[str]) -> None:
        self._ends: defaultdict[At, array[int]] = defaultdict(lambda: array("q"))
        try:
            partitions = log.partitions(ORDER_TOPIC)
        except WeirError:
            return
        with closing(log.read([ORDER_TOPIC])) as reader:
            for number in range(partitions):
                for _, run in runs(reader, wire, number):
                    for one in run.runs:
                        if one.topic in topics:
                            self._note((one.topic, run.partition), one.from_, one.to - 1)

    def watch(self, at: At, first: int) -> Watch:
        """Watches over a place that is read from its first offset on."""
        return Watch(at, self._ends.get(at, array("q")), first)

    def _note(self, at: At, first: int, last: int) -> None:
        ends = self._ends[at]
        ends.append(first)
        if last != first:
            ends.append(last)


class Watch:
    """One partition while it is read. `gaps` are the first and last offsets without a record."""

    def __init__(self, at: At, ends: array[int], first: int) -> None:
        self.topic, self.partition = at
        self._ends, self._place, self._next = ends, 0, first
        self.gaps: list[tuple[int, int]] = []
        while self._place < len(ends) and ends[self._place] < first:
            self._place += 1

    @property
    def patience_s(self) -> float:
        """How long the next record is waited for: one that was folded may not be readable yet."""
        return PATIENCE_S if self._place < len(self._ends) else 0.0

    def see(self, offset: int) -> None:
        """The next record lies here. WeirError when one before it was folded and is gone."""
        if offset > self._next:
            self.gaps.append((self._next, offset - 1))
        self._next = offset + 1
        while self._place < len(self._ends) and self._ends[self._place] <= offset:
            wanted = self._ends[self._place]
            if wanted < offset:
                place = f"{self.topic}[{self.partition}]@{wanted}"
                raise WeirError(f"{place} was folded and is gone: the log is cut")
            self._place += 1

    def end(self) -> None:
        """Nothing more lies there. WeirError when more was folded."""
        if self._place < len(self._ends):
            place, last = f"{self.topic}[{self.partition}]", self._ends[self._place]
            raise WeirError(f"{place} ends before offset {last}, which was folded")

    def sentence(self) -> str | None:
        """What is to be told of offsets without a record; None when there are none."""
        if not self.gaps:
            return None
        shown = ", ".join(f"{a}" if a == b else f"{a}..{b}" for a, b in self.gaps[:5])
        more = f" and {len(self.gaps) - 5} more" if len(self.gaps) > 5 else ""
        return (
            f"{self.topic}[{self.partition}] lacks records at {shown}{more}: markers of a writer's"
            " transactions lie there, or records that are gone; the result is without them."
        )
