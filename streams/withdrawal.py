"""The gate takes back what a node has proposed, when that node says so before money has gone out.

What waits for a signature ends here as VOID and frees what it held. What was handed over is ended
by the intents node, if it has not begun there: it gets the same word as when a checker takes an
approval back. After the end nothing changes, so a word that comes twice has one effect.
"""

from __future__ import annotations

from typing import Any

from schemas.money import text_e18
from schemas.outcome import Outcome
from schemas.records import IntentInput, Meta, Revoke, Withdrawal
from streams import hold as holds
from streams import waiting
from streams.handover import decision
from streams.limits import WHILE_REDUCING
from streams.step import Emit, Entries, Event, InForce, Refused, meta
from tables.gate import Hold

WITHDRAWN = Outcome.withdrawn.value


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Folds a node's word on an intent of its own."""
    value: Withdrawal = event.value
    hold = holds.known(entries, value.intent_id)
    _check(value, hold)
    if hold.final:
        return []
    stamp = meta(event, in_force, f"withdrawal:{value.intent_id}")
    said = {
        "intent_id": value.intent_id,
        "withdrawn_by": value.decision_id,
        "reason": value.reason,
        "state": hold.state,
        "held_usd": text_e18(hold.held_usd_e18),
    }
    told = decision(hold.decision_id, WITHDRAWN, said, event, stamp, in_force)
    waits = waiting.find(entries, value.intent_id)
    if waits is None:
        return [_revoke(value, hold, in_force, stamp), told]
    _, outputs = waiting.void(entries, event, waits, "VOID", WITHDRAWN, stamp)
    return [*outputs, told, *waiting.wake(entries, event.at_ms)]


def _check(value: Withdrawal, hold: Hold) -> None:
    """Only who proposed it takes it back, and nothing that lowers risk."""
    if (value.origin, value.origin_key) != (hold.origin, hold.account_id):
        asked = f"{hold.origin} {hold.account_id} has proposed it"
        raise Refused("not_proposer", "origin_key", value.origin_key, asked)
    if hold.kind in WHILE_REDUCING:
        raise Refused("kind", "intent_id", value.intent_id, f"{hold.kind} is not taken back")


def _revoke(value: Withdrawal, hold: Hold, in_force: InForce, stamp: Meta) -> Emit:
    actor = f"weir:{in_force.version}"
    body = Revoke(intent_id=value.intent_id, approver=actor, reason=WITHDRAWN)
    return Emit("treasury.intent-inputs.v1", IntentInput(body=body, meta=stamp), key=hold.lane)
