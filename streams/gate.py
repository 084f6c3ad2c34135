"""The gate: the one place all money out passes, because a daily limit can only be kept in one
place.

A proposal is granted, granted for less, refused, or made to wait for a signature; what is granted
is reserved before the intent exists and stays reserved until its outcome is known. Every answer
goes back to the node that asked, and that node may take back what has not gone out. A proposal that
comes twice is answered once.
"""

from __future__ import annotations

from typing import Any

from schemas.money import text_e18
from schemas.outcome import Outcome
from schemas.records import Approval, IntentOutcome, Proposal, UsdRate, Withdrawal
from streams import anomaly, approval, sweep_order, waiting, window, withdrawal
from streams import hold as holds
from streams.canonical import hash_of
from streams.handover import OURS, answer, body_of, decision, hand_over
from streams.inboxes import ORIGINS
from streams.limits import AHEAD_MAX_MS, CLASS_OF, DOLLAR, Ask, refusal
from streams.step import Entries, Event, InForce, Refused, Started, Tick, meta
from tables.gate import Hold, Rate

PRECISION_MAX = 18


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The outputs of one event of one desk."""
    value = event.value
    if isinstance(value, Proposal):
        return _proposal(entries, event, in_force)
    if isinstance(value, Approval):
        return approval.step(entries, event, in_force)
    if isinstance(value, IntentOutcome):
        ended = holds.step(entries, value)
        if ended is not None:
            anomaly.confirmed(entries, event, in_force, value.intent_id, ended)
        return []
    if isinstance(value, Withdrawal):
        return withdrawal.step(entries, event, in_force)
    if isinstance(value, UsdRate):
        return _rate(entries, event, value)
    if isinstance(value, Tick):
        return anomaly.calmed(entries, event) + waiting.end(entries, event, in_force)
    if isinstance(value, Started):
        return []
    raise Refused("unsupported", "body", type(value).__name__, "the gate does not take it yet")


def _proposal(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    proposal: Proposal = event.value
    _validate(proposal)
    known: Hold | None = entries.get("holds", proposal.intent_id)
    if known is not None:
        return _repeated(known, proposal)
    ask = _ask(entries, event, in_force)
    refused = Outcome.no_policy if ask is None else refusal(ask)
    granted = 0 if ask is None or refused is not None else ask.granted_e18
    awaits = refused is None and ask is not None and ask.awaits
    state = "REFUSED" if refused is not None else "AWAITING" if awaits else "READY"
    body = body_of(proposal, granted or proposal.asked_e18, _executed_by(proposal, in_force))
    hold = Hold(
        decision_id=proposal.decision_id,
        origin=proposal.origin,
        class_=proposal.class_,
        kind=proposal.kind,
        account_id=proposal.account_id,
        lane=proposal.lane,
        ccy=proposal.ccy,
        day=window.day_of(window.counted_ms(event)),
        asked_e18=proposal.asked_e18,
        granted_e18=granted,
        rate_e18=ask.rate_e18 if ask is not None else 0,
        held_usd_e18=ask.usd_e18() if ask is not None and granted else 0,
        confirmed_usd_e18=0,
        state=state,
        final=refused is not None,
        opened_ms=window.opening_ms(entries, proposal.class_, window.counted_ms(event)),
        body_hash=hash_of(body),
        created_ms=event.timestamp_ms,
        beneficiary=proposal.beneficiary or "",
    )
    holds.reserve(entries, proposal.intent_id, hold)
    stamp = meta(event, in_force, f"proposal:{proposal.intent_id}")
    reason = refused.value if refused is not None else None
    outputs: list[Any] = []
    if state == "READY":
        outputs += hand_over(entries, body, hold, stamp, in_force)
    outputs += answer(proposal.intent_id, hold, body, reason, event, stamp)
    if awaits:
        outputs += waiting.begin(entries, event, in_force, proposal, body)
    unusual = anomaly.proposed(entries, event, in_force, proposal, hold)
    said = {**_said(proposal, hold, ask), "unusual": anomaly.patterns(unusual)}
    outputs.append(decision(hold.decision_id, reason or state, said, event, stamp, in_force))
    return outputs + unusual


def _validate(proposal: Proposal) -> None:
    if proposal.origin not in ORIGINS:
        raise Refused("unsupported", "origin", proposal.origin, "no such node proposes yet")
    if proposal.class_ == "control":
        if proposal.asked_e18 != 0:
            raise Refused("range", "asked", proposal.asked_e18, "a control moves no money")
    elif proposal.asked_e18 <= 0:
        raise Refused("range", "asked", proposal.asked_e18, "must be above 0")
    if not 0 <= proposal.precision <= PRECISION_MAX:
        raise Refused("range", "precision", proposal.precision, "must lie between 0 and 18")
    expected = CLASS_OF.get(proposal.kind, proposal.class_)
    if proposal.class_ != expected:
        raise Refused("class", "class", proposal.class_, f"{proposal.kind} is of class {expected}")
    if proposal.class_ == sweep_order.CLASS:
        sweep_order.validate(proposal)


def _executed_by(proposal: Proposal, in_force: InForce) -> str:
    """Exactly one side carries it out; which one is fixed here, whatever the policy says later."""
    if proposal.class_ != sweep_order.CLASS or in_force.policy is None:
        return OURS
    return in_force.policy.sweep.executed_by


def _repeated(known: Hold, proposal: Proposal) -> list[Any]:
    same = (known.kind, known.lane, known.ccy, known.asked_e18) == (
        proposal.kind,
        proposal.lane,
        proposal.ccy,
        proposal.asked_e18,
    )
    if not same:
        raise Refused(
            "exists_different", "intent_id", proposal.intent_id, "the id stands for another one"
        )
    return []


def _ask(entries: Entries, event: Event, in_force: InForce) -> Ask | None:
    proposal: Proposal = event.value
    if in_force.policy is None:
        return None
    return Ask(
        proposal=proposal,
        policy=in_force.policy,
        mode=in_force.mode(proposal.class_, proposal.account_id),
        at_ms=event.at_ms,
        event_ms=event.timestamp_ms,
        rate=DOLLAR if proposal.ccy == "USD" else entries.get("rates", proposal.ccy),
        used=window.used(
            entries, proposal.class_, window.counted_ms(event), in_force.policy.limits.window
        ),
        granted_e18=proposal.asked_e18,
    )


def _rate(entries: Entries, event: Event, value: UsdRate) -> list[Any]:
    if value.rate_e18 <= 0:
        raise Refused("range", "rate", value.rate_e18, "must be above 0")
    if value.as_of_ms > event.at_ms + AHEAD_MAX_MS:  # it would shut out every true one until then
        raise Refused("future", "as_of", value.as_of_ms, f"it is {event.at_ms}")
    old: Rate | None = entries.get("rates", value.ccy)
    if old is None or value.as_of_ms > old.as_of_ms:
        entries.put("rates", Rate(value.rate_e18, value.as_of_ms), value.ccy)
    return []


def _said(proposal: Proposal, hold: Hold, ask: Ask | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "intent_id": proposal.intent_id,
        "kind": proposal.kind,
        "ccy": proposal.ccy,
        "asked": text_e18(proposal.asked_e18),
        "granted": text_e18(hold.granted_e18),
        "room": text_e18(proposal.room_e18),
        "day": hold.day,
        "opened_ms": hold.opened_ms,
        "held_usd": text_e18(hold.held_usd_e18),
    }
    if ask is None:
        return said
    return {
        **said,
        "mode": ask.mode,
        "window": ask.policy.limits.window,
        "rate": text_e18(ask.rate_e18),
        "rate_as_of_ms": ask.rate.as_of_ms if ask.rate is not None else None,
        "used_confirmed_usd": text_e18(ask.used.confirmed_usd_e18),
        "used_held_usd": text_e18(ask.used.held_usd_e18),
    }
