"""A harness: feeds events to the agents of an app without a broker, and shows what they did.

    async with exact.Harness(app) as h:
        await h.feed("deposits", {"amount": 5}, key="acc-1", timestamp_ms=1_000)
        assert h.values(sums) == [{"total": 5}]

Folding, refusing, sealing and committing are the engine's own code; only the log behind them, the
clock and the hands that carry effects out are the harness's. Tables live in memory. Every feed is a
transaction of its own, and has happened completely when it returns. What an agent raises comes out
of the feed that caused it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Any, NamedTuple, Self

import faust
from aiokafka.partitioner import murmur2

from agents.exact.app import App
from agents.exact.due import DUE
from agents.exact.session import Session
from agents.exact.store import Part
from agents.exact.table import Table
from agents.exact.topic import codec


class Sent(NamedTuple):
    """One record that a transaction wrote."""

    topic: str
    key: str | bytes | None
    value: bytes | None
    partition: int
    timestamp_ms: int
    headers: Any


class Record:
    """An input as confluent_kafka's `Message` shows it."""

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        self._is = topic, partition, offset, key, value, timestamp_ms, headers

    def topic(self) -> str:
        return self._is[0]

    def partition(self) -> int:
        return self._is[1]

    def offset(self) -> int:
        return self._is[2]

    def key(self) -> bytes | None:
        return self._is[3]

    def value(self) -> bytes | None:
        return self._is[4]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._is[5]

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._is[6]


