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
    """Runs the agents; all they write and send lands in `engine.batch`."""
    now_ms = engine.now_ms()
    engine.batch.at_ms.clear()  # an empty batch goes on, and partitions may have left it
    for table in engine.tables:
        for partition, part in table.parts.items():
            engine.batch.at_ms[table, partition] = max(now_ms, part.at_ms)
    if engine.unstarted:
        await _feed(engine, _started(engine, session))
    await _feed(engine, _due(engine) + _records(engine, session, messages, now_ms))


def _started(engine: Engine, session: Session) -> list[Event]:
    """A partition that was taken over tells each key that has a wake-up pending."""
    events = []
    generation = session.generation
    for table, partition in sorted(engine.unstarted, key=lambda at: (at[0].name, at[1])):
        at_ms = engine.batch.at_ms[table, partition]
        engine.batch.ran(table, partition, STARTED, generation, generation)
        for key in table.parts[partition].due.pending():
            events.append(_own_event(engine, STARTED, table, partition, generation, key, at_ms))
    engine.unstarted = set()
    return events


def _due(engine: Engine) -> list[Event]:
    events = []
    for (table, partition), at_ms in engine.batch.at_ms.items():
        keys = table.parts[partition].due.ready(at_ms)
        if keys:
            engine.batch.ran(table, partition, TICK, at_ms, at_ms)
        for key in keys:
            events.append(_own_event(engine, TICK, table, partition, at_ms, key, at_ms))
    return events


def _own_event(
    engine: Engine, topic: str, table: Table, partition: int, offset: int, key: str, at_ms: int
) -> Event:
    return Event(engine, table, topic, partition, offset, key, None, at_ms, at_ms, None)


def _records(engine: Engine, session: Session, messages: list[Any], now_ms: int) -> list[Event]:
    batch, routes = engine.batch, engine.routes
    events = []
    for message in messages:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        session.advance(topic, partition, offset)
        batch.offsets[topic, partition] = offset + 1
        _, table, loads = routes[topic]
        at_ms = now_ms
        if table is not None:
            at_ms = batch.at_ms[table, partition]
            batch.ran(table, partition, topic, offset, offset + 1)
        raw = message.key()
        event = Event(engine, table, topic, partition, offset, "", None, 0, at_ms, message)
        try:
            if raw is not None:
                event.key = raw.decode()
            event.value = loads(message.value())
        except ValueError as why:
            engine.begin(event)
            event.refuse(str(getattr(why, "cause", "decode")), str(why), "decode")
            continue
        except Exception as error:  # no verdict on the record: the decoder itself is broken
            engine.current = event
            engine.broke(error)
        event.timestamp_ms = message.timestamp()[1]
        events.append(event)
    engine.current = None
    batch.events += len(events)
    return events


async def _feed(engine: Engine, events: list[Event]) -> None:
    """Hands each agent its events, agents one after the other."""
    by_stream: dict[Stream, list[Event]] = {}
    for event in events:
        topic = event.topic if event.message is not None else next(iter(event.table.topics))
        stream = engine.routes[topic].stream
        if stream in by_stream:
            by_stream[stream].append(event)
        else:
            by_stream[stream] = [event]
    for stream, its_events in by_stream.items():
        await stream.feed(its_events)
