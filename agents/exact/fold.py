"""Folding a fetch: takeovers first, then the keys whose time has come, then the records, in fetch
order.

Every stretch is noted in the batch's merge order as it is folded. A record that does not decode is
a dead letter and never reaches an agent; it still has its place in the order, because a replay
meets it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.exact.session import Session
from agents.exact.stream import STARTED, TICK, Event, Stream
from agents.exact.table import Table

if TYPE_CHECKING:
    from agents.exact.engine import Engine


async def fold(engine: Engine, session: Session, messages: list[Any]) -> None:
    """Runs the agents; all they write and send lands in `engine.batch`.

    The first fold of a batch says its time: the merge order has one for each transaction.
    """
    due: dict[Stream, list[Event]] = {}
    if engine.batch.empty:
        due = await _begin(engine, session)
    by_stream = _records(engine, session, messages)
    for stream, events in due.items():
        by_stream[stream] = events + by_stream.get(stream, [])
    await _feed(by_stream)


async def _begin(engine: Engine, session: Session) -> dict[Stream, list[Event]]:
    """Sets the time of each partition and tells of takeovers; returns what is due by then."""
    batch = engine.batch
    batch.now_ms = engine.now_ms()
    batch.at_ms.clear()  # an empty batch goes on, and partitions may have left it
    for table in engine.tables:
        for partition, part in table.parts.items():
            batch.at_ms[table, partition] = max(batch.now_ms, part.at_ms)
    if engine.unstarted:
        await _feed(_by_stream(engine, _started(engine, session)))
    return _by_stream(engine, _due(engine))


def _started(engine: Engine, session: Session) -> list[Event]:
    """A partition that was taken over tells each key that has a wake-up pending."""
    events = []
    generation = session.generation
    for table, partition in sorted(engine.unstarted, key=lambda at: (at[0].name, at[1])):
        at_ms = engine.batch.at_ms[table, partition]
        engine.batch.ran(table, partition, STARTED, generation)
        for key in table.parts[partition].due.pending():
            events.append(_own_event(engine, STARTED, table, partition, generation, key, at_ms))
    engine.unstarted = set()
    return events


def _due(engine: Engine) -> list[Event]:
    events = []
    for (table, partition), at_ms in engine.batch.at_ms.items():
        keys = table.parts[partition].due.ready(at_ms)
        if keys:
            engine.batch.ran(table, partition, TICK, at_ms)
        for key in keys:
            events.append(_own_event(engine, TICK, table, partition, at_ms, key, at_ms))
    return events


def _own_event(
    engine: Engine, topic: str, table: Table, partition: int, offset: int, key: str, at_ms: int
) -> Event:
    return Event(engine, table, topic, partition, offset, key, None, at_ms, at_ms, None)


def _by_stream(engine: Engine, events: list[Event]) -> dict[Stream, list[Event]]:
    """Events of the engine's own by the stream of their table's agent."""
    by_stream: dict[Stream, list[Event]] = {}
    for event in events:
        stream = engine.routes[next(iter(event.table.topics))].stream
        by_stream.setdefault(stream, []).append(event)
    return by_stream


def _records(engine: Engine, session: Session, messages: list[Any]) -> dict[Stream, list[Event]]:
    """The records as events by stream; each partition's stretch is followed by a cursor."""
    cursors: dict[tuple[str, int], _Cursor] = {}
    by_stream: dict[Stream, list[Event]] = {}
    count = 0
    for message in messages:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        cursor = cursors.get((topic, partition))
        if cursor is None:
            cursor = _Cursor(engine, session, topic, partition, by_stream)
            cursors[topic, partition] = cursor
        cursor.take(topic, partition, offset)
        raw = message.key()
        event = Event(
            engine, cursor.table, topic, partition, offset, "", None, 0, cursor.at_ms, message
        )
        try:
            if raw is not None:
                event.key = raw.decode()
            event.value = cursor.loads(message.value())
        except ValueError as why:
            engine.begin(event)
            event.refuse(str(getattr(why, "cause", "decode")), str(why), "decode")
            continue
        except Exception as error:  # no verdict on the record: the decoder itself is broken
            engine.current = event
            engine.broke(error)
        event.timestamp_ms = message.timestamp()[1]
        cursor.events.append(event)
        count += 1
    for at, cursor in cursors.items():
        session.next[at] = engine.batch.offsets[at] = cursor.next
    engine.current = None
    engine.batch.events += count
    return by_stream


class _Cursor:
    """What is the same for all records of one topic and partition in one fetch."""

    __slots__ = ("at_ms", "events", "loads", "next", "runs", "table")

    def __init__(
        self,
        engine: Engine,
        session: Session,
        topic: str,
        partition: int,
        by_stream: dict[Stream, list[Event]],
    ) -> None:
        stream, self.table, self.loads = engine.routes[topic]
        self.events = by_stream.setdefault(stream, [])
        self.next = session.expected(topic, partition)
        self.at_ms, self.runs = engine.batch.now_ms, None
        if self.table is not None:
            self.at_ms = engine.batch.at_ms[self.table, partition]
            self.runs = engine.batch.runs.setdefault((self.table, partition), [])

    def take(self, topic: str, partition: int, offset: int) -> None:
        """Moves past one record. Raises RuntimeError if it was folded before."""
        if offset < self.next:
            raise RuntimeError(f"{topic}[{partition}] went back to {offset}, expected {self.next}")
        self.next = offset + 1
        runs = self.runs
        if runs is None:
            return
        if runs and runs[-1][0] == topic:
            runs[-1][2] = offset + 1
        else:
            runs.append([topic, offset, offset + 1])


async def _feed(by_stream: dict[Stream, list[Event]]) -> None:
    """Hands each agent its events, agents one after the other."""
    for stream, events in by_stream.items():
        await stream.feed(events)
