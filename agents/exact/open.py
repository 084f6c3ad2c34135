"""Taking partitions over: where to go on, and the state as it was there.

Order matters. First the committed offsets, stable: after that no older owner's transaction can
still commit, since every one carries offsets. Then the changelogs' ends, read uncommitted, because
commit markers are written partition by partition and the last stable offset may hide a committed
record. Then the restore, read committed, until the position reaches those ends. Last, state and
offsets must be of the same transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import OffsetSpec

from agents.exact.crash import die
from agents.exact.fence import committed, fence_once
from agents.exact.restore import restore, stale_parts
from agents.exact.session import Session
from agents.exact.store import Part
from agents.exact.table import Table

if TYPE_CHECKING:
    from agents.exact.engine import Engine

log = logging.getLogger("exact")

_PAUSE_S = 0.05
_SILENCE_S = 2.0
"""After an answer that took so long the admin client is not trusted any more."""


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
    engine.renew_admin()
    _find_offsets(engine, session)
    if session.stopping:
        return
    parts = _parts(engine, session)
    _pause_poisoned(engine, session)
    todo = stale_parts(engine, session, parts)
    if engine.config.window is not None:
        engine.config.window("restore")
    if todo:
        restore(engine, session, todo)
    if not session.stopping:
        for (table, partition), part in parts.items():
            _require_whole(session, table, partition, part)
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
        asked_s = time.monotonic()
        found = committed(engine.admin, engine.app.conf.id, where, stable=True)
        engine.touch()
        if found is not None:
            break
        if time.monotonic() - asked_s > _SILENCE_S:
            engine.renew_admin()
        if time.monotonic() > fence_at:
            fence_once(engine, session, where)
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
        if item.offset < 0:
            session.unread.add(at)


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


def _require_whole(session: Session, table: Table, partition: int, part: Part) -> None:
    """State and offsets are written in one transaction. Where they do not belong together a broker
    has kept only a part of one, and folding on would lose events or fold them twice.
    """
    if part.next is None:  # written before rows told where they lead
        read = {t for t in table.topics if (t, partition) not in session.unread}
        part.next = {topic: session.next[topic, partition] for topic in read}
    for topic in sorted(table.topics):
        at = topic, partition
        group = None if at in session.unread else session.next[at]
        if part.next.get(topic) != group:
            raise RuntimeError(
                f"the log is torn: {table.changelog}[{partition}] leads to offset "
                f"{part.next.get(topic)} of {topic}[{partition}], the group's offset is {group}"
            )
