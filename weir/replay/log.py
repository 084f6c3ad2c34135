"""Where a replay reads from: topics as they lie on Kafka, committed records only, each partition
by itself.

A replay reads many partitions at different speeds. One consumer serves them all; a partition whose
records nobody asks for yet is paused, so memory stays flat whatever the topics hold.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, NamedTuple, Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from weir.errors import WeirError
from weir.topics import PATIENCE_S, no_answer, partition_counts

KEPT_MAX, AHEAD_MIN = 100_000, 200
"""Records that one reader keeps at most, about; and of one partition before it is paused, at least.
"""
SILENCE_S = 20.0
_POLL_S = 0.5


class Record(NamedTuple):
    """A record as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...] = ()


At = tuple[str, int]
"""Topic and partition."""
FROM_THE_BEGINNING: Mapping[At, int] = {}


class Reader(Protocol):
    """Some topics, each partition read once, forward."""

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        """The next record; None at the end, when nothing more came within `wait_s`."""
        ...

    def close(self) -> None: ...


class Log(Protocol):
    """Something that holds topics: a cluster, or in a test one with a planted difference."""

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; WeirError when it is not there."""
        ...

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        """Of each place the first offset that is still there, and the one after the last."""
        ...

    def read(self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING) -> Reader:
        """A reader of these topics; each partition from its start, or from its beginning."""
        ...


class KafkaLog:
    """The topics of a cluster. `batch` is how many records are asked for at once."""

    def __init__(self, bootstrap: str, batch: int = 2000) -> None:
        self._bootstrap, self._batch = bootstrap, batch
        self._counts = partition_counts(bootstrap)

    def partitions(self, topic: str) -> int:
        """As of `Log`."""
        if topic not in self._counts:
            raise WeirError(f"{topic} is not on Kafka at {self._bootstrap}: nothing to replay")
        return self._counts[topic]

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        """As of `Log`. WeirError when Kafka does not answer."""
        found = {}
        with closing(_consumer(self._bootstrap)) as asking:
            for topic, partition in places:
                place = TopicPartition(topic, partition)
                try:
                    found[topic, partition] = asking.get_watermark_offsets(place, PATIENCE_S)
                except KafkaException as error:
                    raise no_answer(self._bootstrap) from error
        return found

    def read(
        self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING
    ) -> KafkaReader:
        """As of `Log`."""
        where = {
            (topic, p): starts.get((topic, p), OFFSET_BEGINNING)
            for topic in topics
            for p in range(self.partitions(topic))
        }
        return KafkaReader(self._bootstrap, where, self._batch)


class KafkaReader:
    """One consumer outside of every group on many partitions."""

    def __init__(self, bootstrap: str, where: Mapping[At, int], batch: int) -> None:
        self._bootstrap, self._batch = bootstrap, batch
        self._ahead = max(AHEAD_MIN, KEPT_MAX // max(1, len(where)))
        self._kept: dict[At, deque[Record]] = {at: deque() for at in where}
        self._ended: set[At] = set()
        self._paused: set[At] = set()
        self._consumer = _consumer(bootstrap)
        self._consumer.assign([TopicPartition(*at, start) for at, start in where.items()])

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        """As of `Reader`. WeirError when Kafka is silent."""
        at = topic, partition
        kept = self._kept[at]
        until_s = time.monotonic() + wait_s
        silent_s = time.monotonic() + SILENCE_S
        while not kept:
            now_s = time.monotonic()
            if at in self._ended and now_s >= until_s:
                return None
            if now_s > silent_s:
                raise WeirError(f"{topic}[{partition}]: Kafka at {self._bootstrap} does not answer")
            self._wake(at)
            self._fetch(_POLL_S if at not in self._ended else min(_POLL_S, until_s - now_s))
        return kept.popleft()

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()

    def _wake(self, at: At) -> None:
        if at in self._paused:
            self._paused.discard(at)
            self._consumer.resume([TopicPartition(*at)])

    def _fetch(self, wait_s: float) -> None:
        first = self._consumer.poll(wait_s)
        if first is None:
            return
        messages = [first, *(self._consumer.consume(self._batch - 1, 0) if self._batch > 1 else [])]
        touched = set()
        for message in messages:
            at = str(message.topic()), int(message.partition() or 0)
            error = message.error()
            if error is None:
                self._kept[at].append(record_of(message))
                self._ended.discard(at)
                touched.add(at)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(at)
            elif not error.retriable() and error.code() not in _PASSING:
                raise WeirError(f"{at[0]} on Kafka at {self._bootstrap}: {error.str()}")
        ahead = [
            at for at in touched if len(self._kept[at]) > self._ahead and at not in self._paused
        ]
        if ahead:
            self._paused.update(ahead)
            self._consumer.pause([TopicPartition(*at) for at in ahead])


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "weir-replay",  # asked for by the client; no offset is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 32_768,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )


_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)


def record_of(message: Message) -> Record:
    """A message as a record."""
    kind, at_ms = message.timestamp()
    headers: Any = message.headers() or ()
    return Record(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        message.key(),
        message.value(),
        at_ms if kind else 0,
        tuple(headers),
    )
