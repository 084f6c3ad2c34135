"""The engine of one worker: what is assigned to it, the batch it folds, and the way of a batch
through a transaction.

fetch ─> fold (agents run) ─> seal ─> commit ─> store ─> effects
   the next batch is fetched and folded while this one commits, and sealed when it has
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from agents.exact.batch import Batch
from agents.exact.commit import commit
from agents.exact.config import Config
from agents.exact.crash import Crashes, die
from agents.exact.deadletter import dead_letter
from agents.exact.fence import group_metadata, transactional_producer
from agents.exact.fold import fold
from agents.exact.open import open_session
from agents.exact.session import Session
from agents.exact.status import Meter
from agents.exact.store import Journal
from agents.exact.stream import TICK, Event, Stream
from agents.exact.table import Table
from agents.exact.topic import codec

if TYPE_CHECKING:
    from agents.exact.app import App

log = logging.getLogger("exact")

COMMIT_GRACE_S = 5
Effects = Callable[[list[Any], float], Awaitable[None]]


class Route(NamedTuple):
    """Where records of one topic go: the stream of their agent, its table if it has one, and their
    decoder.
    """

    stream: Stream
    table: Table | None
    loads: Callable[[bytes | None], Any]


class Engine:
    """One per app. `live` is False under the harness, where there is no broker."""

    def __init__(self, app: App, config: Config) -> None:
        self.app, self.config, self.live = app, config, True
        self.tables: list[Table] = []
        self.routes: dict[str, Route] = {}
        self.journal: Journal = []
        self.batch = Batch()
        self.current: Event | None = None
        self.unstarted: set[tuple[Table, int]] = set()
        self.session: Session | None = None
        self.on_effects: Effects | None = None
        self.meter = Meter()
        self.now_ms: Callable[[], int] = _now_ms
        self._outs = self._effects = 0
        self._turn = asyncio.Lock()
        self._committing: asyncio.Task[None] | None = None
        self._booted = self.joined = False
        self.fetch_thread = ThreadPoolExecutor(1, "exact-fetch")
        self.commit_thread = ThreadPoolExecutor(1, "exact-commit")
        self.open_thread = ThreadPoolExecutor(1, "exact-open")

    # -- wiring

    @property
    def transactional_id(self) -> str:
        return f"{self.app.conf.id}-w{self.config.slot}"

    def register(self, stream: Stream) -> None:
        """Called by each agent's stream as it starts: its topics lead here from now on."""
        channel: Any = stream.channel
        for topic in channel.topics:
            loads = codec(channel.schema.value_serializer, "loads", topic)
            table = self.table_of(topic)
            self.routes[topic] = Route(stream, table, loads)

    def table_of(self, topic: str) -> Table | None:
        """The table of the agent that reads a topic."""
        return next((table for table in self.tables if topic in table.topics), None)

    def boot(self) -> None:
        """Clients and fencing; once, at the first assignment, in the open thread."""
        if self._booted:
            return
        self.crashes = Crashes(self.config.datadir, self.config.crashes_max)
        self.consumer = Consumer(
            {
                "bootstrap.servers": self.config.bootstrap,
                "group.id": f"{self.app.conf.id}-data",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 32_768,
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 100,
                "log_level": 3,
            }
        )
        self.producer: Producer = transactional_producer(self.config, self.transactional_id)
        self._booted = True

    def renew_admin(self) -> None:
        """A new admin client: one that asked while a broker was away may never hear from it again
        (librdkafka 2.16).
        """
        self.admin = AdminClient({"bootstrap.servers": self.config.bootstrap, "log_level": 3})

    def touch(self) -> None:
        """Tells aiokafka that this member is alive; it never fetches, so it would leave the group
        as hung.
        """
        member: Any = self.app.consumer
        with member._thread._consumer._subscription.fetch_context():
            pass

    # -- one event

    def begin(self, event: Event) -> None:
        """The agent turns to this event; what the one before wrote stands."""
        self.current = event
        batch = self.batch
        self._outs, self._effects = len(batch.outs), len(batch.effects)
        if self.journal:
            self.journal.clear()
        if event.topic == TICK and event.table is not None:
            event.table.parts[event.partition].wake(event.key, None)

    def refuse(self, event: Event, cause: str, why: str, step: str) -> None:
        """Discards what the event did and writes its record to the dead-letter topic."""
        self.require_current(event)
        batch = self.batch
        del batch.outs[self._outs :]
        del batch.effects[self._effects :]
        for part, key, prior, due_at in reversed(self.journal):
            part.take_back(key, prior, due_at)
        self.journal.clear()
        self.dead_letter(event, cause, why, step)

    def dead_letter(self, event: Event, cause: str, why: str, step: str) -> None:
        """Writes the event's record to the dead-letter topic; what the event did stands."""
        self.require_current(event)
        if event.message is None:
            raise RuntimeError(f"{event}: an event of the engine's own cannot be refused: {why}")
        self.meter.refused += 1
        log.warning(
            "dead letter",
            extra={"event": str(event), "step": step, "cause": cause, "why": why},
        )
        self.batch.outs.append(
            dead_letter(event.message, self.config.header_prefix, step, cause, why)
        )

    def require_current(self, event: Event) -> None:
        """Raises RuntimeError for an event that is over: what it did stands in a transaction."""
        if event is not self.current:
            raise RuntimeError(f"{event} is over: only the present event takes part")

    def broke(self, error: BaseException) -> NoReturn:
        """An agent raised: the input is remembered, the worker ends."""
        event = self.current
        if not self.live or event is None or event.message is None:
            self.fail(f"agent failed: {error!r}", error)
        try:
            count = self.crashes.count(event.topic, event.partition, event.offset)
        except OSError as why:
            die(f"{event} broke its agent: {error!r}; crashes.json not written: {why}", error)
        die(f"{event} broke its agent ({count} times): {error!r}", error)

    def fail(self, why: str, error: BaseException) -> NoReturn:
        """Ends the worker; under the harness, its test."""
        if not self.live:
            raise error
        die(why, error)

    # -- one batch

    async def turn(self, session: Session, messages: list[Any]) -> None:
        """Folds one fetch (and what is due) into the batch and starts its commit, unless the
        session has ended meanwhile.

        While another commit is under way the batch stays open and takes what comes: nothing that
        was fetched waits behind a transaction that it could be part of.
        """
        async with self._turn:
            if session is not self.session or session.stopping or not session.ready:
                return
            if not self.batch.empty and self.batch.events + len(messages) > self.config.batch_max:
                await self._seal(session)
            await fold(self, session, messages)
            if not self.batch.empty and not self._commits:
                await self._seal(session)

    @property
    def awaited(self) -> set[asyncio.Future[Any]]:
        """The commit whose end the open batch waits for, if there is one."""
        return {self._committing} if self._committing and not self.batch.empty else set()

    @property
    def _commits(self) -> bool:
        return self._committing is not None and not self._committing.done()

    # -- one transaction

    async def _seal(self, session: Session) -> None:
        """The batch is complete: wait for the one before, freeze this one, and commit it beside the
        next fold.
        """
        await self.idle()
        batch, self.batch = self.batch, Batch()
        touched = {}
        for (table, partition), at_ms in batch.at_ms.items():
            part = table.parts[partition]
            if (table, partition) in batch.runs or part.dirty:
                part.seal(at_ms)
                touched[table, partition] = at_ms
                if self.config.order_stamp_key is not None:
                    batch.stamps[table, partition] = part.get(self.config.order_stamp_key)
                if (table, partition) not in batch.runs:
                    raise RuntimeError(f"{table.name}[{partition}] was written without an event")
        batch.at_ms = touched
        if not batch.offsets:
            batch.offsets = session.offsets_of(touched)
        self._committing = asyncio.get_running_loop().create_task(self._commit(session, batch))

    async def _commit(self, session: Session, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        # librdkafka may wait for a restarted broker beyond all its timeouts
        bound_s = self.config.transaction_timeout_ms / 1000 + COMMIT_GRACE_S
        try:
            async with asyncio.timeout(bound_s):
                before_s = await loop.run_in_executor(
                    self.commit_thread, commit, self, batch, session.metadata
                )
        except TimeoutError as error:
            self.fail(f"a transaction did not end within {bound_s:.0f} s", error)
        except BaseException as error:
            self.fail(f"a transaction failed: {error!r}", error)
        for table, partition in batch.at_ms:
            table.parts[partition].stored()
        self.meter.transaction(batch.events, time.perf_counter() - started)
        if batch.effects:
            if self.on_effects is None:
                die("a step asked for an effect and nobody carries effects out")
            try:
                await self.on_effects(batch.effects, before_s)
            except Exception as error:
                self.fail(f"effects were not carried out: {error!r}", error)

    async def idle(self) -> None:
        """Waits until no transaction is under way."""
        if self._committing is not None:
            await self._committing
            self._committing = None

    # -- group changes

    async def revoke(self) -> None:
        """Ends the session after its running batch has committed; heartbeats go on meanwhile."""
        session, self.session = self.session, None
        if session is None:
            return
        session.stopping = True
        try:
            async with asyncio.timeout(self.config.stop_timeout_s):
                if session.task is not None:
                    await asyncio.shield(session.task)
                async with self._turn:
                    if not self.batch.empty:
                        await self._seal(session)
                    await self.idle()
        except TimeoutError:
            die("partitions were revoked and the running batch did not end")
        await asyncio.get_running_loop().run_in_executor(self.fetch_thread, self.consumer.unassign)

    def assign(self, where: set[tuple[str, int]], generation: int, member: str) -> None:
        """Begins a session and returns at once: restoring runs outside the callback."""
        metadata = group_metadata(self.app.conf.id, generation, member)
        session = self.session = Session(where, generation, metadata)
        session.task = asyncio.get_running_loop().create_task(open_session(self, session))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