class Harness:
    """Runs the agents of one app on `partitions` partitions of every topic.

    `only` (table name, partition) opens that part alone: a replay of its merge order.
    """

    def __init__(self, app: App, partitions: int = 1, only: tuple[str, int] | None = None) -> None:
        self.app, self.partitions = app, partitions
        self.effects: list[Any] = []
        self._engine = app.engine
        self._only = only
        self._log = _Log(partitions)
        self._now_ms = 0
        self._agents: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        engine = self._engine
        engine.live, engine.producer = False, self._log  # type: ignore[assignment]
        engine.now_ms = lambda: self._now_ms
        engine.on_effects = self._carry_out
        self.app.finalize()
        for agent in self.app.agents.values():
            actor = agent.actor_from_stream(None)
            run = agent._slurp(actor, actor) if isinstance(actor, AsyncIterable) else _wait(actor)
            self._agents.append(asyncio.create_task(run))
        topics = {topic for agent in self.app.agents.values() for topic in agent.channel.topics}
        while topics - engine.routes.keys():
            self._raise_failed()
            await asyncio.sleep(0)
        self._begin_session(topics)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._agents:
            task.cancel()
        await asyncio.gather(*self._agents, return_exceptions=True)
        for thread in (
            self._engine.fetch_thread,
            self._engine.commit_thread,
            self._engine.open_thread,
        ):
            thread.shutdown()

    # -- what goes in

    async def feed(
        self,
        topic: str | faust.Topic,
        value: Any,
        *,
        key: str | bytes | None = None,
        timestamp_ms: int | None = None,
        at_ms: int | None = None,
        partition: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """One record: `value` goes through the topic's codec, bytes and None as they are.

        `at_ms` moves the clock first (it never goes back); the record's own time follows it unless
        named.
        """
        name = topic if isinstance(topic, str) else topic.get_topic_name()
        if not isinstance(value, bytes | None):
            channel: Any = self._engine.routes[name].stream.channel
            value = codec(channel.schema.value_serializer, "dumps", name)(value)
        raw = key.encode() if isinstance(key, str) else key
        where = partition_of(raw, self.partitions) if partition is None else partition
        if at_ms is not None:
            self._now_ms = at_ms
        time_ms = self._now_ms if timestamp_ms is None else timestamp_ms
        offset = self._session.next[name, where]
        await self.turn([Record(name, where, offset, raw, value, time_ms, headers)])

    async def tick(self, at_ms: int) -> None:
        """Time passes without a record: keys whose wake-up has come are woken."""
        await self.turn([], at_ms)

    async def take_over(self) -> None:
        """The partitions come to this worker anew: keys with a wake-up pending are told."""
        await self.turn([], generation=self._session.generation + 1)

    async def turn(
        self, messages: Iterable[Any], at_ms: int | None = None, generation: int | None = None
    ) -> None:
        """One transaction: several records, a time, and (in a replay) the generation of its start.

        `messages` may be confluent_kafka's own.
        """
        if at_ms is not None:
            self._now_ms = at_ms
        if generation is not None:
            self._session.generation = generation
            self._engine.unstarted = {(t, p) for t in self._engine.tables for p in t.parts}
        work = asyncio.create_task(self._work(list(messages)))
        await asyncio.wait({work, *self._agents}, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failed()
        await work

    async def _work(self, messages: list[Any]) -> None:
        await self._engine.turn(self._session, messages)
        await self._engine.idle()

    # -- what came out

    @property
    def records(self) -> list[Sent]:
        """All that was written: outputs, dead letters, changelogs, merge order. May be cleared."""
        return self._log.records

    @property
    def outputs(self) -> list[Sent]:
        """What the agents sent and yielded, in that order."""
        bookkeeping = {table.changelog for table in self._engine.tables}
        bookkeeping.add(self._engine.config.order_topic or "")
        return [
            one
            for one in self._log.records
            if one.topic not in bookkeeping and not one.topic.endswith(".dlq")
        ]

    def values(self, topic: faust.Topic) -> list[Any]:
        """The decoded values of one topic's outputs."""
        name = topic.get_topic_name()
        loads = codec(topic.schema.value_serializer, "loads", name)
        return [loads(one.value) for one in self._log.records if one.topic == name]

    @property
    def dead_letters(self) -> list[Sent]:
        return [one for one in self._log.records if one.topic.endswith(".dlq")]

    def table(self, name: str) -> dict[str, Any]:
        """The entries of a table, all partitions, without its wake-ups."""
        parts = self._table(name).parts.values()
        return {key: value for part in parts for key, value in part.range("")}

    def due(self, name: str) -> dict[str, int]:
        """Key -> time of the wake-ups of a table."""
        found = [one for part in self._table(name).parts.values() for one in part.range(DUE)]
        return {full.split("|", 2)[2]: at_ms for full, at_ms in found}

    def part(self, name: str, partition: int = 0) -> Part:
        """One partition of a table, with its `hash` and `at_ms`."""
        return self._table(name).parts[partition]

    # -- inside

    def _table(self, name: str) -> Table:
        return next(table for table in self._engine.tables if table.name == name)

    def _begin_session(self, topics: set[str]) -> None:
        where = {(topic, p) for topic in topics for p in range(self.partitions)}
        session = self._session = self._engine.session = Session(where, 1, b"")
        session.next = dict.fromkeys(where, 0)
        for table in self._engine.tables:
            for partition in range(self.partitions):
                if self._only in (None, (table.name, partition)):
                    table.open(partition, in_memory=True)
                    self._engine.unstarted.add((table, partition))
        session.ready = True

    async def _carry_out(self, effects: list[Any], before_commit_s: float) -> None:
        self.effects += effects

    def _raise_failed(self) -> None:
        for task in self._agents:
            if task.done():
                task.result()
                raise RuntimeError("an agent has ended: its loop over the stream must not")


def partition_of(key: bytes | None, partitions: int) -> int:
    """Where Java and librdkafka put a key; 0 without one."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions if key else 0


async def _wait(actor: Any) -> None:
    await actor


class _Delivered(NamedTuple):
    at: int

    def offset(self) -> int:
        return self.at


class _Log:
    """In the broker's place: takes what transactions produce, as a transactional producer does."""

    def __init__(self, partitions: int) -> None:
        self.records: list[Sent] = []
        self._partitions = partitions
        self._ends: dict[tuple[str, int], int] = {}
        self._touched: set[tuple[str, int]] = set()

    def begin_transaction(self) -> None:
        self._touched.clear()

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: str | bytes | None,
        partition: int | None = None,
        on_delivery: Any = None,
        timestamp: int = 0,
        headers: Any = None,
    ) -> None:
        if partition is None:
            raw = key.encode() if isinstance(key, str) else key
            partition = partition_of(raw, self._partitions)
        offset = self._ends.get((topic, partition), 0)
        self._ends[topic, partition] = offset + 1
        self._touched.add((topic, partition))
        self.records.append(Sent(topic, key, value, partition, timestamp, headers))
        if on_delivery is not None:
            on_delivery(None, _Delivered(offset))

    def send_offsets_to_transaction(self, offsets: Any, metadata: bytes, timeout_s: float) -> None:
        """Positions live in the session."""

    def commit_transaction(self, timeout_s: float) -> None:
        for where in self._touched:
            self._ends[where] += 1  # the commit marker

    def flush(self, timeout_s: float) -> None:
        """Nothing is on its way."""

    def poll(self, timeout_s: float) -> None:
        """Deliveries were reported at once."""
