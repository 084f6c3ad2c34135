"""What is reserved at the gate: each grant holds its dollars until the outcome confirms or frees
them.

Dollars are times 10^18 at the rate of the admission. Use of a day is what was confirmed plus what
open holds keep; an amount confirmed for less frees the rest, an operation that ended without effect
frees all, a reversal nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from schemas.records import IntentOutcome
from streams.available import WITHOUT_EFFECT
from streams.limits import usd_e18
from streams.step import Entries, Refused
from tables.gate import Hold, Used

_UNUSED = Used()


def used(entries: Entries, class_: str, day: str) -> Used:
    """The use of one class on one UTC day."""
    return entries.get("used", f"{class_}|{day}") or _UNUSED


def reserve(entries: Entries, intent_id: str, hold: Hold) -> None:
    """Books a new hold; one that holds nothing (a refusal) only leaves its mark."""
    entries.put("holds", hold, intent_id)
    if hold.held_usd_e18:
        _use(entries, hold, 0, hold.held_usd_e18)


def free(entries: Entries, intent_id: str, state: str) -> Hold:
    """Ends a hold without effect."""
    hold = _known(entries, intent_id)
    ended = replace(hold, held_usd_e18=0, state=state, final=True)
    entries.put("holds", ended, intent_id)
    _use(entries, hold, 0, -hold.held_usd_e18)
    return ended


def step(entries: Entries, outcome: IntentOutcome) -> None:
    """Takes an outcome; a repeat changes nothing, one that contradicts the end is refused."""
    hold = _known(entries, outcome.intent_id)
    if not outcome.final:
        return
    if hold.final:
        _after_the_end(entries, hold, outcome)
    elif outcome.state in WITHOUT_EFFECT:
        free(entries, outcome.intent_id, outcome.state)
    elif outcome.state == "CONFIRMED":
        _confirm(entries, hold, outcome)
    else:
        raise Refused("state", "state", outcome.state, "is no end of an operation")


def _known(entries: Entries, intent_id: str) -> Hold:
    hold: Hold | None = entries.get("holds", intent_id)
    if hold is None:
        raise Refused("unknown_intent", "intent_id", intent_id, "the gate never saw it")
    return hold


def _confirm(entries: Entries, hold: Hold, outcome: IntentOutcome) -> None:
    done = outcome.amount_done_e18
    if not 0 <= done <= hold.granted_e18:
        raise Refused("above_hold", "amount_done", done, f"granted were {hold.granted_e18}")
    confirmed = usd_e18(done, hold.rate_e18)
    entries.put(
        "holds",
        replace(hold, held_usd_e18=0, confirmed_usd_e18=confirmed, state="CONFIRMED", final=True),
        outcome.intent_id,
    )
    _use(entries, hold, confirmed, -hold.held_usd_e18)


def _after_the_end(entries: Entries, hold: Hold, outcome: IntentOutcome) -> None:
    if outcome.state == "REVERSED" and hold.state == "CONFIRMED":
        entries.put("holds", replace(hold, state="REVERSED"), outcome.intent_id)
    elif outcome.state != hold.state and (outcome.state, hold.state) != ("CONFIRMED", "REVERSED"):
        raise Refused("final_state", "state", outcome.state, f"it ended as {hold.state}")


def _use(entries: Entries, hold: Hold, confirmed_usd_e18: int, held_usd_e18: int) -> None:
    old = used(entries, hold.class_, hold.day)
    new = Used(old.confirmed_usd_e18 + confirmed_usd_e18, old.held_usd_e18 + held_usd_e18)
    entries.put("used", new, f"{hold.class_}|{hold.day}")
