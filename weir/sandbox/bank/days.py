"""The bank's days: New York's date and time of day, and the days on which payments are made.

Summer time lasts from the second Sunday of March to the first Sunday of November, each at 2:00.
The closed days are the federal holidays: one on a Sunday is kept on Monday, one on a Saturday is
not moved.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

__all__ = ["Days", "instant_ms", "local", "utc_text"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: UTC or New York as said


def local(at_ms: int) -> datetime:
    """What the clock in New York shows (without a zone)."""
    utc = _EPOCH + timedelta(milliseconds=at_ms)
    winter = utc - 5 * HOUR
    starts, ends = _summer(winter.year)
    return utc - 4 * HOUR if starts <= winter < ends - HOUR else winter


def instant_ms(day: date, clock: time) -> int:
    """When the clock in New York shows this for the first time."""
    shown = datetime.combine(day, clock)
    starts, ends = _summer(day.year)
    utc = shown + (4 * HOUR if starts <= shown < ends else 5 * HOUR)
    return (utc - _EPOCH) // timedelta(milliseconds=1)


def utc_text(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


class Days:
    """Which days the bank is open, and until when it takes payments for today."""

    def __init__(self, cutoff: time = time(18, 45), *, round_the_clock: bool = False) -> None:
        self._cutoff, self._always = cutoff, round_the_clock

    def is_open(self, day: date) -> bool:
        """Whether payments are made that day."""
        return self._always or (day.weekday() < SATURDAY and day not in closed(day.year))

    def on_or_after(self, day: date) -> date:
        """The first open day from this one on."""
        while not self.is_open(day):
            day += DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The open day so many open days later."""
        for _ in range(count):
            day = self.on_or_after(day + DAY)
        return day

    def takes_for(self, day: date, at_ms: int) -> bool:
        """Whether a payment for this day is still taken."""
        now = local(at_ms)
        late = now.time() >= self._cutoff and not self._always
        return day > now.date() or (day == now.date() and not (late and self.is_open(day)))


@lru_cache(maxsize=256)
def closed(year: int) -> frozenset[date]:
    """The federal holidays as the payment system keeps them."""
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4)]
    fixed += [date(year, 11, 11), date(year, 12, 25)]
    days = {day + DAY if day.weekday() == SUNDAY else day for day in fixed}
    for month, weekday, n in ((1, MONDAY, 3), (2, MONDAY, 3), (9, MONDAY, 1), (10, MONDAY, 2)):
        days.add(_nth(year, month, weekday, n))
    return frozenset(days | {_nth(year, 6, MONDAY, 1) - 7 * DAY, _nth(year, 11, THURSDAY, 4)})


@lru_cache(maxsize=256)
def _summer(year: int) -> tuple[datetime, datetime]:
    """When the clock is set, by the clock that is in force until then."""
    two = time(2)
    starts = datetime.combine(_nth(year, 3, SUNDAY, 2), two)
    return starts, datetime.combine(_nth(year, 11, SUNDAY, 1), two)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))
