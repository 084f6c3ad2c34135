"""What one account of the venue really holds and owes, and what really happened there.

Integers of 10^-18 units of one coin. Nothing in here is asked of Weir: `effects` is what the judge
goes by. Each effect carries its cause, which travels with a request and which no reading shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.money import E18, divide_half_even, mul_e18

COIN = "USDT"
HOURLY_RATE_E18 = E18 // 100_000
DONE, PROCESSING, FAILED = 1, 2, 3
SUCCESS, PENDING, STATUS_UNKNOWN, STOPPED = "SUCCESS", "PENDING", "STATUS_UNKNOWN", "FAILED"
REPAY, ADD_COLLATERAL, TRANSFER = "REPAY", "ADD_COLLATERAL", "TRANSFER"
UNIFIED, FUND = "UNIFIED", "FUND"

Cause = tuple[str, str, int]
"""Intent, leg and number of the attempt that a request was posted for."""


class RefusedByVenue(Exception):
    """A definite no, by the venue's own code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Effect(NamedTuple):
    """Money that moved for good, and when."""

    at_ms: int
    op: str
    amount_e18: int
    cause: Cause | None
    target: str


class Held(NamedTuple):
    """Balances from one moment on."""

    at_ms: int
    unified_e18: int
    fund_e18: int
    principal_e18: int
    interest_e18: int
    pledged_e18: int

    @property
    def debt_e18(self) -> int:
        return self.principal_e18 + self.interest_e18


@dataclass
class Row:
    """A row of a loan history: `at_ms` by the venue's clock, `shown_ms` when pages begin to have
    it, `gone_ms` from when until when they have it no more.
    """

    id: int
    op: str
    amount_e18: int
    at_ms: int
    shown_ms: int
    cause: Cause | None
    ours: bool
    steps: list[tuple[int, int]]
    ltv_e18: tuple[int, int] = (0, 0)
    gone_ms: tuple[int, int] = (0, 0)

    def shown(self, at_ms: int) -> bool:
        """Whether pages have it at a time: it may be gone for a while after it was there."""
        return self.shown_ms <= at_ms and not self.gone_ms[0] <= at_ms < self.gone_ms[1]

    def status(self, at_ms: int) -> int:
        """Its status at a time."""
        return [status for since_ms, status in self.steps if since_ms <= at_ms][-1]


@dataclass
class Moved:
    """A transfer between the wallets, by the id that its sender chose."""

    amount_e18: int
    target: str
    cause: Cause | None
    shown_ms: int
    steps: list[tuple[int, str]]


