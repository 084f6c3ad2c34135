"""Our own movements on a bank account: what they still take or bring, and what is placed.

An order reserves its amount from the proposal on, lowers it to what is granted and then done, and
frees it when it ends without effect. A confirmed one stays pending until the bank shows its entry
and a balance not older than that. What was placed stays until it is brought back, matures or is
returned. UNKNOWN and PARKED keep everything: nobody knows.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from schemas.records import IntentOutcome
from streams.newyork import at
from streams.step import Entries, Event, InvariantBroken, Refused
from tables.cash import Active, Balance, Order, Take

OUT, BACK = "SWEEP", "REVERSE_SWEEP"
MISSING = "entry_missing"
"""The alert for an entry that the bank should show and does not."""
CONFIRMED, REVERSED = "CONFIRMED", "REVERSED"
WITHOUT_EFFECT = frozenset({"REFUSED", "REJECTED", "VOID", "EXPIRED", REVERSED})
FINAL = WITHOUT_EFFECT | {CONFIRMED}
WAITING = frozenset({"AWAITING", "READY", "HELD"})
"""The gate has granted it and nothing has gone out. A proposal that the gate has not answered is
none of these: whoever takes it back must not overtake it.
"""
_NONE = Active()


class Pending(NamedTuple):
    """Our movements that no balance shows yet, in US dollars; `later` are those of both that move
    on a day to come: (day, amount), what goes out above 0. `unsure` are those of both that the
    balance may count already though no entry shows them: see `streams.doubt`.
    """

    out_e18: int
    in_e18: int
    later: tuple[tuple[int, int], ...] = ()
    unsure: tuple[tuple[int, int], ...] = ()

    def after_e18(self, day: int) -> int:
        """What goes out only after a day, less what comes in only then."""
        return sum(amount for moves, amount in self.later if moves > day)

    def unsure_e18(self, day: int) -> int:
        """What goes out until a day and may have left the balance already, less what comes in until
        then and may be in it.
        """
        return sum(amount for moves, amount in self.unsure if moves <= day)

    def to_come_e18(self) -> int:
        """What comes in and no balance has, shown or not."""
        return self.in_e18 + sum(amount for _, amount in self.unsure if amount < 0)


def told(order: Order, account_id: str) -> str:
    """An order in words for people."""
    return f"{order.kind} {order.intent_id} of {account_id}"


def labels(order: Order, account_id: str) -> dict[str, str]:
    """What an alert of an order is labelled with."""
    return {
        "account": account_id,
        "intent_id": order.intent_id,
        "decision_id": order.decision_id,
    }


class Unsent(NamedTuple):
    """An order that has not gone out, with what it may move at most, and reserves."""

    order: str
    amount_e18: int
    product: str
    value_day: int


def key_of(intent_id: str) -> str:
    """The id as 32 hex digits: what the bank gets as end-to-end id."""
    return intent_id.replace("-", "").lower()


def find(entries: Entries, end_to_end_id: str | None) -> Order | None:
    """The order an end-to-end id names."""
    if end_to_end_id is None:
        return None
    order: Order | None = entries.get("orders", key_of(end_to_end_id))
    return order


def with_effect(entries: Entries, key: str) -> Order | None:
    """The order of a key, if it moved money or still may."""
    order: Order | None = entries.get("orders", key) if key else None
    return None if order is None or order.state in WITHOUT_EFFECT else order


def unsent(order: Order | None, at_ms: int) -> Unsent | None:
    """An order to place money that still waits to go out, and that nobody has taken back."""
    if order is None or order.kind != OUT or order.state not in WAITING:
        return None
    if order.withdrawn_ms or order.seen_ms or 0 < order.deadline_ms <= at_ms:
        return None
    return Unsent(order.intent_id, order.amount_e18, order.product, order.value_day)


def take_back(entries: Entries, intent_id: str, at_ms: int) -> None:
    """Notes that an order was taken back, so that it is said once."""
    put(entries, replace(_get(entries, key_of(intent_id)), withdrawn_ms=at_ms))


def had_any(entries: Entries) -> bool:
    """Whether the account ever had an order."""
    return entries.get("active") is not None


def active(entries: Entries) -> list[Order]:
    """The orders that still move or hold money, oldest first."""
    listed: Active = entries.get("active") or _NONE
    return [_get(entries, key) for key in listed.keys]


def add(entries: Entries, order: Order) -> None:
    """A new order, with what it brings back reserved at its placements."""
    listed: Active = entries.get("active") or _NONE
    entries.put("active", Active((*listed.keys, key_of(order.intent_id))))
    put(entries, order)
    for take in order.takes:
        placed = _get(entries, take.placement)
        put(entries, replace(placed, taken_e18=placed.taken_e18 + take.amount_e18))


def outcome(entries: Entries, event: Event) -> Order | None:
    """Folds what became of an order; None when that was known."""
    value: IntentOutcome = event.value
    old: Order | None = entries.get("orders", key_of(value.intent_id))
    if old is None or old.intent_id != value.intent_id:
        raise Refused("unknown_intent", "intent_id", value.intent_id, "no order of this account")
    ended = old.final and not (old.state == CONFIRMED and value.state == REVERSED)
    amount_e18 = _amount_e18(old, value)
    if ended or (old.state, old.amount_e18) == (value.state, amount_e18):
        return None
    new = replace(
        old,
        state=value.state,
        final=value.state in FINAL,
        amount_e18=amount_e18,
        reason=value.reason or "",
    )
    if value.state == CONFIRMED:
        new = replace(new, confirmed_ms=event.at_ms)
    new = _placed(new) if old.kind == OUT else replace(new, takes=_bring_back(entries, old, new))
    put(entries, new)
    return new


def pending(orders: list[Order], balance: Balance | None, today: int) -> Pending:
    """What our orders take from, and bring to, the balance that counts."""
    as_of_ms = -1 if balance is None else balance.as_of_ms
    out_e18 = in_e18 = 0
    later, unsure = [], []
    for order in orders:
        if order.state not in WITHOUT_EFFECT and not shown(order.seen_ms, as_of_ms):
            if order.kind == OUT:
                out_e18 += order.amount_e18
            else:
                in_e18 += order.amount_e18
            if order.value_day > today:
                sign = 1 if order.kind == OUT else -1
                later.append((order.value_day, sign * order.amount_e18))
            held = order.state == CONFIRMED and as_of_ms <= order.confirmed_ms
            if order.kind == OUT and (held or order.felt_ms):
                unsure.append((order.value_day, order.amount_e18))
        if has_matured(order, today) and not shown(order.back_ms, as_of_ms):
            comes_e18 = order.left_e18 - order.taken_e18
            in_e18 += comes_e18
            if order.risen_ms and order.matures_day is not None:
                unsure.append((order.matures_day, -comes_e18))
    return Pending(out_e18, in_e18, tuple(later), tuple(unsure))


def shown(seen_ms: int, as_of_ms: int) -> bool:
    """Whether a balance counts an entry: it is not older than the report with the entry."""
    return 0 < seen_ms <= as_of_ms


def has_matured(order: Order, today: int) -> bool:
    """Whether a placement comes back today, or should have."""
    return order.matures_day is not None and order.left_e18 > 0 and order.matures_day <= today


def overdue_ms(order: Order, today: int) -> int | None:
    """From when on people must ask the bank for an entry that should be there: a day after the end
    of the day on which the money moved; None: nothing is missing.
    """
    if order.state != CONFIRMED:
        return None
    if order.seen_ms == 0:
        return max(order.confirmed_ms + 86_400_000, at(order.value_day + 2, 0))
    if has_matured(order, today) and order.back_ms == 0 and order.matures_day is not None:
        return at(order.matures_day + 2, 0)
    return None


def settle(entries: Entries, balance: Balance | None) -> list[Order]:
    """The active orders, after those were let go that nothing is to be expected of."""
    as_of_ms = -1 if balance is None else balance.as_of_ms
    known = active(entries)
    kept = [order for order in known if not _is_over(order, as_of_ms)]
    if len(kept) != len(known):
        entries.put("active", Active(tuple(key_of(order.intent_id) for order in kept)))
    return kept


def put(entries: Entries, order: Order) -> None:
    """Writes an order that has changed."""
    entries.put("orders", order, key_of(order.intent_id))


def _get(entries: Entries, key: str) -> Order:
    order: Order | None = entries.get("orders", key)
    if order is None:
        raise InvariantBroken(f"order {key} is named, but is not there")
    return order


def _amount_e18(old: Order, value: IntentOutcome) -> int:
    if value.state == CONFIRMED:
        return value.amount_done_e18
    if value.state in WITHOUT_EFFECT:
        return 0
    return min(old.amount_e18, value.granted_e18) if value.granted_e18 > 0 else old.amount_e18


def _placed(order: Order) -> Order:
    """What a placement holds from now on."""
    if order.state == CONFIRMED:
        return replace(order, left_e18=order.amount_e18)
    return replace(order, left_e18=0) if order.state == REVERSED else order


def _bring_back(entries: Entries, old: Order, new: Order) -> tuple[Take, ...]:
    """Moves the placements by what an order to bring back has become; its takes, cut to that."""
    cut, left_e18 = [], new.amount_e18
    undone = old.state == CONFIRMED
    for take in old.takes:
        now_e18 = min(take.amount_e18, left_e18)
        left_e18 -= now_e18
        cut.append(Take(take.placement, now_e18))
        placed = _get(entries, take.placement)
        if undone:
            placed = replace(placed, left_e18=placed.left_e18 + take.amount_e18)
        elif new.state == CONFIRMED:
            placed = replace(
                placed,
                taken_e18=placed.taken_e18 - take.amount_e18,
                left_e18=max(0, placed.left_e18 - now_e18),
            )
        else:
            placed = replace(placed, taken_e18=placed.taken_e18 - take.amount_e18 + now_e18)
        put(entries, placed)
        _list(entries, take.placement)
    return tuple(cut)


def _list(entries: Entries, key: str) -> None:
    """A placement that holds money again is looked at again."""
    listed: Active = entries.get("active") or _NONE
    if key not in listed.keys:
        entries.put("active", Active((*listed.keys, key)))


def _is_over(order: Order, as_of_ms: int) -> bool:
    if order.state in WITHOUT_EFFECT:
        return order.taken_e18 == 0
    if order.state != CONFIRMED or not shown(order.seen_ms, as_of_ms) or order.taken_e18 > 0:
        return False
    return order.kind == BACK or order.left_e18 == 0 or shown(order.back_ms, as_of_ms)
