"""How the gate answers a proposal: the intent it hands over, its state, and the word to the node
that asked.

The body of an intent is canonical JSON of all that is fixed with the grant: what a checker signs
and what the executor must find unchanged. The pause epoch is not in it, because a resume gives an
intent a new one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.money import parse_e18, text_e18
from schemas.records import (
    Decision,
    Intent,
    IntentOutcome,
    IntentState,
    Meta,
    Proposal,
)
from streams import sweep_order
from streams.canonical import canonical, hash_of
from streams.inboxes import to_origin
from streams.step import Emit, Entries, Event, InForce
from tables.gate import Hold

OURS = "weir"
"""Who carries out what our own executor calls."""
_FAILED = frozenset({"REFUSED", "VOID", "EXPIRED"})


def body_of(proposal: Proposal, granted_e18: int, executed_by: str = OURS) -> str:
    """The canonical text of the intent that a proposal becomes when this much is granted, and one
    side is named to carry it out.
    """
    return canonical(
        {
            "intent_id": proposal.intent_id,
            "decision_id": proposal.decision_id,
            "origin": proposal.origin,
            "origin_key": proposal.origin_key,
            "class": proposal.class_,
            "kind": proposal.kind,
            "account_id": proposal.account_id,
            "lane": proposal.lane,
            "beneficiary": proposal.beneficiary,
            "amount": text_e18(granted_e18),
            "ccy": proposal.ccy,
            "precision": proposal.precision,
            "params": proposal.params,
            "maker": proposal.maker,
            "executed_by": executed_by,
            "deadline_ms": proposal.deadline_ms,
            "compliance_tags": proposal.compliance_tags,
        }
    )


def hand_over(
    entries: Entries, body: str, hold: Hold, stamp: Meta, in_force: InForce
) -> list[Emit]:
    """The intent that a body says, and of a sweep the order that others read under the same id."""
    said = msgspec.json.decode(body)
    handed = [_intent(said, body, hold.approvals, stamp, in_force)]
    if hold.class_ == sweep_order.CLASS:
        handed.append(sweep_order.order(entries, said, hold, stamp))
    return handed


def _intent(
    said: dict[str, Any], body: str, approvals: tuple[str, ...], stamp: Meta, in_force: InForce
) -> Emit:
    """From here on the intents node owns it."""
    return Emit(
        "treasury.intents.v1",
        Intent(
            meta=stamp,
            intent_id=said["intent_id"],
            decision_id=said["decision_id"],
            origin=said["origin"],
            origin_key=said["origin_key"],
            class_=said["class"],
            kind=said["kind"],
            account_id=said["account_id"],
            lane=said["lane"],
            amount_e18=parse_e18(said["amount"]),
            ccy=said["ccy"],
            precision=said["precision"],
            params=said["params"],
            maker=said["maker"],
            approvals=approvals,
            body_hash=hash_of(body),
            pause_epoch=in_force.epoch,
            executed_by=said["executed_by"],
            deadline_ms=said["deadline_ms"],
            compliance_tags=said["compliance_tags"],
            beneficiary=said["beneficiary"],
        ),
    )


def answer(
    intent_id: str, hold: Hold, body: str, reason: str | None, event: Event, stamp: Meta
) -> list[Any]:
    """State for people, and outcome for the node that proposed, by the state its hold has now."""
    outcome = _outcome(intent_id, hold, reason, event)
    return [
        state(intent_id, hold, body, reason, event, stamp),
        to_origin(outcome, stamp),
    ]


def state(
    intent_id: str, hold: Hold, body: str, reason: str | None, event: Event, stamp: Meta
) -> Emit:
    """The state of an intent for people; `body` is what a checker signs."""
    value = IntentState(
        meta=stamp,
        intent_id=intent_id,
        decision_id=hold.decision_id,
        kind=hold.kind,
        account_id=hold.account_id,
        lane=hold.lane,
        amount_e18=hold.granted_e18 or hold.asked_e18,
        ccy=hold.ccy,
        body=body,
        body_hash=hash_of(body),
        state=hold.state,
        seed_status="FAILED" if hold.state in _FAILED else "NEW",
        legs=(),
        amount_done_e18=0,
        updated_ms=event.timestamp_ms,
        reason=reason,
    )
    return Emit("treasury.intent-states.v1", value)


def decision(
    decision_id: str,
    outcome: str,
    said: dict[str, Any],
    event: Event,
    stamp: Meta,
    in_force: InForce,
    *,
    approver: str = "",
) -> Emit:
    """The record for the audit: what was checked against what, under which policy; of an approval,
    who gave it.
    """
    return Emit(
        "treasury.decisions.v1",
        Decision(
            meta=stamp,
            decision_id=decision_id,
            node="gate",
            key=event.key,
            kind="APPROVAL" if approver else "DECISION",
            actor=approver or f"weir:{in_force.version}",
            outcome=outcome,
            body=canonical(
                {
                    "policy": in_force.version,
                    "policy_hash": in_force.policy_hash,
                    "trigger": {
                        "topic": event.topic,
                        "partition": event.partition,
                        "offset": event.offset,
                    },
                    "at_ms": event.at_ms,
                    **said,
                }
            ),
        ),
    )


def _outcome(intent_id: str, hold: Hold, reason: str | None, event: Event) -> IntentOutcome:
    return IntentOutcome(
        intent_id=intent_id,
        decision_id=hold.decision_id,
        kind=hold.kind,
        class_=hold.class_,
        origin=hold.origin,
        account_id=hold.account_id,
        lane=hold.lane,
        state=hold.state,
        asked_e18=hold.asked_e18,
        granted_e18=hold.granted_e18,
        amount_done_e18=0,
        ccy=hold.ccy,
        venue_refs=(),
        facts={},
        final=hold.final,
        at_ms=event.at_ms,
        reason=reason,
    )
