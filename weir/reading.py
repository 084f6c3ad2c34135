"""Reading topics from the command line: committed records only, from a start to the end there is.

The end is reached by position: each partition says itself when nothing more is committed. Counting
offsets would be wrong, because transaction markers and aborted records occupy offsets too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from schemas.jsonform import Invalid, parse_time
from weir.errors import WeirError
from weir.topics import PATIENCE_S, no_answer, partition_counts

_POLL_S = 0.2


def whole(bootstrap: str, topics: Iterable[str]) -> Iterator[Message]:
    """All that is committed on these topics now; a topic's partition in its order."""
    with closing(Reader(bootstrap, topics)) as reader:
        yield from reader.messages()


class Reader:
    """A consumer outside of every group, on all partitions of some topics, or on one of each."""

    def __init__(
        self,
        bootstrap: str,
        topics: Iterable[str],
        start: str = "earliest",
        partition: int | None = None,
    ) -> None:
        self._bootstrap, self._topics, self._partition = bootstrap, list(topics), partition
        self._away_since: float | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "weir-consume",  # asked for by the client; no offset is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "error_cb": self._trouble,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        try:
            self._places = self._find_places()
            self._consumer.assign(self._positions(start))
        except BaseException as error:
            self._consumer.close()
            if isinstance(error, KafkaException):
                raise no_answer(bootstrap) from error
            raise

    def messages(
        self, count: int | None = None, to_end: bool = True, timeout_s: float | None = None
    ) -> Iterator[Message]:
        """Messages until the count, or the end of every partition."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        ended: set[tuple[str, int]] = set()
        seen = 0
        while seen != count and not (to_end and len(ended) == len(self._places)):
            message = self._consumer.poll(_POLL_S)
            if message is None:
                self._check_broker()
                if deadline is not None and time.monotonic() > deadline:
                    wanted = "the end" if count is None else f"{count} records"
                    raise WeirError(
                        f"{', '.join(self._topics)}: {seen} records within {timeout_s:g} s,"
                        f" not {wanted}"
                    )
                continue
            error = message.error()
            place = str(message.topic()), int(message.partition() or 0)
            if error is None:
                self._away_since = None
                if place not in ended:
                    seen += 1
                    yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                self._away_since = None
                if to_end:
                    ended.add(place)
            else:
                raise WeirError(f"{place[0]} on Kafka at {self._bootstrap}: {error.str()}")

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()

    def _find_places(self) -> list[tuple[str, int]]:
        there = partition_counts(self._bootstrap, self._consumer)
        for topic in self._topics:
            if topic not in there:
                raise WeirError(
                    f"{topic} is not on Kafka at {self._bootstrap}: `weir topics create` makes it"
                )
        only = self._partition
        return [
            (topic, number)
            for topic in self._topics
            for number in range(there[topic])
            if only is None or number == only
        ]

    def _positions(self, start: str) -> list[TopicPartition]:
        places = [TopicPartition(*place) for place in self._places]
        fixed = {"earliest": OFFSET_BEGINNING, "latest": OFFSET_END}.get(start)
        if fixed is not None:
            for place in places:
                place.offset = fixed
            return places
        if start.isdecimal():
            for place in places:
                low, high = self._consumer.get_watermark_offsets(place, timeout=PATIENCE_S)
                place.offset = min(max(int(start), low), high)
            return places
        at_ms = _time(start)
        for place in places:
            place.offset = at_ms
        found = self._at_time(places)
        for place in found:
            if place.offset < 0:  # nothing that late
                place.offset = OFFSET_END
        return found

    def _at_time(self, places: list[TopicPartition]) -> list[TopicPartition]:
        """Where a time lies; a topic that was just created has no leaders for a moment."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                found: list[TopicPartition] = self._consumer.offsets_for_times(
                    places, timeout=PATIENCE_S
                )
                return found
            except KafkaException as error:
                passing = error.args[0].code() == KafkaError.NOT_LEADER_FOR_PARTITION
                if not passing or time.monotonic() > deadline:
                    raise
                self._consumer.poll(_POLL_S)

    def _trouble(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._away_since is None:
            self._away_since = time.monotonic()

    def _check_broker(self) -> None:
        away = self._away_since
        if away is not None and time.monotonic() - away > PATIENCE_S / 2:
            raise no_answer(self._bootstrap)


def _time(start: str) -> int:
    try:
        return parse_time(start)
    except Invalid as error:
        why = "must be earliest, latest, an offset or an ISO-8601 time with Z"
        raise WeirError(f"--from {start}: {why}") from error
