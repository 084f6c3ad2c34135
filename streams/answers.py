"""What the runner, a webhook or people say about an attempt, folded into its lane.

A record that repeats what is known changes nothing. One that contradicts an end that was declared
halts the lane: the venue's books and ours differ, and people must look. One for an intent nobody
knows is a dead letter.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.ids import derive, leg_id
from schemas.money import parse_e18
from schemas.policy import Execution
from schemas.records import AttemptRecord
from streams import requests, saga
from streams.effects import Call
from streams.evidence import complete, judge
from streams.lane import Lane
from streams.step import Emit, Refused
from tables.intents import IntentEntry, LegEntry

CALL_PATIENCE_MS = 120_000
LOOK_FIRST_MS = 1_000
RATE_LIMITED = "10006"

CLAIMS_EFFECT = frozenset({"accepted", "done"})
CLAIMS_NONE = frozenset({"refused", "transient", "not_sent"})


def take(lane: Lane, record: AttemptRecord) -> None:
    """Folds one record of treasury.attempts.v1."""
    if record.kind == "ATTEMPT":
        return
    intent = lane.intent(record.intent_id)
    if intent is None:
        raise Refused("unknown_intent", "intent_id", record.intent_id)
    leg = next((one for one in intent.legs if one.leg == record.leg), None)
    if leg is None or record.n > leg.n:
        raise Refused("unknown_attempt", "leg", f"{record.leg}#{record.n}", "never asked for")
    if record.kind == "HUMAN":
        _human(lane, intent, record)
    elif record.n < leg.n or leg is not intent.leg or intent.state in saga.FINAL:
        _late(lane, intent, leg, record)
    else:
        _FOLD[record.kind](lane, intent, record)


def may_start(lane: Lane, intent: IntentEntry) -> bool:
    """Whether policy and mode let the current leg start now."""
    mode = lane.in_force.mode(intent.class_, intent.account_id)
    return lane.policy is not None and saga.allows(mode, intent.kind, intent.leg.leg)


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
        "op": _op(intent),
        "account_id": intent.account_id,
        "coin": intent.ccy,
        "amount_e18": leg.amount_e18 or intent.chosen_e18 or intent.granted_e18,
        "transfer_id": leg_id(intent.intent_id, leg.leg),
        "source": source,
        "target": target,
    }


def _prepared(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    leg = intent.leg
    if leg.state != saga.READY or record.attempt_id != leg.awaits or lane.entry.halted:
        return  # an answer to an earlier question
    facts = record.facts or {}
    if facts.get("late_ref"):
        lane.turn(intent, awaits="")
        lane.halt(intent, f"row {facts['late_ref']} appeared after absence was declared")
    elif record.watermark is None:
        pause_ms = 1000 * min(2**leg.asked, 60)
        lane.turn(intent, awaits="", due_ms=lane.now_ms + pause_ms)
    elif not may_start(lane, intent):
        lane.turn(intent, awaits="", due_ms=lane.now_ms)
    else:
        _attempt(lane, intent, record.watermark)


def _attempt(lane: Lane, intent: IntentEntry, watermark: dict[str, str]) -> None:
    """Fixes amount, watermark and body, and lets the runner call once this has committed."""
    amount_e18 = _amount(lane, intent, watermark)
    if amount_e18 is None:
        lane.turn(intent, awaits="", due_ms=lane.used()[0].at_ms + requests.FINGERPRINT_MS)
        return
    if amount_e18 == 0:
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
    """Chosen once per intent, lowered again only if the debt has shrunk; None: none is free."""
    if intent.leg.leg == saga.RETURN:
        return intent.leg.amount_e18
    chosen = intent.chosen_e18
    most = chosen or intent.granted_e18
    if intent.kind == "REPAY":
        most = min(most, parse_e18(watermark["debt"]))
    if chosen and most == chosen:
        return chosen
    used = () if intent.kind == "TRANSFER" else (one.amount_e18 for one in lane.used())
    return requests.choose(most, intent.precision, used)


def _call(lane: Lane, intent: IntentEntry, amount_e18: int, watermark: dict[str, str]) -> Call:
    policy = lane.policy
    if policy is None:
        raise Refused("no_policy")
    facts = work(intent, lane.ask(intent, "call")) | {"amount_e18": amount_e18}
    wallets = (facts["transfer_id"], facts["source"], facts["target"])
    venue = intent.account_id.partition(":")[0]
    body = requests.body(venue, facts["op"], intent.ccy, amount_e18, wallets)
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


def _result(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    leg = intent.leg
    if leg.state not in (saga.ATTEMPTED, saga.UNKNOWN):
        return  # a repeat: what is open now is decided by history, or by people
    words = record.message or ""
    if record.class_ == "accepted":
        lane.move(intent, "accepted", venue_ref=record.venue_ref or "", **_look_soon(lane))
    elif record.class_ == "done":
        _confirm(lane, intent, record)
    elif record.class_ == "refused":
        lane.move(intent, "refused", f"{record.code} {words}".strip())
    elif record.class_ in ("transient", "not_sent"):
        _again(lane, intent, record)
    elif leg.state == saga.ATTEMPTED:
        lane.move(intent, "unclear", f"{record.code or ''} {words}".strip(), **_look_soon(lane))


def _again(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    """Proven not executed: once more after a while, unless the tries that count are used up."""
    leg, execution = intent.leg, _execution(lane)
    counts = record.class_ == "transient" and record.code != RATE_LIMITED
    retries = leg.retries + counts
    if retries > execution.max_retries:
        lane.move(intent, "exhausted", f"{record.code} {record.message or ''}".strip())
        return
    pause_s = min(execution.backoff_s * execution.factor ** max(retries - 1, 0), execution.cap_s)
    lane.move(
        intent,
        "retry",
        f"{record.class_} {record.message or ''}".strip(),
        n=leg.n + 1,
        retries=retries,
        due_ms=lane.now_ms + int(1000 * pause_s),
    )


def _evidence(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    leg = intent.leg
    if int((record.facts or {}).get("rows", "0")) > 1:
        lane.halt(intent, "the venue shows more than one row for one attempt")
        return
    if leg.state not in (saga.ATTEMPTED, saga.ACKED, saga.UNKNOWN):
        return
    if record.class_ not in CLAIMS_EFFECT and record.attempt_id != leg.awaits:
        return  # an answer to an earlier question proves no absence now
    if record.attempt_id == leg.awaits and complete(record):
        intent = lane.turn(intent, awaits="", polls=leg.polls + 1)
    verdict = judge(intent.leg, _op(intent), record, _execution(lane))
    if verdict.trigger == "effect":
        _confirm(lane, intent, record)
    elif verdict.trigger == "absent":
        lane.move(
            intent,
            "absent",
            verdict.reason,
            n=leg.n + 1,
            due_ms=lane.now_ms,
            absent_mark=leg.absent_mark or leg.watermark,
        )
    elif verdict.trigger == "accepted":
        lane.move(intent, "accepted", venue_ref=record.venue_ref or "", **_look_soon(lane))
    elif verdict.trigger:
        lane.move(intent, verdict.trigger, verdict.reason)


def _confirm(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    facts = {**intent.facts, **_after(intent, record)}
    ref = record.venue_ref or intent.leg.venue_ref
    done_e18 = record.amount_done_e18 or intent.leg.amount_e18
    lane.move(replace(intent, facts=facts), "effect", venue_ref=ref, amount_e18=done_e18)


def _after(intent: IntentEntry, record: AttemptRecord) -> dict[str, str]:
    """What the origin compares its estimate with: debt and ltv before and after the main leg."""
    if intent.leg.leg != "main":
        return {}
    before, now = intent.leg.watermark, record.facts or {}
    named = {
        "debt_before": before.get("debt"),
        "ltv_before": before.get("ltv"),
        "debt_after": now.get("debt"),
        "ltv_after": now.get("ltv"),
    }
    return {name: text for name, text in named.items() if text is not None}


def _late(lane: Lane, intent: IntentEntry, leg: LegEntry, record: AttemptRecord) -> None:
    """A word on an attempt that has ended: agreement is nothing new, contradiction halts."""
    if record.kind == "PREPARED":
        return
    effect_known = record.n == leg.n and leg.state == saga.CONFIRMED
    said = record.class_ or "unknown"
    if said in CLAIMS_EFFECT and not effect_known:
        lane.halt(
            intent, f"{record.leg}#{record.n} is said to be {said}, was declared without effect"
        )
    elif said in CLAIMS_NONE and effect_known:
        lane.halt(intent, f"{record.leg}#{record.n} is said to be {said}, was confirmed")


def _human(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    """Two people with written evidence end what the records could not."""
    facts = record.facts or {}
    people = {name for name in facts.get("actors", "").split(",") if name}
    if len(people) < 2 or not record.message:
        raise Refused("approval", "actors", facts.get("actors"), "two people and their evidence")
    lane.free()
    if intent.leg.state != saga.PARKED or record.n != intent.leg.n:
        return
    why = f"{' and '.join(sorted(people))}: {record.message}"
    if record.class_ == "done":
        lane.move(intent, "effect", why, venue_ref=record.venue_ref or "")
    elif record.class_ == "refused":
        lane.move(intent, "refused", why)
    elif record.class_ == "not_sent":
        lane.move(intent, "retry", why, n=intent.leg.n + 1, due_ms=lane.now_ms)
    else:
        raise Refused("class", "class", record.class_, "done, refused or not_sent")


_FOLD = {
    "PREPARED": _prepared,
    "RESULT": _result,
    "EVIDENCE": _evidence,
    "WEBHOOK": _evidence,
}


def _op(intent: IntentEntry) -> str:
    return intent.kind if intent.leg.leg == "main" else "TRANSFER"


def _look_soon(lane: Lane) -> dict[str, int]:
    return {"due_ms": lane.now_ms + LOOK_FIRST_MS, "looks": 0, "polls": 0}


def _execution(lane: Lane) -> Execution:
    if lane.policy is None:
        raise Refused(
            "no_policy", "policy", None, "an answer without the policy it was asked under"
        )
    return lane.policy.execution
