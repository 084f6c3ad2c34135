"""Business days, as the Calendar records say that a partition has taken.

Nothing is guessed: a day of a year for which no record came is neither open nor closed.
"""

from __future__ import annotations

from functools import lru_cache

from streams.newyork import SATURDAY, day_number, weekday, year_of
from tables.partition import CalendarYear


class NoCalendar(LookupError):
    """No record tells the closed days of that year."""


class Calendar:
    """The business days of FED or SIFMA. Every method raises NoCalendar for an unknown year."""

    def __init__(self, name: str, years: tuple[CalendarYear, ...]) -> None:
        self.name = name
        mine = [one for one in years if one.calendar == name]
        self._years = frozenset(one.year for one in mine)
        self._closed = frozenset(day for one in mine for day in one.closed)
        self._following: dict[int, int] = {}

    def is_open(self, day: int) -> bool:
        """Whether it is a business day."""
        if year_of(day) not in self._years:
            raise NoCalendar(f"{self.name} {year_of(day)}")
        return weekday(day) < SATURDAY and day not in self._closed

    def begins(self) -> int:
        """The first business day of the first year that is known."""
        if not self._years:
            raise NoCalendar(self.name)
        return self.on_or_after(day_number(min(self._years), 1, 1))

    def on_or_after(self, day: int) -> int:
        """The day itself, or the next business day."""
        while not self.is_open(day):
            day += 1
        return day

    def after(self, day: int, count: int = 1) -> int:
        """The count-th business day after a day; 0 is the day itself."""
        for _ in range(count):
            following = self._following.get(day)
            if following is None:
                following = self._following[day] = self.on_or_after(day + 1)
            day = following
        return day


@lru_cache(maxsize=64)
def calendar(name: str, years: tuple[CalendarYear, ...]) -> Calendar:
    """The calendar of that name, from all that a partition knows."""
    return Calendar(name, years)
