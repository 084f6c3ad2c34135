"""New York's date and time of day at an instant, and the instant of a time of day there.

The rule is arithmetic: since 2007 summer time is from the second Sunday of March, 2:00, to the
first Sunday of November, 2:00. The zone data of a machine would be an input that stands on no log:
two machines with different data would decide differently. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

DAY_S = 86_400
DAY_MS = 1000 * DAY_S
FIRST_YEAR = 2007
_EPOCH = date(1970, 1, 1).toordinal()
_WINTER_S, _SUMMER_S = -5 * 3_600, -4 * 3_600
MONDAY, TUESDAY, THURSDAY, SATURDAY, SUNDAY = 0, 1, 3, 5, 6


def day_of(at_ms: int) -> int:
    """The date in New York."""
    return _local_s(at_ms) // DAY_S


def second_of(at_ms: int) -> int:
    """The seconds of that date that have passed on the clock there."""
    return _local_s(at_ms) % DAY_S


def at(day: int, second: int) -> int:
    """The instant (ms) at which the clock there first shows this; within the hour that is left
    out in March, as if the clock had not been set yet.
    """
    local_s = day * DAY_S + second
    start_s, end_s = _summer(year_of(day))
    summer = start_s <= local_s - _WINTER_S and local_s - _SUMMER_S < end_s
    return 1000 * (local_s - (_SUMMER_S if summer else _WINTER_S))


def weekday(day: int) -> int:
    """0 is Monday."""
    return (day + 3) % 7


@lru_cache(maxsize=1024)
def year_of(day: int) -> int:
    """The year of a date."""
    return date.fromordinal(day + _EPOCH).year


def day_number(year: int, month: int, day: int) -> int:
    """The number of a date."""
    return date(year, month, day).toordinal() - _EPOCH


def nth(year: int, month: int, wanted: int, n: int) -> int:
    """The n-th weekday of a month: nth(2026, 11, THURSDAY, 4)."""
    first = day_number(year, month, 1)
    return first + (wanted - weekday(first)) % 7 + 7 * (n - 1)


def _local_s(at_ms: int) -> int:
    at_s = at_ms // 1000
    start_s, end_s = _summer(year_of((at_s + _WINTER_S) // DAY_S))
    return at_s + (_SUMMER_S if start_s <= at_s < end_s else _WINTER_S)


@lru_cache(maxsize=256)
def _summer(year: int) -> tuple[int, int]:
    """When summer time of a year begins and ends, in seconds since the epoch."""
    if year < FIRST_YEAR:
        raise ValueError(f"the rule of New York's time is known from {FIRST_YEAR} on, not {year}")
    start_s = nth(year, 3, SUNDAY, 2) * DAY_S + 2 * 3_600 - _WINTER_S
    end_s = nth(year, 11, SUNDAY, 1) * DAY_S + 2 * 3_600 - _SUMMER_S
    return start_s, end_s