@dataclass
class Books:
    """One account. `backing` is collateral in other coins, in dollars."""

    held: Held
    backing_e18: int
    skew_ms: int
    past: list[Held] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=lambda: {REPAY: [], ADD_COLLATERAL: []})
    transfers: dict[str, Moved] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    next_id: int = 1772

    def at(self, at_ms: int) -> Held:
        """The balances as they were at a time."""
        if self.held.at_ms <= at_ms:
            return self.held
        return next((one for one in reversed(self.past) if one.at_ms <= at_ms), self.past[0])

    def change(self, at_ms: int, **by: int) -> None:
        """Changes balances by so much."""
        self.past.append(self.held)
        new = {f"{name}_e18": getattr(self.held, f"{name}_e18") + more for name, more in by.items()}
        self.held = self.held._replace(at_ms=at_ms, **new)

    def transfer(
        self, now_ms: int, id_: str, amount_e18: int, target: str, cause: Cause | None
    ) -> Moved:
        """Takes a transfer; `settle` ends one that waits."""
        if id_ in self.transfers:
            raise RefusedByVenue(131214)
        source = self.held.unified_e18 if target == FUND else self.held.fund_e18
        if amount_e18 <= 0 or amount_e18 > source:
            raise RefusedByVenue(131212)
        moved = Moved(amount_e18, target, cause, now_ms, [])
        self.transfers[id_] = moved
        return moved

    def settle_transfer(self, now_ms: int, moved: Moved, status: str) -> None:
        """Ends a transfer: the money moves with SUCCESS."""
        source = self.held.unified_e18 if moved.target == FUND else self.held.fund_e18
        if status == SUCCESS and moved.amount_e18 > source:
            status = STOPPED  # somebody else took the money while it waited
        moved.steps.append((now_ms, status))
        if status == SUCCESS:
            amount = moved.amount_e18 if moved.target == FUND else -moved.amount_e18
            self.change(now_ms, unified=-amount, fund=amount)
            self._effect(now_ms, TRANSFER, moved.amount_e18, moved.cause, moved.target)

    def repay(self, now_ms: int, amount_e18: int, cause: Cause | None, lag_ms: int) -> Row:
        """Takes a repayment out of FUND; `settle_repay` ends it."""
        rows = self.rows[REPAY]
        if any(row.steps[-1][1] == PROCESSING for row in rows):
            raise RefusedByVenue(148041)
        if self.held.debt_e18 == 0:
            raise RefusedByVenue(148032)
        if amount_e18 > self.held.debt_e18:
            raise RefusedByVenue(148038)
        if amount_e18 > self.held.fund_e18:
            raise RefusedByVenue(148029)
        self.change(now_ms, fund=-amount_e18)
        row = self._row(REPAY, now_ms, amount_e18, cause, lag_ms, PROCESSING)
        rows.append(row)
        return row

    def settle_repay(self, now_ms: int, row: Row, status: int) -> None:
        """Ends a repayment: done pays interest first, failed gives the money back."""
        row.steps.append((now_ms, status))
        if status == FAILED:
            self.change(now_ms, fund=row.amount_e18)
            return
        interest = min(row.amount_e18, self.held.interest_e18)
        self.change(now_ms, interest=-interest, principal=interest - row.amount_e18)
        self._effect(now_ms, REPAY, row.amount_e18, row.cause, "")

    def pledge(self, now_ms: int, amount_e18: int, cause: Cause | None, lag_ms: int) -> Row:
        """Moves collateral out of FUND, at once; below 0: back to it."""
        if self.held.debt_e18 == 0:
            raise RefusedByVenue(148013)
        if amount_e18 > self.held.fund_e18 or -amount_e18 > self.held.pledged_e18:
            raise RefusedByVenue(148037)
        before = self.ltv_e18(self.held)
        self.change(now_ms, fund=-amount_e18, pledged=amount_e18)
        row = self._row(ADD_COLLATERAL, now_ms, abs(amount_e18), cause, lag_ms, DONE)
        row.ours, row.ltv_e18 = amount_e18 > 0, (before, self.ltv_e18(self.held))
        self.rows[ADD_COLLATERAL].append(row)
        self._effect(now_ms, ADD_COLLATERAL, amount_e18, cause, "")
        return row

    def liquidate(self, now_ms: int, amount_e18: int) -> None:
        """The venue sells collateral and repays by itself: a row that is nobody's call."""
        amount = min(amount_e18, self.held.principal_e18)
        self.change(now_ms, principal=-amount)
        self.backing_e18 -= amount
        row = self._row(REPAY, now_ms, amount, None, 0, DONE)
        row.ours = False
        self.rows[REPAY].append(row)

    def remember(self, op: str, amount_e18: int, age_ms: int, now_ms: int) -> None:
        """A row of long ago."""
        row = self._row(op, now_ms - age_ms, amount_e18, None, 0, DONE)
        self.rows[op].append(row)

    def accrue(self, now_ms: int) -> None:
        """One hour's interest."""
        self.change(now_ms, interest=mul_e18(self.held.principal_e18, HOURLY_RATE_E18))

    def row_of(self, intent_id: str, leg: str) -> Row | None:
        """The row that a leg's call made and that did not fail."""
        rows = (*self.rows[REPAY], *self.rows[ADD_COLLATERAL])
        mine = (row for row in rows if row.cause is not None and row.cause[:2] == (intent_id, leg))
        return next((row for row in mine if row.steps[-1][1] == DONE), None)

    def ltv_e18(self, held: Held) -> int:
        """Debt over collateral with six places."""
        counted = self.backing_e18 + held.pledged_e18
        return divide_half_even(held.debt_e18 * 10**6, counted) * 10**12

    def _row(
        self, op: str, now_ms: int, amount: int, cause: Cause | None, lag_ms: int, status: int
    ) -> Row:
        self.next_id += 1
        return Row(
            id=self.next_id,
            op=op,
            amount_e18=amount,
            at_ms=now_ms + self.skew_ms,
            shown_ms=now_ms + lag_ms,
            cause=cause,
            ours=True,
            steps=[(now_ms, status)],
        )

    def _effect(
        self, now_ms: int, op: str, amount_e18: int, cause: Cause | None, target: str
    ) -> None:
        self.effects.append(Effect(now_ms, op, amount_e18, cause, target))
