"""What a range holds, read from the merge order before anything is folded.

For each node and partition (a *line*): the transaction before the range, whose table hash says what
state the range begins from, and what the transactions in it took. So a replay knows in advance
which records it needs, how much there is, and what to say it has replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.wiring import ORDER_TOPIC
from schemas.errors import Undecodable
from schemas.jsonform import iso
from schemas.records import MergeRun, Meta
from schemas.wire import Wire
from streams.node import Node
from weir.errors import WeirError
from weir.replay.log import At, Log, Reader, Record
from weir.replay.span import Bound, Span

Place = tuple[str, int]
"""Node and partition."""


@dataclass
class Line:
    """One node and partition: `before` is its last transaction before the range."""

    before: MergeRun | None = None
    transactions: int = 0
    first_ms: int = 0
    last_ms: int = 0
    inputs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By topic, the first offset that was taken in the range and the one after the last."""
    taken: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The same of all transactions up to the end of the range."""

    def lived(self, at_ms: int) -> bool:
        """Whether it had a transaction of the range at that time, or may have had."""
        return bool(self.transactions) and self.first_ms <= at_ms <= self.last_ms


class Stretch(NamedTuple):
    """Transactions of one partition of the merge order: first and last offset."""

    first: int
    last: int


@dataclass
class Survey:
    """The range as it is recorded; `ends` is where reading stopped, by partition."""

    span: Span
    lines: dict[Place, Line] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    order: dict[int, Stretch] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    """Every policy that was in force, and its hash, as they came."""
    codes: dict[str, None] = field(default_factory=dict)
    transactions: int = 0
    events: int = 0
    times: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Per partition the times of the first and the last transaction in the range."""
    recorded: tuple[int, int] | None = None
    """The times of the first and the last transaction there are."""

    @property
    def inputs(self) -> dict[At, tuple[int, int]]:
        """Per input partition the first offset that was taken and the one after the last."""
        return {
            (topic, partition): bounds
            for (_, partition), line in sorted(self.lines.items())
            for topic, bounds in line.inputs.items()
        }

    @property
    def time(self) -> tuple[int, int]:
        """The times of the first and the last transaction in the range."""
        firsts, lasts = zip(*self.times.values(), strict=True)
        return min(firsts), max(lasts)


def survey(
    log: Log, wire: Wire, nodes: Mapping[str, Node], span: Span, only: Collection[str]
) -> Survey:
    """Reads the merge order once, from its beginning to the end it has now; `only` names the nodes
    that take part.

    WeirError when nothing lies in the range, when it reaches beyond what is recorded, when the
    order contradicts itself or names a node that this version does not have.
    """
    found = Survey(span)
    with closing(log.read([ORDER_TOPIC])) as reader:
        for partition in range(log.partitions(ORDER_TOPIC)):
            if span.has(partition):
                _check_bounds(log, span, partition)
                for record, run in runs(reader, wire, partition):
                    found.ends[partition] = record.offset + 1
                    if run.node not in nodes:
                        place = f"{ORDER_TOPIC}[{partition}]@{record.offset}"
                        raise WeirError(f"{place}: this version has no node {run.node!r}")
                    found.recorded = _wider(found.recorded, run.at_ms)
                    if run.node in only:
                        _note(found, record, run)
    if not found.transactions:
        raise WeirError(f"no transaction lies in the range from {span}{_recorded(found)}")
    return found


def runs(
    reader: Reader, wire: Wire, partition: int, end: int | None = None
) -> Iterator[tuple[Record, MergeRun]]:
    """The recorded transactions of a partition, up to an offset."""
    while (record := reader.next(ORDER_TOPIC, partition)) is not None:
        if end is not None and record.offset >= end:
            return
        try:
            yield record, wire.decode(ORDER_TOPIC, record.value)
        except Undecodable as why:
            place = f"{ORDER_TOPIC}[{partition}]@{record.offset}"
            raise WeirError(f"{place} cannot be read: {why}") from why


