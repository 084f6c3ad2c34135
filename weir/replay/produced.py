"""The outputs of the steps against what lies on the output topics.

Several nodes, partitions and outside writers share a topic, so its records are told apart by their
`meta`: the input they come from and the event's id; one that comes from an input outside of the
range that is replayed (`Meant`) is passed over. Records without it were written outside of the
nodes (copies of the relay, polls, answers of the runner) and are inputs, not outputs. On a
compacted topic an output may be gone since; then a later one of its key must be there. A contract
that has no `meta` (alerts) is told apart by its very bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from schemas.errors import NewerSchema, Undecodable
from schemas.jsonform import iso, to_json
from schemas.records import Meta
from schemas.topics import BY_NAME
from schemas.wire import Wire
from weir.errors import WeirError
from weir.replay.difference import Difference
from weir.replay.log import Reader, Record
from weir.replay.survey import Meant

PATIENCE_S = 5.0
"""How long an output may be unseen: a transaction becomes readable partition by partition."""


class Output(NamedTuple):
    """What a step gave, as it must lie on its topic; `origin` is (node, partition)."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    timestamp_ms: int
    meta: Meta | None
    origin: tuple[str, int]
    where: str


_Group = tuple[str, int, str, str, int, int]


class Produced:
    """Reads the output topics alongside a replay and takes away what it gives again."""

    def __init__(
        self,
        reader: Reader,
        wire: Wire,
        partitions: Mapping[str, int],
        patience_s: float,
        meant: Meant,
    ) -> None:
        self._reader, self._wire, self._partitions = reader, wire, partitions
        self._meant = meant
        self._patience_s = patience_s
        self._waiting: dict[_Group, list[Record]] = defaultdict(list)
        self._last: dict[tuple[str, int, tuple[str, int]], int] = {}
        self._latest: dict[tuple[str, int, bytes | None], int] = {}
        self._unread: dict[tuple[str, int], str] = {}
        """Per place the first record of a schema that is not known here."""
        self.matched = self.compacted = 0

    def compare(self, output: Output) -> Difference | None:
        """None when the log holds this output."""
        group = _group(output, output.meta)
        if group is None:
            raise TypeError(f"{output.topic}: an output of a node carries no meta")
        record = self._find(group)
        if record is None:
            if self._is_compacted(output):
                self.compacted += 1
                return None
            unread = self._unread.get((output.topic, output.partition))
            if unread is not None:
                raise WeirError(f"{output.where}: what it gave may be {unread}")
            return Difference("missing", output.where, None, self._shown_output(output))
        what = _differs(output, record)
        if what is not None:
            return self._both(what, output, record)
        line = output.topic, output.partition, output.origin
        if record.offset < self._last.get(line, -1):
            return self._both("order", output, record)
        self._last[line] = record.offset
        self.matched += 1
        return None

    def surplus(self) -> Difference | None:
        """What lies on the log, comes from what was replayed, and was not given again."""
        for topic, partitions in self._partitions.items():
            for partition in range(partitions):
                while self._read(topic, partition, 0.0):
                    pass
        left = [record for records in self._waiting.values() for record in records]
        for record in sorted(left, key=lambda one: (one.timestamp_ms, one.topic, one.offset)):
            source = self._meta(record)
            if source is None or not self._meant.must(record.topic, source):
                continue
            where = f"{source.source.topic}[{source.source.partition}]@{source.source.offset}"
            return Difference("surplus", where, self._shown_record(record), None)
        return None

    def _is_compacted(self, output: Output) -> bool:
        """Whether a later record of the key has taken its place; the newest is always kept."""
        if not _compacts(output.topic):
            return False
        line = output.topic, output.partition, output.origin
        while True:
            latest = self._latest.get((output.topic, output.partition, output.key), -1)
            if latest > self._last.get(line, -1):
                return True
            if not self._read(output.topic, output.partition, self._patience_s):
                return False

    def _find(self, group: _Group) -> Record | None:
        topic, partition = group[:2]
        while not self._waiting.get(group):
            wait_s = 0.0 if _compacts(topic) else self._patience_s
            if not self._read(topic, partition, wait_s):
                return None
        records = self._waiting[group]
        found = records.pop(0)
        if not records:
            del self._waiting[group]
        return found

    def _read(self, topic: str, partition: int, wait_s: float) -> bool:
        record = self._reader.next(topic, partition, wait_s)
        if record is None:
            return False
        if _compacts(topic):
            self._latest[topic, partition, record.key] = record.offset
        meta = self._meta(record)
        group = _group(record, meta)
        if group is not None and (meta is None or self._meant.may(record.topic, meta)):
            self._waiting[group].append(record)
        return True

    def _meta(self, record: Record) -> Meta | None:
        try:
            return self._wire.meta(record.topic, record.value)
        except (Undecodable, NewerSchema) as why:
            if isinstance(why, NewerSchema) or why.cause == "schema":
                place = f"{record.topic}[{record.partition}]@{record.offset}"
                self._unread.setdefault((record.topic, record.partition), f"{place}: {why}")
            return None  # no step writes such a record: whoever did, it is nobody's output

    def _both(self, what: str, output: Output, record: Record) -> Difference:
        return Difference(
            what, output.where, self._shown_record(record), self._shown_output(output)
        )

    def _shown_output(self, output: Output) -> dict[str, Any]:
        return {
            "topic": output.topic,
            "partition": output.partition,
            "key": output.key.decode(),
            "timestamp": iso(output.timestamp_ms),
            "value": to_json(self._wire.decode(output.topic, output.value)),
        }

    def _shown_record(self, record: Record) -> dict[str, Any]:
        return {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": (record.key or b"").decode(errors="replace"),
            "timestamp": iso(record.timestamp_ms),
            "value": self._value(record),
        }

    def _value(self, record: Record) -> Any:
        try:
            return to_json(self._wire.decode(record.topic, record.value))
        except (Undecodable, NewerSchema) as why:
            return f"{(record.value or b'').hex()}: {why}"


def _compacts(topic: str) -> bool:
    return BY_NAME[topic].cleanup == "compact"


def _group(one: Output | Record, meta: Meta | None) -> _Group | None:
    """What tells a record from others of its place; None for one that no node wrote."""
    if meta is not None:
        source = meta.source
        known = meta.event_id, source.topic, source.partition, source.offset
        return one.topic, one.partition, *known
    if not _has_meta(one.topic):
        digest = blake2b(one.value or b"", digest_size=16).hexdigest()
        return one.topic, one.partition, digest, str(one.key), one.timestamp_ms, 0
    return None


@cache
def _has_meta(topic: str) -> bool:
    return "meta" in getattr(BY_NAME[topic].record, "__struct_fields__", ())


def _differs(output: Output, record: Record) -> str | None:
    if output.key != record.key:
        return "key"
    if output.value != record.value:
        return "value"
    return "timestamp" if output.timestamp_ms != record.timestamp_ms else None
