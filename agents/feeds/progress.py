"""Up to when an account's executions are surely on the log, kept across restarts.

The mark moves only after everything before it was read from the venue's list and acknowledged by
the broker. So going on from it repeats some rows, which the book drops, and leaves no hole; the
newest row on the log would be no such mark, since a gap may lie before it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from agents.wiring import partition_of
from schemas.wire import Undecodable, Wire

TOPIC = "hedge-executions"
LOOK_BACK_MS = 30 * 86_400_000
REPEAT_MS = 86_400_000
READ_S = 30.0


class NotRead(RuntimeError):
    """The log did not answer: where to go on is not known yet."""


class Progress:
    """The mark of one account, in a file of the home."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def through_ms(self) -> int | None:
        """The mark; None where there is none. Raises ValueError for a file that is not ours."""
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return None
        try:
            return int(json.loads(text)["through_ms"])
        except (ValueError, KeyError, TypeError) as why:
            raise ValueError(f"{self._path}: {text[:80]!r} is no mark of a feed") from why

    def advance(self, through_ms: int) -> None:
        """Moves the mark, in one step and on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with part.open("w") as out:
            out.write(json.dumps({"through_ms": through_ms}) + "\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._path)


def mark_file(home: Path, account_id: str) -> Path:
    """Where the mark of an account is kept."""
    return home / "feeds" / f"{account_id.replace(':', '-')}.json"


def newest_written_ms(bootstrap: str, wire: Wire, account_id: str, partitions: int) -> int | None:
    """The newest execution of an account on the log: for a home that lost its mark.

    Looks at what was executed in the last 30 days; None where that is nothing. Raises NotRead.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"weir-feed-{account_id}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        since_ms = time.time_ns() // 1_000_000 - LOOK_BACK_MS
        place = TopicPartition(TOPIC, partition_of(account_id, partitions), since_ms)
        consumer.assign(consumer.offsets_for_times([place], timeout=READ_S))
        return _newest_ms(consumer, wire, account_id)
    except KafkaException as why:
        raise NotRead(f"{TOPIC}: {why}") from why
    finally:
        consumer.close()


def _newest_ms(consumer: Any, wire: Wire, account_id: str) -> int | None:
    newest: int | None = None
    while True:
        message = consumer.poll(READ_S)
        if message is None:
            raise NotRead(f"{TOPIC}: nothing read within {READ_S:g} s")
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                return newest
            raise NotRead(f"{TOPIC}: {error.str()}")
        if message.key() != account_id.encode():
            continue
        try:
            record = wire.decode(TOPIC, message.value() or b"")
        except Undecodable:  # a dead letter of the book: it says nothing about the time
            continue
        newest = max(newest or 0, record.exec_time_ms)
