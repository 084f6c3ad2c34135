"""What available profit is used for: nothing, repaying the loan, more collateral, or both.

Ratios are fractions times 10^18 (0.45, never 45), amounts 10^-18 of the settlement currency. What
is missing or old holds and is never guessed; a hold is a decision like any other and names the
refusal. The rule of the policy gives amounts; each part is then cut to the debt, to the wallet, and
down to the venue's precision, and what is cut stays available.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.money import E18, divide_half_even, floor_to
from schemas.outcome import Outcome
from schemas.policy import Account, Policy
from streams.available import kept_e18
from streams.haircut import Haircut, of_coin
from streams.loan import apr_e18
from streams.rules import RULES, Case, Plan
from tables.allocation import Loan, Wallets, YieldKnown

REPAY, ADD, SPLIT, HOLD = "repay_principal", "add_collateral", "split", "hold"
NO_RULE = "none"
PRECISION_DEFAULT = 4
"""Decimal places for a coin the policy says nothing of: fewer than a venue takes always pass."""
RECORD, POLICY, DEFAULT = "record", "policy", "default"


class Facts(NamedTuple):
    """What a decision is made from, at node time `at_ms`; `frozen` are the marks that freeze."""

    account_id: str
    mode: str
    at_ms: int
    available_e18: int
    loan: Loan | None
    wallets: Wallets | None
    frozen: tuple[str, ...] = ()
    yielded: YieldKnown | None = None
    settle_ccy: str = ""


class Part(NamedTuple):
    """One operation of a decision: what is asked, and the most the rule lets go (`room_e18`)."""

    kind: str
    asked_e18: int
    room_e18: int
    precision: int


class Decided(NamedTuple):
    """A decision and its arithmetic; `clipped_e18` is what debt, wallet and precision took away.

    `floor_e18` is the loan to value below which the operation must not lead, where a rule has one.
    """

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
    floor_e18: int | None = None


def decide(policy: Policy, facts: Facts) -> Decided:
    """The decision for one account, by the rule that its policy names."""
    case = case_of(policy, facts)
    if isinstance(case, Outcome):
        return hold(case, policy.allocation.rule)
    return decide_case(policy, facts, case)


def decide_case(policy: Policy, facts: Facts, case: Case) -> Decided:
    """The decision once every guard has let the rule be asked."""
    rule = policy.allocation.rule
    plan = RULES[rule](policy, case)
    if plan.collateral_e18 and case.loan.col_res not in (None, 0):
        return hold(Outcome.frozen, rule)
    return _sized(policy, facts, case, plan)


def hold(refusal: Outcome, rule: str = NO_RULE) -> Decided:
    """The decision to do nothing, and why."""
    return Decided(HOLD, refusal.value, rule)


def case_of(policy: Policy, facts: Facts) -> Case | Outcome:
    """What the rule is asked; or the refusal of the first guard that does not let it be asked."""
    refusals = (guard(policy, facts) for guard in GUARDS)
    refusal = next((refusal for refusal in refusals if refusal is not None), None)
    if refusal is not None or facts.loan is None or facts.wallets is None:
        return refusal or Outcome.stale_loan
    ccy = policy.allocation.settle_ccy
    return Case(
        available_e18=facts.available_e18,
        wallet_e18=max(0, facts.wallets.transferable_e18.get(ccy, 0)),
        loan=facts.loan,
        apr_e18=apr_e18(facts.loan),
        yield_e18=yield_of(policy, facts)[0],
        places=_precision(policy, facts.account_id, ccy),
        haircut=of_coin(policy, facts.loan, ccy),
    )


def yield_of(policy: Policy, facts: Facts) -> tuple[int, str]:
    """The yearly yield of collateral and where it comes from: reported and fresh, else the
    policy's, else 0.
    """
    rule, known = policy.allocation, facts.yielded
    oldest_ms = facts.at_ms - policy.guards.yield_age_max_s * 1000
    if known is not None and known.as_of_ms >= oldest_ms:
        return known.rate_e18, RECORD
    if rule.settle_ccy in rule.collateral_yield:
        return rule.collateral_yield[rule.settle_ccy], POLICY
    return 0, DEFAULT


def ltv_after_e18(loan: Loan, haircut: Haircut, repay_e18: int, pledge_e18: int) -> int | None:
    """The loan to value afterwards, the settlement currency taken as dollars; None without
    collateral.
    """
    counted = loan.collateral_usd_e18 * E18 + haircut.value_e36(pledge_e18)
    if counted == 0:
        return None
    return divide_half_even(max(0, loan.debt_usd_e18 - repay_e18) * E18 * E18, counted)


def unknown_account(policy: Policy, facts: Facts) -> Outcome | None:
    """A policy that does not list the account says nothing about its money."""
    return Outcome.no_policy if policy.account(facts.account_id) is None else None


def paused(policy: Policy, facts: Facts) -> Outcome | None:
    """Both actions lower the loan to value, so REDUCING lets them pass."""
    return Outcome.paused if facts.mode == "PAUSED" else None


def frozen(policy: Policy, facts: Facts) -> Outcome | None:
    """What the book does not understand, or people have not looked at yet, decides nothing."""
    return Outcome.frozen if facts.frozen else None


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


GUARDS = (unknown_account, paused, frozen, stale_loan, stale_balance, currency_mismatch)
"""In the order of the closed list of refusals."""


def _sized(policy: Policy, facts: Facts, case: Case, plan: Plan) -> Decided:
    loan, wallets = case.loan, facts.wallets
    repay_room = min(plan.repay_e18, loan.repayable_e18, case.wallet_e18)
    repay = _part("REPAY", repay_room, case.places[0])
    pledge_room = min(plan.collateral_e18, case.wallet_e18 - repay.asked_e18)
    pledge = _part("ADD_COLLATERAL", pledge_room, case.places[1])
    asked = repay.asked_e18 + pledge.asked_e18
    rule = policy.allocation
    if asked == 0 or wallets is None:
        nothing = plan.reason if plan.exact else Outcome.below_min.value
        return Decided(HOLD, nothing, rule.rule, yield_e18=case.yield_e18)
    other = ADD if plan.collateral_e18 == 0 else REPAY
    instead = (asked, 0) if other == REPAY else (0, asked)
    return Decided(
        action=_action(plan),
        reason=plan.reason,
        rule=rule.rule,
        factor_e18=plan.factor_e18,
        parts=tuple(part for part in (repay, pledge) if part.asked_e18),
        kept_e18=kept_e18(asked, plan.factor_e18),
        clipped_e18=plan.repay_e18 + plan.collateral_e18 - asked,
        yield_e18=case.yield_e18,
        ltv_after_e18=ltv_after_e18(loan, case.haircut, repay.asked_e18, pledge.asked_e18),
        other_action=other,
        other_ltv_e18=ltv_after_e18(loan, case.haircut, *instead),
        valid_until_ms=min(
            loan.as_of_ms + policy.guards.loan_age_max_s * 1000,
            wallets.as_of_ms + policy.guards.balance_age_max_s * 1000,
        ),
        floor_e18=rule.ltv_target_e18 - rule.overshoot_max_e18 if plan.exact else None,
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
