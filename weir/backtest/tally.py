"""What a course comes to, gathered while it runs: decisions, a line per account and day, totals.

Money is read where it is kept: profit from the book's own entries, debt and wallets from the venue
model, cash from the bank model. Only decisions, orders and how they ended are taken from what the
nodes write.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from schemas.money import mul_e18, parse_e18
from schemas.policy import Policy
from schemas.records import AllocationDecision, CashPosition, Decision, IntentState
from streams.allocation import ADD, REPAY
from streams.available import available_e18
from streams.balances import E4_TO_E18
from streams.distance import fall_e18
from streams.orders import BACK
from tables.book import PnlBook
from weir.backtest.bank import Bank
from weir.backtest.course import ALLOCATION, HOLD, SWEEP, Day, Decided, Totals
from weir.backtest.desk import Desk, Placed
from weir.backtest.grain import DAY_MS, Lines, every_ms, name
from weir.backtest.owed import Owed, Sums
from weir.backtest.venue import Venue
from weir.backtest.wallets import FUND

WITHOUT_EFFECT = frozenset({"REFUSED", "REJECTED", "VOID", "EXPIRED", "REVERSED"})
NOTHING = PnlBook()


@dataclass
class Seen:
    """What was noted of one account since counting began."""

    profit: PnlBook = NOTHING
    ltv_min_e18: int | None = None
    ltv_max_e18: int | None = None
    line_ltv_max_e18: int | None = None
    last: Day | None = None
    avail_e18: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    floor_day: int = -1


class Tally:
    """The results of one course; counts from `begin` on."""

    def __init__(self, policy: Policy, venue: Venue, bank: Bank) -> None:
        self.policy, self._venue, self._bank = policy, venue, bank
        self.desk: Desk | None = None
        self.decisions: list[Decided] = []
        self._lines = Lines()
        self._seen: dict[str, Seen] = {}
        self._touched: dict[str, None] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._counting, self._stretch = False, -1
        self._now_ms = self._began_ms = 0

    def begin(self) -> None:
        """From here on it counts."""
        self._counting, self._began_ms = True, self._now_ms
        for account_id, account in self._venue.accounts.items():
            loan = account.loan
            loan.sums = {coin: Sums(owed.total_e18) for coin, owed in loan.debts.items()}
            loan.added_e18 = {}
            self._of(account_id).profit = self._profit(account_id)
        for books in self._bank.accounts.values():
            books.out = books.back = books.earned = 0

    def hear(self, placed: Placed) -> None:
        """A record that a node wrote."""
        if self._counting:
            take = _TAKE.get(placed.topic)
            if take is not None:
                take(self, placed.value)

    def look(self, account_id: str) -> None:
        """Notes an exchange account's loan to value as it is shown now."""
        self._touched[account_id] = None
        loan = self._venue.account(account_id).loan
        if loan.recorded is None or not self._counting:
            return
        seen, ltv = self._of(account_id), loan.ltv_e18
        least, most, today = seen.ltv_min_e18, seen.ltv_max_e18, seen.line_ltv_max_e18
        seen.ltv_min_e18 = ltv if least is None else min(least, ltv)
        seen.ltv_max_e18 = ltv if most is None else max(most, ltv)
        seen.line_ltv_max_e18 = ltv if today is None else max(today, ltv)

    def touch(self, account_id: str) -> None:
        """Something happened on an account: its day gets a line."""
        self._touched[account_id] = None

    def pass_to(self, at_ms: int) -> None:
        """Ends a stretch, if another one has begun by this time."""
        self._now_ms = at_ms
        if at_ms // self._lines.grain_ms == self._stretch:
            return
        self._close()
        grain_ms = every_ms(at_ms - self._began_ms) if self._counting else self._lines.grain_ms
        if grain_ms != self._lines.grain_ms:
            self._lines.coarser(grain_ms)
        self._stretch = at_ms // grain_ms

    def end(self) -> tuple[Totals, ...]:
        """The totals of every account, in order."""
        self._close()
        return tuple(self._totals(name) for name in sorted(self._seen))

    @property
    def days(self) -> tuple[Day, ...]:
        """A line for each stretch of time in which something happened on an account."""
        return tuple(self._lines.all())

    # What the nodes write

    def _allocated(self, value: AllocationDecision) -> None:
        asked = {REPAY: value.repay_amount_e18, ADD: value.collateral_amount_e18}
        if value.amount_e18 is not None:
            asked[value.action] = value.amount_e18
        self._decided(
            Decided(
                at_ms=self._at_ms,
                account_id=value.account_id,
                what=ALLOCATION,
                decision_id=value.decision_id,
                rule=value.rule,
                action=value.action,
                reason=value.reason,
                available_e18=value.available_e18,
                repay_e18=asked[REPAY] or 0,
                pledge_e18=asked[ADD] or 0,
                kept_e18=value.kept_e18,
                clipped_e18=value.clipped_e18,
                ltv_e18=value.ltv_e18,
                ltv_after_e18=value.ltv_after_est_e18,
                until_ms=self._at_ms,
            )
        )

    def _said(self, value: Decision) -> None:
        if value.node != "cash":
            return
        body: dict[str, Any] = json.loads(value.body)
        order = body["order"]
        amount = 0 if order is None else parse_e18(order["amount"])
        sums = body["sums"]
        self._decided(
            Decided(
                at_ms=self._at_ms,
                account_id=value.key,
                what=SWEEP,
                decision_id=value.decision_id,
                rule=value.rule or "none",
                action=HOLD if order is None else value.outcome,
                reason=value.outcome if order is None else "",
                available_e18=0 if sums is None else parse_e18(sums["available"]),
                placed_e18=-amount if value.outcome == BACK else amount,
                product="" if order is None else order["product"],
                until_ms=self._at_ms,
            )
        )

    def _decided(self, one: Decided) -> None:
        counts = self._of(one.account_id).counts
        counts["decisions"] += 1
        counts["holds"] += one.action == HOLD
        place = self._last.get((one.account_id, one.what))
        old = None if place is None else self.decisions[place]
        again = old is not None and one.action == HOLD == old.action and one.reason == old.reason
        if old is not None and place is not None and again:
            self.decisions[place] = replace(old, times=old.times + 1, until_ms=one.at_ms)
            return
        self._last[one.account_id, one.what] = len(self.decisions)
        self.decisions.append(one)

    def _handed_over(self, value: Any) -> None:
        self._of(value.account_id).counts["orders"] += 1

    def _state(self, value: IntentState) -> None:
        if value.state in WITHOUT_EFFECT:
            self._of(value.account_id).counts["refused"] += 1

    def _cash(self, value: CashPosition) -> None:
        seen = self._of(value.account_id)
        seen.avail_e18 = value.avail_usd_e4 * E4_TO_E18
        self._touched[value.account_id] = None
        free = (value.avail_usd_e4 - value.pending_out_e4) * E4_TO_E18
        today = self._now_ms // DAY_MS
        if free < self.policy.sweep.floor_usd_e18 and seen.floor_day != today:
            seen.floor_day = today
            seen.counts["under_floor"] += 1

    # What it comes to

    @property
    def _at_ms(self) -> int:
        return self.desk.at_ms if self.desk is not None else 0

    @property
    def _ccy(self) -> str:
        return self.policy.allocation.settle_ccy

    def _of(self, account_id: str) -> Seen:
        if account_id not in self._seen:
            self._seen[account_id] = Seen()
        return self._seen[account_id]

    def _profit(self, account_id: str) -> PnlBook:
        if self.desk is None:
            return NOTHING
        table = self.desk.table("book", self.desk.lies(account_id))
        return table.get(f"pnl_book|{account_id}|{self._ccy}") or NOTHING

    def _close(self) -> None:
        if self._counting and self._stretch >= 0:
            for account_id in sorted(self._touched):
                self._lines.put(self._line(account_id))
        self._touched.clear()

    def _line(self, account_id: str) -> Day:
        grain_ms = self._lines.grain_ms
        seen, day = self._of(account_id), name(self._stretch * grain_ms, grain_ms)
        if account_id in self._bank.accounts:
            books = self._bank.books(account_id)
            line = Day(
                day,
                account_id,
                equity_e18=seen.avail_e18,
                net_e18=None
                if seen.avail_e18 is None
                else seen.avail_e18 + books.placed * E4_TO_E18,
                swept_out_e18=books.out * E4_TO_E18,
                swept_back_e18=books.back * E4_TO_E18,
                placed_e18=books.placed * E4_TO_E18,
            )
        else:
            line = self._exchange(account_id, day, seen)
        seen.line_ltv_max_e18 = None
        return line

    def _exchange(self, account_id: str, day: str, seen: Seen) -> Day:
        account, profit = self._venue.account(account_id), self._profit(account_id)
        loan, known = account.loan, account.loan.recorded is not None
        sums = loan.sums.get(self._ccy, Sums())
        equity = account.wallets.equity_e18(self._ccy)
        return Day(
            day,
            account_id,
            equity_e18=equity,
            net_e18=self._net(account_id),
            ltv_e18=loan.ltv_e18 if known else None,
            ltv_max_e18=seen.line_ltv_max_e18,
            debt_usd_e18=loan.debt_usd_e18 if known else None,
            collateral_usd_e18=loan.collateral_usd_e18 if known else None,
            realised_e18=profit.realised_e18,
            available_e18=available_e18(profit),
            kept_e18=profit.retained_e18,
            repaid_e18=sums.repaid_e18,
            added_e18=loan.added_e18.get(self._ccy, 0),
            interest_e18=sums.interest_e18,
        )

    def _net(self, account_id: str) -> int | None:
        """What the account is worth; None while its wallet or its loan is not known.

        The settlement currency is taken at one rate wherever it lies, also where it is owed: the
        dollars of a debt are published in cents, and a policy is not to gain by their rounding.
        """
        account = self._venue.account(account_id)
        loan, wallets, ccy = account.loan, account.wallets, self._ccy
        equity = wallets.equity_e18(ccy)
        if equity is None or loan.recorded is None:
            return None
        owed = loan.debts.get(ccy, Owed())
        units = wallets.balance_e18(FUND, ccy) - owed.total_e18
        others = loan.collateral_usd_e18 - (loan.debt_usd_e18 - owed.usd_e18)
        return equity + mul_e18(units, wallets.rate_e18(ccy)) + others

    def _totals(self, account_id: str) -> Totals:
        seen = self._of(account_id)
        counts = seen.counts
        shared: dict[str, Any] = {
            "account_id": account_id,
            "orders": counts["orders"],
            "decisions": counts["decisions"],
            "holds": counts["holds"],
            "refused": counts["refused"],
        }
        if account_id in self._bank.accounts:
            books = self._bank.books(account_id)
            return Totals(
                **shared,
                swept_out_e18=books.out * E4_TO_E18,
                swept_back_e18=books.back * E4_TO_E18,
                sweep_yield_e18=books.earned * E4_TO_E18,
                days_under_floor=counts["under_floor"],
                net_last_e18=None
                if seen.avail_e18 is None
                else seen.avail_e18 + books.placed * E4_TO_E18,
            )
        loan = self._venue.account(account_id).loan
        sums, profit = loan.sums.get(self._ccy, Sums()), self._profit(account_id)
        last = None if loan.recorded is None else loan.ltv_e18
        return Totals(
            **shared,
            debt_start_e18=sums.start_e18,
            interest_e18=sums.interest_e18,
            repaid_e18=sums.repaid_e18,
            flows_e18=sums.flows_e18,
            debt_end_e18=loan.debt_e18(self._ccy),
            added_e18=loan.added_e18.get(self._ccy, 0),
            kept_e18=profit.retained_e18 - seen.profit.retained_e18,
            realised_e18=profit.realised_e18 - seen.profit.realised_e18,
            fees_e18=profit.fees_e18 - seen.profit.fees_e18,
            funding_e18=profit.funding_e18 - seen.profit.funding_e18,
            available_e18=available_e18(profit),
            ltv_min_e18=seen.ltv_min_e18,
            ltv_max_e18=seen.ltv_max_e18,
            ltv_last_e18=last,
            distance_min_e18=self._distance(seen.ltv_max_e18),
            distance_last_e18=self._distance(last),
            collateral_last_e18=None if last is None else loan.collateral_usd_e18,
            net_last_e18=self._net(account_id),
        )

    def _distance(self, ltv_e18: int | None) -> int | None:
        if not ltv_e18:
            return None
        return fall_e18(ltv_e18, self.policy.loan.ltv_liquidation_e18)


_TAKE: dict[str, Any] = {
    "treasury.allocations.v1": Tally._allocated,
    "treasury.decisions.v1": Tally._said,
    "treasury.intents.v1": Tally._handed_over,
    "treasury.intent-states.v1": Tally._state,
    "cash_positions": Tally._cash,
}
HEARD = frozenset(_TAKE)
"""The topics a tally listens to."""
