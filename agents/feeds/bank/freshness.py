"""Whether a bank answers, and whether what it says is new: both are signs of life of a feed.

A bank that answers with the balance of this morning is as silent as one that does not answer, so
the age of a balance is judged by its as-of, not by the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.feeds.bank.statement import COUNTED
from agents.feeds.health import Health
from schemas.records import BalanceEvent

BALANCE = "balance"


class Freshness:
    """The signs of life of one feed. `accounts`: those it asks for; `balances`: those of them whose
    balance of now it tells.
    """

    def __init__(
        self,
        health: Health,
        feed: str,
        accounts: Sequence[str],
        balances: Sequence[str],
        limit_s: float,
        balance_limit_s: float,
    ) -> None:
        self._health, self._feed = health, feed
        self._accounts, self._balances = accounts, balances
        self._newest_ms: dict[str, int] = {}
        for account_id in accounts:
            health.watch(account_id, feed, limit_s)
        for account_id in balances:
            health.watch(account_id, f"{feed}-{BALANCE}", balance_limit_s)

    def answered(self) -> None:
        """The bank answered all that was asked."""
        for account_id in self._accounts:
            self._health.heard(account_id, self._feed)

    def told(self, events: Iterable[BalanceEvent]) -> None:
        """The bank told balances; only a newer one is a sign of life."""
        for event in events:
            account_id = event.account_id
            if account_id not in self._balances:
                continue
            named = [one.as_of_ms for one in event.balances if one.code in COUNTED]
            newest_ms = max(named, default=-1)
            if newest_ms > self._newest_ms.get(account_id, -1):
                self._newest_ms[account_id] = newest_ms
                self._health.heard(account_id, f"{self._feed}-{BALANCE}")
