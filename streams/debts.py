"""The rows of a loan: what is owed and pledged coin by coin, and what an operation does to them.

A repayment goes to the dearest debt of its coin first, and of each to the interest first. What is
owed in dollars falls by the same part as what is owed in coin.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.money import E18, HOURS_PER_YEAR, mul_div_e18
from schemas.policy import Policy
from schemas.records import Collateral, Debt, IntentOutcome, LoanState
from streams.haircut import of_coin
from tables.allocation import Loan, Owed, Pledged


def repaid(loan: Loan, coin: str, amount_e18: int) -> Loan:
    """The loan after a repayment in a coin: its dearest debt first, of each the interest first."""
    left, rows = amount_e18, list(loan.debts)
    for place in _places(loan.debts, coin):
        debt = rows[place]
        paid = min(left, debt.principal_e18 + debt.interest_e18)
        rows[place] = _less(debt, paid)
        left -= paid
    debts = tuple(rows)
    freed = sum(debt.usd_e18 for debt in loan.debts) - sum(debt.usd_e18 for debt in debts)
    return replace(
        loan,
        debts=debts,
        debt_usd_e18=max(0, loan.debt_usd_e18 - freed),
        repayable_e18=in_part_e18(debts, loan.coin),
    )


def pledged(loan: Loan, outcome: IntentOutcome, policy: Policy) -> Loan:
    """More collateral of a coin that is worth a dollar, counted after its haircut."""
    counted = of_coin(policy, loan, outcome.ccy).value_e36(outcome.amount_done_e18) // E18
    rows = [row for row in loan.collaterals if row.coin != outcome.ccy]
    old = next((row for row in loan.collaterals if row.coin == outcome.ccy), None)
    row = old or Pledged(outcome.ccy, 0, 0)
    amount = row.amount_e18 + outcome.amount_done_e18
    rows.append(replace(row, amount_e18=amount, usd_e18=row.usd_e18 + counted))
    return replace(
        loan,
        collaterals=tuple(sorted(rows, key=lambda row: row.coin)),
        collateral_usd_e18=loan.collateral_usd_e18 + counted,
    )


def read_back(loan: Loan, debt_e18: int) -> Loan:
    """What the venue says is owed in the loan's coin: the difference is interest since."""
    place = next(iter(_places(loan.debts, loan.coin)), None)
    if place is None:
        return replace(loan, repayable_e18=debt_e18)
    first = loan.debts[place]
    more = debt_e18 - loan.repayable_e18
    interest = first.interest_e18 + more
    new = replace(
        first,
        interest_e18=max(0, interest),
        principal_e18=max(0, first.principal_e18 + min(0, interest)),
    )
    debts = (*loan.debts[:place], new, *loan.debts[place + 1 :])
    return replace(loan, debts=debts, repayable_e18=debt_e18)


def as_record(loan: Loan, account_id: str) -> LoanState:
    """The loan as the record it came as, with what is known since."""
    in_part = [debt for debt in loan.debts if debt.coin == loan.coin and not debt.fixed]
    return LoanState(
        account_id=account_id,
        loan_id=loan.loan_id,
        coin=loan.coin,
        principal_amount_e18=sum(debt.principal_e18 for debt in in_part),
        accrued_interest_e18=sum(debt.interest_e18 for debt in in_part),
        interest_rate_e18=loan.hourly_rate_e18 * HOURS_PER_YEAR,
        hourly_rate_e18=loan.hourly_rate_e18,
        debts=tuple(
            Debt(d.coin, d.principal_e18, d.interest_e18, d.usd_e18, d.hourly_rate_e18, d.fixed)
            for d in loan.debts
        ),
        total_debt_usd_e18=loan.debt_usd_e18,
        collateral_value_e18=loan.collateral_usd_e18,
        ltv_ratio_e18=loan.ltv_ratio_e18,
        collaterals=tuple(
            Collateral(row.coin, row.amount_e18, row.usd_e18, row.ratio_e18)
            for row in loan.collaterals
        ),
        as_of_ms=loan.as_of_ms,
        col_res=loan.col_res,
    )


def of_state(state: LoanState) -> tuple[Owed, ...]:
    """The rows of the state; of one without rows, what its first figures say."""
    if state.debts:
        return tuple(
            Owed(d.coin, d.principal_e18, d.interest_e18, d.usd_e18, d.hourly_rate_e18, d.fixed)
            for d in state.debts
        )
    owed = state.principal_amount_e18 + state.accrued_interest_e18
    if owed == 0:
        return ()
    return (
        Owed(
            state.coin,
            state.principal_amount_e18,
            state.accrued_interest_e18,
            state.total_debt_usd_e18,
            state.hourly_rate_e18,
            False,
        ),
    )


def by_rate(debts: tuple[Owed, ...], coin: str) -> list[Owed]:
    """What can be repaid in part in a coin, the dearest first."""
    return [debts[place] for place in _places(debts, coin)]


def in_part_e18(debts: tuple[Owed, ...], coin: str) -> int:
    """All that can be repaid in part in a coin."""
    return sum(debt.principal_e18 + debt.interest_e18 for debt in by_rate(debts, coin))


def _places(debts: tuple[Owed, ...], coin: str) -> list[int]:
    found = [n for n, debt in enumerate(debts) if debt.coin == coin and not debt.fixed]
    return sorted(found, key=lambda place: -debts[place].hourly_rate_e18)


def _less(debt: Owed, paid_e18: int) -> Owed:
    owed = debt.principal_e18 + debt.interest_e18
    if owed == 0:
        return debt
    interest = min(paid_e18, debt.interest_e18)
    return replace(
        debt,
        interest_e18=debt.interest_e18 - interest,
        principal_e18=debt.principal_e18 - (paid_e18 - interest),
        usd_e18=debt.usd_e18 - mul_div_e18(debt.usd_e18, paid_e18, owed),
    )
