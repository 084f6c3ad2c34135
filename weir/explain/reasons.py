"""Why a decision of the book was made, worked out again from its record.

The record holds inputs and terms whole, so the same functions that decided decide once more: under
the rule that held, under every other rule, and with another loan to value or another rate, until
the action changes. A difference between the record and the new decision would be a defect; it is
shown, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from msgspec.structs import replace

from schemas.money import E18, HOURS_PER_YEAR, divide_half_even, mul_e18, text_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from streams.allocation import HOLD, Decided, Facts, case_of, decide, decide_case, yield_of
from streams.decision_body import facts_of, policy_of
from streams.rules import RULES, Case, after_tax_e18
from weir.explain.arithmetic import Step, steps
from weir.explain.flip import Flip, around, nearest, signed

LTV_UNIT = RATE_UNIT = E18 // 10**6
"""The last place a venue publishes of a loan to value; as fine for a yearly rate."""
LTV_MOST, RATE_MOST, STRIDE = 3 * E18 // 2, E18, E18 // 50


@dataclass(frozen=True)
class Alternative:
    """What a rule would have done with the same inputs."""

    rule: str
    action: str
    reason: str
    repay: str
    pledge: str
    kept: str
    ltv_after: str | None
    earned_a_year: str
    tax_a_year: str
    lot_method: str


@dataclass(frozen=True)
class Reasons:
    """A decision explained; every number is plain text."""

    decision_id: str
    place: dict[str, Any]
    said: dict[str, Any]
    reproduced: bool
    arithmetic: tuple[Step, ...]
    alternatives: tuple[Alternative, ...]
    flips: tuple[Flip, ...]
    later: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The same as one object."""
        return asdict(self)


def reasons(
    decision_id: str, place: dict[str, Any], said: dict[str, Any], later: Iterable[dict[str, Any]]
) -> Reasons:
    """The explanation of a decision's body."""
    policy, facts = policy_of(said), facts_of(said)
    if policy is None:
        return Reasons(decision_id, place, said, True, (), (), (), tuple(later))
    again = decide(policy, facts)
    case = case_of(policy, facts)
    return Reasons(
        decision_id=decision_id,
        place=place,
        said=said,
        reproduced=_same(said, again),
        arithmetic=steps(policy, facts, case, again),
        alternatives=tuple(_alternative(policy, facts, rule) for rule in RULES),
        flips=() if isinstance(case, Outcome) else flips(policy, facts, case),
        later=tuple(later),
    )


def flips(policy: Policy, facts: Facts, case: Case) -> tuple[Flip, ...]:
    """Of the loan to value and of the loan's yearly rate, the nearest that changes the action."""

    def with_ltv(ltv: int) -> str:
        debt = divide_half_even(ltv * case.loan.collateral_usd_e18, E18)
        loan = replace(case.loan, ltv_ratio_e18=ltv, debt_usd_e18=debt)
        return decide_case(policy, facts, case._replace(loan=loan)).action

    def with_rate(rate: int) -> str:
        return decide_case(policy, facts, case._replace(apr_e18=rate)).action

    rule, yielded = policy.allocation, case.yield_e18
    target = rule.ltv_target_e18
    edges = (rule.ltv_low_e18, rule.ltv_high_e18, target, target - rule.overshoot_max_e18)
    rates = (yielded, yielded + rule.spread_min_e18, after_tax_e18(policy, yielded))
    found = [
        _flip("ltv_ratio", case.loan.ltv_ratio_e18, with_ltv, edges, LTV_UNIT, LTV_MOST),
        _flip("loan_apr", case.apr_e18, with_rate, rates, RATE_UNIT, RATE_MOST),
    ]
    return tuple(flip for flip in found if flip is not None)


def _flip(
    figure: str,
    now: int,
    action_at: Callable[[int], str],
    edges: Iterable[int],
    unit: int,
    most: int,
) -> Flip | None:
    points = around(edges, unit) | set(range(0, most + 1, STRIDE))
    points |= {now + sign * unit * 10**power for sign in (-1, 1) for power in range(6)}
    to = nearest(now, action_at, {point for point in points if 0 <= point <= most}, unit)
    if to is None:
        return None
    return Flip(figure, text_e18(now), text_e18(to), signed(to - now), action_at(to))


def _alternative(policy: Policy, facts: Facts, rule: str) -> Alternative:
    allocation = policy.allocation.model_copy(update={"rule": rule})
    decided = decide(policy.model_copy(update={"allocation": allocation}), facts)
    asked = {part.kind: part.asked_e18 for part in decided.parts}
    repay, pledge = asked.get("REPAY", 0), asked.get("ADD_COLLATERAL", 0)
    yielded = yield_of(policy, facts)[0]
    tax = mul_e18(mul_e18(pledge, yielded), allocation.tax_rate_e18)
    apr = facts.loan.hourly_rate_e18 * HOURS_PER_YEAR if facts.loan else 0
    earned = mul_e18(repay, apr) + mul_e18(pledge, yielded) - tax
    return Alternative(
        rule=rule,
        action=decided.action,
        reason=decided.reason,
        repay=text_e18(repay),
        pledge=text_e18(pledge),
        kept=text_e18(decided.kept_e18),
        ltv_after=None if decided.ltv_after_e18 is None else text_e18(decided.ltv_after_e18),
        earned_a_year=text_e18(earned),
        tax_a_year=text_e18(tax),
        lot_method=allocation.lot_method,
    )


def _same(said: dict[str, Any], again: Decided) -> bool:
    asked = [{"kind": part.kind, "asked": text_e18(part.asked_e18)} for part in again.parts]
    recorded = [{"kind": part["kind"], "asked": part["asked"]} for part in said["parts"]]
    if again.action == HOLD and said["action"] == HOLD:
        return bool(again.reason == said["reason"])
    return bool(again.action == said["action"] and asked == recorded)
