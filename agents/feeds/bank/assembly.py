"""The feeds of all bank accounts: a mailbox for each login, JSON where asked for, a folder."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from agents.connectors.bank.client import client_of
from agents.feeds.alerts import Alerts
from agents.feeds.bank.accounts import AccountFeed
from agents.feeds.bank.folder import FolderFeed
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.mailbox import MailboxFeed
from agents.feeds.bank.marks import MarksFile
from agents.feeds.bank.refusals import Refusals
from agents.feeds.bank.taking import Taker
from agents.feeds.health import Health
from agents.outside import Outside
from agents.settings import BankAccount, WorkerSettings

PARTS = ("intraday", "prior_day")


def bank_feeds(
    settings: WorkerSettings, outside: Outside, alerts: Alerts, health: Health, stop: asyncio.Event
) -> Iterator[Coroutine[Any, Any, None]]:
    """Everything that is to run, each until told to stop."""
    logins: dict[tuple[str, str], list[BankAccount]] = defaultdict(list)
    for account in settings.banks:
        if "camt" in (account.intraday, account.prior_day):
            logins[account.endpoint, account.client_id].append(account)
        if "api" in (account.intraday, account.prior_day):
            yield _account(settings, account, outside, alerts, health).run(stop)
    for accounts in logins.values():
        yield _mailbox(settings, accounts, outside, alerts, health).run(stop)
    if settings.camt_folder is not None:
        yield _folder(settings, outside, alerts, health).run(stop)


def _account(
    settings: WorkerSettings,
    account: BankAccount,
    outside: Outside,
    alerts: Alerts,
    health: Health,
) -> AccountFeed:
    parts = frozenset(part for part in PARTS if getattr(account, part) == "api")
    told = (account.account_id,) if "intraday" in parts else ()
    return AccountFeed(
        client_of(account.bank()),
        outside,
        Refusals(account.account_id, outside, alerts),
        _freshness(settings, health, "bank-json", (account.account_id,), told),
        MarksFile(settings.home, f"{account.account_id}-json"),
        parts=parts,
        since=account.since,
        poll_s=settings.bank_poll_s,
    )


def _mailbox(
    settings: WorkerSettings,
    accounts: Sequence[BankAccount],
    outside: Outside,
    alerts: Alerts,
    health: Health,
) -> MailboxFeed:
    first = accounts[0]
    name = f"mailbox:{first.client_id}"
    refusals = Refusals(name, outside, alerts)
    told = tuple(one.account_id for one in accounts if one.intraday == "camt")
    everyone = tuple(one.account_id for one in accounts)
    return MailboxFeed(
        name,
        client_of(first.bank()),
        Taker(outside, refusals),
        refusals,
        alerts,
        _freshness(settings, health, "bank-camt", everyone, told),
        MarksFile(settings.home, name),
        poll_s=settings.bank_poll_s,
    )


def _folder(
    settings: WorkerSettings, outside: Outside, alerts: Alerts, health: Health
) -> FolderFeed:
    folder = settings.camt_folder
    if folder is None or not folder.is_dir():
        raise ValueError(f"WEIR_CAMT_FOLDER: {folder} is no folder")
    taker = Taker(outside, Refusals("folder", outside, alerts))
    return FolderFeed(folder, taker, _freshness(settings, health, "camt-folder", (), ()))


def _freshness(
    settings: WorkerSettings,
    health: Health,
    feed: str,
    accounts: Sequence[str],
    told: Sequence[str],
) -> Freshness:
    return Freshness(health, feed, accounts, told, settings.feed_limit_s, settings.balance_limit_s)
