"""All feeds of the executor: pollers, executions where asked for, and the health of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.connectors.bybit.config import Venue
from agents.feeds.alerts import Alerts
from agents.feeds.bank.assembly import bank_feeds
from agents.feeds.bybit import LOANS, SNAPSHOTS, Feed
from agents.feeds.executions import ExecutionsFeed, Pace
from agents.feeds.health import Health, HeardWrites
from agents.feeds.progress import REPEAT_MS, Progress, mark_file, newest_written_ms
from agents.outside import Outside
from agents.settings import VenueAccount, WorkerSettings
from schemas.wire import Wire

POLLED = {LOANS: "loan", SNAPSHOTS: "wallet"}


async def run_feeds(
    settings: WorkerSettings,
    venues: Sequence[Venue],
    outside: Outside,
    wire: Wire,
    stop: asyncio.Event,
) -> None:
    """Runs all feeds until told to stop; what breaks one of them is raised."""
    alerts = Alerts(outside)
    health = Health(alerts)
    async with asyncio.TaskGroup() as tasks:
        for venue, account in zip(venues, settings.venues, strict=True):
            heard = HeardWrites(outside, health, venue.account_id, POLLED, settings.feed_limit_s)
            poller = Feed(venue, settings.settle_coin, heard, settings.poll_s, account.categories)
            tasks.create_task(poller.run(stop))
            if account.feed == "ws":
                feed = ExecutionsFeed(
                    venue,
                    outside,
                    Progress(mark_file(settings.home, venue.account_id)),
                    alerts,
                    health,
                    categories=account.categories,
                    begin_ms=_begin(settings, account, wire),
                    pace=Pace(backfill_s=settings.backfill_s, limit_s=settings.feed_limit_s),
                )
                tasks.create_task(feed.run(stop))
        for of_bank in bank_feeds(settings, outside, alerts, health, stop):
            tasks.create_task(of_bank)
        tasks.create_task(health.run(stop))


def _begin(settings: WorkerSettings, account: VenueAccount, wire: Wire) -> Callable[[], int | None]:
    """Without a mark: a day before the newest row on the log, else what the settings say."""

    def begin_ms() -> int | None:
        newest_ms = newest_written_ms(
            settings.bootstrap, wire, account.account_id, settings.partitions
        )
        if newest_ms is not None:
            return newest_ms - REPEAT_MS
        return None if account.since is None else int(account.since.timestamp() * 1000)

    return begin_ms
