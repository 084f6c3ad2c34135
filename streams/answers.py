"""What the runner, a webhook or people say about an attempt, folded into its lane.

A record that repeats what is known changes nothing. One that contradicts an end that was declared
halts the lane: the venue's books and ours differ, and people must look. One for an intent nobody
knows is a dead letter.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.policy_gate import Execution
from schemas.records import AttemptRecord
from streams import saga
from streams.attempt import begin, may_start, op_of, over
from streams.evidence import REPEATABLE, check, complete, judge
from streams.handover import OURS
from streams.lane import Lane
from streams.step import Refused
from streams.testimony import people_of
from tables.intents import IntentEntry, LegEntry

LOOK_FIRST_MS = 1_000
RATE_LIMITED = frozenset({"10006", "429"})
"""Codes of a refusal because of too many requests: it counts no try."""
RETURNED = "returned"
"""Code of a refusal that came after the effect: the money is back."""
PART = "only a part came back"
NOTHING = "an effect of nothing is told"

ORDER_FACTS = ("order_status", "avg_price", "filled")
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
    if leg is not None and intent.kind in saga.PAYMENTS and record.kind in _FOUND:
        record = replace(record, n=leg.n)  # all attempts have one id: found by it is found for all
    if leg is None or not 0 < record.n <= leg.n:
        raise Refused("unknown_attempt", "leg", f"{record.leg}#{record.n}", "never asked for")
    check(record, intent.kind)
    if record.kind == "HUMAN":
        _human(lane, intent, record)
    elif record.n < leg.n or leg is not intent.leg or intent.state in saga.FINAL:
        _late(lane, intent, leg, record)
    else:
        _FOLD[record.kind](lane, intent, record)


def _prepared(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    leg = intent.leg
    if leg.state != saga.READY or record.attempt_id != leg.awaits or lane.entry.halted:
        return  # an answer to an earlier question
    facts = record.facts or {}
    if facts.get("late_ref") and intent.kind in saga.PAYMENTS:
        known = {"venue_ref": facts["late_ref"], **_look_soon(lane)}
        amount_e18 = leg.amount_e18 or intent.granted_e18
        lane.move(intent, "accepted", "known by its id already", amount_e18=amount_e18, **known)
    elif facts.get("late_ref"):
        why = f"row {facts['late_ref']} appeared after absence was declared"
        lane.halt(lane.move(intent, "late_row", why), why)
    elif record.watermark is None:
        pause_ms = 1000 * min(2**leg.asked, 60)
        lane.turn(intent, awaits="", due_ms=lane.now_ms + pause_ms)
    elif over(lane, intent) or not may_start(lane, intent):
        lane.turn(intent, awaits="", due_ms=lane.now_ms)
    else:
        begin(lane, intent, record.watermark)


def _result(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    leg = intent.leg
    if leg.state not in (saga.ATTEMPTED, saga.UNKNOWN):
        return  # a repeat: what is open now is decided by history, or by people
    words = record.message or ""
    if leg.state == saga.UNKNOWN and leg.venue_ref and record.class_ in CLAIMS_NONE:
        lane.move(intent, "disagreement", f"row {leg.venue_ref}, said to be {record.class_}")
        return
    if record.class_ == "accepted":
        lane.move(intent, "accepted", venue_ref=record.venue_ref or "", **_look_soon(lane))
    elif record.class_ == "done":
        _confirm(lane, intent, record)
    elif record.class_ == "refused":
        ref = record.venue_ref or leg.venue_ref
        lane.move(intent, "refused", f"{record.code} {words}".strip(), venue_ref=ref)
    elif record.class_ in ("transient", "not_sent"):
        _again(lane, intent, record)
    elif leg.state == saga.ATTEMPTED:
        lane.move(intent, "unclear", f"{record.code or ''} {words}".strip(), **_look_soon(lane))


def _again(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    """Proven not executed: once more after a while, unless the tries that count are used up."""
    leg, execution = intent.leg, _execution(lane)
    counts = record.class_ == "transient" and record.code not in RATE_LIMITED
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
    parked = leg.state == saga.PARKED and intent.kind in saga.PAYMENTS and not lane.entry.halted
    if leg.state not in (saga.ATTEMPTED, saga.ACKED, saga.UNKNOWN) and not parked:
        return
    if _came_back(intent, record):
        if _is_part(leg, record):
            if not parked:
                lane.move(intent, "disagreement", PART)
            return
        sent = _confirm(lane, intent, replace(record, amount_done_e18=None))
        lane.move(sent, "returned", record.message or RETURNED)
        return
    if int((record.facts or {}).get("rows", "0")) > 1:
        if parked:
            return  # people are asked already
        why = "the venue shows more than one row for one attempt"
        lane.halt(lane.move(intent, "disagreement", why), why)
        return
    by_id = record.class_ == "refused" and intent.kind in saga.PAYMENTS
    asked = bool(leg.awaits) and record.attempt_id == leg.awaits
    if record.class_ not in CLAIMS_EFFECT and not by_id and not asked:
        return  # an answer to an earlier question proves no absence now
    if asked and complete(record):
        intent = lane.turn(intent, awaits="", polls=leg.polls + 1)
    ours = intent.executed_by == OURS
    verdict = judge(intent.leg, op_of(intent), record, _execution(lane), lane.now_ms, answered=ours)
    if parked and verdict.trigger not in ("effect", "refused"):
        return  # only what the bank's books say by our own id ends it without people
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
        ref = record.venue_ref or leg.venue_ref
        lane.move(intent, verdict.trigger, verdict.reason, venue_ref=ref)
    elif record.class_ == "done" and leg.state == saga.UNKNOWN:
        lane.turn(intent, venue_ref=record.venue_ref or leg.venue_ref)  # seen, not yet believed


def _came_back(intent: IntentEntry, record: AttemptRecord) -> bool:
    """Whether a record says that the money was sent and has come back."""
    returned = record.class_ == "refused" and record.code == RETURNED
    return returned and intent.kind in saga.PAYMENTS


def _is_part(leg: LegEntry, record: AttemptRecord) -> bool:
    """Whether less than half came back: a fee makes a return smaller, but not by that much."""
    done_e18 = record.amount_done_e18
    return done_e18 is not None and 2 * done_e18 < leg.amount_e18


def _confirm(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> IntentEntry:
    """Books the effect: all of the leg where no amount is told. Of nothing it is none, and what it
    is people have to say.
    """
    leg = intent.leg
    done_e18 = leg.amount_e18 if record.amount_done_e18 is None else record.amount_done_e18
    if done_e18 == 0 and leg.amount_e18 > 0:
        return intent if leg.state == saga.PARKED else lane.move(intent, "disagreement", NOTHING)
    facts = {**intent.facts, **_after(intent, record)}
    ref = record.venue_ref or leg.venue_ref
    confirmed = replace(intent, facts=facts)
    return lane.move(confirmed, "effect", venue_ref=ref, amount_e18=done_e18)


def _after(intent: IntentEntry, record: AttemptRecord) -> dict[str, str]:
    """What the origin compares its estimate with: debt and ltv before and after the main leg; the
    venue's own row, which knows both at the same prices, wins over what was read around it. Of an
    order or a setting, what the venue says it is now.
    """
    before, now = intent.leg.watermark, record.facts or {}
    if intent.kind == "SET_LEVERAGE":
        was = before.get("leverage")
        told = {"leverage_before": was} if was else {}
        return {**told, "leverage_after": intent.params["leverage"]}
    if intent.leg.leg == saga.ONLY:
        return {name: now[name] for name in ORDER_FACTS if name in now}
    if intent.leg.leg != "main":
        return {}
    named = {
        "ltv_before": now.get("row_ltv_before", before.get("ltv")),
        "ltv_after": now.get("row_ltv_after", now.get("ltv")),
    }
    if intent.kind == "REPAY":
        named |= {"debt_before": before.get("debt"), "debt_after": now.get("debt")}
    return {name: text for name, text in named.items() if text is not None}


def _late(lane: Lane, intent: IntentEntry, leg: LegEntry, record: AttemptRecord) -> None:
    """A word on an attempt that has ended: agreement is nothing new, contradiction halts; what may
    be repeated contradicts nothing.
    """
    if record.kind == "PREPARED" or intent.kind in REPEATABLE or leg.state == saga.REVERSED:
        return  # of what was done and came back, either word is a repeat
    effect_known = record.n == leg.n and leg.state == saga.CONFIRMED
    if effect_known and _came_back(intent, record):
        if _is_part(leg, record):
            lane.halt(intent, PART)
        else:
            lane.move(intent, "returned", record.message or RETURNED)
        return
    said, rows = record.class_ or "unknown", int((record.facts or {}).get("rows", "0"))
    if rows > 1:
        lane.halt(intent, f"{record.leg}#{record.n} is said to have {rows} rows")
    elif said in CLAIMS_EFFECT and not (effect_known or _known(leg, record)):
        lane.halt(
            intent, f"{record.leg}#{record.n} is said to be {said}, was declared without effect"
        )
    elif said in CLAIMS_NONE and effect_known:
        lane.halt(intent, f"{record.leg}#{record.n} is said to be {said}, was confirmed")


def _known(leg: LegEntry, record: AttemptRecord) -> bool:
    """Whether an effect that is told late is none that is new.

    What was accepted may have failed since: its reference tells. And what is said of an attempt
    that was given up may be what a later one did: a worker that stood still may look for the first
    when the second has its row already. While that one has no end and no row, its own looks or
    people decide: they are asked already, and to halt the lane as well would say that there are two
    effects where one row was seen. Once it has a row the reference tells: another row is a second
    effect, and halts the lane, a parked intent or not.
    """
    if record.n == leg.n:
        return record.class_ == "accepted" and record.venue_ref == leg.venue_ref
    if record.amount_done_e18 not in (None, leg.amount_e18):
        return False
    if leg.venue_ref:
        return record.venue_ref == leg.venue_ref
    still_open = (saga.ATTEMPTED, saga.UNKNOWN, saga.PARKED)
    return record.kind == "EVIDENCE" and leg.state in still_open


def _human(lane: Lane, intent: IntentEntry, record: AttemptRecord) -> None:
    """Two people with written evidence end what the records could not. Their word is about one
    intent and is taken once: written again, it is not their answer to what has come up since.
    """
    people = people_of(record, lane.policy)
    if record.attempt_id in intent.answered:
        return
    intent = replace(intent, answered=(*intent.answered, record.attempt_id))
    lane.store(intent)
    lane.free(intent)
    if intent.leg.state != saga.PARKED or record.n != intent.leg.n:
        return
    why = f"{' and '.join(people)}: {record.message}"
    if record.class_ == "done":
        lane.move(intent, "effect", why, venue_ref=record.venue_ref or "")
    elif record.class_ == "refused":
        lane.move(intent, "refused", why)
    elif record.class_ == "not_sent" and intent.executed_by == OURS:
        again = {"n": intent.leg.n + 1, "due_ms": lane.now_ms, "absent_mark": {}, "venue_ref": ""}
        lane.move(intent, "retry", why, **again)
    else:
        raise Refused("class", "class", record.class_, "done, refused or not_sent")


_FOUND = frozenset({"EVIDENCE", "WEBHOOK"})
_FOLD = {
    "PREPARED": _prepared,
    "RESULT": _result,
    "EVIDENCE": _evidence,
    "WEBHOOK": _evidence,
}


def _look_soon(lane: Lane) -> dict[str, int]:
    return {"due_ms": lane.now_ms + LOOK_FIRST_MS, "looks": 0, "polls": 0}


def _execution(lane: Lane) -> Execution:
    if lane.policy is None:
        raise Refused(
            "no_policy", "policy", None, "an answer without the policy it was asked under"
        )
    return lane.policy.execution
