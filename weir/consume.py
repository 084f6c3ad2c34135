"""`weir consume`: what is on a topic, committed records only, in the form `weir produce` takes.

The end is reached by position: each partition says itself when nothing more is committed. Counting
offsets would be wrong, because transaction markers and aborted records occupy offsets too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from schemas.jsonform import Invalid, parse_time
from schemas.wire import Wire
from weir.errors import WeirError
from weir.lines import shown
from weir.topics import PATIENCE_S, find, no_answer, partitions_there

_POLL_S = 0.2


def consume(
    bootstrap: str,
    topic: str,
    wire: Wire,
    start: str = "earliest",
    until: str = "end",
    timeout_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """The records of a topic as lines.

    `start` is earliest, latest, an offset (in every partition) or an ISO-8601 time. `until` is
    `end` (of what is committed now), a number of records, or `never`. WeirError if the records do
    not arrive within `timeout_s`, or when Kafka is away.
    """
    find(topic)
    _count(until)
    reader = _Reader(bootstrap, topic, start)
    with closing(reader):
        yield from reader.lines(wire, _count(until), until == "end", timeout_s)


def printed(line: dict[str, Any], as_json: bool) -> str:
    """A line as JSON, or shorter for a person's eyes."""
    if as_json:
        return json.dumps(line, ensure_ascii=False)
    value = json.dumps(_without_nulls(line["value"]), ensure_ascii=False)
    return f"{line['partition']}:{line['offset']}  {line['timestamp']}  {line['key']}  {value}"


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {k: _without_nulls(v) for k, v in content.items() if v is not None}
    return [_without_nulls(item) for item in content] if isinstance(content, list) else content


class _Reader:
    """A consumer outside of every group, on all partitions of one topic."""

    def __init__(self, bootstrap: str, topic: str, start: str) -> None:
        self._bootstrap, self._topic = bootstrap, topic
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
            self._partitions = partitions_there(bootstrap, topic, self._consumer)
            self._consumer.assign(self._positions(start))
        except BaseException as error:
            self._consumer.close()
            if isinstance(error, KafkaException):
                raise no_answer(bootstrap) from error
            raise

    def lines(
        self, wire: Wire, count: int | None, to_end: bool, timeout_s: float | None
    ) -> Iterator[dict[str, Any]]:
        """Lines until the count, or the end of every partition."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        ended: set[int] = set()
        seen = 0
        while seen != count and not (to_end and len(ended) == self._partitions):
            message = self._consumer.poll(_POLL_S)
            if message is None:
                self._check_broker()
                if deadline is not None and time.monotonic() > deadline:
                    wanted = "the end" if count is None else f"{count} records"
                    raise WeirError(
                        f"{self._topic}: {seen} records within {timeout_s:g} s, not {wanted}"
                    )
                continue
            error = message.error()
            if error is None:
                self._away_since = None
                if message.partition() not in ended:
                    seen += 1
                    yield shown(message, wire)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._away_since = None
                if to_end:
                    ended.add(int(message.partition() or 0))
            else:
                raise WeirError(f"{self._topic} on Kafka at {self._bootstrap}: {error.str()}")

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()

    def _positions(self, start: str) -> list[TopicPartition]:
        places = [TopicPartition(self._topic, number) for number in range(self._partitions)]
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
        found: list[TopicPartition] = self._consumer.offsets_for_times(places, timeout=PATIENCE_S)
        for place in found:
            if place.offset < 0:  # nothing that late
                place.offset = OFFSET_END
        return found

    def _trouble(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._away_since is None:
            self._away_since = time.monotonic()

    def _check_broker(self) -> None:
        away = self._away_since
        if away is not None and time.monotonic() - away > PATIENCE_S / 2:
            raise no_answer(self._bootstrap)


def _count(until: str) -> int | None:
    if until in ("end", "never"):
        return None
    if until.isdecimal() and int(until) > 0:
        return int(until)
    raise WeirError(f"--until {until}: must be `end`, `never` or a number of records")


def _time(start: str) -> int:
    try:
        return parse_time(start)
    except Invalid as error:
        why = "must be earliest, latest, an offset or an ISO-8601 time with Z"
        raise WeirError(f"--from {start}: {why}") from error
