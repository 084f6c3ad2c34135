"""What people should know of a lane: an outcome that stays unknown, one that only they can end, and
a contradiction that has stopped everything.

Each is an alert of the lane that fires when it begins to hold and is resolved when it ends; what
has stopped the lane is one for each intent that people must answer for. Times are the node's
milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.money import text_e18
from streams import alerts, saga
from tables.intents import IntentEntry, LaneEntry

if TYPE_CHECKING:
    from streams.lane import Lane

UNRESOLVED, PARKED, HALTED = "unresolved", "parked", "double_effect"
OPEN = frozenset({saga.UNKNOWN, saga.ACKED})


class Trouble(NamedTuple):
    """One of the alerts: what people can do about it, and what is said when it is over."""

    name: str
    severity: str
    then: str
    over: str


LATE = Trouble(UNRESOLVED, "warning", "the venue's records are read on", "no outcome is open")
ASKED = Trouble(PARKED, "critical", "`weir resolve` takes the word of two people", "it was ended")
STOPPED = Trouble(
    HALTED,
    "critical",
    "nothing leaves this lane until two people answer for it",
    "two people have answered for it",
)


def tell(lane: Lane) -> None:
    """Writes the alerts that this event has begun or ended."""
    first = next(iter(lane.queued()), None)
    told_ms = _told_ms(lane, first)
    late = told_ms is not None and lane.now_ms >= told_ms
    _hold(lane, LATE, first if late else None)
    _hold(lane, ASKED, first if first is not None and first.leg.state == saga.PARKED else None)
    _tell_stopped(lane)


def _tell_stopped(lane: Lane) -> None:
    """People answer for one intent at a time, so each that halts the lane begins and ends by
    itself; it is said again when something new contradicts it.
    """
    before, now = _whys(lane.entries.get("lanes") or LaneEntry()), _whys(lane.entry)
    for intent_id in before:
        if intent_id not in now:
            _hold(lane, _stopped_by(intent_id), None)
    for intent_id, why in now.items():
        if why != before.get(intent_id):
            _hold(lane, _stopped_by(intent_id), lane.intent(intent_id), why, again=True)
    if before and not now:
        _hold(lane, STOPPED, None)  # an older program had one alert for the lane


def _stopped_by(intent_id: str) -> Trouble:
    return STOPPED._replace(name=f"{HALTED}|{intent_id}")


def _whys(entry: LaneEntry) -> dict[str, str]:
    """What halts a lane: the intents, and of each all that contradicts it."""
    found: dict[str, str] = {}
    for line in entry.halted.splitlines():
        intent_id, _, why = line.partition(": ")
        found[intent_id] = f"{found[intent_id]}; {why}" if intent_id in found else why
    return found


def due_ms(lane: Lane) -> int | None:
    """When an outcome that is open now will have been so for too long; None: told, or none is."""
    if lane.entries.get("alerting", UNRESOLVED) is not None:
        return None
    return _told_ms(lane, next(iter(lane.queued()), None))


def _told_ms(lane: Lane, first: IntentEntry | None) -> int | None:
    if first is None or first.leg.state not in OPEN or lane.policy is None:
        return None
    if first.kind in saga.PAYMENTS and first.leg.state == saga.ACKED:
        return None  # a bank may take days to settle what it has accepted
    return first.leg.since_ms + lane.policy.execution.unknown_alert_s * 1000


def _hold(
    lane: Lane, trouble: Trouble, intent: IntentEntry | None, why: str = "", *, again: bool = False
) -> None:
    """Fires while there is an intent to speak of, ends when there is none."""
    entries, event, name = lane.entries, lane.event, trouble.name
    labels = {"lane": entries.key}
    if intent is None:
        lane.out += alerts.resolve(entries, event, name, trouble.over, labels)
        return
    labels |= {
        "account": intent.account_id,
        "intent_id": intent.intent_id,
        "decision_id": intent.decision_id,
    }
    text = f"{_described(intent, why or intent.reason)}; {trouble.then}"
    lane.out += alerts.fire(entries, event, name, text, trouble.severity, labels, again=again)


def _described(intent: IntentEntry, why: str) -> str:
    leg = intent.leg
    what = f"{intent.kind} {intent.intent_id} of {intent.account_id}"
    amount_e18 = leg.amount_e18 or intent.granted_e18
    amount = f" of {text_e18(amount_e18)} {intent.ccy}" if amount_e18 else ""
    said = f": {why}" if why else ""
    return f"{what}: {leg.leg}#{leg.n}{amount} is {leg.state}{said}"
