"""What is expected to go out, and how it is scored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.forecast import median_e18
from tests.streams.cash_world import CashWorld

WEEKS = "outs 900000 1000000 1100000 950000 1050000 1000000 980000 1200000"


@pytest.mark.req("004-20")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# the median of eight Thursdays: the mean of the middle two
        {WEEKS}
        report ITAV 2500000
        forecasts 2026-07-09 p50=1000000 p95=1200000 method=weekday_median sample=8 actual=null
        expect position target_float=300000
        """,
        """# only the last eight count
        outs   1 1 900000 1000000 1100000 950000 1050000 1000000 980000 1200000
        report ITAV 2500000
        forecasts 2026-07-09 p50=1000000 sample=8
        """,
        """# four are enough, an odd number has a middle
        outs   100 900 500 700
        report ITAV 2500000
        forecasts 2026-07-09 p50=600 p95=900 sample=4 method=weekday_median
        """,
        """# an odd number has a middle
        outs   100 900 500 700 701
        report ITAV 2500000
        forecasts 2026-07-09 p50=700 sample=5
        """,
        """# three are not: the largest of the last five days, flagged
        outs   100 900 500
        report ITAV 2500000
        forecasts 2026-07-09 method=fallback p50=500 p95=500 sample=5
        """,
        """# half a hundredth of a cent is rounded to even
        outs   1 2 0.0001 0.0002
        report ITAV 2500000
        forecasts 2026-07-09 p50=0.5001
        """,
        """# what has become known is added, before it happens
        days   60 out=1000000 in=1000000
        scheduled F1 -250000 due=+3h
        expect forecast p50=1250000 p95=1250000
        """,
    ],
)
def test_the_forecast(rows: str) -> None:
    CashWorld().play(rows)


@pytest.mark.req("004-20", "004-29")
def test_a_known_payment_from_a_day_before_until_it_is_seen() -> None:
    CashWorld().play("""
        days      60 out=1000000 in=1000000
        policy    guards.balance_age_max_s=864000 var.min_obs=50
        report    ITAV 1310000 as_of=+0s
        expect    position target_float=300000 investable_usd=1010000
        outcome   VOID
        scheduled F1 -200000 due=+25h
        expect    no forecast
        expect    position target_float=300000
        scheduled F2 500000 due=+3h             # what comes in is not counted on
        expect    no forecast
        scheduled F1 -200000 due=+24h
        expect    forecast p50=1200000
        expect    position target_float=360000
        scheduled F1 -200000 due=+24h
        expect    nothing
        scheduled F1 -200000 due=+24h cancelled=true
        expect    position target_float=300000
        scheduled F1 -100000 due=+1h
        expect    position target_float=330000
        at        +2h
        scheduled F3 -1 due=+100h               # overdue, but not seen
        expect    position target_float=330000
        entry     E1 -100000 booked=2026-07-09 id=F1
        report    ITAV 1200000
        expect    position target_float=300000 avail_usd=1200000
    """)


def test_a_payment_that_never_comes_is_given_up_after_a_day() -> None:
    CashWorld().play("""
        days      60 out=1000000 in=1000000
        scheduled F1 -200000 due=+1h
        expect    forecast p50=1200000
        at        2026-07-10T14:00:00Z
        scheduled F2 1 due=+1h
        expect    forecast p50=1200000
        at        +1ms
        scheduled F2 1 due=+2h
        expect    forecast p50=1000000
    """)


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ("F1 0 due=+1h", "range amount"),
        ("- 5 due=+1h", "missing flow_id"),
        ("F1 1000000000000 due=+1h", "range amount"),
    ],
)
def test_a_payment_that_cannot_be_used(row: str, refused: str) -> None:
    CashWorld().play(f"refused {refused} scheduled {row}")


def test_the_account_wakes_when_a_payment_comes_near() -> None:
    CashWorld("2026-07-09T16:00:00Z").play("""
        days      60 out=1000000 in=1000000
        scheduled F1 -200000 due=2026-07-10T18:00:00Z
        expect    wake 2026-07-09T18:00:00Z
        tick
        expect    forecast p50=1200000
    """)


@pytest.mark.req("004-20")
def test_a_forecast_is_scored_when_the_day_is_over() -> None:
    CashWorld().play(f"""
        {WEEKS}
        scheduled F1 -200000 due=+3h
        expect    forecast for_date=20643 p50=1200000 horizon_h=24 actual=null error=null
        at        2026-07-10T13:00:00Z
        entry     E1 -600000 booked=2026-07-09
        entry     E2 -200000 booked=2026-07-09 id=F1
        entry     E3 50      booked=2026-07-09
        statement 2026-07-09 msg=S1
        expect    forecast for_date=20643 p50=1200000 p95=1400000 actual=800000 error=0.5
        expect    forecast for_date=20644 p50=0
        entry     E1 -1000000 booked=2026-07-09
        statement 2026-07-09 msg=S2
        expect    forecast for_date=20643 actual=1000000 error=0.2
        entry     E3 50 booked=2026-07-09
        statement 2026-07-09 msg=S3
        expect    forecast for_date=20643 actual=0 error=null
    """)


def test_old_forecasts_are_let_go() -> None:
    CashWorld().play(f"""
        {WEEKS}
        forecasts 2026-07-09 p50=1000000
        at        2026-08-14T13:00:00Z
        statement 2026-08-13
        forecasts 2026-07-09 p50=1000000
        statement 2026-08-14
        forecasts 2026-07-09
    """)


def test_payments_of_long_ago_are_let_go() -> None:
    """Each event looks through them all: with a few a day a year's would make every one slow."""
    world = CashWorld().play("""
        scheduled OLD  -5 due=2026-05-01T12:00:00Z
        scheduled GONE -5 due=1970-01-01T00:00:00Z
        scheduled LATE -5 due=2026-06-20T12:00:00Z
        scheduled NEXT -5 due=+20h
        scheduled FAR  -5 due=2027-07-01T12:00:00Z
        entry     E1   -5 booked=2026-07-08 id=LATE
        statement 2026-07-08
    """)
    kept = [key.rpartition("|")[2] for key in world.store.entries if key.startswith("scheduled|")]
    assert sorted(kept) == ["FAR", "LATE", "NEXT"]


def test_for_the_day_on_which_money_sent_at_the_next_cutoff_moves() -> None:
    CashWorld("2026-07-10T15:24:59Z").play("""
        days   60 out=1000000 in=1000000
        forecasts 2026-07-10 p50=1000000
        forecasts 2026-07-13
        at     +1s
        report ITAV 6
        expect forecast for_date=20647 p50=1000000  # Monday
    """)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=12))
def test_the_median_lies_in_the_middle(cents: list[int]) -> None:
    unit = 10**14
    middle = median_e18([cent * unit for cent in cents])
    assert middle % unit == 0
    assert sum(cent * unit < middle - unit for cent in cents) <= len(cents) // 2
    assert sum(cent * unit > middle + unit for cent in cents) <= len(cents) // 2
