"""The closed days of a year by rule: what is published as Calendar records, which people may
replace.

FED (Federal Reserve, payments): the federal holidays; one on a Sunday is kept on Monday, one on a
Saturday is not moved. SIFMA (government bonds, its recommended closes): the same days, but
Independence Day, Juneteenth and Christmas on a Saturday close the Friday before, and Good Friday
is closed unless the employment report comes out that day (the first Friday of April: an early
close only). Sources: federalreserve.gov holiday schedule, sifma.org holiday recommendations.
"""

from __future__ import annotations

from streams.newyork import MONDAY, SATURDAY, SUNDAY, THURSDAY, day_number, nth, weekday

FED, SIFMA = "FED", "SIFMA"
CALENDARS = (FED, SIFMA)
FIRST_YEAR = 2022
"""Juneteenth is kept since then, so earlier years have another rule."""


def closed(calendar: str, year: int) -> tuple[int, ...]:
    """The closed days of one calendar year besides Saturdays and Sundays, in order."""
    if calendar not in CALENDARS or year < FIRST_YEAR:
        raise ValueError(f"no rule for {calendar} {year}: {CALENDARS} from {FIRST_YEAR} on")
    new_year, juneteenth, independence, veterans, christmas = (
        day_number(year, month, day) for month, day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
    )
    memorial = nth(year, 6, MONDAY, 1) - 7
    days = {
        new_year,
        nth(year, 1, MONDAY, 3),  # Martin Luther King
        nth(year, 2, MONDAY, 3),  # Washington
        memorial,
        juneteenth,
        independence,
        nth(year, 9, MONDAY, 1),  # Labor
        nth(year, 10, MONDAY, 2),  # Columbus
        veterans,
        nth(year, 11, THURSDAY, 4),  # Thanksgiving
        christmas,
    }
    early: set[int] = set()
    if calendar == SIFMA:
        early = {juneteenth, independence, christmas}
        good_friday = _easter(year) - 2
        if good_friday >= day_number(year, 4, 8) or good_friday < day_number(year, 4, 1):
            days.add(good_friday)
    return tuple(sorted({_kept(day, day in early) for day in days} - _weekends(days)))


def _kept(day: int, early: bool) -> int:
    if weekday(day) == SUNDAY:
        return day + 1
    return day - 1 if early and weekday(day) == SATURDAY else day


def _weekends(days: set[int]) -> set[int]:
    return {day for day in days if weekday(day) >= SATURDAY}


def _easter(year: int) -> int:
    """Easter Sunday (Meeus, Jones, Butcher: Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return day_number(year, month, day + 1)
