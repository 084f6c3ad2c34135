"""Before which cut-off an order must be sent, on which day its money moves, and when that comes
back.

A cut-off is an instant of every UTC day; an order is made for the first one that is still more than
`lead_s` away. Its value date is the New York date of the cut-off if the product trades that day and
the cut-off is before the product's own, else the next business day; products that settle later
count business days from there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from schemas.policy_cash import Product, Sweep, seconds
from streams.calendar import Calendar
from streams.newyork import DAY_MS, DAY_S, THURSDAY, TUESDAY, day_of, second_of, weekday

WIRE_CLOSES_S = 18 * 3_600 + 45 * 60
"""Until when customers' wires go out the same day, New York (Fedwire Funds)."""


def next_ms(at_ms: int, sweep: Sweep) -> int:
    """The first cut-off strictly later than now and the lead."""
    clocks = _seconds(sweep.cutoffs_utc)
    ready_ms = at_ms + sweep.lead_s * 1000
    day = ready_ms // DAY_MS
    while True:
        for second in clocks:
            cutoff_ms = 1000 * (day * DAY_S + second)
            if ready_ms < cutoff_ms:
                return cutoff_ms
        day += 1


def wire_day(cutoff_ms: int, fed: Calendar) -> int:
    """The business day on which money sent by wire at a cut-off moves."""
    return _trading_day(cutoff_ms, WIRE_CLOSES_S, fed)


def value_day(cutoff_ms: int, product: Product, calendar: Calendar) -> int:
    """The day on which the money of an order for this product moves."""
    traded = _trading_day(cutoff_ms, seconds(product.closes), calendar)
    return calendar.after(traded, product.settle_days)


class Auction(NamedTuple):
    """An auction of bills: when bids are taken, and when the bills are paid."""

    day: int
    value_day: int
    is_next: bool
    """Whether an order for the cut-off is traded on that day."""


def auction(cutoff_ms: int, product: Product, calendar: Calendar) -> Auction:
    """The next auction: on Thursdays, paid the Tuesday after; a holiday moves either to the next
    business day.
    """
    day = _trading_day(cutoff_ms, seconds(product.closes), calendar)
    thursday = day + (THURSDAY - weekday(day)) % 7
    previous = calendar.on_or_after(thursday - 7)
    if day <= previous:
        thursday -= 7  # held later that week
    held = calendar.on_or_after(thursday)
    return Auction(held, calendar.on_or_after(thursday + (TUESDAY - THURSDAY) % 7), held == day)


def matures_day(value_day: int, product: Product, calendar: Calendar) -> int | None:
    """The day on which the money comes back by itself; None: never."""
    if product.matures == "next_day":
        return calendar.after(value_day)
    last = value_day + product.term_days
    if product.matures == "tuesday":
        return calendar.on_or_after(last - (weekday(last) - TUESDAY) % 7)
    return calendar.on_or_after(last) if product.matures == "term" else None


@lru_cache(maxsize=64)
def _seconds(clocks: tuple[str, ...]) -> tuple[int, ...]:
    """Times of day in seconds, the earliest first."""
    return tuple(sorted(map(seconds, clocks)))


def _trading_day(cutoff_ms: int, closes_s: int, calendar: Calendar) -> int:
    day = day_of(cutoff_ms)
    if calendar.is_open(day) and second_of(cutoff_ms) < closes_s:
        return day
    return calendar.after(day)
