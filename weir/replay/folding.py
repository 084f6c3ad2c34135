"""One recorded transaction again: its runs in their order, through the same `fold` as the workers.

What the engine and the agents do around `fold` is said here a second time, and shortly: a takeover
tells every key that has a wake-up pending, a tick clears the wake-up of each key that is due before
its step, a refused event changes nothing. Keys lie by murmur2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from agents.exact.config import Config
from agents.exact.stream import STARTED, TICK
from agents.signatures import must_be_signed
from agents.wiring import partition_of
from schemas.errors import NewerSchema
from schemas.records import MergeRun
from schemas.topics import BY_NAME, key_of, partition_key
from schemas.wire import Wire
from streams.effects import Call, Look, Prepare
from streams.node import Node, fold, node_key
from streams.step import DeadLetter, Emit, Event, Refused, Started, Tick, Wake
from tables.spec import PARTITION_KEY
from weir.errors import WeirError
from weir.replay.base import Base
from weir.replay.difference import Difference
from weir.replay.entries import entries
from weir.replay.log import Log, Record
from weir.replay.part import Part
from weir.replay.produced import Output
from weir.replay.sources import Sources
from weir.replay.verdicts import Verdicts


class Folding:
    """The nodes' state while a log is replayed. `events` counts records, ticks and takeovers."""

    def __init__(
        self,
        log: Log,
        nodes: Mapping[str, Node],
        sources: Sources,
        wire: Wire,
        partitions: Mapping[str, int],
        bases: Iterable[Base] = (),
    ) -> None:
        self._log, self._nodes, self._sources, self._wire = log, nodes, sources, wire
        self._partitions = partitions
        self._verdicts = Verdicts(log)
        self._parts = {
            (base.node, base.partition): Part(nodes[base.node].table, base) for base in bases
        }
        self.events = self.refused = 0

    def bases(self, only: Collection[tuple[str, int]] | None = None) -> list[Base]:
        """The state of every node and partition as it is now, or of these."""
        return [
            part.base(*place)
            for place, part in sorted(self._parts.items())
            if only is None or place in only
        ]

    def transaction(self, record: Record, run: MergeRun) -> tuple[list[Output], Difference | None]:
        """The outputs of a transaction in their order, and whether the table came out as
        recorded.
        """
        node = self._nodes[run.node]
        at = run.node, run.partition
        part = self._parts.get(at)
        if part is None:
            part = self._parts[at] = Part(node.table)
        outputs: list[Output] = []
        for topic, start, stop in ((one.topic, one.from_, one.to) for one in run.runs):
            for event, refused in self._events(node, part, run, topic, start, stop):
                outputs += self._fold(node, part, event, refused)
        table_hash, changed = part.close()
        if table_hash == run.table_hash:
            return outputs, None
        runs = [[one.topic, one.from_, one.to] for one in run.runs]
        replayed = {key: part.text(key) for key in changed}
        return outputs, Difference(
            "table",
            f"{run.node}[{run.partition}], transaction {_place(record)}",
            {"table_hash": run.table_hash, "policy": run.policy, "code": run.code, "runs": runs},
            {"table_hash": table_hash},
            {"entries": entries(self._log, node, run.partition, run.table_hash, replayed)},
        )

    def _events(
        self, node: Node, part: Part, run: MergeRun, topic: str, start: int, stop: int
    ) -> Iterator[tuple[Event, bool]]:
        """The events of one run, each with whether the engine refused it before any step."""
        if topic in (TICK, STARTED):
            keys = part.due.ready(start) if topic == TICK else part.due.pending()
            value: Any = Tick() if topic == TICK else Started(start)
            for key in keys:
                yield Event(topic, run.partition, start, key, value, run.at_ms, run.at_ms), False
            return
        decode = self._wire.decoder(topic)
        unsigned: set[int] | None = None  # read only where a record had to be signed
        for record in self._sources.take(topic, run.partition, start, stop):
            event, refused = self._event(record, decode, run.at_ms)
            if not refused and must_be_signed(topic, event.value):
                if unsigned is None:
                    unsigned = self._verdicts.unsigned(topic, run.partition)
                refused = record.offset in unsigned
            yield event, refused

    def _event(
        self, record: Record, decode: Callable[[Any], Any], at_ms: int
    ) -> tuple[Event, bool]:
        """The event of a record; refused when key or value cannot be decoded. WeirError for a
        schema that is not known here and was known to the worker.
        """
        key, value, refused = "", None, False
        try:
            key = record.key.decode() if record.key is not None else ""
            value = decode(record.value)
        except (ValueError, NewerSchema) as why:
            is_schema = isinstance(why, NewerSchema) or getattr(why, "cause", "") == "schema"
            known = self._verdicts.undecoded if is_schema else None
            if known and record.offset not in known(record.topic, record.partition):
                raise WeirError(f"{_place(record)} cannot be folded again: {why}") from why
            refused = True
        place = record.topic, record.partition, record.offset
        return Event(*place, key, value, record.timestamp_ms, at_ms), refused

    def close(self) -> None:
        """Leaves the broker."""
        self._verdicts.close()

    def _fold(self, node: Node, part: Part, event: Event, refused: bool) -> list[Output]:
        self.events += 1
        part.begin()
        if event.topic == TICK:
            part.due.wake(event.key, None)
        if not refused:
            try:
                self._check_partition(event)
                return self._outputs(node, part, event)
            except Refused:
                part.take_back()
        self.refused += 1
        return []

    def _outputs(self, node: Node, part: Part, event: Event) -> list[Output]:
        found = []
        for output in fold(node, part, event):
            if isinstance(output, Emit):
                found.append(self._placed(node, output, event))
            elif isinstance(output, Wake):
                part.due.wake(node_key(node, event), output.at_ms)
            elif isinstance(output, DeadLetter):
                self.refused += 1
            elif not isinstance(output, Prepare | Call | Look):
                raise TypeError(f"a step returned {output!r}, which is no output")
        return found

    def _placed(self, node: Node, output: Emit, event: Event) -> Output:
        topic = BY_NAME[output.topic]
        key = output.key if output.key is not None else key_of(topic, output.value) or event.key
        value = self._wire.encode(output.topic, output.value)
        if len(value) > Config.value_bytes_max:
            raise Refused("too_large", "value", len(value))
        lies_by = partition_key(topic, output.value) or key
        at_ms = output.timestamp_ms
        hashed = partition_of(lies_by, self._partitions[output.topic])
        return Output(
            output.topic,
            event.partition if node.per_partition else hashed,
            key.encode(),
            value,
            event.timestamp_ms if at_ms is None else at_ms,
            getattr(output.value, "meta", None),
            (node.name, event.partition),
            f"{node.name}[{event.partition}], {event.topic}[{event.partition}]@{event.offset}"
            f" key {event.key}",
        )

    def _check_partition(self, event: Event) -> None:
        if event.key == PARTITION_KEY or event.topic[0] == "@":
            return
        if partition_of(event.key, self._partitions[event.topic]) != event.partition:
            raise Refused("partition", "partition", event.partition)


def _place(record: Record) -> str:
    return f"{record.topic}[{record.partition}]@{record.offset}"
