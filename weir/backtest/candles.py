"""A file of candles as the records of an account that lived through it: a loan on collateral of the
coin, and a hedge that is short while the price falls.

The file gives prices and times; the rest is a plan. All of it is arithmetic on the closes: the same
file and plan give the same records. An account starts with collateral of so many dollars and a
loan on it; every `draw_rows` rows the loan is drawn up to `draw_ltv` again, if it has fallen below,
and the money is spent elsewhere. A part of the collateral is hedged: short while the close lies
below the mean of the last `mean_rows`, flat otherwise; every `roll_rows` rows the hedge is closed
and opened again, which realises what it earned. No operation of Weir's is in these records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from schemas.money import E18, HOURS_PER_YEAR, divide_half_even, floor_to, mul_e18, parse_e18
from schemas.policy import Account, Policy, canonical, policy_hash
from schemas.records import (
    AccountSnapshot,
    Collateral,
    Control,
    Debt,
    HedgeExecution,
    LoanState,
    PolicyUpdate,
    SnapshotPosition,
    WalletBalance,
)
from weir.backtest.loan import HOUR_MS
from weir.backtest.market import Candle, Funding
from weir.backtest.owed import Owed
from weir.backtest.sources import CONTROLS, EXECUTIONS, LOANS, POLICIES, SNAPSHOTS

TIME_COLUMNS = ("open_time_utc", "time", "timestamp", "date")
DAY_MS = 86_400_000
CCY = "USDT"


class Said(NamedTuple):
    """One record for a topic."""

    topic: str
    record: Any
    at_ms: int


class Plan(msgspec.Struct, frozen=True):
    """How the account lived. Dollars, ratios and rates times 10^18; of rows counts."""

    account_id: str = "bybit:candles"
    coin: str = "BTC"
    collateral_usd_e18: int = 100_000 * E18
    wallet_usd_e18: int = 50_000 * E18
    counted_e18: int = 9 * E18 // 10
    """The part of the collateral that the venue counts."""
    ltv_e18: int = parse_e18("0.30")
    draw_ltv_e18: int = parse_e18("0.25")
    draw_rows: int = 90
    hedge_e18: int = E18 // 2
    mean_rows: int = 50
    roll_rows: int = 30
    hourly_rate_e18: int = E18 // 100_000
    fee_e18: int = parse_e18("0.00055")


USUAL = Plan()
NONE: list[Funding] = []


def records(
    candles: list[Candle], plan: Plan = USUAL, fundings: list[Funding] = NONE
) -> Iterator[Said]:
    """What the outside would have written, in order of time."""
    first = candles[0]
    steps_ms = [later.at_ms - sooner.at_ms for sooner, later in pairwise(candles)]
    yield from _rules(plan, first.at_ms, max(1, min(steps_ms, default=0) // 1000))
    life, due = _Life(plan, first), deque(fundings)
    for number, candle in enumerate(candles):
        while due and due[0].at_ms <= candle.at_ms:
            yield from life.funding(candle, due.popleft())
        yield from life.row(number, candle)


def policy(plan: Plan, row_s: int) -> Policy:
    """The shipped policy for data as coarse as this: what is known stays good until the next row.

    Times shorter than the shipped ones are left as they are.
    """
    usual = Policy()
    ages = ("loan_age_max_s", "mark_age_max_s", "balance_age_max_s")
    guards = {name: max(getattr(usual.guards, name), 2 * row_s) for name in ages}
    retry_s = max(usual.allocation.retry_s, row_s)
    account = Account(account_id=plan.account_id)
    return usual.model_copy(
        update={
            "name": "candles",
            "guards": usual.guards.model_copy(update=guards),
            "allocation": usual.allocation.model_copy(update={"retry_s": retry_s}),
            "accounts": (account,),
        }
    )


def _rules(plan: Plan, at_ms: int, row_s: int) -> Iterator[Said]:
    body = canonical(policy(plan, row_s))
    update = PolicyUpdate(
        "candles", 1, policy_hash(body), body, "file", "weir backtest prices", (), "", at_ms
    )
    yield Said(POLICIES, update, at_ms)
    yield Said(CONTROLS, Control("all", "ACTIVE", 1, "back-test", (), (), at_ms), at_ms)


class _Life:
    """The account as the rows pass. `size` is below 0 while the hedge is short."""

    def __init__(self, plan: Plan, first: Candle) -> None:
        self._plan = plan
        self._coins = _places(divide_half_even(plan.collateral_usd_e18 * E18, first.close_e18))
        self._debt = Owed(rate_e18=plan.hourly_rate_e18)
        self._debt.principal_e18 = self._room(plan.ltv_e18, first.close_e18)
        self._hour = first.at_ms // HOUR_MS
        self._closes: deque[int] = deque(maxlen=plan.mean_rows)
        self._size = self._entry = self._fills = 0
        self._wallet = plan.wallet_usd_e18

    def row(self, number: int, candle: Candle) -> Iterator[Said]:
        """What one candle brings: a loan state, a snapshot, and fills."""
        plan, price = self._plan, candle.close_e18
        self._debt.accrue(candle.at_ms // HOUR_MS - self._hour)
        self._hour = candle.at_ms // HOUR_MS
        if number and number % plan.draw_rows == 0:
            more = self._room(plan.draw_ltv_e18, price) - self._debt.total_e18
            self._debt.principal_e18 += max(0, more)
        self._closes.append(price)
        yield Said(SNAPSHOTS, self._snapshot(candle), candle.at_ms)
        yield Said(LOANS, self._loan(candle), candle.at_ms)
        falls = price * len(self._closes) < sum(self._closes)
        wanted = -_places(mul_e18(self._coins, plan.hedge_e18)) if falls else 0
        rolls = number % plan.roll_rows == 0
        if self._size and (rolls or wanted != self._size):
            yield self._fill(candle, -self._size)
        if wanted != self._size:
            yield self._fill(candle, wanted - self._size)

    def funding(self, candle: Candle, paid: Funding) -> Iterator[Said]:
        """What a position pays, or gets, at the price of the candle that is next."""
        if self._size and paid.at_ms <= candle.at_ms:
            cost = mul_e18(mul_e18(self._size, candle.close_e18), paid.rate_e18)
            self._wallet -= cost
            yield self._execution("Funding", self._size, candle.close_e18, cost, paid.at_ms)

    def _room(self, ltv_e18: int, price_e18: int) -> int:
        """The debt that makes this loan to value, in cents."""
        counted = mul_e18(mul_e18(self._coins, price_e18), self._plan.counted_e18)
        return floor_to(mul_e18(counted, ltv_e18), 2)

    def _fill(self, candle: Candle, signed: int) -> Said:
        price = candle.close_e18
        fee = mul_e18(mul_e18(abs(signed), price), self._plan.fee_e18)
        if self._size:
            self._wallet += mul_e18(self._size, price - self._entry)
        self._wallet -= fee
        self._size += signed
        self._entry = price if self._size else 0
        at_ms = candle.at_ms + 1_000 + (self._size != 0)
        return self._execution("Trade", signed, price, fee, at_ms)

    def _execution(self, kind: str, signed: int, price: int, fee: int, at_ms: int) -> Said:
        plan = self._plan
        self._fills += 1
        row = HedgeExecution(
            exec_id=f"candle-{self._fills:06d}",
            account_id=plan.account_id,
            venue=plan.account_id.partition(":")[0],
            kind="FILL",
            category="linear",
            symbol=f"{plan.coin}{CCY}",
            side="Buy" if signed > 0 else "Sell",
            exec_type=kind,
            qty_e18=abs(signed),
            price_e18=price,
            fee_e18=fee,
            fee_ccy=CCY,
            settle_ccy=CCY,
            exec_time_ms=at_ms,
            source="manual",
            seq=self._fills,
        )
        return Said(EXECUTIONS, row, at_ms)

    def _loan(self, candle: Candle) -> LoanState:
        plan, debt = self._plan, self._debt
        counted = mul_e18(mul_e18(self._coins, candle.close_e18), plan.counted_e18)
        ratio = divide_half_even(debt.total_e18 * 10**6, counted) * 10**12
        rate = plan.hourly_rate_e18
        return LoanState(
            account_id=plan.account_id,
            loan_id="pool",
            coin=CCY,
            principal_amount_e18=debt.principal_e18,
            accrued_interest_e18=debt.interest_e18,
            interest_rate_e18=rate * HOURS_PER_YEAR,
            hourly_rate_e18=rate,
            debts=(Debt(CCY, debt.principal_e18, debt.interest_e18, debt.total_e18, rate, False),),
            total_debt_usd_e18=debt.total_e18,
            collateral_value_e18=counted,
            ltv_ratio_e18=ratio,
            collaterals=(Collateral(plan.coin, self._coins, counted, plan.counted_e18),),
            as_of_ms=candle.at_ms,
        )

    def _snapshot(self, candle: Candle) -> AccountSnapshot:
        held: tuple[SnapshotPosition, ...] = ()
        price, upnl = candle.close_e18, 0
        if self._size:
            upnl = mul_e18(self._size, price - self._entry)
            symbol = f"{self._plan.coin}{CCY}"
            held = (SnapshotPosition(symbol, 0, self._size, self._entry, price, upnl, 0, 0),)
        free = max(0, self._wallet)
        wallets = (WalletBalance("UNIFIED", CCY, self._wallet, free),)
        equity = self._wallet + upnl
        return AccountSnapshot(
            self._plan.account_id, wallets, held, (), "REGULAR_MARGIN", equity, candle.at_ms
        )


def _places(amount_e18: int) -> int:
    """A venue's quantity: three places."""
    return floor_to(amount_e18, 3)
