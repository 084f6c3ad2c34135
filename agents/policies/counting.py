"""How many orders the gate has handed over since a time, as Kafka tells it."""

from __future__ import annotations

import asyncio

from confluent_kafka import Consumer, TopicPartition

TOPIC = "treasury.intents.v1"
MESSAGES, ASK_S, PATIENCE_S = 2_000, 0.2, 5.0


class Orders:
    """Counts the committed records of the intents' topic, each once. Usable by one caller."""

    def __init__(self, bootstrap: str, partitions: int, topic: str = TOPIC) -> None:
        self._places = [(topic, number) for number in range(partitions)]
        self._config = {
            "bootstrap.servers": bootstrap,
            "group.id": "weir-orders",  # asked for by the client; no offset is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
            "log_level": 0,
        }
        self._consumer: Consumer | None = None
        self._since_ms = -1
        self._count = 0

    async def since(self, at_ms: int) -> int:
        """How many lie there with a time from then on, as far as it has been read."""
        return await asyncio.to_thread(self._read, at_ms)

    def _read(self, at_ms: int) -> int:
        consumer = self._consumer = self._consumer or Consumer(self._config)
        if at_ms != self._since_ms:
            consumer.assign([self._start(consumer, *place, at_ms) for place in self._places])
            self._since_ms, self._count = at_ms, 0
        while messages := consumer.consume(MESSAGES, ASK_S):
            fresh = [one for one in messages if one.error() is None]
            self._count += sum(one.timestamp()[1] >= at_ms for one in fresh)
            if not fresh:
                break
        return self._count

    def _start(self, consumer: Consumer, topic: str, number: int, at_ms: int) -> TopicPartition:
        """Where the first one of that time lies, or the end as it was before we asked: what is
        written meanwhile is counted.
        """
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), PATIENCE_S)
        (found,) = consumer.offsets_for_times([TopicPartition(topic, number, at_ms)], PATIENCE_S)
        return TopicPartition(topic, number, found.offset if found.offset >= 0 else end)
