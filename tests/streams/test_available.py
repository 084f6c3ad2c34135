"""How much may be allocated: losses are carried forward, and no profit is ever used twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import E18
from streams.available import kept_e18, reserve
from streams.step import InvariantBroken
from tables.allocation import Leg, Operation
from tables.book import PnlBook
from tests.streams.desk_world import World

READY = """
    policy  limits.loan.single_usd=100000 limits.loan.daily_usd=1000000
    wallet  USDT 1000000
    loan    ltv=0.50
"""


@pytest.mark.req("000-51", "000-04")
def test_a_loss_must_be_earned_back_first() -> None:
    """+1000, −300, +200, +250: 950, later 142.50; each profit alone would give 1,377.50."""
    World().play(f"""
        {READY}
        fill    a1 buy  1 at 1000
        fill    a2 sell 1 at 2000
        expect  allocation available=1000 amount=950 kept=50
        outcome CONFIRMED
        table   book pnl_book USDT allocated=950 retained=50 realised=1000
        fill    b1 buy  1 at 1000
        fill    b2 sell 1 at 700
        expect  pnl available=0 shortfall=300 hwm=1000
        fill    c1 buy  1 at 1000
        fill    c2 sell 1 at 1200
        expect  pnl available=0 shortfall=100 realised_total=900
        expect  no allocation
        fill    d1 buy  1 at 1000
        fill    d2 sell 1 at 1250
        expect  allocation available=150 amount=142.50 kept=7.50
        outcome CONFIRMED
        table   book pnl_book USDT allocated=1092.50 retained=57.50 realised=1150 highest=1150
        fill    e1 buy  1 at 1000
        fill    e2 sell 1 at 900
        expect  pnl realised_total=1050 shortfall=100 available=0
    """)


@pytest.mark.req("000-51", "000-52")
def test_what_limits_cut_stays_and_keeps_five_percent_in_the_end() -> None:
    World().play("""
        policy  approvals.loan_usd=1000000
        wallet  USDT 1000000
        loan    ltv=0.50
        rate    USDT 1
        fill    a1 buy  1 at 10000
        fill    a2 sell 1 at 30000
        expect  allocation available=20000 amount=19000 kept=1000
        deliver
        expect  answer state=READY granted=10000
        table   book pnl_book USDT allocated=10000 retained=526.315789473684210527
        outcome CONFIRMED granted=10000
        expect  allocation available=9473.684210526315789473 amount=8999.9999
        outcome CONFIRMED
        table   book pnl_book USDT allocated=18999.9999 retained=999.999994736842105264
    """)


def test_a_decision_leaves_nothing_for_a_second_one() -> None:
    World().play(f"""
        {READY}
        fill   a1 buy  1 at 1000
        fill   a2 sell 1 at 2000
        expect allocation amount=950
        table  book pnl_book USDT allocated=950 retained=50
        fill   a3 buy  1 at 10
        expect pnl available=0
        expect no allocation
    """)


def test_an_operation_that_ends_without_effect_gives_its_pair_back() -> None:
    for state in ("REFUSED", "REJECTED", "VOID", "EXPIRED"):
        World().play(f"""
            {READY}
            fill    a1 buy  1 at 1000
            fill    a2 sell 1 at 2000
            outcome {state}
            table   book pnl_book USDT allocated=0 retained=0
        """)


def test_outcomes_that_come_again_or_late_change_nothing() -> None:
    World().play(f"""
        {READY}
        policy  limits.loan.min_usd=200
        fill    a1 buy  1 at 1000
        fill    a2 sell 1 at 2000
        outcome READY granted=900
        table   book pnl_book USDT allocated=900 retained=47.368421052631578948
        outcome READY granted=900
        expect  nothing
        outcome UNKNOWN granted=900
        outcome PARKED granted=900
        table   book pnl_book USDT allocated=900 retained=47.368421052631578948
        outcome CONFIRMED done=899.9993
        again
        expect  nothing
        outcome READY granted=100
        table   book pnl_book USDT allocated=899.9993 retained=47.368384210526315790
        outcome REVERSED
        table   book pnl_book USDT allocated=0 retained=0
        outcome CONFIRMED done=899.9993
        outcome REVERSED
        table   book pnl_book USDT allocated=0 retained=0
    """)


def test_outcomes_that_contradict_are_refused() -> None:
    World().play(f"""
        {READY}
        fill    a1 buy  1 at 1000
        fill    a2 sell 1 at 2000
        refused unknown_intent decision_id outcome CONFIRMED decision_id=d0
        refused unknown_intent intent_id outcome CONFIRMED intent_id=i0
        refused above_claim amount_done outcome CONFIRMED done=951
        refused state state outcome REVERSED
        outcome REJECTED
        refused final_state state outcome CONFIRMED
        refused final_state state outcome REVERSED
    """)


def test_more_than_there_is_stops_the_worker() -> None:
    operation = Operation("USDT", E18 // 2, 6, 0, (Leg("i", "REPAY", 5),))
    with pytest.raises(InvariantBroken, match="exceed 10"):
        reserve(PnlBook(realised_e18=10), operation)


@given(st.integers(0, 10**30), st.integers(1, E18))
def test_what_is_kept_is_rounded_up(claim: int, factor: int) -> None:
    kept = kept_e18(claim, factor)
    assert kept * factor >= claim * (E18 - factor) > (kept - 1) * factor
