"""Signs the heads of all audit chains, every hour: the audit's checkpoints.

A chain shows what was changed in it, but not what was taken from its end; a signed root over all
heads does. The heads are read where they lie, at the ends of the audit's partitions, and a head
that takes back what the last checkpoint saw is not signed but said aloud: a disk was restored, or
somebody cut the log. With this module's clock the rest of Weir has nothing to do.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import Any, Literal

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from msgspec.structs import replace

from agents.feeds.alerts import Alerts, wall_ms
from agents.outside import NotWritten
from agents.runner import Writes
from schemas.records import ChainHead, Checkpoint
from schemas.signing import PrivateKey
from schemas.wire import NewerSchema, Undecodable, Wire
from streams.chain import goes_back, payload, root

AUDIT, CHECKPOINTS = "treasury.audit.v1", "treasury.audit-checkpoints.v1"
ALERT = "audit"
LOOK_S = 5.0
WAIT_S = 5.0
STEP_BACK, STEPS_GROW = 16, 8

log = structlog.get_logger()


class Unreadable(RuntimeError):
    """The end of a topic could not be read; the sentence says where and why."""


class Signer:
    """One line of checkpoints; `every_s` between two of them, the first as soon as there is a
    record.
    """

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        partitions: int,
        key: PrivateKey,
        outside: Writes,
        every_s: float,
    ) -> None:
        self._bootstrap, self._wire, self._partitions = bootstrap, wire, partitions
        self._key, self._outside, self._every_s = key, outside, every_s
        self._alerts = Alerts(outside)
        self._accused = ""

    async def run(self) -> None:
        """Signs for ever."""
        while True:
            try:
                wait_s = await self.turn()
            except (Unreadable, NotWritten) as why:
                log.warning("checkpoint_not_written", error=str(why))
                wait_s = LOOK_S
            await asyncio.sleep(wait_s)

    async def turn(self) -> float:
        """Signs if it is time; how many seconds to wait for the next look."""
        before = await asyncio.to_thread(self._last_checkpoint)
        now_ms = wall_ms()
        if before is not None:
            left_s = (before.at_ms - now_ms) / 1000 + self._every_s
            if left_s > 0:
                return min(left_s, LOOK_S)
        heads = await asyncio.to_thread(self._heads)
        if heads:
            await self._sign(heads, before, now_ms)
        return LOOK_S

    async def _sign(
        self, heads: tuple[ChainHead, ...], before: Checkpoint | None, now_ms: int
    ) -> None:
        accusation = goes_back(heads, before) if before is not None else ""
        if accusation != self._accused:
            text = accusation or "the chains go on from the last checkpoint"
            state: Literal["firing", "resolved"] = "firing" if accusation else "resolved"
            await self._alerts.say(ALERT, state, text, {}, severity="critical")
            self._accused = accusation
        if accusation:
            return
        bare = Checkpoint(root_hash=root(heads), heads=heads, at_ms=now_ms, jws="")
        checkpoint = replace(bare, jws=self._key.sign(payload(bare)))
        await self._outside.write(CHECKPOINTS, checkpoint)
        log.info("checkpoint", root=bare.root_hash, chains=len(heads))

    def _last_checkpoint(self) -> Checkpoint | None:
        with closing(self._consumer()) as consumer:
            found: Checkpoint | None = self._last(consumer, CHECKPOINTS, 0)
            return found

    def _heads(self) -> tuple[ChainHead, ...]:
        """The last record of each chain, in the order of chain ids."""
        with closing(self._consumer()) as consumer:
            links = [self._last(consumer, AUDIT, number) for number in range(self._partitions)]
        heads = [ChainHead(link.chain_id, link.seq, link.hash) for link in links if link]
        return tuple(sorted(heads, key=lambda head: head.chain_id))

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "weir-signer",  # asked for by the client; no offset is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )

    def _last(self, consumer: Consumer, topic: str, partition: int) -> Any | None:
        """The last committed record; markers and aborted records lie at the end too, so it goes
        back in growing steps.
        """
        place = TopicPartition(topic, partition)
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=WAIT_S, cached=False)
            back = STEP_BACK
            while low < high:
                start = max(low, high - back)
                found = self._last_from(consumer, TopicPartition(topic, partition, start))
                if found is not None or start == low:
                    return found
                back *= STEPS_GROW
        except KafkaException as why:
            raise Unreadable(f"{topic}[{partition}]: {why.args[0].str()}") from why
        return None

    def _last_from(self, consumer: Consumer, place: TopicPartition) -> Any | None:
        where = f"{place.topic}[{place.partition}]"
        consumer.assign([place])
        last: bytes | None = None
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            message = consumer.poll(0.1)
            if message is None:
                continue
            error = message.error()
            if error is None:
                last = message.value()
            elif error.code() == KafkaError._PARTITION_EOF:
                return self._decoded(place.topic, where, last)
            elif not error.retriable():
                raise Unreadable(f"{where}: {error.str()}")
        raise Unreadable(f"{where}: no end within {WAIT_S:g} s")

    def _decoded(self, topic: str, where: str, data: bytes | None) -> Any | None:
        if data is None:
            return None
        try:
            return self._wire.decode(topic, data)
        except (Undecodable, NewerSchema) as why:
            raise Unreadable(f"{where}: its last record: {why}") from why
