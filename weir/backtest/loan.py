"""The modelled loan of one account: one pool of debts and collateral, as the venue would show it.

It starts as the first loan state says. From then on a debt grows by the hourly rate that was last
recorded, on its principal, at each full hour; a repayment pays interest first; collateral keeps the
prices of the last recorded state. What a recorded state shows beyond that and beyond the operations
recorded with it is a flow from outside (a person borrowed, the venue liquidated), and is carried
over: as money, whatever part of it was interest in the recorded loan, because the loan under test
may have paid its interest already. Integers of 10^-18; debts_end = debts_start + interest − repaid
+ flows, to the unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from schemas.money import E18, HOURS_PER_YEAR, div_e18, divide_half_even, mul_div_e18, mul_e18
from schemas.records import Collateral, Debt, LoanState
from weir.backtest.awaited import Awaited, shown
from weir.backtest.owed import Owed, Pledge, Sums

HOUR_MS = 3_600_000
SHOWN_E18 = 10**12
"""The last place of a published loan to value."""
WITHOUT_COLLATERAL_E18 = 999 * E18


class _Bound(NamedTuple):
    """How much interest may be explained by its time, and the principal that it is of."""

    most_e18: int
    principal_e18: int


@dataclass
class Loan:
    """One account's pool. `recorded` is the last recorded state as it was taken."""

    recorded: LoanState | None = None
    debts: dict[str, Owed] = field(default_factory=dict)
    pledges: dict[str, Pledge] = field(default_factory=dict)
    sums: dict[str, Sums] = field(default_factory=dict)
    added_e18: dict[str, int] = field(default_factory=dict)
    _shadow: dict[str, Owed] = field(default_factory=dict)
    """The recorded debts as our arithmetic expects them at the next recorded state."""
    _held: dict[str, int] = field(default_factory=dict)
    """The recorded collateral, likewise."""
    _awaited: list[Awaited] = field(default_factory=list)
    _hour: int = 0
    _fixed_usd_e18: int = 0
    """What the recorded totals hold beyond the rows: fixed loans, and the cents of rounding."""
    _other_usd_e18: int = 0

    # What the record says

    def take(self, state: LoanState) -> None:
        """Takes a recorded state: the first one as it stands, of others what changed; one that is
        not newer than the last says nothing.
        """
        before = self.recorded
        if before is not None and state.as_of_ms <= before.as_of_ms:
            return
        self.accrue(state.as_of_ms)
        rows, self.recorded = _flexible(state), state
        bounds = {} if before is None else self._bounds(rows, state.as_of_ms - before.as_of_ms)
        paid = {} if before is None else self._match(rows, state, bounds)
        for coin in sorted(self._shadow.keys() | rows.keys()):
            row, expected = rows.get(coin, Owed()), self._shadow.get(coin, Owed())
            own, sums = self.debts.setdefault(coin, Owed()), self.sums.setdefault(coin, Sums())
            if before is None:
                sums.start_e18 += own.move(row.principal_e18, row.interest_e18)
            elif (coin in paid or row.principal_e18 == expected.principal_e18) and (
                abs(row.total_e18 - expected.total_e18) <= bounds[coin].most_e18
            ):
                sums.interest_e18 += _timing(own, row, expected, bounds[coin].principal_e18)
            else:
                principal = row.principal_e18 - expected.principal_e18
                sums.flows_e18 += own.move(principal, row.interest_e18 - expected.interest_e18)
            if row.total_e18:
                own.usd_of = _priced(row.usd_of, paid.get(coin, 0), own.usd_of)
            own.rate_e18 = row.rate_e18 if coin in rows else own.rate_e18
            row.rate_e18 = own.rate_e18
            self._shadow[coin] = row
        self._take_pledges(state)
        counted = sum(row.usd_e18 for row in _flexible(state).values())
        self._fixed_usd_e18 = state.total_debt_usd_e18 - counted
        counted = sum(row.usd_e18 for row in state.collaterals)
        self._other_usd_e18 = state.collateral_value_e18 - counted

    def expect(self, op: str, coin: str, amount_e18: int, called_ms: int) -> Awaited:
        """An operation of the recorded policy is called then: a state shows it, or none does."""
        awaited = Awaited(op, coin, amount_e18, called_ms)
        self._awaited.append(awaited)
        return awaited

    def forget(self, awaited: Awaited) -> None:
        """It ended without effect."""
        if awaited in self._awaited:
            self._awaited.remove(awaited)

    def _bounds(self, rows: dict[str, Owed], passed_ms: int) -> dict[str, _Bound]:
        """The interest that may lie between what is recorded and expected: the venue charges it at
        another minute, or at a rate that has changed since.
        """
        hours, found = 2 + passed_ms // HOUR_MS, {}
        for coin in self._shadow.keys() | rows.keys():
            row, expected = rows.get(coin, Owed()), self._shadow.get(coin, Owed())
            rate = max(row.rate_e18, expected.rate_e18)
            most = hours * mul_e18(expected.principal_e18, rate)
            found[coin] = _Bound(most, expected.principal_e18)
        return found

    def _match(
        self, rows: dict[str, Owed], state: LoanState, bounds: dict[str, _Bound]
    ) -> dict[str, int]:
        """Expects what has happened of the awaited operations; how much was repaid, by coin."""
        held = {row.coin: row.amount_e18 for row in state.collaterals}
        paid: dict[str, int] = {}
        groups: dict[tuple[str, str], list[Awaited]] = {}
        for one in self._awaited:
            groups.setdefault((one.op, one.coin), []).append(one)
        for (op, coin), awaited in groups.items():
            owed, bound = self._shadow.get(coin, Owed()), 0
            if op == "REPAY":
                gone = owed.total_e18 - rows.get(coin, Owed()).total_e18
                bound = bounds[coin].most_e18 if coin in bounds else 0
            else:
                gone = held.get(coin, 0) - self._held.get(coin, 0)
            for one in shown(awaited, gone, bound, state.as_of_ms):
                self._awaited.remove(one)
                if op == "REPAY":
                    owed.pay(min(one.amount_e18, owed.total_e18))
                    paid[coin] = paid.get(coin, 0) + one.amount_e18
                else:
                    self._held[coin] = self._held.get(coin, 0) + one.amount_e18
        return paid

    def _take_pledges(self, state: LoanState) -> None:
        rows = {row.coin: row for row in state.collaterals}
        for coin in sorted(self._held.keys() | rows.keys()):
            row, own = rows.get(coin), self.pledges.setdefault(coin, Pledge())
            shown = row.amount_e18 if row else 0
            own.amount_e18 = max(0, own.amount_e18 + shown - self._held.get(coin, 0))
            self._held[coin] = shown
            if row is not None and shown:
                own.usd_of, own.ratio_e18 = (row.usd_e18, shown), row.ratio_e18

    # What the policy under test does

    def accrue(self, at_ms: int) -> None:
        """Brings every debt to a time."""
        hour = at_ms // HOUR_MS
        hours = hour - self._hour
        if self.recorded is None or hours > 0:
            self._hour = hour
        if self.recorded is None or hours <= 0:
            return
        for coin, own in self.debts.items():
            self.sums[coin].interest_e18 += own.accrue(hours)
        for row in self._shadow.values():
            row.accrue(hours)

    def repay(self, coin: str, amount_e18: int) -> None:
        """Pays interest first; never more than is owed."""
        self.debts[coin].pay(amount_e18)
        self.sums[coin].repaid_e18 += amount_e18

    def pledge(self, coin: str, amount_e18: int) -> None:
        """More collateral."""
        self.pledges.setdefault(coin, Pledge()).amount_e18 += amount_e18
        self.added_e18[coin] = self.added_e18.get(coin, 0) + amount_e18

    # What it shows

    def debt_e18(self, coin: str) -> int:
        """What is owed in a coin."""
        return self.debts[coin].total_e18 if coin in self.debts else 0

    @property
    def debt_usd_e18(self) -> int:
        """All debts, fixed ones included."""
        return self._fixed_usd_e18 + sum(debt.usd_e18 for debt in self.debts.values())

    @property
    def collateral_usd_e18(self) -> int:
        """All collateral after its haircut."""
        return self._other_usd_e18 + sum(pledge.usd_e18 for pledge in self.pledges.values())

    @property
    def ltv_e18(self) -> int:
        """Debt over collateral with six places, as the venue publishes it."""
        state, debt, counted = self.recorded, self.debt_usd_e18, self.collateral_usd_e18
        if state is None or debt <= 0:
            return 0
        if (debt, counted) == (state.total_debt_usd_e18, state.collateral_value_e18):
            return state.ltv_ratio_e18
        if counted <= 0:
            return WITHOUT_COLLATERAL_E18
        return divide_half_even(debt * E18, counted * SHOWN_E18) * SHOWN_E18

    def state(self, at_ms: int) -> LoanState | None:
        """The state as a poll at this time shows it; None before the first recorded one."""
        state = self.recorded
        if state is None:
            return None
        first = self.debts.get(state.coin, Owed())
        fixed = tuple(row for row in state.debts if row.fixed)
        rows = tuple(
            Debt(coin, own.principal_e18, own.interest_e18, own.usd_e18, own.rate_e18, False)
            for coin, own in sorted(self.debts.items())
            if own.total_e18
        )
        return replace(
            state,
            principal_amount_e18=first.principal_e18,
            accrued_interest_e18=first.interest_e18,
            interest_rate_e18=first.rate_e18 * HOURS_PER_YEAR,
            hourly_rate_e18=first.rate_e18,
            debts=rows + fixed,
            total_debt_usd_e18=self.debt_usd_e18,
            collateral_value_e18=self.collateral_usd_e18,
            ltv_ratio_e18=self.ltv_e18,
            collaterals=tuple(
                Collateral(coin, own.amount_e18, own.usd_e18, own.ratio_e18)
                for coin, own in sorted(self.pledges.items())
                if own.amount_e18
            ),
            as_of_ms=at_ms,
        )


