"""The rules of allocation: what each would do with the same case, as amounts before any cut.

seed-v1             above the high loan to value pledge; below the low one repay if the loan costs
                    clearly more than collateral yields, else pledge; between, half and half
seed-v1-narrative   above pledge, below repay, between repay if the loan costs more, else pledge
opt-v1              the best pair: `streams.optimum`

A new rule is a function and a line in RULES. Both edges belong to the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.money import E18, mul_e18
from schemas.policy import Policy
from streams.haircut import Haircut
from streams.optimum import Question, best
from tables.allocation import Loan


class Case(NamedTuple):
    """What a rule looks at. Amounts in the settlement currency, taken as dollars; `apr` and
    `yield` are yearly rates; `places` are the venue's decimal places to repay and to pledge.
    """

    available_e18: int
    wallet_e18: int
    loan: Loan
    apr_e18: int
    yield_e18: int
    places: tuple[int, int]
    haircut: Haircut


class Plan(NamedTuple):
    """What a rule wants to repay and to pledge, its factor, and why.

    `exact` says that nothing is to be cut from it: it already keeps every limit.
    """

    repay_e18: int
    collateral_e18: int
    factor_e18: int
    reason: str
    exact: bool = False


def seed_v1(policy: Policy, case: Case) -> Plan:
    """High: pledge. Low: repay if the loan costs clearly more than collateral yields. Else both."""
    rule, ltv = policy.allocation, case.loan.ltv_ratio_e18
    if ltv > rule.ltv_high_e18:
        return _pledge(case, rule.f_high_e18, "ltv_risk_reduction")
    if ltv < rule.ltv_low_e18:
        if case.apr_e18 > case.yield_e18 + rule.spread_min_e18:
            return _repay(case, rule.f_low_e18, "interest_optimization")
        return _pledge(case, rule.f_low_e18, "yield_optimization")
    return Plan(
        case.available_e18 * rule.f_mid_repay_e18 // E18,
        case.available_e18 * rule.f_mid_collateral_e18 // E18,
        rule.f_mid_repay_e18 + rule.f_mid_collateral_e18,
        "balanced_allocation",
    )


def seed_v1_narrative(policy: Policy, case: Case) -> Plan:
    """High: pledge. Low: repay. Between: whichever rate is higher."""
    rule, ltv = policy.allocation, case.loan.ltv_ratio_e18
    if ltv > rule.ltv_high_e18:
        return _pledge(case, rule.f_high_e18, "ltv_risk_reduction")
    if ltv < rule.ltv_low_e18:
        return _repay(case, rule.f_low_e18, "principal_reduction")
    if case.apr_e18 > case.yield_e18:
        return _repay(case, rule.f_low_e18, "interest_optimization")
    return _pledge(case, rule.f_low_e18, "yield_optimization")


def opt_v1(policy: Policy, case: Case) -> Plan:
    """The target first, then the better rate, then the fewest operations."""
    rule = policy.allocation
    factor = E18 - rule.min_keep_pct_e18
    pair = best(question(policy, case))
    if case.loan.ltv_ratio_e18 > rule.ltv_target_e18:
        reason = "ltv_target"
    elif pair.repay_e18 or pair.pledge_e18:
        reason = "interest_optimization" if pair.repay_e18 else "yield_optimization"
    else:
        reason = "nothing_better"
    return Plan(pair.repay_e18, pair.pledge_e18, factor, reason, exact=True)


def question(policy: Policy, case: Case) -> Question:
    """The case as opt-v1 asks it: yield after tax, no part below the least operation."""
    rule, loan = policy.allocation, case.loan
    steps = [10 ** (18 - places) for places in case.places]
    usable = case.available_e18 * (E18 - rule.min_keep_pct_e18) // E18
    return Question(
        debt_e18=loan.debt_usd_e18,
        collateral_e18=loan.collateral_usd_e18,
        budget_e18=min(usable, case.wallet_e18),
        repayable_e18=loan.repayable_e18,
        rate_e18=case.apr_e18,
        yield_e18=after_tax_e18(policy, case.yield_e18),
        target_e18=rule.ltv_target_e18,
        floor_e18=rule.ltv_target_e18 - rule.overshoot_max_e18,
        least_e18=policy.limits.loan.min_usd_e18,
        repay_step=steps[0],
        pledge_step=steps[1],
        haircut=case.haircut,
        pledge=loan.col_res in (None, 0),
    )


def after_tax_e18(policy: Policy, yield_e18: int) -> int:
    """What is left of a yield; interest that is saved is not taxed."""
    return mul_e18(yield_e18, E18 - policy.allocation.tax_rate_e18)


RULES: Mapping[str, Callable[[Policy, Case], Plan]] = {
    "seed-v1": seed_v1,
    "seed-v1-narrative": seed_v1_narrative,
    "opt-v1": opt_v1,
}


def _repay(case: Case, factor_e18: int, reason: str) -> Plan:
    return Plan(case.available_e18 * factor_e18 // E18, 0, factor_e18, reason)


def _pledge(case: Case, factor_e18: int, reason: str) -> Plan:
    return Plan(0, case.available_e18 * factor_e18 // E18, factor_e18, reason)
