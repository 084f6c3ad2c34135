"""Faust's transport, used for group membership alone: who owns which partitions. Nothing is fetched
through it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver

from agents.exact.crash import die
from agents.exact.fence import check_client

if TYPE_CHECKING:
    from agents.exact.app import App


class Consumer(driver.Consumer):
    """A member of the group whose partitions are served by the engine."""

    app: App

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        try:
            await self.app.engine.revoke()
        except BaseException as error:  # aiokafka swallows what a listener raises
            die(f"revoke failed: {error!r}", error)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """Runs while no heartbeats are sent: pauses aiokafka's own fetcher, starts the session,
        returns.
        """
        consumer: Any = self._thread._consumer
        try:
            check_client(consumer)
            consumer.pause(*[driver.ensure_aiokafka_TP(tp) for tp in assigned])
            member = consumer._coordinator.member_id
            self.app.engine.joined = True
        except BaseException as error:
            die(f"group membership is not usable: {error!r}", error)
        await super().on_partitions_assigned(assigned, generation_id)
        if assigned:
            where = {(tp.topic, tp.partition) for tp in assigned}
            self.app.engine.assign(where, generation_id, member)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Nothing to drain: returns when the consumer or Faust's fetcher stops."""
        stops = [asyncio.ensure_future(one._stopped.wait()) for one in (self, fetcher)]
        await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
        for stop in stops:
            stop.cancel()

    async def perform_seek(self) -> None:
        """The engine decides positions, from stable offsets."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Offsets are committed by the engine's transactions only."""
        return False

    async def wait_empty(self) -> None:
        await self.app.engine.revoke()

    async def on_stop(self) -> None:
        await self.app.engine.revoke()
        await super().on_stop()

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Faust watches its own fetch path here, which carries nothing."""


class Transport(driver.Transport):
    Consumer = Consumer


SCHEME = "exact"
TRANSPORTS.aliases[SCHEME] = "agents.exact.group:Transport"
