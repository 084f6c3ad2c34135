"""Carries intents out: one in flight per lane, nothing sent twice, nothing guessed.

The node decides, the runner acts: PREPARE reads what a call will be judged by, the attempt is
committed with its amount, watermark and body hash, CALL posts once, LOOK reads what became of it. A
lost answer is UNKNOWN until the venue's own records prove an effect or its absence. Times are the
node's milliseconds, amounts units of 10^-18.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from schemas.outcome import Outcome
from schemas.records import AttemptRecord, Intent, Proposal, Request, Revoke
from streams import answers, attempt, external, requests, saga, trouble
from streams.canonical import hash_of
from streams.effects import Look, Prepare
from streams.handover import OURS, body_of
from streams.lane import Lane
from streams.step import Entries, Event, InForce, Refused, Started, Tick
from tables.intents import IntentEntry, LegEntry, Revoked

HELD_POLL_MS = 1_000
LOOK_CAP_S = 60
BY_SYMBOL = frozenset({"control", "deleverage"})
"""Classes that act on positions and orders: their lane names the symbol."""
READ_PATIENCE_MS = 120_000

__all__ = ["step"]


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Folds one intent, answer, request, wake-up or takeover into a lane."""
    value = event.value
    lane = Lane(entries, event, in_force, _natural_key(event))
    if isinstance(value, Intent):
        _admit(lane, value)
    elif isinstance(value, AttemptRecord):
        answers.take(lane, value)
    elif isinstance(value, Request):
        _cancel(lane, value)
    elif isinstance(value, Revoke):
        _revoke(lane, value)
    elif isinstance(value, Tick):
        lane.woken()
    elif isinstance(value, Started):
        _take_over(lane)
    _advance(lane)
    return lane.close(_wake_ms(lane))


def _natural_key(event: Event) -> str:
    value = event.value
    if isinstance(value, Intent):
        return f"intent:{value.intent_id}"
    if isinstance(value, AttemptRecord):
        return f"attempt:{value.attempt_id}"
    if isinstance(value, Request):
        return f"request:{value.request_id}"
    if isinstance(value, Revoke):
        return f"revoke:{value.intent_id}"
    if isinstance(value, Started):
        return f"started:{value.generation}"
    if isinstance(value, Tick):
        return f"tick:{event.at_ms}"
    raise Refused("body", "body", type(value).__name__, "the intents node does not read this")


def _admit(lane: Lane, intent: Intent) -> None:
    known = lane.intent(intent.intent_id)
    if known is not None:
        if known.body_hash != intent.body_hash:
            raise Refused(
                "intent_differs", "body_hash", intent.body_hash, "the id is known with another body"
            )
        return
    venue = intent.account_id.partition(":")[0]
    subject = intent.params.get("symbol", intent.ccy) if intent.class_ in BY_SYMBOL else intent.ccy
    if intent.lane != f"{venue}|{intent.account_id}|{subject}":
        raise Refused("lane", "lane", intent.lane, "is not venue|account|coin of the intent")
    shared = cast(Proposal, intent)  # the two have all in common that is hashed
    body = body_of(shared, intent.amount_e18, intent.executed_by)
    if hash_of(body) != intent.body_hash:
        raise Refused("altered", "body_hash", intent.body_hash, "the fields hash differently")
    if intent.amount_e18 < 0 or (intent.amount_e18 == 0 and intent.class_ != "control"):
        raise Refused("amount", "amount", intent.amount_e18, "must be above 0")
    if intent.executed_by != OURS and intent.kind not in saga.PAYMENTS:
        raise Refused("executed_by", "executed_by", intent.executed_by, "nobody else does this")
    first, *_ = saga.LEGS.get(intent.kind, (saga.ONLY,))
    entry = IntentEntry(
        intent_id=intent.intent_id,
        decision_id=intent.decision_id,
        origin=intent.origin,
        origin_key=intent.origin_key,
        class_=intent.class_,
        kind=intent.kind,
        account_id=intent.account_id,
        lane=intent.lane,
        ccy=intent.ccy,
        precision=intent.precision,
        granted_e18=intent.amount_e18,
        params=dict(intent.params),
        body=body,
        body_hash=intent.body_hash,
        deadline_ms=intent.deadline_ms,
        state=saga.READY,
        legs=(LegEntry(leg=first, state=saga.READY, since_ms=lane.now_ms),),
        pause_epoch=intent.pause_epoch,
        executed_by=intent.executed_by,
    )
    early: Revoked | None = lane.entries.get("revoked", intent.intent_id)
    if early is not None:
        lane.entries.delete("revoked", intent.intent_id)
        entry = _stopped(entry, early.withdrawn)
    lane.admit(entry)
    unfit = requests.unfit(venue, intent.kind, intent.params)
    if unfit:
        lane.move(entry, "impossible", unfit)
    elif intent.executed_by != OURS:
        external.hand_over(lane, entry)
        if early is not None:
            external.cannot_stop(lane, entry)


def _cancel(lane: Lane, wish: Request) -> None:
    if wish.verb != "CANCEL":
        raise Refused("verb", "verb", wish.verb, "the intents node knows CANCEL")
    intent_id = wish.params.get("intent_id", "")
    intent = lane.intent(intent_id)
    if intent is None:
        raise Refused("unknown_intent", "intent_id", intent_id)
    _stop(lane, intent, withdrawn=False)


