"""Which records a range of transactions needs to be replayed from files alone.

Its part of the merge order, the inputs it took, the outputs it gave (by their `meta`), the dead
letters of these inputs, and the state of every node and partition before it, each with the hash
that proves it. Policies and controls are kept in full: they are few, and people ask what was in
force. Changelogs are not needed where the states are given. A compacted topic is kept from its
first output on, because only what came later says whether an output is missing or was compacted.
"""

from __future__ import annotations

from collections.abc import Mapping

from agents.exact.deadletter import PREFIX
from agents.standing import CONTROLS, POLICIES
from agents.wiring import ORDER_TOPIC
from schemas.errors import NewerSchema, Undecodable
from schemas.records import Meta
from schemas.topics import BY_NAME
from schemas.wire import Wire
from streams.node import Node
from streams.topology import NODES
from weir.files.folder import Range
from weir.replay.base import Base, changelog, hexed
from weir.replay.check import states_before
from weir.replay.log import At, Log, Record
from weir.replay.origin import origin
from weir.replay.span import Span
from weir.replay.survey import Meant, Survey, survey

ALWAYS = (POLICIES, CONTROLS)
CHANGELOGS = frozenset(changelog(node) for node in NODES)
_NEVER = 1 << 62


class Stretch:
    """A range of a log. WeirError when the log does not hold it, or not the state before it."""

    def __init__(self, log: Log, wire: Wire, span: Span) -> None:
        nodes = {node.name: node for node in NODES}
        self._wire = wire
        self._found = survey(log, wire, nodes, span, nodes)
        self._meant = Meant(self._found, nodes)
        self._sinks = {topic for node in NODES for topic in node.sinks}
        self._first: dict[At, int] = {}
        self._past: dict[At, int] = {}
        self.bases = _bases(log, wire, nodes, self._found)

    def read_from(self, at: At, start: int) -> int:
        """Where a partition must be read from; `start` is where it begins."""
        topic, partition = at
        if topic == ORDER_TOPIC:
            one = self._found.order.get(partition)
            return start if one is None else one.first
        if topic in CHANGELOGS:
            return _NEVER
        if topic in self._sinks:
            return start
        return max(start, self._found.inputs.get(at, (start, 0))[0])

    def has(self, record: Record) -> bool:
        """Whether a record is kept."""
        at = record.topic, record.partition
        kept = self._keeps(at, record)
        if kept:
            self._first.setdefault(at, record.offset)
            self._past[at] = record.offset + 1
        return kept

    def range(self, at: At) -> Range:
        """What of a partition is there: from the first record that is needed to the last kept."""
        first, past = self._found.inputs.get(at, (None, 0))
        if at[0] == ORDER_TOPIC and at[1] in self._found.order:
            first = self._found.order[at[1]].first
        known = [one for one in (first, self._first.get(at)) if one is not None]
        return (min(known), max(past, self._past.get(at, 0))) if known else (0, 0)

    def _keeps(self, at: At, record: Record) -> bool:
        topic = BY_NAME[record.topic]
        if record.topic == ORDER_TOPIC:
            return self._is_transaction(record)
        if topic.source is not None:
            return self._is_letter(topic.source, record)
        if record.topic in ALWAYS or (topic.cleanup != "delete" and at in self._first):
            return True
        first, past = self._found.inputs.get(at, (0, 0))
        if first <= record.offset < past:
            return True
        meta = self._meta(record)
        if meta is not None:
            return self._meant.may(record.topic, meta)
        return topic.name not in _READ and self._lies_in(record)

    def _is_transaction(self, record: Record) -> bool:
        """Of the range, and surveyed: the log may have grown since."""
        run = self._wire.decode(ORDER_TOPIC, record.value)
        place = run.partition, record.offset, run.at_ms
        span, end = self._found.span, self._found.ends.get(record.partition, 0)
        return record.offset < end and not (span.is_before(*place) or span.is_after(*place))

    def _is_letter(self, source: str, record: Record) -> bool:
        headers = dict(record.headers)
        try:
            place = (headers[PREFIX + name] or b"" for name in ("partition", "offset"))
            partition, offset = map(int, place)
        except (KeyError, ValueError):
            return self._lies_in(record)  # nobody folded it: a feed refused it
        first, past = self._found.inputs.get((source, partition), (0, 0))
        return first <= offset < past

    def _lies_in(self, record: Record) -> bool:
        first_ms, last_ms = self._found.time
        return first_ms <= record.timestamp_ms <= last_ms

    def _meta(self, record: Record) -> Meta | None:
        try:
            return self._wire.meta(record.topic, record.value)
        except (Undecodable, NewerSchema):
            return None  # no node wrote it


_READ = frozenset(topic for node in NODES for topic in node.sources)
"""Of these a record that no node wrote is an input, and lies in the range by its offset alone."""


def _bases(log: Log, wire: Wire, nodes: Mapping[str, Node], found: Survey) -> list[Base]:
    """The state of every node and partition before the range; an empty one is a state too."""
    before = states_before(log, wire, nodes, found, origin(log, nodes, found))
    known = {(base.node, base.partition): base for base in before}
    lived = [place for place, line in sorted(found.lines.items()) if line.transactions]
    return [known.get(place) or Base(*place, hexed(0), {}) for place in lived]