def _note(found: Survey, record: Record, run: MergeRun) -> None:
    if found.span.is_after(run.partition, record.offset, run.at_ms):
        return
    line = found.lines.setdefault((run.node, run.partition), Line())
    for one in run.runs:
        if one.topic[0] != "@":
            first, stop = line.taken.get(one.topic, (one.from_, one.from_))
            if one.from_ < stop:
                raise WeirError(
                    f"{ORDER_TOPIC}[{run.partition}]@{record.offset} takes"
                    f" {one.topic}[{run.partition}]@{one.from_} a second time"
                )
            line.taken[one.topic] = first, one.to
    if found.span.is_before(run.partition, record.offset, run.at_ms):
        line.before = run
    else:
        _note_inside(found, line, record, run)


def _note_inside(found: Survey, line: Line, record: Record, run: MergeRun) -> None:
    partition, offset = run.partition, record.offset
    found.transactions += 1
    found.policies.setdefault(run.policy, run.policy_hash)
    found.codes.setdefault(run.code)
    found.order[partition] = found.order.get(partition, Stretch(offset, offset))._replace(
        last=offset
    )
    found.times[partition] = _wider(found.times.get(partition), run.at_ms)
    line.first_ms = line.first_ms if line.transactions else run.at_ms
    line.last_ms = run.at_ms
    line.transactions += 1
    for one in run.runs:
        if one.topic[0] != "@":
            first, _ = line.inputs.get(one.topic, (one.from_, 0))
            line.inputs[one.topic] = first, one.to
            found.events += one.to - one.from_


def _wider(times: tuple[int, int] | None, at_ms: int) -> tuple[int, int]:
    return (at_ms, at_ms) if times is None else (min(times[0], at_ms), max(times[1], at_ms))


def _check_bounds(log: Log, span: Span, partition: int) -> None:
    """A range by offset must lie in what is there: else it would be replayed in part."""
    place = ORDER_TOPIC, partition
    low, high = log.bounds([place])[place]
    for bound, option in ((span.start, "--from"), (span.stop, "--to")):
        offset = None if bound is None else bound.offset(partition)
        if offset is None:
            continue
        if offset < low:
            raise WeirError(
                f"{option} {bound}: {ORDER_TOPIC}[{partition}] begins at offset {low},"
                " what lay before is gone"
            )
        if offset > high and _names(bound, partition):
            raise WeirError(f"{option} {bound}: {ORDER_TOPIC}[{partition}] ends at offset {high}")


def _names(bound: Bound | None, partition: int) -> bool:
    return bound is not None and partition in bound.partitions


def _recorded(found: Survey) -> str:
    if found.recorded is None:
        return ": none is recorded"
    first, last = map(iso, found.recorded)
    return f": recorded are those of {first} to {last}"


class Meant:
    """Whose outputs a range holds, as their `meta` says it.

    An output names the input it comes from, and an input belongs to one node. What comes of a tick
    or a takeover names only partition and time: it may be of any node that writes its topic.
    """

    def __init__(self, found: Survey, nodes: Mapping[str, Node]) -> None:
        self._inputs, self._lines, self._nodes = found.inputs, found.lines, nodes

    def may(self, topic: str, meta: Meta) -> bool:
        """Whether an output can be one of the range."""
        return self._is(any, topic, meta)

    def must(self, topic: str, meta: Meta) -> bool:
        """Whether it can be nothing else."""
        return self._is(all, topic, meta)

    def _is(self, which: Callable[[Iterable[bool]], bool], topic: str, meta: Meta) -> bool:
        source = meta.source
        if source.topic[0] != "@":
            first, stop = self._inputs.get((source.topic, source.partition), (0, 0))
            return first <= source.offset < stop
        lines = [
            self._lines.get((node.name, source.partition))
            for node in self._nodes.values()
            if topic in node.sinks
        ]
        return which(line is not None and line.lived(meta.event_time_ms) for line in lines)
