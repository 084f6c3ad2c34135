"""Cut-offs to the second, value dates, maturities and bills, across clock changes and holidays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.jsonform import iso, iso_date, parse_date, parse_time
from schemas.money import E18, parse_e18, text_e18
from schemas.policy_cash import Product, Sweep
from streams import bill, cutoff
from streams.calendar import Calendar
from streams.holidays import CALENDARS, closed
from tables.partition import CalendarYear
from tests.streams.cash_world import CashWorld

KNOWN = tuple(
    CalendarYear(name, year, closed(name, year)) for name in CALENDARS for year in range(2024, 2029)
)
SWEEP = Sweep()


def product(name: str) -> tuple[Product, Calendar]:
    row = SWEEP.product(name)
    assert row is not None
    return row, Calendar(row.calendar, KNOWN)


@pytest.mark.req("004-22", "004-16")
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-07-09T15:24:59Z", "2026-07-09T15:30:00.000Z"),
        ("2026-07-09T15:24:59.999Z", "2026-07-09T15:30:00.000Z"),
        ("2026-07-09T15:25:00Z", "2026-07-10T00:30:00.000Z"),
        ("2026-07-10T00:24:59Z", "2026-07-10T00:30:00.000Z"),
        ("2026-07-10T00:25:00Z", "2026-07-10T15:30:00.000Z"),
        ("2026-12-31T23:59:59Z", "2027-01-01T00:30:00.000Z"),
        ("2026-07-11T12:00:00Z", "2026-07-11T15:30:00.000Z"),  # a Saturday is no reason to wait
    ],
)
def test_the_next_cutoff(now: str, expected: str) -> None:
    assert iso(cutoff.next_ms(parse_time(now), SWEEP)) == expected


def test_cutoffs_may_stand_in_any_order_and_have_seconds() -> None:
    sweep = Sweep.model_validate({"cutoffs_utc": ["23:59:59", "00:00:01"], "lead_s": 0})
    now = parse_time("2026-07-09T23:59:59Z")
    assert iso(cutoff.next_ms(now, sweep)) == "2026-07-10T00:00:01.000Z"
    assert iso(cutoff.next_ms(now - 1, sweep)) == "2026-07-09T23:59:59.000Z"


@given(st.integers(1_700_000_000_000, 1_900_000_000_000), st.integers(0, 90_000))
def test_the_next_cutoff_is_the_first_after_the_lead(now_ms: int, lead_s: int) -> None:
    found = cutoff.next_ms(now_ms, Sweep.model_validate({"lead_s": lead_s}))
    assert found > now_ms + 1000 * lead_s
    earlier = [found - 1000 * 3600 * hours for hours in (9, 15)]
    assert any(one <= now_ms + 1000 * lead_s for one in earlier)


@pytest.mark.req("004-59")
@pytest.mark.parametrize(
    ("instant", "name", "value_date", "matures"),
    [
        # Thursday 20:30 in New York: after the wire day, so it is Friday's; it comes back Monday
        ("2026-07-10T00:30:00Z", "FED_RRP", "2026-07-10", "2026-07-13"),
        ("2026-07-10T15:30:00Z", "FED_RRP", "2026-07-10", "2026-07-13"),
        # Friday 2026-07-03: the Fed is open, the bond market closed
        ("2026-07-03T15:30:00Z", "FED_RRP", "2026-07-03", "2026-07-06"),
        ("2026-07-03T15:30:00Z", "TBILL_4W", "2026-07-07", "2026-08-04"),
        ("2026-07-02T15:30:00Z", "TBILL_4W", "2026-07-06", "2026-07-28"),
        # Good Friday: the same two, other years
        ("2025-04-18T15:30:00Z", "FED_RRP", "2025-04-18", "2025-04-21"),
        ("2025-04-17T15:30:00Z", "TBILL_4W", "2025-04-21", "2025-05-13"),
        # 15:30 UTC is 11:30 in summer and 10:30 in winter: before 13:15 either way
        ("2026-03-06T15:30:00Z", "FED_RRP", "2026-03-06", "2026-03-09"),
        ("2026-03-09T15:30:00Z", "FED_RRP", "2026-03-09", "2026-03-10"),
        ("2026-11-02T15:30:00Z", "FED_RRP", "2026-11-02", "2026-11-03"),
        # 13:15 itself is too late: 17:15 UTC in summer, 18:15 in winter
        ("2026-07-09T17:14:59Z", "FED_RRP", "2026-07-09", "2026-07-10"),
        ("2026-07-09T17:15:00Z", "FED_RRP", "2026-07-10", "2026-07-13"),
        ("2026-12-09T18:14:59Z", "FED_RRP", "2026-12-09", "2026-12-10"),
        ("2026-12-09T18:15:00Z", "FED_RRP", "2026-12-10", "2026-12-11"),
        # the day of the change itself, and the next
        ("2026-03-08T17:14:59Z", "FED_RRP", "2026-03-09", "2026-03-10"),
        ("2026-03-06T18:14:59Z", "FED_RRP", "2026-03-06", "2026-03-09"),
        ("2026-03-09T17:15:00Z", "FED_RRP", "2026-03-10", "2026-03-11"),
        # Thanksgiving, Christmas and New Year
        ("2026-11-25T17:30:00Z", "FED_RRP", "2026-11-25", "2026-11-27"),
        ("2026-12-25T00:30:00Z", "FED_RRP", "2026-12-28", "2026-12-29"),
        ("2027-01-01T00:30:00Z", "FED_RRP", "2027-01-04", "2027-01-05"),
        ("2026-07-09T15:30:00Z", "CARBON_NOTE", "2026-07-13", None),
        # a bill bought on a Tuesday for Wednesday has less than four weeks left
        ("2026-07-07T15:30:00Z", "TBILL_4W", "2026-07-08", "2026-08-04"),
        ("2026-07-06T15:30:00Z", "TBILL_4W", "2026-07-07", "2026-08-04"),
    ],
)
def test_value_date_and_maturity(
    instant: str, name: str, value_date: str, matures: str | None
) -> None:
    row, calendar = product(name)
    value_day = cutoff.value_day(parse_time(instant), row, calendar)
    assert iso_date(value_day) == value_date
    found = cutoff.matures_day(value_day, row, calendar)
    assert (None if found is None else iso_date(found)) == matures


@pytest.mark.parametrize(
    ("instant", "held", "settles", "matures", "is_next"),
    [
        ("2026-07-09T15:30:00Z", "2026-07-09", "2026-07-14", "2026-08-11", True),  # Thursday
        ("2026-07-09T00:30:00Z", "2026-07-09", "2026-07-14", "2026-08-11", True),
        ("2026-07-09T19:00:00Z", "2026-07-16", "2026-07-21", "2026-08-18", False),  # 15:00 there
        ("2026-07-10T15:30:00Z", "2026-07-16", "2026-07-21", "2026-08-18", False),
        ("2026-07-14T15:30:00Z", "2026-07-16", "2026-07-21", "2026-08-18", False),
        ("2026-11-25T15:30:00Z", "2026-11-27", "2026-12-01", "2026-12-29", False),  # Thanksgiving
        ("2026-11-27T15:30:00Z", "2026-11-27", "2026-12-01", "2026-12-29", True),
        ("2026-11-30T15:30:00Z", "2026-12-03", "2026-12-08", "2027-01-05", False),
        ("2025-11-05T15:30:00Z", "2025-11-06", "2025-11-12", "2025-12-09", False),  # Veterans Day
    ],
)
def test_the_next_auction(
    instant: str, held: str, settles: str, matures: str, is_next: bool
) -> None:
    row, calendar = product("TBILL_4W")
    found = cutoff.auction(parse_time(instant), row, calendar)
    assert (iso_date(found.day), iso_date(found.value_day)) == (held, settles)
    assert found.is_next is is_next
    ends = cutoff.matures_day(found.value_day, row, calendar)
    assert ends is not None
    assert iso_date(ends) == matures


def test_a_term_in_days() -> None:
    row, calendar = product("TBILL_4W")
    term = row.model_copy(update={"matures": "term", "term_days": 90})
    assert cutoff.matures_day(parse_date("2026-07-08"), term, calendar) == parse_date("2026-10-06")
    assert cutoff.matures_day(parse_date("2026-07-05"), term, calendar) == parse_date("2026-10-05")


def test_a_wire_goes_out_until_a_quarter_to_seven() -> None:
    fed = Calendar("FED", KNOWN)
    for instant, day in (
        ("2026-07-09T22:44:59Z", "2026-07-09"),
        ("2026-07-09T22:45:00Z", "2026-07-10"),
        ("2026-07-10T22:45:00Z", "2026-07-13"),
    ):
        assert iso_date(cutoff.wire_day(parse_time(instant), fed)) == day


@pytest.mark.parametrize(
    ("amount", "rate", "face", "cost"),
    [
        ("550000", "0.042", "551800", "549997.45"),
        ("1000000", "0.042", "1003200", "999922.88"),
        ("550050", None, "550000", "550000"),
        ("99.99", "0.042", "100", "99.67"),
        ("99.67", "0.042", "100", "99.67"),
        ("99.66", "0.042", "0", "0"),
        ("0", "0.042", "0", "0"),
        ("99.9993", "0.0001", "0", "0"),  # the price of 100 is rounded up to 100.00
    ],
)
def test_a_bill_is_bought_by_its_face(amount: str, rate: str | None, face: str, cost: str) -> None:
    rate_e18 = None if rate is None else parse_e18(rate)
    assert text_e18(bill.face_e18(parse_e18(amount), rate_e18, 28)) == face
    assert text_e18(bill.cost_e18(parse_e18(amount), rate_e18, 28)) == cost


def test_price_and_yield() -> None:
    """1,000,000 of face at 4.20 % costs 996,733.33, earns 3,266.67 and yields 4.2723 %."""
    price = bill.price_e18(10**6 * E18, parse_e18("0.042"), 28)
    assert text_e18(price) == "996733.33"
    assert text_e18(10**6 * E18 - price) == "3266.67"
    assert text_e18(bill.yield_e18(parse_e18("0.042"), 28))[:9] == "0.0427228"


@given(st.integers(0, 10**12), st.integers(0, 20 * 10**16), st.integers(1, 182))
def test_no_more_face_fits_and_none_costs_more(cents: int, rate_e18: int, days: int) -> None:
    amount = cents * bill.CENT_E18
    face = bill.face_e18(amount, rate_e18, days)
    assert face % bill.LOT_E18 == 0
    assert bill.price_e18(face, rate_e18, days) <= amount
    assert bill.price_e18(face + bill.LOT_E18, rate_e18, days) > amount


@pytest.mark.req("004-16", "004-22")
def test_an_order_carries_its_cutoff_and_days() -> None:
    world = CashWorld("2026-07-10T15:24:59Z")
    world.play("""
        days    260 out=1000000 in=1000000
        product TBILL_4W discount_rate=0.042
        report  ITAV 2500000
        expect  order cutoff_utc=2026-07-10T15:30:00.000Z value_date=2026-07-13
        expect  order matures_on=2026-08-04 discount_rate=0.042 asked=2199938.96
    """)
    assert world.orders[0].deadline_ms == parse_time("2026-07-10T15:25:00Z")


def test_too_late_for_a_cutoff_is_for_the_next() -> None:
    CashWorld("2026-07-10T15:25:00Z").play("""
        days   260 out=1000000 in=1000000
        report ITAV 2500000
        expect order cutoff_utc=2026-07-11T00:30:00.000Z value_date=2026-07-14
    """)


def test_the_account_wakes_when_a_cutoff_passes_and_at_midnight_in_new_york() -> None:
    CashWorld("2026-07-10T15:00:00Z").play("""
        days   260 out=1000000 in=1000000
        policy guards.balance_age_max_s=86400
        report ITAV 300000
        expect wake 2026-07-10T15:25:00Z
        tick
        expect hold below_min
        expect wake 2026-07-11T00:25:00Z
        tick
        expect wake 2026-07-11T04:00:00Z
        tick
        expect wake 2026-07-11T15:00:00.001Z    # the balance is a day old
        tick
        expect hold stale_balance
        expect position stale=true
        expect wake 2026-07-11T15:25:00Z
        started
        expect nothing
    """)
