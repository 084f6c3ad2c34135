"""What another side carries out: we only wait, and never call.

An order handed over may be paid at any moment, so it counts as attempted. Its state moves by the
other side's words (WEBHOOK) and by the bank's statements (EVIDENCE). Without a word by the cut-off
it is UNKNOWN, and only statements or people end it: a day later it is parked, because by then a
statement of the day has come. Nor can it be taken back here once it has been shown: who has it may
have paid it, so it stays what it is, and people are told.
"""

from __future__ import annotations

from schemas.jsonform import parse_time
from schemas.money import text_e18
from streams import alerts, saga
from streams.lane import Lane
from tables.intents import IntentEntry

PATIENCE_MS = 120_000
"""How long after the cut-off a word may still be on its way."""
PARK_MS = 24 * 3600 * 1000
SHOWN = "shown_already"
"""The alert for an order that was taken back after another side had it."""


def hand_over(lane: Lane, intent: IntentEntry) -> None:
    """From now on the other side may carry it out."""
    lane.move(
        intent,
        "handed_over",
        f"{intent.executed_by} carries it out",
        amount_e18=intent.granted_e18,
        due_ms=_cutoff_ms(intent) + PATIENCE_MS,
    )


def cannot_stop(lane: Lane, intent: IntentEntry) -> None:
    """It was taken back too late: only the other side can still stop it."""
    why = "the balance no longer carries it" if intent.withdrawn else "it was taken back"
    text = f"{intent.kind} {intent.intent_id} of {intent.account_id} of"
    text += f" {text_e18(intent.granted_e18)} {intent.ccy}: {why}, but it has been shown to the"
    text += f" {intent.executed_by} side, which may pay it; ask them"
    labels = {
        "lane": intent.lane,
        "account": intent.account_id,
        "intent_id": intent.intent_id,
        "decision_id": intent.decision_id,
    }
    name = f"{SHOWN}|{intent.intent_id}"
    lane.out.append(alerts.once(lane.event, name, text, "critical", labels=labels))


def act(lane: Lane, intent: IntentEntry) -> None:
    """What the passing of time means for it."""
    leg = intent.leg
    if leg.state == saga.ATTEMPTED and lane.now_ms >= leg.due_ms:
        due_ms = lane.now_ms + PARK_MS
        lane.move(intent, "unclear", "no word by the cut-off", due_ms=due_ms)
    elif leg.state == saga.UNKNOWN and lane.now_ms >= leg.due_ms:
        lane.move(intent, "horizon", "unresolved")


def due_ms(intent: IntentEntry) -> int | None:
    """When the passing of time means something for it next."""
    return intent.leg.due_ms if intent.leg.state in (saga.ATTEMPTED, saga.UNKNOWN) else None


def _cutoff_ms(intent: IntentEntry) -> int:
    text = intent.params.get("cutoff_utc")
    return intent.deadline_ms if text is None else parse_time(text)
