"""Which of the placed money is brought back, and how much of it."""

import pytest

from streams.orders import key_of
from tests.streams.cash_world import ACCOUNT, CashWorld
from tests.streams.test_reverse import BILLS


@pytest.mark.parametrize(
    ("available", "expected", "alert"),
    [
        ("-1890000", "order asked=2190000", "no alert"),
        ("-1900000", "order asked=2200000", "no alert"),
        ("-1900001", "order asked=2200000", "alert cash_short firing"),
        ("-5000000", "order asked=2200000", "alert cash_short firing"),
    ],
)
def test_at_most_what_is_placed(available: str, expected: str, alert: str) -> None:
    CashWorld().play(f"""
        {BILLS}
        report ITAV {available}
        expect {expected} kind=REVERSE_SWEEP
        expect {alert}
    """)


def test_nothing_placed_and_too_little_there() -> None:
    world = CashWorld().play("""
        policy sweep.rule=sweep-safe-v1
        days   260 out=1000000 in=1000000
        report ITAV 200000
        expect hold cash_short
        expect alert cash_short firing
    """)
    assert f"100000 USD are missing on {ACCOUNT}" in world.said("alert")[0].text
    world.play("""
        report ITAV 190000 as_of=+1s
        expect hold cash_short
        expect no alert
        report ITAV 300000 as_of=+2s
        expect hold below_min
        expect alert cash_short resolved
    """)


def test_a_rest_too_small_to_come_back_later_comes_along() -> None:
    CashWorld().play(f"""
        {BILLS}
        report ITAV -1890000.5
        expect order asked=2200000              # 2,191,000 would leave 9,000 behind
    """)


def test_less_than_the_least_order_is_brought_back_as_that() -> None:
    CashWorld().play(f"""
        {BILLS}
        policy sweep.liq_buffer_pct=0.01
        report ITAV 7999
        expect order asked=10000 kind=REVERSE_SWEEP
    """)


def test_overnight_first_then_what_matures_next() -> None:
    CashWorld().play(f"""
        {BILLS}
        policy  var.min_obs=300 var.window=300
        report  ITAV 1300000
        expect  order target_product=FED_RRP asked=1000000 value_date=2026-07-08
        outcome CONFIRMED
        at      2026-07-08T14:00:00Z
        entry   E9 -1000000 booked=2026-07-08 order=2
        report  ITAV -1100000
        expect  order target_product=FED_RRP asked=1000000 value_date=2026-07-08
        expect  no alert
        outcome CONFIRMED
        expect  order target_product=TBILL_4W asked=400000 value_date=2026-07-09
        outcome CONFIRMED
        expect  hold cash_short                 # today nothing more can help
        order   1 left=1800000
        order   2 left=0
    """)


def test_a_product_that_is_no_longer_in_the_table_cannot_be_sold() -> None:
    CashWorld().play(f"""
        {BILLS}
        policy sweep.products=[]
        report ITAV 180000
        expect hold cash_short
        expect alert cash_short firing
    """)


def test_a_bill_that_is_not_paid_yet_cannot_be_sold() -> None:
    """Bought at Thursday's auction for Tuesday; needed on Friday it is not there to be sold."""
    CashWorld().play("""
        policy  sweep.rule=sweep-safe-v1 sweep.ladder=ladder-v1
        days    260 out=1000000 in=1000000
        report  ITAV 700000
        expect  order target_product=TBILL_4W asked=100000 value_date=2026-07-14
        outcome CONFIRMED
        expect  order target_product=FED_RRP asked=300000
        outcome REFUSED reason=screening
        at      2026-07-10T13:00:00Z
        report  ITAV 200000
        expect  hold cash_short
        report  ITAV 300000 as_of=+1s           # what is paid on Tuesday is not missing today
        expect  hold below_min
        at      2026-07-13T13:00:00Z
        report  ITAV 200000
        expect  order target_product=TBILL_4W asked=100000 value_date=2026-07-14
    """)


def test_the_oldest_placement_first() -> None:
    world = CashWorld()
    world.play(f"""
        {BILLS}
        report  ITAV 400000
        expect  order asked=100000 matures_on=2026-08-04
        outcome CONFIRMED
        at      2026-07-09T13:00:00Z
        entry   E2 -100000 booked=2026-07-09 order=2
        report  ITAV 300000
        at      2026-07-10T13:00:00Z
        report  ITAV 180000
        expect  order asked=120000
        order   1 left=2200000 taken=120000
        order   2 left=100000 taken=0
    """)
    (take,) = world.store.get(f"orders|{ACCOUNT}|{key_of(world.orders[2].intent_id)}").takes
    assert take.placement == key_of(world.orders[0].intent_id)


def test_all_that_was_brought_back_and_taken_again_is_placed_again() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV -5000000
        expect  order asked=2200000
        outcome CONFIRMED
        at      2026-07-09T13:00:00Z
        entry   E2 2200000 booked=2026-07-09 order=2
        report  ITAV 300000
        order   1 left=0
        at      2026-07-10T13:00:00Z
        entry   E3 -2200000 booked=2026-07-10 order=2
        report  ITAV 300001
        entry   E3 -2200000 booked=2026-07-10 order=2
        report  ITAV 300002 as_of=+1s
        expect  no evidence
        outcome REVERSED of=2
        order   1 left=2200000 taken=0
        report  ITAV 180000 as_of=+2s
        expect  order asked=120000 kind=REVERSE_SWEEP
    """)


def test_what_comes_tomorrow_is_not_there_today() -> None:
    """Bills are sold for tomorrow; overnight money that could come today is still asked for."""
    CashWorld().play(f"""
        {BILLS}
        at      2026-07-08T16:00:00Z
        report  ITAV 180000                     # after the last cut-off: paid out on Friday
        expect  order target_product=TBILL_4W asked=120000 value_date=2026-07-10
        outcome CONFIRMED
        policy  var.min_obs=300 var.window=300
        at      2026-07-09T12:00:00Z
        report  ITAV 400000
        expect  order target_product=FED_RRP asked=100000 value_date=2026-07-09
        outcome CONFIRMED
        at      2026-07-09T13:00:00Z
        entry   E3 -100000 booked=2026-07-09 order=3
        report  ITAV -10000
        expect  position pending_in=120000
        expect  order target_product=FED_RRP asked=100000 value_date=2026-07-09
    """)


def test_what_is_sold_for_a_day_is_not_sold_again_for_it() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV -50000
        expect  order target_product=TBILL_4W asked=350000 value_date=2026-07-09
        outcome CONFIRMED
        expect  hold cash_short                 # Thursday is provided for, today cannot be
        expect  alert cash_short firing
        report  ITAV -50001 as_of=+1s
        expect  hold cash_short
        report  ITAV 10000 as_of=+2s
        expect  alert cash_short resolved
        expect  hold below_min
        report  ITAV -150000 as_of=+3s
        expect  order target_product=TBILL_4W asked=100000 value_date=2026-07-09
    """)
