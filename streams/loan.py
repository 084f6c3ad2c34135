"""What is owed: the account's loan as the venue publishes it, as ratios (0.45, never 45) and 10^-18
units.

The published loan to value is the truth for decisions. A state that is older than the one known, or
than an operation that was confirmed since, is not applied. A confirmed repayment pays interest
first, and the dearest debt of its coin first; what the venue was read as afterwards wins over the
sum. Fixed loans only end whole, so no partial repayment goes to them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.money import E18, parse_e18
from schemas.records import IntentOutcome, LoanState
from streams import debts, distance, ltv
from streams.step import Entries, Event, InForce, Refused, meta
from tables.allocation import Coordinates, Loan, Pledged

HOURS_PER_YEAR = 8760
PERCENT_FROM_E18 = 3 * E18 // 2
"""A loan to value above 1.5 is a percentage under the name of a ratio."""
REPAY = "REPAY"


class Taken(NamedTuple):
    """A state that was applied: whether it lies in another band, and what is said of it."""

    other_band: bool
    outputs: list[Any]


def step(entries: Entries, event: Event, in_force: InForce) -> Taken | None:
    """Takes a published state; None if it is not newer."""
    state: LoanState = event.value
    _validate(state)
    old: Loan | None = entries.get("loans")
    if old is not None and state.as_of_ms <= max(old.as_of_ms, old.moved_at_ms):
        return None
    new = _loan(state, event, in_force)
    outputs = ltv.compare(entries, event)
    if in_force.policy is not None:
        told = distance.told(in_force.policy, old, new)
        new = replace(new, told_e18=told)
        if told and (old is None or told != old.told_e18):
            stamp = meta(event, in_force, f"as_of:{state.as_of_ms}")
            outputs += distance.events(in_force.policy, new, event, stamp)
    entries.put("loans", new)
    return Taken(old is None or old.band != new.band, outputs)


def apr_e18(loan: Loan) -> int:
    """The yearly rate, simple: what the hour costs times the hours of a year."""
    return loan.hourly_rate_e18 * HOURS_PER_YEAR


def band(ltv_ratio_e18: int, in_force: InForce) -> str:
    """`high`, `low` or `middle` of the policy in force; both edges belong to the middle."""
    policy = in_force.policy
    if policy is None:
        return ""
    if ltv_ratio_e18 > policy.allocation.ltv_high_e18:
        return "high"
    if ltv_ratio_e18 < policy.allocation.ltv_low_e18:
        return "low"
    return "middle"


def confirmed(entries: Entries, event: Event, in_force: InForce) -> bool:
    """Books a confirmed operation; whether the loan is known as the venue showed it afterwards."""
    outcome: IntentOutcome = event.value
    loan: Loan | None = entries.get("loans")
    published, debt = _fact(outcome, "ltv_after"), _fact(outcome, "debt_after")
    if loan is None:
        return False
    if outcome.at_ms <= loan.as_of_ms:
        return True
    moved = replace(loan, moved_at_ms=outcome.at_ms)
    if outcome.kind == REPAY:
        moved = debts.repaid(moved, outcome.ccy, outcome.amount_done_e18)
    elif in_force.policy is not None:
        moved = debts.pledged(moved, outcome, in_force.policy)
    if debt is not None:
        moved = debts.read_back(moved, debt)
    if published is not None:
        moved = replace(
            moved,
            as_of_ms=outcome.at_ms,
            ltv_ratio_e18=published,
            source=Coordinates(event.topic, event.partition, event.offset),
        )
    entries.put("loans", moved)
    return published is not None


def _loan(state: LoanState, event: Event, in_force: InForce) -> Loan:
    rows = debts.of_state(state)
    in_part = [debt for debt in rows if not debt.fixed and debt.principal_e18 + debt.interest_e18]
    coins = {debt.coin for debt in in_part}
    dearest = max(in_part, key=lambda debt: debt.hourly_rate_e18, default=None)
    coin = state.coin if dearest is None or state.coin in coins else dearest.coin
    first = next(iter(debts.by_rate(rows, coin)), None)
    return Loan(
        as_of_ms=state.as_of_ms,
        coin=coin,
        ltv_ratio_e18=state.ltv_ratio_e18,
        hourly_rate_e18=first.hourly_rate_e18 if first else state.hourly_rate_e18,
        repayable_e18=debts.in_part_e18(rows, coin),
        debt_usd_e18=state.total_debt_usd_e18,
        collateral_usd_e18=state.collateral_value_e18,
        col_res=state.col_res,
        band=band(state.ltv_ratio_e18, in_force),
        source=Coordinates(event.topic, event.partition, event.offset),
        loan_id=state.loan_id,
        debts=rows,
        collaterals=tuple(
            Pledged(row.coin, row.amount_e18, row.usd_e18, row.ratio_e18)
            for row in state.collaterals
        ),
    )


def _fact(outcome: IntentOutcome, name: str) -> int | None:
    text = outcome.facts.get(name)
    if not text:
        return None
    try:
        return parse_e18(text)
    except ValueError as why:
        raise Refused("fact", name, text, str(why)) from why


def _validate(state: LoanState) -> None:
    if state.ltv_ratio_e18 > PERCENT_FROM_E18:
        raise Refused(
            "percent", "ltv_ratio", state.ltv_ratio_e18, "looks like percent, not a ratio"
        )
    for field in ("ltv_ratio", "hourly_rate", "total_debt_usd", "collateral_value"):
        value = getattr(state, f"{field}_e18")
        if value < 0:
            raise Refused("range", field, value, "must not be below 0")
