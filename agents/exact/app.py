"""A Faust app whose agents are exactly-once: `app.topic`, `app.Table`, `app.agent` as Faust's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import faust

from agents.exact import group, loop
from agents.exact.config import Config, SlotTaken, hold_slot
from agents.exact.crash import die
from agents.exact.engine import Effects, Engine
from agents.exact.stream import Stream
from agents.exact.table import Table
from agents.exact.topic import Topic

__all__ = ["Agent", "App"]

Task = Callable[[], Awaitable[None]]


class Agent(faust.Agent):
    """Sends what an agent yields to its sinks, which are topics; there is no ask and reply."""

    async def _slurp(self, res: Any, it: Any) -> None:
        sends = [sink.send_soon for sink in self._sinks if isinstance(sink, Topic)]
        if len(sends) < len(self._sinks):
            raise TypeError(f"a sink of an exactly-once agent is a topic: {self._sinks!r}")
        async for value in it:
            for send in sends:
                send(value=value)


class App(faust.App):
    """Group membership, agents and streams are Faust's; the way of the data is the engine's."""

    def __init__(self, id: str, *, config: Config, **settings: Any) -> None:
        self.engine = Engine(self, config)
        self._engine_task: asyncio.Task[None] | None = None
        self._read: set[str] = set()
        ours: dict[str, Any] = {
            "broker": f"{group.SCHEME}://{config.bootstrap}",
            "datadir": str(config.datadir / "faust"),
            "Stream": Stream,
            "Topic": Topic,
            "Agent": Agent,
            "table_standby_replicas": 1,  # 0 would lose co-partitioning
            "topic_disable_leader": True,
            "topic_allow_declare": False,
            "stream_wait_empty": True,
            "stream_recovery_delay": 0.0,
            "web_enabled": False,
            "broker_session_timeout": config.session_timeout_s,
            "broker_heartbeat_interval": 1.0,
            "broker_rebalance_timeout": 30.0,
            "broker_max_poll_interval": config.hang_timeout_s,
            "producer_request_timeout": 30.0,
            "consumer_auto_offset_reset": "earliest",
        }
        super().__init__(id, **{**ours, **settings})
        for name in ("faust", "aiokafka", "mode"):
            logging.getLogger(name).setLevel(logging.WARNING)

    def Table(self, name: str, **arguments: Any) -> Table:  # type: ignore[override]
        """A table of the agent that reads `source`: `Table(name, source=topic, dumps=...,
        loads=...)`.
        """
        table = Table(self.engine, name, **arguments)
        for other in self.engine.tables:
            if shared := table.topics & other.topics:
                raise ValueError(f"{name}: {sorted(shared)} already lead to table {other.name}")
        self.engine.tables.append(table)
        return table

    def agent(self, channel: Any = None, **options: Any) -> Any:
        if options.get("concurrency", 1) != 1 or options.get("isolated_partitions"):
            raise ValueError("an exactly-once agent has one ordered writer per partition")
        topics = set(getattr(channel, "topics", ()))
        if not topics or topics & self._read:
            raise ValueError(f"an agent reads topics of its own, not {channel!r}")
        self._read |= topics
        return super().agent(channel, **options)

    def task(self, fun: Task) -> Task:  # type: ignore[override]
        """Decorator: a coroutine function that runs beside the agents."""
        super().task(fun)
        return fun

    def effects(self, carry: Effects) -> Effects:
        """Decorator: an async function(effects, before_commit_s) called after each commit that
        holds effects.
        """
        self.engine.on_effects = carry
        return carry

    def window(self, stop: Callable[[str], None]) -> None:
        """Tests: calls `stop(word)` at each crash window of a transaction."""
        object.__setattr__(self.engine.config, "window", stop)

    async def on_first_start(self) -> None:
        """Takes the slot before anything else: two processes of one slot would fence each other."""
        try:
            self._slot = hold_slot(self.engine.config.datadir, self.engine.config.slot)
        except SlotTaken as taken:
            die(str(taken))
        except OSError as error:
            die(f"the worker's folder cannot be used: {error}")
        await super().on_first_start()

    async def on_started(self) -> None:
        self._engine_task = asyncio.get_running_loop().create_task(self._serve())
        await super().on_started()

    async def on_stop(self) -> None:
        await self.engine.revoke()
        if self._engine_task is not None:
            self._engine_task.cancel()
        await super().on_stop()

    async def _serve(self) -> None:
        try:
            await loop.run(self.engine)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            die(f"the loop ended: {error!r}", error)

    async def _on_agent_error(self, agent: Any, error: BaseException) -> None:
        self.engine.broke(error)
