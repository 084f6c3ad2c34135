"""Reads committed sweep orders from Kafka for those who pull: what a cursor has not seen yet.

Nothing is remembered between two pulls: the same cursor gives the same orders again, and those
committed since. Each partition is given from its next offset on and without a gap, so no order can
be left out by what lies in another one. Where there are more than were asked for, the partition
whose next order is the oldest goes first: none waits for ever behind the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from agents.signatures import HEADER, LIVE, MODE
from agents.wiring import partition_of
from schemas.records import SweepOrder
from schemas.wire import NewerSchema, Undecodable, Wire
from streams.sweep_order import TOPIC
from weir.orders.cursor import Cursor

ANSWER_S = 5.0
READ_S = 10.0
_NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)

T = TypeVar("T")

log = structlog.get_logger()


class Unreadable(RuntimeError):
    """Kafka did not give the orders in time: nothing is known about what is there."""


class Gone(LookupError):
    """The cursor is of a topic that is not there any more, or lies where nothing is kept."""


@dataclass(frozen=True)
class Found:
    """One order as it was committed, with its signature."""

    order: SweepOrder
    signature: str


@dataclass(frozen=True)
class Page:
    """Orders by the time they were caused, where to go on, and whether more are there now."""

    orders: tuple[Found, ...]
    following: Cursor
    more: bool


class _Stretch:
    """What was read of one partition: its orders with their offsets, up to `end`."""

    def __init__(self, start: int) -> None:
        self.end, self.rows = start, list[tuple[int, Found]]()

    def following(self, taken: int) -> int:
        """The next offset for who is given so many of the orders."""
        return self.rows[taken][0] if taken < len(self.rows) else self.end


class Orders:
    """Pulls of one topic; may be used from several threads, which then wait for each other."""

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        client: Mapping[str, Any] | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._wire, self._turn, self._answer_s = wire, threading.Lock(), answer_s
        self._config = {"bootstrap.servers": bootstrap, "log_level": 0, **(client or {})}
        self._admin = AdminClient(self._config)
        self._consumer: Consumer | None = None

    def page(self, after: Cursor | None, limit: int) -> Page:
        """What comes after a cursor (None: from the beginning). Raises Gone, Unreadable."""
        topic, partitions = self._described()
        if after is not None and after.topic != topic:
            raise Gone("the cursor is of another log: begin again without one")
        start = [0 if after is None else after.offset(place) for place in range(partitions)]
        share = -(-limit // partitions)
        read, more = self._read(start, share)
        taken = _oldest_first(read, limit)
        found = [one for place, many in enumerate(taken) for _, one in read[place].rows[:many]]
        ends = tuple(one.following(many) for one, many in zip(read, taken, strict=True))
        more |= any(many < len(one.rows) for one, many in zip(read, taken, strict=True))
        return Page(tuple(sorted(found, key=_caused)), Cursor(topic, ends), more)

    def find(self, order_id: str, at_ms: int) -> SweepOrder | None:
        """The order of an id that was caused at this time. Raises Unreadable."""
        _, partitions = self._described()
        place = partition_of(order_id, partitions)
        with self._turn:
            consumer = self._ready()
            try:
                offset = _patiently(lambda: _at_time(consumer, place, at_ms))
                if offset < 0:
                    return None  # nothing that late
                for message in self._messages(consumer, {place: offset}):
                    order = self._order(message)
                    if order is not None and order.order_id == order_id:
                        return order
            except KafkaException as why:
                raise self._broken(why) from why
        return None

    def close(self) -> None:
        """Leaves the broker."""
        with self._turn:
            if self._consumer is not None:
                self._consumer.close()
                self._consumer = None

    def _described(self) -> tuple[str, int]:
        """The topic's own id, and how many partitions it has."""
        patience_s = self._answer_s
        asked = self._admin.describe_topics(TopicCollection([TOPIC]), request_timeout=patience_s)
        try:
            told = asked[TOPIC].result(patience_s)
        except (KafkaException, TimeoutError) as why:
            # one that asked while a broker was away may never hear from it again (librdkafka 2.16)
            self._admin = AdminClient(self._config)
            raise Unreadable(f"{TOPIC}: {why}") from why
        return str(told.topic_id), len(told.partitions)

    def _read(self, start: list[int], share: int) -> tuple[list[_Stretch], bool]:
        """At most a share of each partition's orders, and whether one of them has more."""
        read, more = [_Stretch(offset) for offset in start], False
        with self._turn:
            consumer = self._ready()
            try:
                wanted = {
                    place: offset
                    for place, offset in enumerate(start)
                    if _is_behind(consumer, place, offset)
                }
                for message in self._messages(consumer, wanted):
                    place, offset = int(message.partition() or 0), int(message.offset() or 0)
                    if len(read[place].rows) == share:
                        more = True
                        wanted.pop(place, None)  # the others are still read to their ends
                        continue
                    read[place].end = offset + 1
                    order = self._order(message)
                    if order is not None:
                        found = Found(order, _header(message, HEADER))
                        read[place].rows.append((offset, found))
            except KafkaException as why:
                raise self._broken(why) from why
        return read, more

    def _messages(self, consumer: Consumer, wanted: dict[int, int]) -> Any:
        """What is committed in these partitions from these offsets; a partition that the caller
        takes out of `wanted` is not waited for.
        """
        consumer.assign([TopicPartition(TOPIC, place, offset) for place, offset in wanted.items()])
        deadline_s = time.monotonic() + READ_S
        try:
            while wanted:
                if time.monotonic() > deadline_s:
                    raise Unreadable(f"{TOPIC}: not read to its end within {READ_S:g} s")
                message = consumer.poll(0.1)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    wanted.pop(int(message.partition() or 0), None)
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise Gone("the cursor lies where nothing is kept: begin again without one")
                else:
                    raise KafkaException(error)
        finally:
            consumer.unassign()  # an idle one must not keep asking

    def _order(self, message: Message) -> SweepOrder | None:
        """The order of a message; what is none is nobody's order and is passed over, and so is one
        that was decided on an imported log.
        """
        if _header(message, MODE) not in ("", LIVE):
            return None
        try:
            order: SweepOrder = self._wire.decode(TOPIC, message.value() or b"")
        except NewerSchema as why:
            raise Unreadable(str(why)) from why
        except Undecodable as why:
            log.error("no_order", partition=message.partition(), offset=message.offset(),
                      error=str(why))  # fmt: skip
            return None
        return order

    def _ready(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                self._config
                | {
                    "group.id": "weir-orders",  # asked for by the client; no offset is committed
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "error",
                    "fetch.wait.max.ms": 20,
                }
            )
        return self._consumer

    def _broken(self, why: KafkaException) -> Unreadable:
        """A consumer that failed is not used again."""
        if self._consumer is not None:
            with closing(self._consumer):
                self._consumer = None
        return Unreadable(f"{TOPIC}: {why.args[0]}")


