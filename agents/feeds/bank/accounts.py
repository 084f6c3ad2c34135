"""Polls one account in JSON: its balance with the entries of today, and the days that are over.

What was told before is not written again. A day is asked for from four in the morning on, and for
three days more: banks book into days that are over, and a day told differently is a restatement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from agents.connectors.bank.client import Answer, Client
from agents.connectors.bank.iso20022 import XML_BYTES_MAX
from agents.connectors.port import ConnectorError, TimedOut
from agents.feeds.alerts import wall_ms
from agents.feeds.bank.amounts import parsed
from agents.feeds.bank.finastra import (
    AccountBalance,
    Page,
    StatementRow,
    intraday,
    news,
    prior_day,
    read,
)
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.marks import MarksFile
from agents.feeds.bank.refusals import TOPIC, Refusals
from agents.runner import Writes
from schemas.records import BalanceEvent
from streams import newyork
from streams.step import Refused

LIMIT = 100
PAGES_MAX = 100
OPENS_S = 4 * 3600
AGAIN_DAYS = 3
KEPT_DAYS = 30
_EPOCH = date(1970, 1, 1).toordinal()

log = structlog.get_logger()


@dataclass
class AccountFeed:
    """One account. `since`: the first day whose entries are asked for, of days that are over."""

    client: Client
    outside: Writes
    refusals: Refusals
    freshness: Freshness
    marks: MarksFile
    parts: frozenset[str] = frozenset({"intraday", "prior_day"})
    since: date | None = None
    poll_s: float = 10.0
    days_s: float = 900.0
    clock_ms: Callable[[], int] = wall_ms
    polls: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    _last: BalanceEvent | None = None
    _refused: set[str] = field(default_factory=set)
    _days_due_s: float = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until told to stop."""
        while not stop.is_set():
            answered = True
            if "intraday" in self.parts:
                answered = await self._part("intraday", self._now)
            if "prior_day" in self.parts and time.monotonic() >= self._days_due_s:
                if await self._part("prior_day", self._days):
                    self._days_due_s = time.monotonic() + self.days_s
                else:
                    answered = False
            if answered:
                self.freshness.answered()
            self.polls += 1
            try:
                await asyncio.wait_for(stop.wait(), self.poll_s)
            except TimeoutError:
                continue

    async def _part(self, what: str, poll: Callable[[], Any]) -> bool:
        """One part; whether the bank answered it. What it said and cannot be used is told once."""
        try:
            await poll()
        except ConnectorError as why:
            self.failures[what] = self.failures.get(what, 0) + 1
            log.warning(
                "poll_failed",
                account_id=self.client.bank.account_id,
                what=what,
                failures=self.failures[what],
                error=f"{type(why).__name__} {why.code} {why.message}",
            )
            return False
        except Refused as why:
            await self._refuse(what, what, why)
            return False
        return True

    async def _refuse(self, what: str, name: str, why: Refused) -> None:
        """Tells what cannot be used, once."""
        self.failures[what] = self.failures.get(what, 0) + 1
        account_id = self.client.bank.account_id
        origin, said = f"{account_id}/{name}", f"{name}: {why}"
        if said not in self._refused:
            await self.refusals.refuse(origin, account_id, said.encode(), why)
            self._refused.add(said)

    async def _now(self) -> None:
        event = await asyncio.to_thread(self._read_now)
        if event != self._last:
            await self.outside.write(TOPIC, event)
            self._last = event
        self.freshness.told([event])

    async def _days(self) -> None:
        """Each day by itself: one that cannot be used holds up no other."""
        for day in self._due():
            name = date.fromordinal(day + _EPOCH).isoformat()
            try:
                read_again = await asyncio.to_thread(self._read_day, day)
            except Refused as why:
                await self._refuse("prior_day", f"prior_day/{name}", why)
                continue
            event = news(read_again, self.marks.marks.days.get(name))
            if event is not None:
                await self.outside.write(TOPIC, event)
                self._remember(name, event.msg_id)

    def _due(self) -> list[int]:
        """Days to ask for: from the last that was told, or the first wanted, to yesterday."""
        now_ms = self.clock_ms()
        yesterday = newyork.day_of(now_ms - OPENS_S * 1000) - 1
        told = [date.fromisoformat(day).toordinal() - _EPOCH for day in self.marks.marks.days]
        first = yesterday if self.since is None else self.since.toordinal() - _EPOCH
        if told:
            first = max(told) + 1 - AGAIN_DAYS
        return list(range(min(first, yesterday), yesterday + 1))

    def _remember(self, day: str, said: str) -> None:
        days = {**self.marks.marks.days, day: said}
        self.marks.marks.days = dict(sorted(days.items())[-KEPT_DAYS:])
        self.marks.save()

    def _read_now(self) -> BalanceEvent:
        """Entries first, then the balance that holds them."""
        today = newyork.day_of(self.clock_ms())
        rows = self._rows(today)
        answer = self.client.get(f"{self._path}/balances")
        balance = read(AccountBalance, parsed(answer.body, XML_BYTES_MAX))
        at_ms = _answered_ms(answer, self.clock_ms)
        return intraday(self.client.bank.account_id, balance, rows, at_ms)

    def _read_day(self, day: int) -> BalanceEvent:
        return prior_day(self.client.bank.account_id, day, self._rows(day))

    def _rows(self, day: int) -> list[StatementRow]:
        """The entries of a day, all pages of one list: when it grows while it is read, entries
        would be told twice or not at all. Raises ConnectorError, Refused.
        """
        asked = date.fromordinal(day + _EPOCH).isoformat()
        rows: list[StatementRow] = []
        count: int | None = None
        for _ in range(PAGES_MAX):
            answer = self.client.get(
                f"{self._path}/statement",
                fromDate=asked,
                toDate=asked,
                limit=str(LIMIT),
                offset=str(len(rows)),
            )
            page = Page.of(parsed(answer.body, XML_BYTES_MAX))
            if count not in (None, page.count):
                raise TimedOut(f"the entries of {asked} changed while they were read")
            count = page.count
            rows += [read(StatementRow, row) for row in page.items]
            if len(rows) >= page.count:
                return rows
            if not page.items:
                raise Refused("invalid", "itemCount", page.count, f"only {len(rows)} are listed")
        raise Refused("too_large", "itemCount", len(rows), f"over {PAGES_MAX} pages")

    @property
    def _path(self) -> str:
        bank = self.client.bank
        return f"{bank.paths.accounts}/{bank.api_id or bank.number}"


def _answered_ms(answer: Answer, clock_ms: Callable[[], int]) -> int:
    """The bank's clock when it answered, by the header every server sends."""
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return clock_ms()
    return int(at.timestamp()) * 1000
