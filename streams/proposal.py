"""How a decision of the book is said: its AllocationDecision, its proposals, and the record for the
audit, whose body is `streams.decision_body`.

All ids follow from the natural key of the cause. Amounts are 10^-18 of the settlement currency.
"""

from __future__ import annotations

from typing import Any

from schemas.ids import derive
from schemas.policy import Policy
from schemas.records import AllocationDecision, Counterfactual, Decision, Meta, Proposal
from streams.allocation import HOLD, SPLIT, Decided, Facts, Part
from streams.decision_body import body
from streams.loan import apr_e18
from streams.step import Emit, Event, InForce, meta


class Said:
    """The ids and the stamp that the records of one decision share."""

    def __init__(self, event: Event, in_force: InForce, trigger: str, decided: Decided) -> None:
        cause = (event.key, trigger, 0, in_force.version, event.timestamp_ms)
        self.event, self.in_force = event, in_force
        self.decision_id = derive("decision", *cause)
        self.intent_ids = tuple(derive(part.kind.lower(), *cause) for part in decided.parts)
        self.stamp: Meta = meta(event, in_force, trigger)
        self.actor = f"weir:{in_force.version}"


def decision(said: Said, facts: Facts, decided: Decided) -> list[Any]:
    """What every decision writes, a hold included."""
    return [
        Emit("treasury.allocations.v1", _allocation(said, facts, decided)),
        Emit(
            "treasury.decisions.v1",
            Decision(
                meta=said.stamp,
                decision_id=said.decision_id,
                node="book",
                key=said.event.key,
                kind="DECISION",
                actor=said.actor,
                outcome=decided.action if decided.action != HOLD else decided.reason,
                body=body(said.event, said.in_force, facts, decided, said.intent_ids),
                rule=decided.rule,
            ),
        ),
    ]


def proposals(said: Said, policy: Policy, facts: Facts, decided: Decided) -> list[Any]:
    """One proposal to the gate for each part of a decision."""
    return [
        Emit("treasury.proposals.v1", _proposal(said, policy, facts, decided, part, intent_id))
        for part, intent_id in zip(decided.parts, said.intent_ids, strict=True)
    ]


def _proposal(
    said: Said, policy: Policy, facts: Facts, decided: Decided, part: Part, intent_id: str
) -> Proposal:
    account_id, ccy = facts.account_id, policy.allocation.settle_ccy
    return Proposal(
        meta=said.stamp,
        intent_id=intent_id,
        decision_id=said.decision_id,
        origin="book",
        origin_key=account_id,
        class_="loan",
        kind=part.kind,
        account_id=account_id,
        lane=f"{account_id.partition(':')[0]}|{account_id}|{ccy}",
        asked_e18=part.asked_e18,
        room_e18=part.room_e18,
        ccy=ccy,
        precision=part.precision,
        params={},
        maker=said.actor,
        valid_until_ms=decided.valid_until_ms,
        deadline_ms=facts.at_ms + policy.execution.intent_ttl_s * 1000,
        compliance_tags={},
    )


def _allocation(said: Said, facts: Facts, decided: Decided) -> AllocationDecision:
    loan = facts.loan
    asked = {part.kind: part.asked_e18 for part in decided.parts}
    split = decided.action == SPLIT
    return AllocationDecision(
        meta=said.stamp,
        decision_id=said.decision_id,
        account_id=facts.account_id,
        rule=decided.rule,
        action=decided.action,
        reason=decided.reason,
        available_e18=facts.available_e18,
        factor_e18=decided.factor_e18,
        kept_e18=decided.kept_e18,
        clipped_e18=decided.clipped_e18,
        intent_ids=said.intent_ids,
        amount_e18=sum(asked.values()) if asked and not split else None,
        repay_amount_e18=asked.get("REPAY", 0) if split else None,
        collateral_amount_e18=asked.get("ADD_COLLATERAL", 0) if split else None,
        ltv_e18=loan.ltv_ratio_e18 if loan else None,
        loan_apr_e18=apr_e18(loan) if loan else None,
        collateral_yield_e18=decided.yield_e18,
        ltv_after_est_e18=decided.ltv_after_e18,
        counterfactual=Counterfactual(decided.other_action, decided.other_ltv_e18)
        if decided.other_ltv_e18 is not None
        else None,
        loan_as_of_ms=loan.as_of_ms if loan else None,
        loan_age_ms=facts.at_ms - loan.as_of_ms if loan else None,
    )
