"""Writes the bank calendars into every partition of cash's inbox: closed days are records, like
all that can change a decision.

What a partition has been told of a year is never told again, so a day that people have added or
taken away stays. The years are those around now; as time passes the next one is added.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from agents.outside import NotWritten
from schemas.records import Calendar, CashInput
from schemas.topics import COPY_KEY
from schemas.wire import NewerSchema, Undecodable, Wire
from streams import holidays

INBOX = "treasury.cash-inputs.v1"
YEARS_BACK, YEARS_AHEAD = 3, 2
"""Flows of the last two years are looked at, and bills mature next year."""
AGAIN_S, RETRY_S = 6 * 3_600, 5
PATIENCE_POLLS = 20

log = structlog.get_logger()


class Writes(Protocol):
    """What is needed of `agents.outside.Outside`."""

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, partition: int | None = None
    ) -> int: ...


class Told(NamedTuple):
    """One year of one calendar that a partition knows."""

    partition: int
    calendar: str
    year: int


class Unread(RuntimeError):
    """The inbox could not be read to its end."""


class Almanac:
    """Keeps cash's inbox supplied with calendars."""

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        partitions: int,
        outside: Writes,
        patience_polls: int = PATIENCE_POLLS,
    ) -> None:
        self._bootstrap, self._wire, self._partitions = bootstrap, wire, partitions
        self._outside, self._patience_polls = outside, patience_polls

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            try:
                await self.turn(datetime.now(UTC).year)
                wait_s = AGAIN_S
            except (Unread, NotWritten) as why:
                log.warning("calendars_not_written", error=str(why))
                wait_s = RETRY_S
            await asyncio.sleep(wait_s)

    async def turn(self, year: int) -> int:
        """Writes what is missing around a year; how many records. Raises Unread or NotWritten."""
        known = await asyncio.to_thread(self._known)
        missing = [
            one
            for partition in range(self._partitions)
            for name in holidays.CALENDARS
            for some in range(max(holidays.FIRST_YEAR, year - YEARS_BACK), year + YEARS_AHEAD + 1)
            if (one := Told(partition, name, some)) not in known
        ]
        for one in missing:
            body = Calendar(one.calendar, one.year, holidays.closed(one.calendar, one.year))
            await self._outside.write(
                INBOX, CashInput(body=body), key=COPY_KEY, partition=one.partition
            )
        if missing:
            log.info("calendars_written", records=len(missing))
        return len(missing)

    def _known(self) -> set[Told]:
        """All that the partitions have been told."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "weir-almanac",  # asked for by the client; no offset is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        known: set[Told] = set()
        open_ = set(range(self._partitions))
        try:
            consumer.assign([TopicPartition(INBOX, one, OFFSET_BEGINNING) for one in sorted(open_)])
            for _ in range(self._patience_polls):
                while open_ and (message := consumer.poll(0.5)) is not None:
                    error, partition = message.error(), message.partition()
                    if error is None:
                        known |= self._calendar(partition or 0, message.value())
                    elif error.code() == KafkaError._PARTITION_EOF:
                        open_.discard(partition)
                if not open_:
                    return known
        except KafkaException as why:
            raise Unread(f"{INBOX}: {why.args[0].str()}") from why
        finally:
            consumer.close()
        raise Unread(f"{INBOX}: no end of partitions {sorted(open_)}")

    def _calendar(self, partition: int, data: bytes | None) -> set[Told]:
        try:
            body = self._wire.decode(INBOX, data or b"").body
        except (Undecodable, NewerSchema):
            return set()  # a dead letter tells nothing
        return {Told(partition, body.calendar, body.year)} if isinstance(body, Calendar) else set()
