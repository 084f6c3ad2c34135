"""Taking partitions over: where to go on, and the state as it was there.

Order matters. First the committed offsets, stable: after that no older owner's transaction can
still commit, since every one carries offsets. Then the changelogs' ends, read uncommitted, because
commit markers are written partition by partition and the last stable offset may hide a committed
record. Then the restore, read committed, until the position reaches those ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import OffsetSpec

from agents.exact.crash import die
from agents.exact.fence import committed, fence_former_owner
from agents.exact.session import Session
from agents.exact.store import Part, Row
from agents.exact.table import Table

if TYPE_CHECKING:
    from agents.exact.engine import Engine

log = logging.getLogger("exact")

_PAUSE_S = 0.05


class Behind(NamedTuple):
    """A part that must be read forward: from where its folder ends to the end of its changelog."""

    table: Table
    part: Part
    start: int
    end: int


Todo = dict[tuple[str, int], Behind]


async def open_session(engine: Engine, session: Session) -> None:
    """Makes a session ready, or leaves it if it was revoked meanwhile. Any failure ends the
    process.
    """
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    try:
        await loop.run_in_executor(engine.open_thread, _prepare, engine, session)
        if session.stopping:
            return
        start = [
            KafkaTopicPartition(topic, partition, offset)
            for (topic, partition), offset in session.next.items()
            if (topic, partition) not in session.paused
        ]
        await loop.run_in_executor(engine.fetch_thread, engine.consumer.assign, start)
    except BaseException as error:
        die(f"partitions could not be opened: {error}", error)
    if session.stopping:
        return
    session.ready = True
    log.info(
        "ready",
        extra={
            "generation": session.generation,
            "partitions": len(session.where),
            "restored_rows": session.restored_rows,
            "seconds": round(time.monotonic() - started, 3),
        },
    )
    for topic, partition in sorted(session.paused):
        log.error(
            "partition is paused: its next input broke the worker too often",
            extra={
                "topic": topic,
                "partition": partition,
                "offset": session.next[topic, partition],
            },
        )


def _prepare(engine: Engine, session: Session) -> None:
    engine.boot()
    _find_offsets(engine, session)
    if session.stopping:
        return
    parts = _parts(engine, session)
    _pause_poisoned(engine, session)
    todo = _stale_parts(engine, session, parts)
    if engine.config.window is not None:
        engine.config.window("restore")
    if todo:
        _restore(engine, session, todo)
    for table in engine.tables:
        for partition in [p for p in table.parts if (table, p) not in parts]:
            engine.unstarted.discard((table, partition))
            table.parts.pop(partition).close()


def _find_offsets(engine: Engine, session: Session) -> None:
    """Fills `session.next` from the group's stable offsets, else the log's start."""
    where = [KafkaTopicPartition(topic, partition) for topic, partition in sorted(session.where)]
    deadline = time.monotonic() + engine.config.open_timeout_s
    fence_at = time.monotonic() + engine.config.fence_after_s
    while not session.stopping:
        found = committed(engine.admin, engine.app.conf.id, where, stable=True)
        engine.touch()
        if found is not None:
            break
        if time.monotonic() > fence_at:
            _fence_once(engine, session, where)
        if time.monotonic() > deadline:
            raise RuntimeError("the group's offsets did not become stable")
        time.sleep(_PAUSE_S)
    else:
        return
    unknown = [KafkaTopicPartition(x.topic, x.partition) for x in found if x.offset < 0]
    starts = {}
    if unknown:
        asked = engine.admin.list_offsets({item: OffsetSpec.earliest() for item in unknown})
        starts = {(tp.topic, tp.partition): answer.result().offset for tp, answer in asked.items()}
    for item in found:
        at = item.topic, item.partition
        session.next[at] = item.offset if item.offset >= 0 else starts[at]


def _parts(engine: Engine, session: Session) -> dict[tuple[Table, int], Part]:
    """The table partitions that belong to this session, opened; new ones owe a `@started` run."""
    parts = {}
    for table in engine.tables:
        for partition in sorted({p for topic, p in session.where if topic in table.topics}):
            missing = [t for t in table.topics if (t, partition) not in session.where]
            if missing:
                raise RuntimeError(f"{table.name}[{partition}]: not assigned with it: {missing}")
            if partition not in table.parts:
                table.open(partition)
                engine.unstarted.add((table, partition))
            parts[table, partition] = table.parts[partition]
    return parts


def _pause_poisoned(engine: Engine, session: Session) -> None:
    for (topic, partition), offset in engine.crashes.paused().items():
        if session.next.get((topic, partition)) is None or session.next[topic, partition] > offset:
            continue
        table = engine.table_of(topic)
        together = table.topics if table is not None else {topic}
        session.paused |= {(one, partition) for one in together}


def _stale_parts(engine: Engine, session: Session, parts: dict[tuple[Table, int], Part]) -> Todo:
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
            todo[table.changelog, partition] = Behind(table, part, part.position, end)
    return todo


def _restore(engine: Engine, session: Session, todo: Todo) -> None:
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
                _fence_once(engine, session, [KafkaTopicPartition(t, p) for t, p in blocked])
            if todo and time.monotonic() > deadline:
                raise RuntimeError(f"restore does not get on: {sorted(todo)}")
    finally:
        consumer.close()


def _restore_some(engine: Engine, consumer: Consumer, session: Session, todo: Todo) -> bool:
    rows: dict[tuple[str, int], list[Row]] = {}
    positions: dict[tuple[str, int], int] = {}
    for message in consumer.consume(5000, 0.1):
        error = message.error()
        at = message.topic(), message.partition()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            positions[at] = message.offset()
        elif error is not None and error.code() not in _TRANSPORT:
            raise KafkaException(error)
        elif error is None:
            rows.setdefault(at, []).append((message.key(), message.value()))
            positions[at] = message.offset() + 1
    for at, position in positions.items():
        if at not in todo:
            continue
        table, part, start, end = todo[at]
        part.restore(rows.get(at, []), position)
        session.restored_rows += len(rows.get(at, []))
        if position < end:
            continue
        if part.unproven:
            engine.unstarted.add((table, at[1]))  # somebody else wrote it meanwhile
            if not _is_proven(at, part, start):
                _drop(table, at[1], part, "it does not lead to the hash in its changelog")
                consumer.seek(KafkaTopicPartition(*at, 0))
                todo[at] = Behind(table, part, 0, end)
                continue
        del todo[at]
    return bool(rows)


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


def _fence_once(engine: Engine, session: Session, where: list[KafkaTopicPartition]) -> None:
    if session.fenced:
        return
    session.fenced = True
    fence_former_owner(
        engine.config, engine.admin, engine.app.conf.id, where, engine.transactional_id
    )
