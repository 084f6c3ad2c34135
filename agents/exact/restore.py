"""Bringing parts up to date: from where their folders end to the ends of their changelogs.

A folder is trusted as far as the log confirms it: its own last row must lie there committed, and
the entries must come to the hash that the log claims. Otherwise it is dropped and read anew; a log
that contradicts itself is refused.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import OffsetSpec

from agents.exact.fence import fence_once
from agents.exact.session import Session
from agents.exact.store import HASH_KEY, Part, Row
from agents.exact.table import Table

if TYPE_CHECKING:
    from agents.exact.engine import Engine

log = logging.getLogger("exact")


@dataclass
class Behind:
    """A part that must be read forward: from where its folder ends to the end of its changelog.

    `unmet` is a folder whose own last row has not been met on the log yet.
    """

    table: Table
    part: Part
    start: int
    end: int
    unmet: bool = False


@dataclass
class Read:
    """What one poll found of one changelog partition: committed rows, and how far they reach."""

    rows: list[Row] = field(default_factory=list)
    first: int | None = None
    stamp_at: int = -1
    position: int = 0

    def take(self, message: Message) -> None:
        """Takes a row."""
        offset = message.offset() or 0
        if self.first is None:
            self.first = offset
        if message.key() == HASH_KEY.encode():
            self.stamp_at = offset
        self.rows.append((message.key() or b"", message.value()))
        self.position = offset + 1


Todo = dict[tuple[str, int], Behind]


def stale_parts(engine: Engine, session: Session, parts: dict[tuple[Table, int], Part]) -> Todo:
    """Parts whose folder does not reach the end of the changelog; one that is ahead is not of this
    log.
    """
    if not parts:
        return {}
    asked = engine.admin.list_offsets(
        {KafkaTopicPartition(t.changelog, p): OffsetSpec.latest() for t, p in parts},
        isolation_level=IsolationLevel.READ_UNCOMMITTED,
        request_timeout=20,
    )
    ends = {(tp.topic, tp.partition): answer.result().offset for tp, answer in asked.items()}
    todo: Todo = {}
    for (table, partition), part in parts.items():
        end = ends[table.changelog, partition]
        if part.position > end:
            _drop(table, partition, part, "it is ahead of its changelog")
        if part.position < end or part.unproven:
            met = part.stamp_at < 0
            start = part.position if met else part.stamp_at
            todo[table.changelog, partition] = Behind(table, part, start, end, not met)
    return todo


def restore(engine: Engine, session: Session, todo: Todo) -> None:
    """Reads the changelogs, read committed, until every position reaches its end (waits out open
    transactions).
    """
    consumer = Consumer(
        {
            "bootstrap.servers": engine.config.bootstrap,
            "group.id": f"{engine.app.conf.id}-restore",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
            "log_level": 3,
        }
    )
    consumer.assign([KafkaTopicPartition(t, p, one.start) for (t, p), one in todo.items()])
    deadline = time.monotonic() + engine.config.open_timeout_s
    fence_at = time.monotonic() + engine.config.fence_after_s
    try:
        while todo and not session.stopping:
            engine.touch()
            if _restore_some(engine, consumer, session, todo):
                fence_at = time.monotonic() + engine.config.fence_after_s
                deadline = time.monotonic() + engine.config.open_timeout_s
            if todo and time.monotonic() > fence_at:
                partitions = {partition for _, partition in todo}
                blocked = [at for at in session.where if at[1] in partitions]
                fence_once(engine, session, [KafkaTopicPartition(t, p) for t, p in blocked])
            if todo and time.monotonic() > deadline:
                raise RuntimeError(f"restore does not get on: {sorted(todo)}")
    finally:
        consumer.close()


def _restore_some(engine: Engine, consumer: Consumer, session: Session, todo: Todo) -> bool:
    read: dict[tuple[str, int], Read] = defaultdict(Read)
    messages: list[Any] = consumer.consume(5000, 0.1)
    for message in messages:
        error = message.error()
        at = message.topic(), message.partition()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            read[at].position = message.offset()
        elif error is not None and error.code() not in _TRANSPORT:
            raise KafkaException(error)
        elif error is None:
            read[at].take(message)
    for at, found in read.items():
        if at in todo and _goes_on(consumer, todo, at, found):
            session.restored_rows += len(found.rows)
            _advance(engine, consumer, todo, at, found)
    return any(found.rows for found in read.values())


def _goes_on(consumer: Consumer, todo: Todo, at: tuple[str, int], found: Read) -> bool:
    """Whether the folder is an earlier state of this log: its last row is met first. A broker may
    have lost what it had told us was committed; then the folder is dropped.
    """
    one = todo[at]
    if not one.unmet:
        return True
    if found.first is None and found.position <= one.start:
        return False  # an open transaction hides it still
    if found.first == one.start and one.part.is_stamp(*found.rows[0]):
        one.unmet = False
        del found.rows[0]
        return True
    _again(consumer, todo, at, "its last row is not on its changelog")
    return False


def _advance(
    engine: Engine, consumer: Consumer, todo: Todo, at: tuple[str, int], found: Read
) -> None:
    one, part = todo[at], todo[at].part
    part.restore(found.rows, found.position, max(found.stamp_at, part.stamp_at))
    if found.position < one.end:
        return
    if part.unproven:
        engine.unstarted.add((one.table, at[1]))  # somebody else wrote it meanwhile
        if not _is_proven(at, part, one.start):
            _again(consumer, todo, at, "it does not lead to the hash in its changelog")
            return
    del todo[at]


def _again(consumer: Consumer, todo: Todo, at: tuple[str, int], why: str) -> None:
    """Drops the folder and reads its changelog from the beginning."""
    one = todo[at]
    _drop(one.table, at[1], one.part, why)
    consumer.seek(KafkaTopicPartition(*at, 0))
    todo[at] = Behind(one.table, one.part, 0, one.end)


_TRANSPORT = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)


def _is_proven(at: tuple[str, int], part: Part, start: int) -> bool:
    """Whether the entries have the hash the log claims. Raises when the log alone contradicts
    itself; a folder that does is to blame itself (missed tombstones, a damaged file).
    """
    claimed = part.reopen()
    if claimed == part.hash:
        return True
    if start == 0:
        raise RuntimeError(
            f"{at[0]}[{at[1]}]: restored entries have hash {part.hash:064x}, "
            f"the log says {claimed:064x}"
        )
    return False


def _drop(table: Table, partition: int, part: Part, why: str) -> None:
    log.warning(
        "local state is dropped: %s", why, extra={"table": table.name, "partition": partition}
    )
    part.wipe()