def _revoke(lane: Lane, word: Revoke) -> None:
    """The gate's word, which it gives of what it has handed over: an intent that is not known here
    is still to be read, and must find the word.
    """
    withdrawn = word.reason == Outcome.withdrawn.value
    intent = lane.intent(word.intent_id)
    if intent is None:
        lane.entries.put("revoked", Revoked(withdrawn), word.intent_id)
    else:
        _stop(lane, intent, withdrawn)


def _stop(lane: Lane, intent: IntentEntry, withdrawn: bool) -> None:
    if intent.state in saga.FINAL or intent.cancelled:
        return
    stopped = _stopped(intent, withdrawn)
    lane.store(stopped)
    if stopped.executed_by != OURS:
        external.cannot_stop(lane, stopped)


def _stopped(intent: IntentEntry, withdrawn: bool) -> IntentEntry:
    """It begins nothing more; what has begun is followed to its end."""
    return replace(intent, cancelled=True, withdrawn=withdrawn)


def _take_over(lane: Lane) -> None:
    """The former owner may never answer: reads are asked again, a call is unknown."""
    for intent in lane.queued()[:1]:
        if intent.executed_by != OURS:
            continue  # nobody here was carrying it out
        if intent.leg.state == saga.ATTEMPTED:
            lane.move(intent, "unclear", "restarted", due_ms=lane.now_ms + 1000, looks=0, polls=0)
        elif intent.leg.awaits:
            lane.turn(intent, awaits="", due_ms=lane.now_ms)


def _advance(lane: Lane) -> None:
    """Ends what can no longer start, then acts on the first intent until it waits for something."""
    for intent in lane.queued():
        trigger = attempt.over(lane, intent)
        if trigger:
            lane.move(intent, trigger, "withdrawn" if intent.withdrawn else trigger)
    while lane.entry.queue:
        first = lane.queued()[0]
        if _stands_still(lane, first):
            return
        if first.executed_by != OURS:
            external.act(lane, first)
            return
        if not _ACT[first.leg.state](lane, first):
            return


def _stands_still(lane: Lane, intent: IntentEntry) -> bool:
    """A halted lane begins nothing; what was sent is looked for all the same, since reading moves
    no money, and what nobody looks for would have no end.
    """
    return bool(lane.entry.halted) and intent.leg.state in saga.WAITING


def _ready(lane: Lane, intent: IntentEntry) -> bool:
    if not attempt.may_start(lane, intent):
        reason = "paused" if lane.policy else "no_policy"
        lane.move(intent, "paused", reason, due_ms=lane.now_ms + HELD_POLL_MS)
        return True
    leg = intent.leg
    if lane.now_ms >= leg.due_ms:
        effect_id = lane.ask(intent, "prepare")
        asked = leg.asked + 1
        intent = lane.turn(
            intent, asked=asked, awaits=effect_id, due_ms=lane.now_ms + READ_PATIENCE_MS
        )
        lane.out.append(
            Prepare(**attempt.work(intent, effect_id), absent_mark=intent.leg.absent_mark)
        )
    return False


def _held(lane: Lane, intent: IntentEntry) -> bool:
    if attempt.may_start(lane, intent):
        resumed = replace(intent, pause_epoch=lane.in_force.epoch)
        lane.move(resumed, "resumed", due_ms=lane.now_ms)
        return True
    if lane.now_ms >= intent.leg.due_ms:
        lane.turn(intent, due_ms=lane.now_ms + HELD_POLL_MS)
    return False


def _attempted(lane: Lane, intent: IntentEntry) -> bool:
    if lane.now_ms < intent.leg.due_ms:
        return False
    lane.move(intent, "unclear", "no_answer", due_ms=lane.now_ms, looks=0, polls=0)
    return True


def _open(lane: Lane, intent: IntentEntry) -> bool:
    leg = intent.leg
    if leg.state == saga.UNKNOWN and lane.policy is not None:
        horizon_ms = leg.since_ms + lane.policy.execution.park_s * 1000
        if lane.now_ms >= horizon_ms:
            lane.move(intent, "horizon", "unresolved")
            return False
    if lane.now_ms >= leg.due_ms:
        effect_id = lane.ask(intent, "look")
        intent = lane.turn(
            intent,
            asked=leg.asked + 1,
            looks=leg.looks + 1,
            awaits=effect_id,
            due_ms=lane.now_ms + 1000 * min(2 ** (leg.looks + 1), LOOK_CAP_S),
        )
        lane.out.append(
            Look(
                **attempt.work(intent, effect_id), watermark=leg.watermark, venue_ref=leg.venue_ref
            )
        )
    return False


def _parked(lane: Lane, intent: IntentEntry) -> bool:
    return False


_ACT = {
    saga.READY: _ready,
    saga.HELD: _held,
    saga.ATTEMPTED: _attempted,
    saga.ACKED: _open,
    saga.UNKNOWN: _open,
    saga.PARKED: _parked,
}


def _wake_ms(lane: Lane) -> int | None:
    """When the lane must act although nothing arrives: the first intent's turn, a deadline, or when
    people must know that something is open.
    """
    times: list[int] = []
    for place, intent in enumerate(lane.queued()):
        leg = intent.leg
        if place == 0 and leg.state != saga.PARKED and not _stands_still(lane, intent):
            due_ms = leg.due_ms if intent.executed_by == OURS else external.due_ms(intent)
            times += [] if due_ms is None else [due_ms]
        if leg.state in saga.WAITING and leg.leg != saga.RETURN:
            times.append(intent.deadline_ms)
    told_ms = trouble.due_ms(lane)
    if told_ms is not None and told_ms > lane.now_ms:
        times.append(told_ms)
    return min(times, default=None)