def _oldest_first(read: list[_Stretch], limit: int) -> list[int]:
    """How many orders of each partition make a page: always the first ones, together at most so
    many as were asked for.
    """
    taken = [0] * len(read)
    for _ in range(limit):
        heads = [
            (_caused(one.rows[many][1]), place)
            for place, (one, many) in enumerate(zip(read, taken, strict=True))
            if many < len(one.rows)
        ]
        if not heads:
            break
        taken[min(heads)[1]] += 1
    return taken


def _caused(found: Found) -> tuple[int, str]:
    return found.order.created_ts_ms, found.order.order_id


def _is_behind(consumer: Consumer, place: int, offset: int) -> bool:
    """Whether something may lie after an offset. Raises Gone."""
    partition = TopicPartition(TOPIC, place)
    low, high = _patiently(
        lambda: consumer.get_watermark_offsets(partition, timeout=ANSWER_S, cached=False)
    )
    if offset > high or offset < low:
        raise Gone("the cursor lies where nothing is kept: begin again without one")
    return offset < high


def _at_time(consumer: Consumer, place: int, at_ms: int) -> int:
    (found,) = consumer.offsets_for_times([TopicPartition(TOPIC, place, at_ms)], timeout=ANSWER_S)
    if found.error is not None:
        raise KafkaException(found.error)
    return int(found.offset)


def _patiently(ask: Callable[[], T]) -> T:
    """Asks again for a while where a partition has no leader: it was just made, or moves."""
    deadline_s = time.monotonic() + ANSWER_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            passing = error.args[0].code() in _NO_LEADER
            if not passing or time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def _header(message: Message, name: str) -> str:
    headers: Any = message.headers() or ()
    found = dict(headers).get(name) or b""
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)
