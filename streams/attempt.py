"""How an attempt begins: whether the leg may start, its amount, its body and its watermark.

The attempt is written down and committed before the runner may call; so whoever owns the lane later
knows what may have been sent, to the byte. Amounts are units of 10^-18.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.ids import derive, leg_id
from schemas.money import parse_e18
from schemas.records import AttemptRecord
from streams import requests, saga
from streams.effects import Call
from streams.lane import Lane
from streams.step import Emit, Refused
from tables.intents import IntentEntry

CALL_PATIENCE_MS = 120_000
LOWERED_TO = {"REPAY": "debt", "REDUCE_POSITION": "reducible"}
"""What was read before an attempt and bounds its amount."""
WITH_OUR_ID = frozenset({"TRANSFER", "REDUCE_POSITION"}) | saga.PAYMENTS
"""Found by an id of ours, so that equal amounts need not be told apart."""


def may_start(lane: Lane, intent: IntentEntry) -> bool:
    """Whether policy and mode let the current leg start now."""
    mode = lane.in_force.mode(intent.class_, intent.account_id)
    return lane.policy is not None and saga.allows(mode, intent.kind, intent.leg.leg)


def over(lane: Lane, intent: IntentEntry) -> str | None:
    """The trigger that ends a leg which has not started; money on its way back has no deadline."""
    leg = intent.leg
    if leg.state not in saga.WAITING or leg.leg == saga.RETURN:
        return None
    if intent.cancelled:
        return "revoked"
    return "deadline" if lane.now_ms >= intent.deadline_ms else None


def work(intent: IntentEntry, effect_id: str) -> dict[str, Any]:
    """What every effect of the current leg carries."""
    leg = intent.leg
    wallets = ("UNIFIED", "FUND")
    if intent.kind == "TRANSFER":
        wallets = (intent.params.get("from", "UNIFIED"), intent.params.get("to", "FUND"))
    source, target = reversed(wallets) if leg.leg == saga.RETURN else wallets
    return {
        "effect_id": effect_id,
        "lane": intent.lane,
        "intent_id": intent.intent_id,
        "leg": leg.leg,
        "n": leg.n,
        "kind": intent.kind,
        "op": op_of(intent),
        "account_id": intent.account_id,
        "coin": intent.ccy,
        "amount_e18": leg.amount_e18 or intent.chosen_e18 or intent.granted_e18,
        "transfer_id": leg_id(intent.intent_id, leg.leg),
        "source": source,
        "target": target,
        "params": intent.params,
        "executed_by": intent.executed_by,
    }


def op_of(intent: IntentEntry) -> str:
    """What the current leg does at the venue."""
    return intent.kind if intent.leg.leg in ("main", saga.ONLY) else "TRANSFER"


def begin(lane: Lane, intent: IntentEntry, watermark: dict[str, str]) -> None:
    """Fixes amount, watermark and body, and lets the runner call once this has committed."""
    amount_e18 = _amount(lane, intent, watermark)
    if amount_e18 is None:
        lane.turn(intent, awaits="", due_ms=lane.used()[0].at_ms + requests.FINGERPRINT_MS)
        return
    if amount_e18 == 0 and intent.class_ != "control":
        lane.move(intent, "impossible", "nothing_to_do")
        return
    if amount_e18 != intent.chosen_e18 and intent.leg.leg != saga.RETURN:
        intent = replace(intent, chosen_e18=amount_e18)
        lane.use(amount_e18)
    call = _call(lane, intent, amount_e18, watermark)
    lane.out.append(
        Emit(
            "treasury.attempts.v1",
            AttemptRecord(
                meta=lane.meta,
                attempt_id=derive(
                    "attempt", lane.entries.key, call.effect_id, 0, "none", lane.event.timestamp_ms
                ),
                intent_id=intent.intent_id,
                leg=intent.leg.leg,
                n=intent.leg.n,
                kind="ATTEMPT",
                amount_e18=amount_e18,
                watermark=watermark,
                request_hash=call.request_hash,
                at_ms=lane.now_ms,
            ),
            key=intent.lane,
        )
    )
    lane.out.append(call)
    lane.move(
        intent,
        "prepared",
        asked=intent.leg.asked + 1,
        amount_e18=amount_e18,
        watermark=dict(watermark),
        due_ms=lane.now_ms + CALL_PATIENCE_MS,
    )


def _amount(lane: Lane, intent: IntentEntry, watermark: dict[str, str]) -> int | None:
    """Chosen once per intent, lowered again only if debt or position have shrunk; None: none is
    free.
    """
    if intent.leg.leg == saga.RETURN:
        return intent.leg.amount_e18
    chosen = intent.chosen_e18
    most = chosen or intent.granted_e18
    if intent.kind in LOWERED_TO:
        most = min(most, parse_e18(watermark[LOWERED_TO[intent.kind]]))
    if most == chosen:
        return chosen
    used = () if intent.kind in WITH_OUR_ID else (one.amount_e18 for one in lane.used())
    return requests.choose(most, intent.precision, used)


def _call(lane: Lane, intent: IntentEntry, amount_e18: int, watermark: dict[str, str]) -> Call:
    policy = lane.policy
    if policy is None:
        raise Refused("no_policy")
    facts = work(intent, lane.ask(intent, "call")) | {"amount_e18": amount_e18}
    said = {name: facts[name] for name in requests.Terms._fields if name in facts}
    order = requests.order_of(intent.body, lane.now_ms, policy.sweep.tags_in)
    terms = requests.Terms(**said, order=order)
    body = requests.body(intent.account_id.partition(":")[0], facts["op"], terms)
    return Call(
        **facts,
        watermark=dict(watermark),
        body=body,
        request_hash=requests.request_hash(body),
        pause_epoch=lane.in_force.epoch,
        control_age_max_s=policy.guards.control_age_max_s,
        call_start_s=policy.execution.call_start_s,
        deadline_ms=None if intent.leg.leg == saga.RETURN else intent.deadline_ms,
    )
