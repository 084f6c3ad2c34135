"""The hedging day in real time: one fill after the other at a rate, booked first, then published.

What it has done so far is the `hedger` part of `GET /sandbox/books`; a broken feed ends the day
with the reason there.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from weir.sandbox.feed import ExecutionFeed, FeedBroken, NoFeed
from weir.sandbox.hedger import Hedger

__all__ = ["HedgingRun"]


class HedgingRun:
    """Paces the hedger; the feed is opened when the day starts."""

    def __init__(
        self,
        hedger: Hedger,
        open_feed: Callable[[], ExecutionFeed | NoFeed],
        now_ms: Callable[[], int],
        *,
        planned: int,
        rate: float,
    ) -> None:
        self._hedger, self._open_feed, self._now_ms = hedger, open_feed, now_ms
        self._planned, self._rate = planned, rate
        self._feed: ExecutionFeed | NoFeed | None = None
        self._error = ""
        self._done = False
        self._started_ms: int | None = None
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Let the day begin; once is enough."""
        self._started.set()

    def stop(self) -> None:
        """End the day before its last fill; positions stay as they are."""
        self._stopped.set()

    def status(self) -> dict[str, Any]:
        """How far the day is."""
        feed = self._feed
        return {
            "on": True,
            "started": self._started_ms is not None,
            "started_ms": self._started_ms,
            "done": self._done,
            "fills": self._hedger.fills,
            "planned": self._planned,
            "funding": self._hedger.funding,
            "delivered": feed.delivered if feed else 0,
            "duplicates": feed.repeated if feed else 0,
            "error": self._error,
        }

    async def run(self) -> None:
        """The whole day; returns when every row is with the broker, or when the feed broke."""
        await self._started.wait()
        try:
            self._feed = await asyncio.to_thread(self._open_feed)
            self._started_ms = self._now_ms()
            await self._trade(self._feed)
            await asyncio.to_thread(self._feed.finish)
        except FeedBroken as error:
            self._error = str(error)
        self._done = True

    async def _trade(self, feed: ExecutionFeed | NoFeed) -> None:
        begun = time.monotonic()
        while not (self._hedger.done or self._stopped.is_set()):
            due_s = self._hedger.fills / self._rate if self._rate else 0.0
            await asyncio.sleep(max(0.0, begun + due_s - time.monotonic()))
            for row in self._hedger.step(self._now_ms()):
                feed.publish(row)