def _timing(own: Owed, row: Owed, expected: Owed, principal_e18: int) -> int:
    """The interest that lies between what is recorded and expected, for what is owed in the model:
    as much less as less is owed; what it came to.
    """
    more = row.total_e18 - expected.total_e18
    return own.move(0, mul_div_e18(more, own.principal_e18, principal_e18) if more else 0)


def _priced(usd_of: tuple[int, int], paid_e18: int, last: tuple[int, int]) -> tuple[int, int]:
    """Dollars and the units that they are of. A poll may have read the dollars before a repayment
    and the units after it: then the price is that of the state before.
    """
    usd, units = usd_of
    before = usd, units + paid_e18
    prices = (div_e18(*one) for one in (usd_of, before, last))
    now, earlier, known = prices
    return before if abs(earlier - known) < abs(now - known) else usd_of


def _flexible(state: LoanState) -> dict[str, Owed]:
    """The debts that can be repaid in part, by coin; of a state without rows its first figures."""
    found: dict[str, Owed] = {}
    for row in state.debts:
        if row.fixed:
            continue
        old = found.get(row.coin)
        if old is None:
            found[row.coin] = _owed(
                row.principal_e18, row.interest_e18, row.hourly_rate_e18, row.usd_e18
            )
            continue
        old.usd_of = (
            old.usd_e18 + row.usd_e18,
            old.total_e18 + row.principal_e18 + row.interest_e18,
        )
        old.principal_e18 += row.principal_e18
        old.interest_e18 += row.interest_e18
        old.rate_e18 = max(old.rate_e18, row.hourly_rate_e18)
    if not state.debts and state.principal_amount_e18 + state.accrued_interest_e18:
        found[state.coin] = _owed(
            state.principal_amount_e18,
            state.accrued_interest_e18,
            state.hourly_rate_e18,
            state.total_debt_usd_e18,
        )
    return found


def _owed(principal_e18: int, interest_e18: int, rate_e18: int, usd_e18: int) -> Owed:
    total = principal_e18 + interest_e18
    return Owed(principal_e18, interest_e18, rate_e18, (usd_e18, total) if total else (E18, E18))
