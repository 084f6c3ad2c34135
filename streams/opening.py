"""Positions that did not begin with rows we saw: how they enter the book, and how it shows that
some are missing.

A Correction of kind OPENING sets size and cost and leaves realised profit as it is. While a
contract's size in the book is not the one the venue shows, the account carries the mark
`position:SYMBOL|LEG` and allocates nothing; the mark goes when a snapshot agrees again. Spot
holdings come and go without executions, so wallets are not compared, nor are the positions of an
account whose rows are closed trades.
"""

from __future__ import annotations

from typing import Any

from schemas.money import E18
from schemas.records import AccountSnapshot, Correction
from streams import freeze, journal, lots, trades
from streams.contract import CONTRACTS
from streams.fills import FLAT, LARGEST_E18, Result, fold
from streams.rows import CLOSED_TRADE, LONG, SHORT
from streams.step import Emit, Entries, Event, InForce, Refused, meta
from tables.book import Feed
from tables.corrections import Compared, Corrected
from tables.journal import At
from tables.position import Position

CAUSE = "correction"
WINDOW_MS = 2000


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The position that an OPENING sets, and the trade that begins with it."""
    correction: Correction = event.value
    if repeated(entries, event):
        return []
    at = place(event)
    old: Position = entries.get("positions", at.place) or FLAT
    new = position(at, old, correction, event.timestamp_ms)
    entries.put("positions", new, at.place)
    reset(entries, at.place, new)
    stamp = meta(event, in_force, f"correction:{correction.correction_id}")
    result = Result(CAUSE)
    return [
        Emit("treasury.positions.v1", trades.placed(at, new, stamp)),
        *trades.changed(at, old, new, result, stamp),
    ]


def reset(entries: Entries, place: str, position: Position) -> None:
    """No tail of rows reaches back across a correction, and what is held now is one lot."""
    journal.reset(entries, place, position)
    lots.reset(entries, place)


def repeated(entries: Entries, event: Event) -> bool:
    """Whether a correction was taken before; else it is from now on."""
    correction: Correction = event.value
    if entries.get("corrected", correction.correction_id) is not None:
        return True
    entries.put("corrected", Corrected(event.timestamp_ms), correction.correction_id)
    return False


def place(event: Event) -> trades.At:
    """What a correction speaks of. Raises Refused where it does not say."""
    correction: Correction = event.value
    category, symbol = correction.category or "linear", correction.symbol
    if category not in CONTRACTS:
        raise Refused("category", "category", category, "neither linear, inverse nor spot")
    if not symbol:
        raise Refused("missing", "symbol", symbol, "a correction names its instrument")
    idx = correction.position_idx or 0
    if idx not in (0, LONG, SHORT):
        raise Refused("range", "position_idx", idx, "must be 0, 1 or 2")
    multiplier = E18 if correction.multiplier_e18 is None else correction.multiplier_e18
    if multiplier <= 0:
        raise Refused("range", "multiplier", multiplier, "must be above 0")
    ccy = correction.settle_ccy or ""
    return trades.At(event.key, category, symbol, idx, ccy, multiplier, event.timestamp_ms)


def position(at: trades.At, old: Position, correction: Correction, at_ms: int) -> Position:
    """The position a correction wants. One that only changes size keeps its trade."""
    size, price = correction.size_e18, correction.entry_price_e18 or 0
    if size is None:
        raise Refused("missing", "size", size, "a correction says the size")
    if size and price <= 0:
        raise Refused("range", "entry_price", price, "must be above 0")
    if (at.idx == LONG and size < 0) or (at.idx == SHORT and size > 0):
        raise Refused("range", "size", size, f"leg {at.idx} holds the other side")
    if size == 0:
        return Position(0, 0, 0, old.realised_e18, max(old.changed_ms, at_ms))
    cost = CONTRACTS[at.category].value_e18(abs(size), price, at.multiplier_e18)
    if abs(size) + cost > LARGEST_E18:
        raise Refused("overflow", "size", size, "size times price is out of range")
    goes_on = old.qty_e18 * size > 0
    trade = old if goes_on else FLAT
    return Position(
        size,
        cost,
        trade.open_fees_e18,
        old.realised_e18,
        max(old.changed_ms, at_ms),
        old.opened_by if goes_on else correction.correction_id,
        old.opened_ms if goes_on else at_ms,
        abs(size),
        cost,
        trade.gross_e18,
        trade.fees_e18,
        trade.funding_e18,
    )


def compare(entries: Entries, event: Event) -> None:
    """Marks the positions that the last snapshot showed and the book never had around its time, and
    frees those that it had.

    A snapshot is compared when the next one comes: by then the book knows the rows of that time,
    which travel on another way. While an account trades, "around" is any moment of WINDOW_MS.
    """
    snapshot: AccountSnapshot = event.value
    last: Compared | None = entries.get("compared")
    feed: Feed | None = entries.get("feed")
    if feed is not None and feed.kind == CLOSED_TRADE:
        return
    if last is not None and snapshot.as_of_ms <= last.as_of_ms:
        return
    shown = {f"{row.symbol}|{row.idx}": row.size_e18 for row in snapshot.positions}
    entries.put("compared", Compared(snapshot.as_of_ms, shown))
    if last is None:
        return
    differ = {name for name, size in last.sizes_e18.items() if size}
    for place, _ in entries.range("positions"):
        category, _, name = place.partition("|")
        if category == "spot":
            continue
        if _had(entries, place, last.sizes_e18.get(name, 0), last.as_of_ms):
            differ.discard(name)
        else:
            differ.add(name)
    freeze.replaced(entries, freeze.POSITION, differ)


def _had(entries: Entries, place: str, size_e18: int, at_ms: int) -> bool:
    """Whether the position had this size at some moment around a time."""
    rows = journal.head(entries, place)
    number = journal.first_after(entries, place, rows, At(at_ms - WINDOW_MS, 0, ""))
    held = journal.before(entries, place, rows, number)
    while held.qty_e18 != size_e18 and number < rows.next:
        booked = journal.nth(entries, place, number)
        if booked.at.time_ms > at_ms + WINDOW_MS:
            return False
        held, _ = fold(held, journal.row_of(booked, entries.key))
        number += 1
    return held.qty_e18 == size_e18
