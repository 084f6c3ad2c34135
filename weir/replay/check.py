"""Does the log follow from itself? Every recorded transaction is folded again and compared.

For each node and partition the merge order says which records were folded, in which order, at what
time; a replay repeats that with the same topology and the same `fold`, and compares each output
(key, value, partition, timestamp) and the table's hash after each transaction. Transactions of
different nodes are taken by their time, so that inputs and outputs are read about as they lie.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents.wiring import ORDER_TOPIC
from schemas.records import MergeRun
from schemas.wire import Wire
from streams.node import Node
from streams.topology import NODES
from weir.errors import WeirError
from weir.replay.difference import Difference
from weir.replay.folding import Folding
from weir.replay.log import Log, Reader, Record
from weir.replay.produced import PATIENCE_S, Produced
from weir.replay.sources import Sources

_TELL_S = 0.5


@dataclass
class Progress:
    """How far a replay is."""

    transactions: int = 0
    events: int = 0
    outputs: int = 0
    refused: int = 0
    compacted: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.events / self.seconds if self.seconds else 0.0
        gone = f", {self.compacted:,} more compacted since" if self.compacted else ""
        return (
            f"{self.transactions:,} transactions, {self.events:,} events, {self.outputs:,} outputs"
            f"{gone} ({rate:,.0f} events/s)"
        )


class Report(NamedTuple):
    """What a check came to."""

    progress: Progress
    difference: Difference | None

    @property
    def identical(self) -> bool:
        return self.difference is None

    def __str__(self) -> str:
        if self.difference is None:
            return f"identical: {self.progress}"
        return f"{self.difference}\nafter     {self.progress}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        done = self.progress
        return {
            "identical": self.identical,
            "transactions": done.transactions,
            "events": done.events,
            "outputs": done.outputs,
            "refused": done.refused,
            "compacted": done.compacted,
            "seconds": round(done.seconds, 3),
            "difference": self.difference.as_json() if self.difference else None,
        }


def check(
    log: Log,
    wire: Wire,
    nodes: Iterable[Node] = NODES,
    tell: Callable[[Progress], None] = lambda progress: None,
    patience_s: float = PATIENCE_S,
) -> Report:
    """Replays all that is recorded now, up to the first difference.

    An output that is not on the log after `patience_s` is missing.

    WeirError when it cannot be done: a record that was folded is gone, or the merge order names a
    node that this version does not have.
    """
    by_name = {node.name: node for node in nodes}
    sources = [topic for node in by_name.values() for topic in node.sources]
    sinks = sorted({topic for node in by_name.values() for topic in node.sinks})
    with (
        closing(log.read([ORDER_TOPIC])) as order,
        closing(log.read(sources)) as inputs,
        closing(log.read(sinks)) as outputs,
    ):
        counts = {topic: log.partitions(topic) for topic in (*sources, *sinks)}
        produced = Produced(outputs, wire, {topic: counts[topic] for topic in sinks}, patience_s)
        with closing(Folding(log, by_name, Sources(inputs), wire, counts)) as folding:
            runs = _in_time(order, wire, log.partitions(ORDER_TOPIC))
            return _replay(runs, folding, produced, tell)


def _replay(
    runs: Iterator[tuple[Record, MergeRun]],
    folding: Folding,
    produced: Produced,
    tell: Callable[[Progress], None],
) -> Report:
    started_s = told_s = time.monotonic()
    progress = Progress()
    difference = None
    for record, run in runs:
        outputs, table = folding.transaction(record, run)
        found = (produced.compare(output) for output in outputs)
        difference = next((one for one in found if one is not None), table)
        now_s = time.monotonic()
        progress.transactions += 1
        progress.events, progress.refused = folding.events, folding.refused
        progress.outputs, progress.compacted = produced.matched, produced.compacted
        progress.seconds = now_s - started_s
        if difference is not None:
            break
        if now_s - told_s >= _TELL_S:
            tell(progress)
            told_s = now_s
    if difference is None:
        difference = produced.surplus(folding.folded, folding.at_ms)
    progress.seconds = time.monotonic() - started_s
    return Report(progress, difference)


def _in_time(reader: Reader, wire: Wire, partitions: int) -> Iterator[tuple[Record, MergeRun]]:
    """The recorded transactions by time; those of one node and partition in their own order."""
    streams = [_runs(reader, wire, partition) for partition in range(partitions)]
    return heapq.merge(*streams, key=lambda item: item[1].at_ms)


def _runs(reader: Reader, wire: Wire, partition: int) -> Iterator[tuple[Record, MergeRun]]:
    while (record := reader.next(ORDER_TOPIC, partition)) is not None:
        try:
            yield record, wire.decode(ORDER_TOPIC, record.value or b"")
        except ValueError as why:
            place = f"{ORDER_TOPIC}[{partition}]@{record.offset}"
            raise WeirError(f"{place} cannot be read: {why}") from why
