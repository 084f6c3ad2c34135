"""What a bank's booked entries say of our own orders: moved, come back, returned, or moved twice.

An entry is ours by its end-to-end id alone; amounts prove nothing. The first sight of an order's
entry, and of its return, goes to the intents node as evidence: also where the order had ended
without effect, since then the bank's books contradict ours. A credit with the id of a placement is
its maturity from the day it matures on, unless the bank marks it as a reversal, and a return
before. One of less than half of what is expected is none of these (a fee under the payment's id may
be booked before it), nor is one of nothing. People are told of what only they can judge: a second
entry for one order, for which the bank may have paid twice, one of an order that ended without
effect, one of another amount than was confirmed, and a small part that moved or came back.

A bank that tells entries in two ways and gives no reference tells one movement under two. It is the
same one if amount, booking and value day are the same, this way has told no other, and at most one
reference is the bank's own: a movement that really comes twice is listed twice by one way, because
a day's statement lists all of it. In doubt it is a second entry.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.jsonform import iso_date
from schemas.money import text_e18
from schemas.records import AttemptRecord, BalanceEvent, BankEntry, Meta
from streams import alerts, orders
from streams.balances import DERIVED, E4_TO_E18
from streams.flows import booked
from streams.newyork import day_of
from streams.step import Emit, Entries, Event
from tables.cash import Order, Scheduled, Sight

RETURNED = "returned"
DOUBLE = "double_entry"
ENDED = "entry_of_ended"
OTHER = "entry_differs"
PART = "part_returned"
ENTRY = "entry:"
"""How the ids of evidence begin that is a booked entry."""
DOUBTED = 8
"""Further entries of one order that are remembered."""
CONTRADICTED = orders.WITHOUT_EFFECT - {orders.REVERSED}


def take(entries: Entries, event: Event, stamp: Meta) -> list[Any] | None:
    """Folds the booked entries of a message; None when they show nothing that was not known."""
    value: BalanceEvent = event.value
    found: list[list[Any]] = []
    for entry in booked(value):
        found += [[]] if _known(entries, entry) else []
        order = orders.find(entries, entry.end_to_end_id)
        said = None if order is None else _ours(entries, event, order, entry, stamp)
        found += [] if said is None else [said]
    return [output for said in found for output in said] if found else None


def _known(entries: Entries, entry: BankEntry) -> bool:
    """Whether a payment that was known before has happened now."""
    known: Scheduled | None = None
    if entry.end_to_end_id is not None:
        known = entries.get("scheduled", entry.end_to_end_id)
    if known is None or known.seen:
        return False
    entries.put("scheduled", replace(known, seen=True), str(entry.end_to_end_id))
    return True


def _ours(
    entries: Entries, event: Event, order: Order, entry: BankEntry, stamp: Meta
) -> list[Any] | None:
    """What an entry of an order is to be told with; None when it is known, or says nothing."""
    as_of_ms = event.value.as_of_ms
    if entry.amount_e4 == 0:
        return None
    if (entry.amount_e4 < 0) == (order.kind == orders.OUT):
        if order.seen_ms:
            return _seen_again(entries, event, order, entry)
        if _is_part(entry, order.amount_e18):
            text = f"of {text_e18(order.amount_e18)} USD only {_booked(entry)} are booked"
            return _fire(entries, event, order, OTHER, text) or None
        sight = Sight(event.value.source, entry.ref)
        seen = {"seen_ref": entry.ref, "seen_as": _said(entry), "sights": (sight,)}
        orders.put(entries, replace(order, seen_ms=as_of_ms, **seen))
        outputs = _first(entries, event, order, entry)
        if order.final and order.state not in CONTRADICTED:
            return outputs
        return [*outputs, _evidence(order, entry, stamp, event, "done")]
    if order.back_ms:
        return None
    at_term = _is_maturity(order, entry, as_of_ms)
    expected_e18 = order.left_e18 - order.taken_e18 if at_term else order.amount_e18
    if _is_part(entry, expected_e18):
        text = f"of {text_e18(expected_e18)} USD only {_booked(entry)} came back"
        return _fire(entries, event, order, PART, text) or None
    orders.put(entries, replace(order, back_ms=as_of_ms))
    if at_term:
        return _ended(entries, event, order, orders.MISSING, "has come back")
    text = f"the bank has returned it, {_booked(entry)}"
    return [
        *_fire(entries, event, order, RETURNED, text),
        _evidence(order, entry, stamp, event, "refused"),
    ]


def _seen_again(entries: Entries, event: Event, order: Order, entry: BankEntry) -> list[Any] | None:
    """What a further entry of an order is to be told with; None: it is the one that is known."""
    refs = {order.seen_ref, *(one.ref for one in order.sights)}
    if entry.ref in refs or entry.ref in order.doubted:
        return None
    source: str = event.value.source
    own = [ref for ref in (*refs, entry.ref) if not ref.startswith(DERIVED)]
    other_way = source not in {one.source for one in order.sights}
    if not other_way or len(own) > 1 or _said(entry) != order.seen_as:
        return _twice(entries, event, order, entry)
    orders.put(entries, replace(order, sights=(*order.sights, Sight(source, entry.ref))))
    return None


def _said(entry: BankEntry) -> str:
    """What two tellings of one movement have in common."""
    return f"{entry.amount_e4}|{entry.booking_date}|{entry.value_date}"


def _is_part(entry: BankEntry, expected_e18: int) -> bool:
    """Whether an entry is so small that it is something else under the same id: a fee."""
    return 2 * abs(entry.amount_e4) * E4_TO_E18 < expected_e18


def _is_maturity(order: Order, entry: BankEntry, as_of_ms: int) -> bool:
    """Whether money comes back by itself, and was not sent back."""
    day = day_of(as_of_ms) if entry.booking_date is None else entry.booking_date
    matures = order.matures_day
    at_term = matures is not None and day >= matures
    return order.kind == orders.OUT and at_term and not entry.reversal


def _first(entries: Entries, event: Event, order: Order, entry: BankEntry) -> list[Any]:
    """What people are told when an order's entry is seen for the first time."""
    outputs = _ended(entries, event, order, orders.MISSING, "is booked")
    booked_e18 = abs(entry.amount_e4) * E4_TO_E18
    if order.state in CONTRADICTED:
        text = f"it ended as {order.state}, but is booked, {_booked(entry)}"
        outputs += _fire(entries, event, order, ENDED, text, "critical")
    elif order.state == orders.CONFIRMED and booked_e18 != order.amount_e18:
        text = f"{text_e18(order.amount_e18)} USD are confirmed, booked {_booked(entry)}"
        outputs += _fire(entries, event, order, OTHER, text, again=True)
    elif booked_e18 == order.amount_e18:
        outputs += _ended(entries, event, order, OTHER, "is booked")
    return outputs


