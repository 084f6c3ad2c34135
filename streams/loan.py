"""What is owed: the account's loan as the venue publishes it, as ratios (0.45, never 45) and 10^-18
units.

The published loan to value is the truth for decisions. A state that is older than the one known is
not applied, and what a confirmed operation read back from the venue counts as a newer one.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.money import E18, parse_e18
from schemas.records import IntentOutcome, LoanState
from streams.step import Entries, Event, InForce, Refused
from tables.allocation import Coordinates, Loan

HOURS_PER_YEAR = 8760
PERCENT_FROM_E18 = 3 * E18 // 2
"""A loan to value above 1.5 is a percentage under the name of a ratio."""


def step(entries: Entries, event: Event, in_force: InForce) -> bool | None:
    """Takes a published state. Whether it lies in another band; None if it is not newer."""
    state: LoanState = event.value
    _validate(state)
    old: Loan | None = entries.get("loans")
    if old is not None and state.as_of_ms <= old.as_of_ms:
        return None
    new = Loan(
        as_of_ms=state.as_of_ms,
        coin=state.coin,
        ltv_ratio_e18=state.ltv_ratio_e18,
        hourly_rate_e18=state.hourly_rate_e18,
        repayable_e18=_repayable(state),
        debt_usd_e18=state.total_debt_usd_e18,
        collateral_usd_e18=state.collateral_value_e18,
        col_res=state.col_res,
        band=band(state.ltv_ratio_e18, in_force),
        source=Coordinates(event.topic, event.partition, event.offset),
    )
    entries.put("loans", new)
    return old is None or old.band != new.band


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


def confirmed(entries: Entries, event: Event) -> None:
    """Takes what was read back from the venue right after an operation was confirmed."""
    outcome: IntentOutcome = event.value
    loan: Loan | None = entries.get("loans")
    ltv, debt = _fact(outcome, "ltv_after"), _fact(outcome, "debt_after")
    if loan is None or ltv is None or outcome.at_ms <= loan.as_of_ms:
        return
    entries.put(
        "loans",
        replace(
            loan,
            as_of_ms=outcome.at_ms,
            ltv_ratio_e18=ltv,
            repayable_e18=loan.repayable_e18 if debt is None else debt,
            source=Coordinates(event.topic, event.partition, event.offset),
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


def _repayable(state: LoanState) -> int:
    """What of the debt in its coin can be repaid in part: a fixed loan only ends whole."""
    if not state.debts:
        return state.principal_amount_e18 + state.accrued_interest_e18
    return sum(
        debt.principal_e18 + debt.interest_e18
        for debt in state.debts
        if debt.coin == state.coin and not debt.fixed
    )
