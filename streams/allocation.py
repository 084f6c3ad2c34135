"""What available profit is used for: nothing, repaying the loan, more collateral, or both.

Ratios are fractions times 10^18 (0.45, never 45), amounts 10^-18 of the settlement currency. What
is missing or old holds and is never guessed; a hold is a decision like any other and names the
refusal. The rule gives factors; each part is then cut to the debt, to the wallet, and down to the
venue's precision, and what is cut stays available.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from schemas.money import E18, div_e18, floor_to
from schemas.outcome import Outcome
from schemas.policy import Account, Policy
from streams.available import kept_e18
from streams.loan import apr_e18
from tables.allocation import Loan, Wallets

REPAY, ADD, SPLIT, HOLD = "repay_principal", "add_collateral", "split", "hold"
NO_RULE = "none"
PRECISION_DEFAULT = 4
"""Decimal places for a coin the policy says nothing of: fewer than a venue takes always pass."""


class Facts(NamedTuple):
    """What a decision is made from, at node time `at_ms`."""

    account_id: str
    mode: str
    at_ms: int
    available_e18: int
    loan: Loan | None
    wallets: Wallets | None


class Plan(NamedTuple):
    """What a rule wants: the factors of available profit to repay and to pledge, and why."""

    repay_e18: int
    collateral_e18: int
    reason: str


class Part(NamedTuple):
    """One operation of a decision: what is asked, and the most the rule lets go (`room_e18`)."""

    kind: str
    asked_e18: int
    room_e18: int
    precision: int


class Decided(NamedTuple):
    """A decision and its arithmetic; `clipped_e18` is what debt, wallet and precision took away."""

    action: str
    reason: str
    rule: str
    factor_e18: int = 0
    parts: tuple[Part, ...] = ()
    kept_e18: int = 0
    clipped_e18: int = 0
    yield_e18: int | None = None
    ltv_after_e18: int | None = None
    other_action: str = ""
    other_ltv_e18: int | None = None
    valid_until_ms: int = 0


def decide(policy: Policy, facts: Facts) -> Decided:
    """The decision for one account, by the rule that its policy names."""
    rule, loan, wallets = policy.allocation, facts.loan, facts.wallets
    refusals = (guard(policy, facts) for guard in GUARDS)
    refusal = next((refusal for refusal in refusals if refusal is not None), None)
    if refusal is not None or loan is None or wallets is None:
        return hold(refusal or Outcome.stale_loan, rule.rule)
    yield_ = rule.collateral_yield.get(rule.settle_ccy, 0)
    plan = RULES[rule.rule](policy, loan.ltv_ratio_e18, apr_e18(loan), yield_)
    if plan.collateral_e18 and loan.col_res not in (None, 0):
        return hold(Outcome.frozen, rule.rule)
    return _sized(policy, facts, plan, loan, wallets, yield_)


def hold(refusal: Outcome, rule: str = NO_RULE) -> Decided:
    """The decision to do nothing, and why."""
    return Decided(HOLD, refusal.value, rule)


def seed_v1(policy: Policy, ltv_e18: int, apr: int, yield_: int) -> Plan:
    """High: pledge. Low: repay if the loan costs clearly more than collateral yields. Else both."""
    rule = policy.allocation
    if ltv_e18 > rule.ltv_high_e18:
        return Plan(0, rule.f_high_e18, "ltv_risk_reduction")
    if ltv_e18 < rule.ltv_low_e18:
        if apr > yield_ + rule.spread_min_e18:
            return Plan(rule.f_low_e18, 0, "interest_optimization")
        return Plan(0, rule.f_low_e18, "yield_optimization")
    return Plan(rule.f_mid_repay_e18, rule.f_mid_collateral_e18, "balanced_allocation")


RULES: Mapping[str, Callable[[Policy, int, int, int], Plan]] = {"seed-v1": seed_v1}


def unknown_account(policy: Policy, facts: Facts) -> Outcome | None:
    """A policy that does not list the account says nothing about its money."""
    return Outcome.no_policy if policy.account(facts.account_id) is None else None


def paused(policy: Policy, facts: Facts) -> Outcome | None:
    """Both actions lower the loan to value, so REDUCING lets them pass."""
    return Outcome.paused if facts.mode == "PAUSED" else None


def stale_loan(policy: Policy, facts: Facts) -> Outcome | None:
    """A loan state must be known and fresh."""
    oldest_ms = facts.at_ms - policy.guards.loan_age_max_s * 1000
    known = facts.loan is not None and facts.loan.as_of_ms >= oldest_ms
    return None if known else Outcome.stale_loan


def stale_balance(policy: Policy, facts: Facts) -> Outcome | None:
    """What can be transferred must be known: nothing is asked for that the wallet may not hold."""
    oldest_ms = facts.at_ms - policy.guards.balance_age_max_s * 1000
    known = facts.wallets is not None and facts.wallets.as_of_ms >= oldest_ms
    return None if known else Outcome.stale_balance


def currency_mismatch(policy: Policy, facts: Facts) -> Outcome | None:
    """A loan in another coin than profits are settled in: a person converts first."""
    same = facts.loan is None or facts.loan.coin == policy.allocation.settle_ccy
    return None if same else Outcome.currency_mismatch


GUARDS = (unknown_account, paused, stale_loan, stale_balance, currency_mismatch)
"""In the order of the closed list of refusals."""


def _sized(
    policy: Policy, facts: Facts, plan: Plan, loan: Loan, wallets: Wallets, yield_: int
) -> Decided:
    ccy = policy.allocation.settle_ccy
    wallet = max(0, wallets.transferable_e18.get(ccy, 0))
    wanted = [facts.available_e18 * factor // E18 for factor in plan[:2]]
    repay_room = min(wanted[0], loan.repayable_e18, wallet)
    places = _precision(policy, facts.account_id, ccy)
    repay = _part("REPAY", repay_room, places[0])
    pledge_room = min(wanted[1], wallet - repay.asked_e18)
    pledge = _part("ADD_COLLATERAL", pledge_room, places[1])
    asked = repay.asked_e18 + pledge.asked_e18
    if asked == 0:
        return hold(Outcome.below_min, policy.allocation.rule)._replace(yield_e18=yield_)
    factor = plan.repay_e18 + plan.collateral_e18
    other = ADD if plan.collateral_e18 == 0 else REPAY
    return Decided(
        action=_action(plan),
        reason=plan.reason,
        rule=policy.allocation.rule,
        factor_e18=factor,
        parts=tuple(part for part in (repay, pledge) if part.asked_e18),
        kept_e18=kept_e18(asked, factor),
        clipped_e18=sum(wanted) - asked,
        yield_e18=yield_,
        ltv_after_e18=_ltv_after(loan, repay.asked_e18, pledge.asked_e18),
        other_action=other,
        other_ltv_e18=_ltv_after(loan, asked, 0) if other == REPAY else _ltv_after(loan, 0, asked),
        valid_until_ms=min(
            loan.as_of_ms + policy.guards.loan_age_max_s * 1000,
            wallets.as_of_ms + policy.guards.balance_age_max_s * 1000,
        ),
    )


def _part(kind: str, room_e18: int, precision: int) -> Part:
    room_e18 = max(0, room_e18)
    return Part(kind, floor_to(room_e18, precision), room_e18, precision)


def _precision(policy: Policy, account_id: str, ccy: str) -> tuple[int, int]:
    """The decimal places the venue takes for a repayment and for collateral."""
    account = policy.account(account_id) or Account(account_id=account_id)
    return (
        account.loan_precision.get(ccy, PRECISION_DEFAULT),
        account.collateral_precision.get(ccy, PRECISION_DEFAULT),
    )


def _action(plan: Plan) -> str:
    if plan.repay_e18 and plan.collateral_e18:
        return SPLIT
    return REPAY if plan.repay_e18 else ADD


def _ltv_after(loan: Loan, repay_e18: int, collateral_e18: int) -> int | None:
    """The loan to value afterwards, the settlement currency taken as dollars, no haircut."""
    collateral = loan.collateral_usd_e18 + collateral_e18
    if collateral == 0:
        return None
    return div_e18(max(0, loan.debt_usd_e18 - repay_e18), collateral)
