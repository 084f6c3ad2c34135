"""How long ago each feed was last heard, as a metric and as an alert when that is too long.

A feed that stops looks like an account on which nothing happens, so its age is judged by signs of
life (an answer, a push, a pong), not by records. The first judgement after a start is always
written: an alert that an earlier process left firing is resolved by it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import Gauge

from agents.feeds.alerts import Alerts
from agents.runner import Writes

AGE = Gauge(
    "treasury_feed_age_seconds", "Seconds since a feed was last heard.", ["account", "feed"]
)
JUDGE_S = 1.0


@dataclass
class _Watched:
    heard_s: float
    limit_s: float
    fires: bool | None = None


class Health:
    """The feeds of this process; usable from one event loop."""

    def __init__(self, alerts: Alerts, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._alerts, self._monotonic = alerts, monotonic
        self._feeds: dict[tuple[str, str], _Watched] = {}

    def watch(self, account_id: str, feed: str, limit_s: float) -> None:
        """From now on this feed must be heard at least every `limit_s`."""
        self._feeds[account_id, feed] = _Watched(self._monotonic(), limit_s)

    def heard(self, account_id: str, feed: str) -> None:
        """The feed gave a sign of life."""
        self._feeds[account_id, feed].heard_s = self._monotonic()

    def age_s(self, account_id: str, feed: str) -> float:
        """Seconds since the feed was last heard, or since it is watched."""
        return self._monotonic() - self._feeds[account_id, feed].heard_s

    async def run(self, stop: asyncio.Event, every_s: float = JUDGE_S) -> None:
        """Judges all feeds again and again until told to stop."""
        while not stop.is_set():
            await self.judge()
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                continue

    async def judge(self) -> None:
        """Sets the metric of each feed and writes what has changed."""
        for (account_id, feed), watched in self._feeds.items():
            age_s = self.age_s(account_id, feed)
            AGE.labels(account_id, feed).set(age_s)
            fires = age_s > watched.limit_s
            if fires == watched.fires:
                continue
            text = (
                f"feed {feed} of {account_id} was last heard {age_s:.1f} s ago,"
                f" at most {watched.limit_s:g} s are allowed"
                if fires
                else f"feed {feed} of {account_id} is heard"
            )
            written = await self._alerts.say(
                f"feed|{account_id}|{feed}",
                "firing" if fires else "resolved",
                text,
                {"account": account_id, "feed": feed},
                "critical" if fires else "info",
            )
            if written:
                watched.fires = fires


class HeardWrites:
    """A producer for a poller of one account: what it writes is the sign of life of its part."""

    def __init__(
        self,
        outside: Writes,
        health: Health,
        account_id: str,
        feeds: dict[str, str],
        limit_s: float,
    ) -> None:
        """`feeds`: topic to the name of the feed that writes it."""
        self._outside, self._health, self._account_id = outside, health, account_id
        self._feeds = feeds
        for feed in feeds.values():
            health.watch(account_id, feed, limit_s)

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        """Writes, and when the broker has it, the feed was heard."""
        offset = await self._outside.write(topic, record, key=key, headers=headers)
        if topic in self._feeds:
            self._health.heard(self._account_id, self._feeds[topic])
        return offset
