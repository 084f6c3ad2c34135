"""Days and times as banks write them: within the years whose clock in New York is known, or
refused.

A time without a zone is New York's. Some systems write 0001-01-01 for a time they do not have.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from streams import newyork
from streams.step import Refused

LAST_YEAR = 2999
_EPOCH = date(1970, 1, 1).toordinal()
_START = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = newyork.day_number(newyork.FIRST_YEAR, 1, 1), newyork.day_number(LAST_YEAR, 12, 31)


def the_day(value: str | None, field: str) -> int:
    """The number of the date that a text begins with. Raises Refused: range."""
    try:
        day = date.fromisoformat((value or "")[:10]).toordinal() - _EPOCH
    except ValueError as why:
        raise Refused("range", field, value, "is no day") from why
    return _known(day, value, field)


def instant_ms(value: str | None, field: str) -> int:
    """Milliseconds. Raises Refused: range."""
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError as why:
        raise Refused("range", field, value, "is no time") from why
    if at.tzinfo is not None:
        at_ms = (at - _START) // timedelta(milliseconds=1)
        _known(
            (at_ms - newyork.DAY_MS) // newyork.DAY_MS, value, field
        )  # as late as it may be there
        return at_ms
    day = _known(at.date().toordinal() - _EPOCH, value, field)
    second = at.hour * 3600 + at.minute * 60 + at.second
    return newyork.at(day, second) + at.microsecond // 1000


def of_instant(at: datetime, field: str) -> int:
    """Milliseconds of a time with its zone. Raises Refused: range."""
    at_ms = (at - _START) // timedelta(milliseconds=1)
    _known(at_ms // newyork.DAY_MS - 1, at.isoformat(), field)  # there it may be the day before
    return at_ms


def _known(day: int, value: str | None, field: str) -> int:
    if _FIRST <= day <= _LAST:
        return day
    why = f"must lie between {newyork.FIRST_YEAR} and {LAST_YEAR}"
    raise Refused("range", field, value, why)
