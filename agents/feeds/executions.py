"""The executions of one Bybit account on `hedge-executions`: pushed as they happen, and listed
again after every gap.

The socket replays nothing, so after each connection, and every few minutes besides, the venue's
list is read from the mark up to which everything is known to be on the log; only then does the mark
move, and only then are pushes taken, so rows mostly come in order. Rows seen twice are written once
by one process; after a restart some are written again, which the book drops. Nothing is missing.

A row that cannot be read is logged, counted and raised as an alert with its raw text; it stops
nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import prometheus_client
import structlog

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.config import Venue
from agents.connectors.bybit.payloads import server_ms
from agents.connectors.port import ConnectorError
from agents.feeds import rows
from agents.feeds.alerts import Alerts
from agents.feeds.backfill import Listed, TooMany, halves, listed, windows
from agents.feeds.health import Health
from agents.feeds.legs import Legs
from agents.feeds.progress import NotRead, Progress
from agents.feeds.websocket import PING_S, SILENT_S, PrivateSocket, SocketLost
from agents.outside import NotWritten
from agents.runner import Writes
from schemas.records import HedgeExecution

TOPIC = "hedge-executions"
TOPICS = ("execution", "position")
STREAM, LIST = "executions", "executions-list"
AT_ONCE = 500
PAUSE_MAX_S = 10.0
RETRY_S = 2.0
REFUSED = prometheus_client.Counter(
    "treasury_feed_rows_refused", "Rows of a feed that could not be read.", ["account", "feed"]
)

Source = Literal["ws", "rest"]
Said = tuple[Any, ...]

log = structlog.get_logger()


@dataclass(frozen=True)
class Pace:
    """How the feed is paced; seconds, but `overlap_ms`: what each list reading repeats."""

    backfill_s: float = 180.0
    overlap_ms: int = 60_000
    ping_s: float = PING_S
    silent_s: float = SILENT_S
    limit_s: float = 60.0


@dataclass
class ExecutionsFeed:
    """One account. `begin_ms` says where to begin when there is no mark; None: now.

    `counts`: connected, lost, read (the list), failed (readings of it), written, known, refused.
    """

    venue: Venue
    outside: Writes
    progress: Progress
    alerts: Alerts
    health: Health
    categories: Sequence[str] = ("linear",)
    begin_ms: Callable[[], int | None] = lambda: None
    pace: Pace = field(default_factory=Pace)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._client = Client(self.venue)
        self._legs = Legs(self._client)
        self._one_at_a_time = asyncio.Lock()
        self._gap = asyncio.Event()
        self._written: dict[tuple[str, str], Said] = {}
        self._told: set[str] = set()
        account_id = self.venue.account_id
        self.health.watch(account_id, STREAM, self.pace.limit_s)
        self.health.watch(account_id, LIST, self.pace.backfill_s + self.pace.limit_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Feeds until told to stop; whatever else ends it is raised."""
        told = asyncio.create_task(stop.wait())
        tasks = [told, asyncio.create_task(self._follow()), asyncio.create_task(self._reread())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def catch_up(self) -> None:
        """Reads the venue's list from the mark to now, writes it and moves the mark.

        Raises ConnectorError, NotWritten or NotRead; all before the mark is then still written.
        """
        async with self._one_at_a_time:
            now = await asyncio.to_thread(self._client.read, self._client.reads, "get_server_time")
            end_ms = server_ms(now)
            mark_ms = await self._mark_ms(end_ms)
            left = deque(windows(mark_ms - self.pace.overlap_ms, end_ms))
            while left:
                start_ms, last_ms = left.popleft()
                try:
                    found = await asyncio.to_thread(self._listed, start_ms, last_ms)
                except TooMany:
                    left.extendleft(reversed(halves(start_ms, last_ms)))
                    continue
                await self._take(found, "rest")
                self.progress.advance(max(last_ms, mark_ms))
            self._forget_before(end_ms - 2 * self.pace.overlap_ms)
        self.counts["read"] += 1
        self.health.heard(self.venue.account_id, LIST)

    # -- the two tasks

    async def _follow(self) -> None:
        """Connects, reads what was missed, then takes pushes; again and again."""
        pause_s = 0.2
        while True:
            try:
                async with PrivateSocket(
                    self.venue,
                    TOPICS,
                    lambda: self.health.heard(self.venue.account_id, STREAM),
                    ping_s=self.pace.ping_s,
                    silent_s=self.pace.silent_s,
                ) as socket:
                    self.counts["connected"] += 1
                    await self._tried(self.catch_up())
                    async for message in socket.messages():
                        pause_s = 0.2
                        await self._heard(message)
            except SocketLost as why:
                self.counts["lost"] += 1
                log.warning("stream_lost", account_id=self.venue.account_id, error=str(why))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _reread(self) -> None:
        """Reads the list every few minutes, and soon after something went wrong."""
        while True:
            try:
                await asyncio.wait_for(self._gap.wait(), self.pace.backfill_s)
                await asyncio.sleep(RETRY_S)
            except TimeoutError:
                pass  # nothing went wrong: the regular reading
            self._gap.clear()
            await self._tried(self.catch_up())

    async def _tried(self, work: Awaitable[None]) -> None:
        """What could not be read or written now is read again from the list, soon."""
        try:
            await work
        except (ConnectorError, NotWritten, NotRead) as why:
            self.counts["failed"] += 1
            log.warning(
                "executions_failed",
                account_id=self.venue.account_id,
                error=f"{type(why).__name__}: {why}",
            )
            self._gap.set()

    # -- rows

    async def _heard(self, message: dict[str, Any]) -> None:
        topic, data = message["topic"], message.get("data")
        if topic == "position":
            self._legs.learn(data)
        elif topic == "execution":
            pushed = data if isinstance(data, list) else [data]
            categories = [row.get("category") if isinstance(row, dict) else None for row in pushed]
            found = [Listed(str(name), row) for name, row in zip(categories, pushed, strict=True)]
            await self._tried(self._pushed(found))

    async def _pushed(self, found: list[Listed]) -> None:
        async with self._one_at_a_time:
            await self._take(found, "ws")

    async def _take(self, found: Sequence[Listed], source: Source) -> None:
        """Writes what is new among the rows, oldest first; returns when the broker has it."""
        records = []
        for category, row in found:
            try:
                records.append(await self._record(category, row, source))
            except rows.RowRefused as why:
                await self._refuse(category, row, why)
        records.sort(key=lambda record: (record.exec_time_ms, record.seq or 0, record.exec_id))
        fresh = {_place(record): record for record in records if not self._is_known(record)}
        self.counts["known"] += len(records) - len(fresh)
        waiting = list(fresh.values())
        for start in range(0, len(waiting), AT_ONCE):
            await self._write(waiting[start : start + AT_ONCE])

    async def _record(self, category: str, row: Any, source: Source) -> HedgeExecution:
        if category not in self.categories:
            raise rows.RowRefused("category", category, f"not one of {', '.join(self.categories)}")
        read = rows.read(row)
        hedged = await self._legs.hedged(category, read.symbol)
        record = rows.execution(self.venue.account_id, category, read, hedged=hedged, source=source)
        if row.get("extraFees"):
            await self._tell_extra_fees(record, row)
        return record

    async def _write(self, records: Sequence[HedgeExecution]) -> None:
        answers = await asyncio.gather(
            *(self.outside.write(TOPIC, record) for record in records), return_exceptions=True
        )
        failed: BaseException | None = None
        for record, answer in zip(records, answers, strict=True):
            if isinstance(answer, BaseException):
                failed = failed or answer
                continue
            self._written[_place(record)] = _said(record)
            self.counts["written"] += 1
        if failed is not None:
            raise failed

    def _is_known(self, record: HedgeExecution) -> bool:
        """Written by this process with the same content; another content is for the book to see."""
        return self._written.get(_place(record)) == _said(record)

    def _forget_before(self, at_ms: int) -> None:
        self._written = {place: said for place, said in self._written.items() if said[0] >= at_ms}

    async def _refuse(self, category: str, row: Any, why: rows.RowRefused) -> None:
        raw = json.dumps(row, sort_keys=True, default=str)
        exec_id = row.get("execId") if isinstance(row, dict) else None
        name = str(exec_id or hashlib.sha256(raw.encode()).hexdigest()[:16])
        if f"{category}|{name}" in self._told:
            return
        account_id = self.venue.account_id
        self.counts["refused"] += 1
        REFUSED.labels(account_id, STREAM).inc()
        log.error(
            "row_refused", account_id=account_id, field=why.field, value=why.value, error=why.why
        )
        if await self.alerts.say(
            f"row|{account_id}|{category}|{name}",
            "firing",
            f"execution {name} of {account_id} was not booked: {why}",
            {"account": account_id, "feed": STREAM, "field": why.field, "raw": raw},
            "critical",
        ):
            self._told.add(f"{category}|{name}")

    async def _tell_extra_fees(self, record: HedgeExecution, row: Any) -> None:
        """Extra fees stand beside the fee; whether they are part of it is not documented."""
        name = f"extra|{record.category}|{record.exec_id}"
        if name in self._told:
            return
        self._told.add(name)
        await self.alerts.say(
            f"extra-fees|{record.account_id}",
            "firing",
            f"execution {record.exec_id} has extra fees that are not booked: {row['extraFees']}",
            {"account": record.account_id, "feed": STREAM, "raw": json.dumps(row["extraFees"])},
        )

    # -- where to begin

    async def _mark_ms(self, now_ms: int) -> int:
        """The mark; the first time, where to begin, which is kept at once."""
        mark_ms = self.progress.through_ms()
        if mark_ms is not None:
            return mark_ms
        begin_ms = await asyncio.to_thread(self.begin_ms)
        mark_ms = now_ms if begin_ms is None else begin_ms
        self.progress.advance(mark_ms)
        log.info("feed_begins", account_id=self.venue.account_id, from_ms=mark_ms)
        return mark_ms

    def _listed(self, start_ms: int, end_ms: int) -> list[Listed]:
        """All categories together: their rows are written in one order of time."""
        return [
            row
            for category in self.categories
            for row in listed(self._client, category, start_ms, end_ms)
        ]


def _place(record: HedgeExecution) -> tuple[str, str]:
    return record.category, record.exec_id


def _said(record: HedgeExecution) -> Said:
    """What the book compares, the time first: a push and a list agree on it."""
    return (
        record.exec_time_ms,
        record.symbol,
        record.side,
        record.exec_type,
        record.qty_e18,
        record.price_e18,
        record.fee_e18,
    )
