"""What a range holds, read from the merge order before anything is folded.

For each node and partition (a *line*): the transaction before the range, whose table hash says what
state the range begins from, and what the transactions in it took. So a replay knows in advance
which records it needs, how much there is, and what to say it has replayed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    inputs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By topic, the first offset that was taken in the range and the one after the last."""
    taken: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The same of all transactions up to the end of the range."""


@dataclass
class Own:
    """When a node's partition had runs of the engine's own (ticks, takeovers), in the range and
    outside of it, each in its order; and the times of its first and last transaction of all.
    """

    inside: array[int] = field(default_factory=lambda: array("q"))
    outside: array[int] = field(default_factory=lambda: array("q"))
    first_ms: int = 0
    last_ms: int = 0


class Stretch(NamedTuple):
    """Transactions of one partition of the merge order: first and last offset."""

    first: int
    last: int


@dataclass
class Survey:
    """The range as it is recorded; `ends` is where reading stopped, by partition."""

    span: Span
    lines: dict[Place, Line] = field(default_factory=dict)
    own: dict[Place, Own] = field(default_factory=dict)
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
                    _note_own(found, record, run, only)
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
    line.transactions += 1
    for one in run.runs:
        if one.topic[0] != "@":
            first, _ = line.inputs.get(one.topic, (one.from_, 0))
            line.inputs[one.topic] = first, one.to
            found.events += one.to - one.from_


def _note_own(found: Survey, record: Record, run: MergeRun, only: Collection[str]) -> None:
    own = found.own.setdefault((run.node, run.partition), Own(first_ms=run.at_ms))
    own.last_ms = run.at_ms
    if any(one.topic[0] == "@" for one in run.runs):
        place = run.partition, record.offset, run.at_ms
        is_outside = found.span.is_before(*place) or found.span.is_after(*place)
        times = own.outside if is_outside or run.node not in only else own.inside
        times.append(run.at_ms)


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
    or a takeover names only partition and time: it is of a node that writes its topic and had one
    then, and of nobody if none had.
    """

    def __init__(self, found: Survey, nodes: Mapping[str, Node]) -> None:
        self._inputs, self._own, self._nodes = found.inputs, found.own, nodes
        self._span = found.span

    def may(self, topic: str, meta: Meta) -> bool:
        """Whether an output can be one of the range."""
        if meta.source.topic[0] != "@":
            return self._is_taken(meta)
        owns = self._writers(topic, meta)
        at_ms = meta.event_time_ms
        return any(_had(own.inside, at_ms) for own in owns) or self._is_of_nobody(owns, at_ms)

    def must(self, topic: str, meta: Meta) -> bool:
        """Whether it can be nothing else."""
        if meta.source.topic[0] != "@":
            return self._is_taken(meta)
        owns = self._writers(topic, meta)
        return not any(_had(own.outside, meta.event_time_ms) for own in owns)

    def _is_taken(self, meta: Meta) -> bool:
        first, stop = self._inputs.get((meta.source.topic, meta.source.partition), (0, 0))
        return first <= meta.source.offset < stop

    def _is_of_nobody(self, owns: Sequence[Own], at_ms: int) -> bool:
        """Whether no node had a tick then, though each has been seen before and after."""
        seen = len(owns) > 0 and all(own.first_ms <= at_ms < own.last_ms for own in owns)
        return seen and self._span.covers(at_ms) and not any(_had(o.outside, at_ms) for o in owns)

    def _writers(self, topic: str, meta: Meta) -> list[Own]:
        """What is known of the nodes that write a topic, in the partition an output comes from."""
        writers = [name for name, node in self._nodes.items() if topic in node.sinks]
        known = [self._own.get((name, meta.source.partition)) for name in writers]
        return [own or Own() for own in known]


def _had(times: array[int], at_ms: int) -> bool:
    place = bisect_left(times, at_ms)
    return place < len(times) and times[place] == at_ms
