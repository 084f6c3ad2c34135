"""What an agent sees of its input: events in batches, handed over by the engine.

Asking for the next event says that the previous one is done, so the end of a batch is also a
barrier: every write, send and yield of the batch is in memory when the engine commits it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import faust

if TYPE_CHECKING:
    from agents.exact.app import App
    from agents.exact.engine import Engine

TICK = "@tick"
STARTED = "@started"


class Event:
    """One input: a record, or one of the engine's own runs (topic `@tick`, `@started`: no record
    behind it).

    `timestamp_ms` is the record's own time; `at_ms` is the time of its partition, recorded in the
    merge order, which never goes backwards. `table` is the table of the agent that reads it, or
    None.
    """

    __slots__ = (
        "_engine",
        "at_ms",
        "key",
        "message",
        "offset",
        "partition",
        "table",
        "timestamp_ms",
        "topic",
        "value",
    )

    def __init__(
        self,
        engine: Engine,
        table: Any,
        topic: str,
        partition: int,
        offset: int,
        key: str,
        value: Any,
        timestamp_ms: int,
        at_ms: int,
        message: Any,
    ) -> None:
        self._engine, self.table = engine, table
        self.topic, self.partition, self.offset = topic, partition, offset
        self.key, self.value = key, value
        self.timestamp_ms, self.at_ms = timestamp_ms, at_ms
        self.message = message

    def refuse(self, cause: str, why: str, step: str = "process") -> None:
        """Makes this event a dead letter: what it wrote and sent so far is discarded."""
        self._engine.refuse(self, cause, why, step)

    def dead_letter(self, cause: str, why: str, step: str = "process") -> None:
        """Makes this event a dead letter; what it wrote and sent stands."""
        self._engine.dead_letter(self, cause, why, step)

    def effect(self, effect: Any) -> None:
        """Asks for something to be done outside, after the transaction that holds this event has
        committed.
        """
        self._engine.require_current(self)
        self._engine.batch.effects.append(effect)

    def __repr__(self) -> str:
        return f"<{self.topic}[{self.partition}]@{self.offset} key={self.key}>"


class Stream(faust.Stream[Any]):
    """`async for value in stream`, `stream.events()` and `stream.items()`; everything else of
    Faust's raises.
    """

    app: App
    current_event: Any
    _inbox: asyncio.Future[list[Event]]
    _done: asyncio.Future[None] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._values()

    def events(self) -> AsyncIterator[Any]:
        return self._events()

    async def items(self) -> AsyncIterator[Any]:
        async for event in self._events():
            yield event.key, event.value

    async def feed(self, events: list[Event]) -> None:
        """Hands a batch over and returns when the agent has finished its last event."""
        self._done = asyncio.get_running_loop().create_future()
        self._inbox.set_result(events)
        await self._done

    async def _values(self) -> AsyncIterator[Any]:
        engine = await self._register()
        while True:
            for event in await self._next_batch():
                engine.begin(event)
                self.current_event = event
                yield event.value
            self._end_batch(engine)

    async def _events(self) -> AsyncIterator[Event]:
        engine = await self._register()
        while True:
            for event in await self._next_batch():
                engine.begin(event)
                self.current_event = event
                yield event
            self._end_batch(engine)

    async def _register(self) -> Engine:
        self._finalized = True
        if len(self._processors) > 1:  # the first one is Faust's own unwrapping of replies
            raise NotImplementedError("stream processors would run outside the transaction")
        engine: Engine = self.app.engine
        if engine.live:
            await self.maybe_start()
        self._inbox = asyncio.get_running_loop().create_future()
        engine.register(self)
        return engine

    async def _next_batch(self) -> list[Event]:
        events = await self._inbox
        self._inbox = asyncio.get_running_loop().create_future()
        return events

    def _end_batch(self, engine: Engine) -> None:
        engine.current = self.current_event = None
        if self._done is not None:
            self._done.set_result(None)

    def _outside(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("this would bypass the transaction: see agents/exact/README.md")

    take = take_events = take_with_timestamp = noack_take = noack = _outside
    group_by = through = echo = tee = join = combine = _outside
