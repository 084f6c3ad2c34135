"""Reads the ends of many partitions at once, for as long as a person at a terminal waits."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from weir.errors import WeirError
from weir.topics import partition_counts

ENOUGH_S = 1.0
ENOUGH_RECORDS = 50_000
LAST = 1 << 62
ANSWER_S = 3.0
_BATCH = 2000
_NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)

Place = tuple[str, int]


@dataclass(frozen=True)
class Seen:
    """One committed record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, Any]
    timestamp_ms: int


@dataclass
class Found:
    """What was read; `ended` are the partitions that were read to their end."""

    records: dict[Place, list[Seen]] = field(default_factory=dict)
    ended: set[Place] = field(default_factory=set)

    def of(self, topic: str) -> list[Seen]:
        """All that was read of a topic, partition by partition."""
        places = sorted(place for place in self.records if place[0] == topic)
        return [record for place in places for record in self.records[place]]


def gather(bootstrap: str, start: dict[Place, int], tails: list[Place], tail: int) -> Found:
    """Committed records from the offsets of `start`, and the last `tail` offsets of `tails`; of a
    place in both, what either asks for.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "weir-status",  # asked for by the client; no offset is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    with closing(consumer):
        partition_counts(bootstrap, consumer)  # a client that knows the cluster reads at once
        try:
            begin = dict(start)
            for place in tails:
                begin[place] = min(_tail(consumer, place, tail), start.get(place, LAST))
            consumer.assign([TopicPartition(*place, offset) for place, offset in begin.items()])
        except KafkaException as error:
            raise WeirError(f"Kafka at {bootstrap} does not answer") from error
        return _read(consumer, len(begin))


def _tail(consumer: Consumer, place: Place, tail: int) -> int:
    """Where a partition's last offsets begin; one just made may have no leader yet."""
    until_s = time.monotonic() + ANSWER_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER or time.monotonic() > until_s:
                raise
            time.sleep(0.05)
        else:
            return max(low, high - tail)


def _read(consumer: Consumer, places: int) -> Found:
    found, count = Found(), 0
    until_s = time.monotonic() + ENOUGH_S
    while len(found.ended) < places and count < ENOUGH_RECORDS and time.monotonic() < until_s:
        first = consumer.poll(0.05)
        if first is None:
            continue
        for message in (first, *consumer.consume(_BATCH, 0)):
            place = str(message.topic()), int(message.partition() or 0)
            error = message.error()
            if error is None:
                found.records.setdefault(place, []).append(_seen(message))
                count += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                found.ended.add(place)
    return found


def _seen(message: Message) -> Seen:
    return Seen(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        message.key(),
        message.value(),
        dict(message.headers() or ()),
        message.timestamp()[1],
    )
