"""Feeds of a bank in a test: what they write is remembered, and they run until a fact holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.connectors.bank.client import Client
from agents.feeds.alerts import Alerts
from agents.feeds.bank.accounts import AccountFeed
from agents.feeds.bank.folder import FolderFeed
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.mailbox import MailboxFeed
from agents.feeds.bank.marks import MarksFile
from agents.feeds.bank.refusals import Refusals
from agents.feeds.bank.taking import Taker
from agents.feeds.health import Health
from schemas.records import Alert, BalanceEvent
from tests.weir.sandbox.bank_served import ACCOUNT, ServedBank

ACCOUNT_ID = f"bank:{ACCOUNT}"


@dataclass
class Log:
    """What was written, in order; `broken` makes the next writes fail as a broker that is away."""

    events: list[BalanceEvent] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    letters: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    broken: Exception | None = None

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        if self.broken is not None:
            raise self.broken
        (self.alerts if isinstance(record, Alert) else self.events).append(record)
        return len(self.events)

    async def dead_letter(
        self, topic: str, key: bytes, value: bytes, headers: Mapping[str, str]
    ) -> int:
        self.letters.append((key.decode(), value, dict(headers)))
        return len(self.letters)

    def causes(self) -> list[str]:
        """Why messages were refused, in order."""
        return [headers["treasury.outcome"] for _, _, headers in self.letters]


class Rig:
    """The parts of a feed over one log and one home."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, Log()
        self.alerts = Alerts(self.log)
        self.now_s = 0.0
        self.health = Health(self.alerts, lambda: self.now_s)

    def freshness(self, feed: str) -> Freshness:
        told = (ACCOUNT_ID,)
        return Freshness(self.health, feed, told, told, 60.0, 3600.0)

    def mailbox(self, bank: ServedBank) -> MailboxFeed:
        refusals = Refusals("test", self.log, self.alerts)
        return MailboxFeed(
            "mailbox",
            Client(bank.access()),
            Taker(self.log, refusals),
            refusals,
            self.alerts,
            self.freshness("bank-camt"),
            MarksFile(self.home, "mailbox"),
            poll_s=0.01,
        )

    def account(self, bank: ServedBank, **more: Any) -> AccountFeed:
        return AccountFeed(
            Client(bank.access(api_id=f"acc-{ACCOUNT}")),
            self.log,
            Refusals("test", self.log, self.alerts),
            self.freshness("bank-json"),
            MarksFile(self.home, "json"),
            poll_s=0.01,
            days_s=0.0,
            clock_ms=lambda: bank.clock[0],
            **more,
        )

    def folder(self, path: Path) -> FolderFeed:
        refusals = Refusals("test", self.log, self.alerts)
        return FolderFeed(
            path, Taker(self.log, refusals), self.freshness("folder"), poll_s=0.01, quiet_s=0.0
        )


async def runs(feed: Any, until: Callable[[], bool]) -> None:
    """Runs a feed until this holds, and one poll more."""
    stop = asyncio.Event()
    running = asyncio.create_task(feed.run(stop))
    try:
        async with asyncio.timeout(20):
            while not until():
                if running.done():
                    break
                await asyncio.sleep(0.01)
            polls = feed.polls
            while feed.polls < polls + 2 and not running.done():  # noqa: ASYNC110 it tells nobody
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await running
