"""How much of a daily limit is used: by UTC day, and over the 24 hours before an opening.

Dollars times 10^18. A hold counts from its opening, the event time of its proposal: one of the last
moment of a day belongs to that day. What is long past (a statement of last week, a backlog) opens
when the gate sees it, because its money goes out now. The rolling window never goes back: a
proposal with an older event time opens at the latest opening known, so that no 24 hours anywhere
exceed the limit by one unit. Both sums are kept at all times; so a policy may change the window,
and the first proposal under it is judged by what really went out.

Openings are a chain from the oldest in the window to the newest; what falls out of it is cut off at
the next grant, so a proposal costs the same on any day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from streams.step import Entries, Event, InvariantBroken
from tables.gate import Hold, Opening, Rolling, Used

WINDOW_MS = 24 * 3600 * 1000
LATE_MAX_MS = 60_000
"""Between a proposal's event time and the gate's node time, for the event time to count."""
_UNUSED = Used()
_EMPTY = Rolling()


def counted_ms(event: Event) -> int:
    """The time at which a proposal counts against the limits."""
    late = event.at_ms - event.timestamp_ms > LATE_MAX_MS
    return event.at_ms if late else event.timestamp_ms


def day_of(time_ms: int) -> str:
    """The UTC day of an event, in whole days since 1970 so that no binary float is near."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).date().isoformat()


def opening_ms(entries: Entries, class_: str, time_ms: int) -> int:
    """When a hold that counts from this time opens: never before the last one of its class."""
    return max(time_ms, _rolling(entries, class_).newest_ms)


def used(entries: Entries, class_: str, time_ms: int, window: str) -> Used:
    """What counts against the daily limit of a class for a proposal that counts at this time."""
    if window == "utc_day":
        return _day(entries, f"{class_}|{day_of(time_ms)}")
    rolling = _within(entries, class_, opening_ms(entries, class_, time_ms))
    return Used(rolling.confirmed_usd_e18, rolling.held_usd_e18)


def opened(entries: Entries, hold: Hold) -> None:
    """Counts a new hold in its day and in the window."""
    _add_to_day(entries, hold, 0, hold.held_usd_e18)
    rolling = _within(entries, hold.class_, hold.opened_ms, cut=True)
    opening: Opening | None = entries.get("openings", _name(hold.class_, hold.opened_ms))
    if opening is None:
        opening = Opening()
        oldest_ms = rolling.oldest_ms
        if oldest_ms is None:
            oldest_ms = hold.opened_ms
        else:
            name = _name(hold.class_, rolling.newest_ms)
            last = _opening(entries, name)
            entries.put("openings", replace(last, next_ms=hold.opened_ms), name)
        rolling = replace(rolling, oldest_ms=oldest_ms, newest_ms=hold.opened_ms)
    _put(entries, hold, rolling, opening, 0, hold.held_usd_e18)


def changed(entries: Entries, hold: Hold, confirmed_usd_e18: int, held_usd_e18: int) -> None:
    """Counts what became of a hold; one that has left the window changes nothing there."""
    _add_to_day(entries, hold, confirmed_usd_e18, held_usd_e18)
    opening: Opening | None = entries.get("openings", _name(hold.class_, hold.opened_ms))
    if opening is not None:
        rolling = _rolling(entries, hold.class_)
        _put(entries, hold, rolling, opening, confirmed_usd_e18, held_usd_e18)


def _add_to_day(entries: Entries, hold: Hold, confirmed_usd_e18: int, held_usd_e18: int) -> None:
    rest = f"{hold.class_}|{hold.day}"
    old = _day(entries, rest)
    new = Used(old.confirmed_usd_e18 + confirmed_usd_e18, old.held_usd_e18 + held_usd_e18)
    entries.put("used", new, rest)


def _put(
    entries: Entries,
    hold: Hold,
    rolling: Rolling,
    opening: Opening,
    confirmed_usd_e18: int,
    held_usd_e18: int,
) -> None:
    entries.put(
        "openings",
        replace(
            opening,
            confirmed_usd_e18=opening.confirmed_usd_e18 + confirmed_usd_e18,
            held_usd_e18=opening.held_usd_e18 + held_usd_e18,
        ),
        _name(hold.class_, hold.opened_ms),
    )
    entries.put(
        "rolling",
        replace(
            rolling,
            confirmed_usd_e18=rolling.confirmed_usd_e18 + confirmed_usd_e18,
            held_usd_e18=rolling.held_usd_e18 + held_usd_e18,
        ),
        hold.class_,
    )


def _within(entries: Entries, class_: str, now_ms: int, cut: bool = False) -> Rolling:
    """The window that ends at this opening; what opened 24 hours before it or earlier is out.

    Only a grant cuts off what is out: a proposal that is refused must not move the window, or one
    with an older event time would find it emptied.
    """
    rolling = _rolling(entries, class_)
    while rolling.oldest_ms is not None and rolling.oldest_ms <= now_ms - WINDOW_MS:
        name = _name(class_, rolling.oldest_ms)
        opening = _opening(entries, name)
        if cut:
            entries.delete("openings", name)
        rolling = Rolling(
            oldest_ms=opening.next_ms,
            newest_ms=rolling.newest_ms,
            confirmed_usd_e18=rolling.confirmed_usd_e18 - opening.confirmed_usd_e18,
            held_usd_e18=rolling.held_usd_e18 - opening.held_usd_e18,
        )
    return rolling


def _opening(entries: Entries, name: str) -> Opening:
    found: Opening | None = entries.get("openings", name)
    if found is None:
        raise InvariantBroken(f"opening {name} is in the chain but not in the table")
    return found


def _rolling(entries: Entries, class_: str) -> Rolling:
    return entries.get("rolling", class_) or _EMPTY


def _day(entries: Entries, rest: str) -> Used:
    return entries.get("used", rest) or _UNUSED


def _name(class_: str, opened_ms: int) -> str:
    return f"{class_}|{opened_ms:016d}"
