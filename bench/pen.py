"""What a campaign writes to Weir's topics, and how far Weir has come with it."""

from __future__ import annotations

import threading
import time
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from agents.nodes import LIVE
from agents.signatures import Sign
from schemas.topics import BY_NAME, key_of, timestamp_ms
from schemas.wire import SchemaIds, Wire

WIRE = Wire(SchemaIds.from_lock())


class Pen:
    """A patient producer of contract records, for any thread."""

    def __init__(self, bootstrap: str) -> None:
        patient = {"enable.idempotence": True, "message.timeout.ms": 300_000, "log_level": 0}
        ours = {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 5}
        self._producer = Producer({**ours, **patient})
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._lock = threading.Lock()
        self._next: dict[tuple[str, int], int] = {}
        self._refused: list[str] = []
        self.written = 0

    def write(
        self, topic: str, record: Any, key: str | None = None, sign: Sign | None = None
    ) -> None:
        """One record, under the key of its contract unless another is given, signed if it must."""
        contract, value = BY_NAME[topic], WIRE.encode(topic, record)
        key = key or key_of(contract, record)
        stamp = timestamp_ms(contract, record) or time.time_ns() // 1_000_000
        headers = None if sign is None else {**LIVE, **sign(str(key), record, value)}
        self._producer.produce(
            topic, value, key, timestamp=stamp, headers=headers, on_delivery=self._delivered
        )
        self._producer.poll(0)
        self.written += 1

    def is_read(self, group: str, topic: str) -> bool:
        """Whether a group has committed past all that was written to a topic so far."""
        if self._producer.flush(60) or self._refused:
            raise RuntimeError(f"not written: {self._refused[:3]}")
        with self._lock:
            wanted = {at: end for at, end in self._next.items() if at[0] == topic}
        request = [ConsumerGroupTopicPartitions(group)]
        found = self._admin.list_consumer_group_offsets(request)[group].result(30)
        done = {(one.topic, one.partition): one.offset for one in found.topic_partitions}
        return all(done.get(at, -1) >= end for at, end in wanted.items())

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        with self._lock:
            if error is not None:
                self._refused.append(str(error))
            else:
                at = str(message.topic()), int(message.partition() or 0)
                self._next[at] = max(self._next.get(at, 0), (message.offset() or 0) + 1)