def _ended(entries: Entries, event: Event, order: Order, name: str, what: str) -> list[Any]:
    """The end of an alert of an order, if it is firing."""
    text = f"{orders.told(order, event.key)} {what}"
    labels = orders.labels(order, event.key)
    return alerts.resolve(entries, event, f"{name}:{order.intent_id}", text, labels)


def _twice(entries: Entries, event: Event, order: Order, entry: BankEntry) -> list[Any]:
    """Each reference is told once: the one before may have been no payment, and this one be."""
    orders.put(entries, replace(order, doubted=(*order.doubted, entry.ref)[-DOUBTED:]))
    text = f"it is booked as {order.seen_ref}, and again {_booked(entry)}"
    return _fire(entries, event, order, DOUBLE, text, "critical", again=True)


def _fire(
    entries: Entries,
    event: Event,
    order: Order,
    name: str,
    text: str,
    severity: str = "warning",
    *,
    again: bool = False,
) -> list[Any]:
    """An alert of an order; it says of which, and the account."""
    said = f"{orders.told(order, event.key)}: {text}"
    labels = orders.labels(order, event.key)
    name = f"{name}:{order.intent_id}"
    return alerts.fire(entries, event, name, said, severity, labels, again=again)


def _booked(entry: BankEntry) -> str:
    """An entry in words for people."""
    amount = f"{text_e18(abs(entry.amount_e4) * E4_TO_E18)} USD"
    day = "" if entry.booking_date is None else f" on {iso_date(entry.booking_date)}"
    return f"{amount}{day} as {entry.ref}"


def _evidence(order: Order, entry: BankEntry, stamp: Meta, event: Event, class_: str) -> Emit:
    """The entry as the intents node takes it: proof of effect, or of its return."""
    record = AttemptRecord(
        meta=stamp,
        attempt_id=f"{ENTRY}{entry.ref}",
        intent_id=order.intent_id,
        leg="only",
        n=1,
        kind="EVIDENCE",
        class_=class_,
        venue_ref=entry.ref,
        amount_done_e18=abs(entry.amount_e4) * E4_TO_E18,
        facts={"source": "statement", "msg_id": event.value.msg_id},
        code=RETURNED if class_ == "refused" else None,
        at_ms=event.timestamp_ms,
    )
    return Emit("treasury.attempts.v1", record, key=f"bank|{event.key}|USD")
