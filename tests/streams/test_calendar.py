"""Business days and New York's clock, against other people's tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from streams.calendar import Calendar, NoCalendar
from streams.holidays import CALENDARS, FED, SIFMA, closed
from streams.newyork import at, day_number, day_of, second_of, weekday, year_of
from tables.partition import CalendarYear
from tests.streams.cash_world import CashWorld

EPOCH = date(1970, 1, 1)
NEW_YORK = ZoneInfo("America/New_York")
ORACLES = {
    FED: ql.UnitedStates(ql.UnitedStates.FederalReserve),
    SIFMA: ql.UnitedStates(ql.UnitedStates.GovernmentBond),
}
KNOWN = tuple(
    CalendarYear(name, year, closed(name, year)) for name in CALENDARS for year in range(2022, 2031)
)


def number(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


@pytest.mark.parametrize("name", CALENDARS)
def test_every_day_of_2024_to_2030_is_as_quantlib_has_it(name: str) -> None:
    calendar = Calendar(name, KNOWN)
    first, last = day_number(2024, 1, 1), day_number(2031, 1, 1)
    wrong = []
    for day in range(first, last):
        one = EPOCH + timedelta(day)
        theirs = ORACLES[name].isBusinessDay(ql.Date(one.day, one.month, one.year))
        if calendar.is_open(day) != theirs:
            wrong.append(one.isoformat())
    assert wrong == []


@pytest.mark.parametrize(
    ("day", "fed", "sifma"),
    [
        ("2024-03-29", True, False),  # Good Friday
        ("2025-04-18", True, False),
        ("2026-04-03", True, True),  # Good Friday with an employment report: an early close
        ("2025-01-09", True, True),  # the stock exchange alone mourned
        ("2026-07-03", True, False),  # Independence Day is a Saturday
        ("2027-06-18", True, False),
        ("2027-07-05", False, False),  # on a Sunday: Monday
        ("2027-12-24", True, False),
        ("2028-01-03", True, True),  # New Year on a Saturday is not moved
        ("2026-11-26", False, False),
        ("2026-07-04", False, False),
    ],
)
def test_days_on_which_the_two_differ(day: str, fed: bool, sifma: bool) -> None:
    assert Calendar(FED, KNOWN).is_open(number(day)) is fed
    assert Calendar(SIFMA, KNOWN).is_open(number(day)) is sifma


def test_counting_business_days() -> None:
    fed = Calendar(FED, KNOWN)
    friday, monday = number("2026-07-10"), number("2026-07-13")
    assert fed.on_or_after(friday) == friday
    assert fed.on_or_after(friday + 1) == monday
    assert fed.after(friday) == monday
    assert fed.after(friday, 0) == friday
    assert fed.after(number("2026-11-25"), 2) == number("2026-11-30")


def test_a_year_without_a_record_is_not_known() -> None:
    with pytest.raises(NoCalendar, match="FED 2031"):
        Calendar(FED, KNOWN).after(number("2030-12-31"))
    with pytest.raises(ValueError, match="no rule for FED 2021"):
        closed(FED, 2021)


def test_a_record_replaces_the_year() -> None:
    world = CashWorld("2026-07-10T13:00:00Z")
    world.play("""
        days   260 out=1000000 in=1000000
        closes FED 2026 2026-07-10
        policy sweep.products=[]
        report ITAV 5 as_of=2026-07-10T12:59:00Z
        expect forecast for_date=20647          # Monday the 13th
        refused range closed closes FED 2026 2027-01-01
        refused range year   closes FED 9999 2027-01-01
    """)
    assert number("2026-07-13") == 20647


@given(st.integers(1_167_696_000, 2_145_916_800))
def test_the_clock_is_the_zone_databases(at_s: int) -> None:
    local = datetime.fromtimestamp(at_s, NEW_YORK)
    assert day_of(1000 * at_s) == (local.date() - EPOCH).days
    assert second_of(1000 * at_s) == local.hour * 3600 + local.minute * 60 + local.second
    again = local.replace(fold=0).timestamp()
    assert at(day_of(1000 * at_s), second_of(1000 * at_s)) == 1000 * again


@pytest.mark.parametrize("year", range(2007, 2038))
def test_each_change_of_the_clock_to_the_second(year: int) -> None:
    for hour in range(24 * 400):
        at_s = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + hour * 3600
        before, after = (datetime.fromtimestamp(s, NEW_YORK) for s in (at_s - 1, at_s))
        if before.utcoffset() != after.utcoffset():
            for s in (at_s - 1, at_s):
                local = datetime.fromtimestamp(s, NEW_YORK)
                assert second_of(1000 * s) == local.hour * 3600 + local.minute * 60 + local.second
                assert second_of(1000 * s + 999) == second_of(1000 * s)


def test_before_the_rule() -> None:
    with pytest.raises(ValueError, match="from 2007 on"):
        day_of(1_000_000_000_000)


def test_days() -> None:
    assert weekday(number("2026-07-09")) == 3
    assert year_of(number("2026-12-31")) == 2026
    assert at(number("2026-07-09"), 0) == 1_783_569_600_000
