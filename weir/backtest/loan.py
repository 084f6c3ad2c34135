"""The modelled loan of one account: one pool of debts and collateral, as the venue would show it.

It starts as the first loan state says. From then on a debt grows by the hourly rate that was last
recorded, on its principal, at each full hour; a repayment pays interest first; collateral keeps the
prices of the last recorded state. What a recorded state shows beyond that and beyond the operations
recorded with it is a flow from outside (a person borrowed, the venue liquidated), and is carried
over. Integers of 10^-18; debts_end = debts_start + interest − repaid + flows, to the unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.money import E18, HOURS_PER_YEAR, divide_half_even, mul_div_e18, mul_e18
from schemas.records import Collateral, Debt, LoanState

HOUR_MS = 3_600_000
SHOWN_E18 = 10**12
"""The last place of a published loan to value."""
WITHOUT_COLLATERAL_E18 = 999 * E18


@dataclass
class Owed:
    """What is owed in one coin; `usd_of` is a pair (dollars, units) that prices it."""

    principal_e18: int = 0
    interest_e18: int = 0
    rate_e18: int = 0
    usd_of: tuple[int, int] = (E18, E18)

    @property
    def total_e18(self) -> int:
        return self.principal_e18 + self.interest_e18

    @property
    def usd_e18(self) -> int:
        return mul_div_e18(self.total_e18, *self.usd_of)

    def accrue(self, hours: int) -> int:
        """The interest of so many full hours."""
        cost = hours * mul_e18(self.principal_e18, self.rate_e18)
        self.interest_e18 += cost
        return cost

    def pay(self, amount_e18: int) -> None:
        """Pays interest first."""
        interest = min(amount_e18, self.interest_e18)
        self.interest_e18 -= interest
        self.principal_e18 -= amount_e18 - interest


@dataclass
class Pledge:
    """What is pledged in one coin; `usd_of` prices it after its haircut."""

    amount_e18: int = 0
    usd_of: tuple[int, int] = (E18, E18)
    ratio_e18: int | None = None

    @property
    def usd_e18(self) -> int:
        return mul_div_e18(self.amount_e18, *self.usd_of)


@dataclass
class Sums:
    """What moved the debt of a coin since they were last begun."""

    start_e18: int = 0
    interest_e18: int = 0
    repaid_e18: int = 0
    flows_e18: int = 0


@dataclass(eq=False)
class Awaited:
    """An operation of the recorded policy that a recorded state is to show."""

    op: str
    coin: str
    amount_e18: int
    done: bool = False


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
        """Takes a recorded state: the first one as it stands, of others what changed."""
        self.accrue(state.as_of_ms)
        rows = _flexible(state)
        before, self.recorded = self.recorded, state
        first = before is None
        hours = 2 if before is None else 2 + (state.as_of_ms - before.as_of_ms) // HOUR_MS
        if not first:
            self._match(rows, state)
        for coin in sorted(self._shadow.keys() | rows.keys()):
            row, expected = rows.get(coin, Owed()), self._shadow.get(coin, Owed())
            own, sums = self.debts.setdefault(coin, Owed()), self.sums.setdefault(coin, Sums())
            if first:
                sums.start_e18 += _flow(own, row.principal_e18, row.interest_e18)
            elif _is_timing(row, expected, hours):
                sums.interest_e18 += _timing(own, row, expected)
            else:
                principal = row.principal_e18 - expected.principal_e18
                interest = row.interest_e18 - expected.interest_e18
                sums.flows_e18 += _flow(own, principal, interest)
            if row.total_e18:
                own.usd_of = row.usd_of
            own.rate_e18 = row.rate_e18 if coin in rows else own.rate_e18
            row.rate_e18 = own.rate_e18
            self._shadow[coin] = row
        self._take_pledges(state)
        shown = sum(row.usd_e18 for row in _flexible(state).values())
        self._fixed_usd_e18 = state.total_debt_usd_e18 - shown
        counted = sum(row.usd_e18 for row in state.collaterals)
        self._other_usd_e18 = state.collateral_value_e18 - counted

    def expect(self, op: str, coin: str, amount_e18: int) -> Awaited:
        """An operation of the recorded policy has been called: a state to come shows it, or none
        does. Once it is `done` the next one does.
        """
        awaited = Awaited(op, coin, amount_e18)
        self._awaited.append(awaited)
        return awaited

    def forget(self, awaited: Awaited) -> None:
        """It ended without effect."""
        if awaited in self._awaited:
            self._awaited.remove(awaited)

    def _match(self, rows: dict[str, Owed], state: LoanState) -> None:
        """What was awaited and is done, or is nearer to be seen than not, has happened."""
        held = {row.coin: row.amount_e18 for row in state.collaterals}
        left = []
        for one in self._awaited:
            owed = self._shadow.setdefault(one.coin, Owed())
            if one.op == "REPAY":
                gone = owed.total_e18 - rows.get(one.coin, Owed()).total_e18
            else:
                gone = held.get(one.coin, 0) - self._held.get(one.coin, 0)
            if not one.done and 2 * gone <= one.amount_e18:
                left.append(one)
            elif one.op == "REPAY":
                owed.pay(min(one.amount_e18, owed.total_e18))
            else:
                self._held[one.coin] = self._held.get(one.coin, 0) + one.amount_e18
        self._awaited = left

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


def _flow(own: Owed, principal_e18: int, interest_e18: int) -> int:
    """Moves both parts by so much, as far as there is something to take; what really moved."""
    before = own.total_e18
    own.principal_e18 = max(0, own.principal_e18 + principal_e18)
    own.interest_e18 = max(0, own.interest_e18 + interest_e18)
    return own.total_e18 - before


def _is_timing(row: Owed, expected: Owed, hours: int) -> bool:
    """Whether only the interest of so many hours lies between what is recorded and expected: the
    venue charges it at another minute, or at a rate that has changed since.
    """
    bound = hours * mul_e18(expected.principal_e18, max(row.rate_e18, expected.rate_e18))
    more = abs(row.interest_e18 - expected.interest_e18)
    return row.principal_e18 == expected.principal_e18 > 0 and more <= bound


def _timing(own: Owed, row: Owed, expected: Owed) -> int:
    """The same for what is owed in the model, as much less as less is owed; what it came to."""
    more = row.interest_e18 - expected.interest_e18
    return _flow(own, 0, mul_div_e18(more, own.principal_e18, expected.principal_e18))


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
