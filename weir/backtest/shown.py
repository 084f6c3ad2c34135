"""What the nodes see of the accounts: the recorded states as the models would have shown them.

A recorded loan state, snapshot or statement goes through the model of its account and comes out as
it would have been under the policy that is run; where none is recorded the default is told.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas.money import E18
from schemas.records import DeskInput, SnapshotPosition, UsdRate
from weir.backtest.bank import Bank
from weir.backtest.desk import Desk, Placed
from weir.backtest.sources import BALANCES, DESK, LOANS, SNAPSHOTS
from weir.backtest.tally import Tally
from weir.backtest.venue import Account, Venue


class Shown:
    """Takes recorded states and delivers what the nodes are to see instead."""

    def __init__(self, desk: Desk, venue: Venue, bank: Bank, tally: Tally) -> None:
        self._desk, self._venue, self._bank, self._tally = desk, venue, bank, tally
        self._rated: set[str] = set()
        self.takes: dict[str, Callable[[Placed, int], None]] = {
            LOANS: self._loan,
            SNAPSHOTS: self._snapshot,
            BALANCES: self._balance,
            DESK: self._recorded_rate,
        }
        """By topic."""

    @property
    def _ccy(self) -> str:
        return self._venue.policy.allocation.settle_ccy

    def _loan(self, placed: Placed, now_ms: int) -> None:
        account = self._venue.account(placed.value.account_id)
        account.loan.take(placed.value)
        if account.wallets.recorded is None:
            self._earned(account, placed, now_ms)
        self._rate(placed, now_ms)
        shown = account.loan.state(placed.value.as_of_ms)
        self._desk.deliver(placed._replace(value=shown), now_ms)
        self._tally.look(account.account_id)

    def _snapshot(self, placed: Placed, now_ms: int) -> None:
        account = self._venue.account(placed.value.account_id)
        account.wallets.take(placed.value)
        shown = account.wallets.snapshot(account.account_id, self._ccy, placed.value.as_of_ms)
        self._rate(placed, now_ms)
        self._desk.deliver(placed._replace(value=shown), now_ms)
        self._tally.touch(account.account_id)

    def _balance(self, placed: Placed, now_ms: int) -> None:
        self._desk.deliver(placed._replace(value=self._bank.shown(placed.value)), now_ms)
        self._tally.touch(placed.value.account_id)

    def _recorded_rate(self, placed: Placed, now_ms: int) -> None:
        rate: UsdRate = placed.value.body
        self._rated.add(rate.ccy)
        self._venue.rates[rate.ccy] = rate.rate_e18
        self._desk.deliver(placed, now_ms)

    def _earned(self, account: Account, placed: Placed, now_ms: int) -> None:
        """Without a recorded snapshot: what the book says was earned, and holds."""
        name = account.account_id
        table = self._desk.table("book", placed.partition)
        profit = table.get(f"pnl_book|{name}|{self._ccy}")
        account.wallets.earned = {} if profit is None else {self._ccy: profit.realised_e18}
        held, prefix = [], f"positions|{name}|"
        for key, position in table.range(prefix):
            category, symbol, idx = key[len(prefix) :].split("|")
            if category != "spot" and position.qty_e18:
                held.append(SnapshotPosition(symbol, int(idx), position.qty_e18, 0, 0, 0, 0, 0))
        account.wallets.positions = tuple(held)
        shown = account.wallets.snapshot(name, self._ccy, placed.value.as_of_ms)
        at = SNAPSHOTS, placed.partition, None, name
        self._desk.deliver(Placed(*at, shown, placed.timestamp_ms), now_ms)

    def _rate(self, placed: Placed, now_ms: int) -> None:
        """Where no rate is recorded a unit of the settlement currency is a dollar."""
        if self._ccy in self._rated:
            return
        rate = DeskInput(body=UsdRate(self._ccy, E18, placed.value.as_of_ms))
        at = DESK, self._desk.lies("desk"), None, "desk"
        self._desk.deliver(Placed(*at, rate, placed.timestamp_ms), now_ms)
