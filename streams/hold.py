"""What is reserved at the gate: each grant holds its dollars until the outcome confirms or frees
them.

Dollars are times 10^18 at the rate of the admission. An amount confirmed for less frees the rest,
an operation that ended without effect frees all, a reversal nothing. The hold of what comes back to
us is known all the same, and uses nothing of the day.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.money import text_e18
from schemas.records import IntentOutcome
from streams import window
from streams.available import WITHOUT_EFFECT
from streams.limits import counts, usd_e18
from streams.step import Entries, Refused
from tables.gate import Hold


def reserve(entries: Entries, intent_id: str, hold: Hold) -> None:
    """Books a new hold; one that holds nothing (a refusal) only leaves its mark."""
    hold = replace(hold, counted=counts(hold.kind))
    entries.put("holds", hold, intent_id)
    if hold.held_usd_e18 and hold.counted:
        window.opened(entries, hold)


def free(entries: Entries, intent_id: str, state: str) -> Hold:
    """Ends a hold without effect."""
    hold = known(entries, intent_id)
    ended = replace(hold, held_usd_e18=0, state=state, final=True)
    entries.put("holds", ended, intent_id)
    _changed(entries, hold, 0)
    return ended


def step(entries: Entries, outcome: IntentOutcome) -> Hold | None:
    """Takes an outcome; a repeat changes nothing, one that contradicts the end is refused. Returns
    the hold that this outcome has confirmed, if it has.
    """
    hold = known(entries, outcome.intent_id)
    if hold.state == "AWAITING":
        raise Refused("not_out", "intent_id", outcome.intent_id, "it still waits for a signature")
    if not 0 <= outcome.amount_done_e18 <= hold.granted_e18:
        why = f"granted were {text_e18(hold.granted_e18)}"
        raise Refused("above_hold", "amount_done", text_e18(outcome.amount_done_e18), why)
    if not outcome.final:
        return None
    if hold.final:
        _after_the_end(entries, hold, outcome)
    elif outcome.state in WITHOUT_EFFECT:
        free(entries, outcome.intent_id, outcome.state)
    elif outcome.state == "CONFIRMED":
        return _confirm(entries, hold, outcome)
    else:
        raise Refused("state", "state", outcome.state, "is no end of an operation")
    return None


def known(entries: Entries, intent_id: str) -> Hold:
    """The hold of an intent. Raises Refused when the gate never saw it."""
    hold: Hold | None = entries.get("holds", intent_id)
    if hold is None:
        raise Refused("unknown_intent", "intent_id", intent_id, "the gate never saw it")
    return hold


def _confirm(entries: Entries, hold: Hold, outcome: IntentOutcome) -> Hold:
    confirmed = usd_e18(outcome.amount_done_e18, hold.rate_e18)
    ended = replace(
        hold, held_usd_e18=0, confirmed_usd_e18=confirmed, state="CONFIRMED", final=True
    )
    entries.put("holds", ended, outcome.intent_id)
    _changed(entries, hold, confirmed)
    return ended


def _changed(entries: Entries, hold: Hold, confirmed_usd_e18: int) -> None:
    """What an ended hold comes to in its day and in the window, if it was counted there."""
    if hold.counted:
        window.changed(entries, hold, confirmed_usd_e18, -hold.held_usd_e18)


def _after_the_end(entries: Entries, hold: Hold, outcome: IntentOutcome) -> None:
    if outcome.state == "REVERSED" and hold.state == "CONFIRMED":
        entries.put("holds", replace(hold, state="REVERSED"), outcome.intent_id)
    elif outcome.state != hold.state and (outcome.state, hold.state) != ("CONFIRMED", "REVERSED"):
        raise Refused("final_state", "state", outcome.state, f"it ended as {hold.state}")
    elif outcome.state == "CONFIRMED":
        done_usd_e18 = usd_e18(outcome.amount_done_e18, hold.rate_e18)
        if done_usd_e18 != hold.confirmed_usd_e18:
            why = f"it was confirmed for {text_e18(hold.confirmed_usd_e18)} USD"
            raise Refused("final_state", "amount_done", text_e18(outcome.amount_done_e18), why)
