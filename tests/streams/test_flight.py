"""When an account decides: single flight, waits, wake-ups, and what ends each."""

import pytest
from msgspec.structs import replace

from schemas.records import BookInput, UsdRate
from streams.book import step
from streams.step import NOTHING_IN_FORCE, Entries, Event, InvariantBroken, Refused, Wake
from tests.streams.desk_world import ACCOUNT, T0_MS, World

READY = """
    wallet  USDT 1000000
    loan    ltv=0.50
"""
PROFIT = """
    fill a1 buy  1 at 1000
    fill a2 sell 1 at 2000
"""


@pytest.mark.req("000-01", "000-16")
def test_profit_that_arrives_while_a_decision_is_open_is_taken_by_the_next() -> None:
    World().play(f"""
        {READY} {PROFIT}
        expect  allocation amount=950
        fill    b1 buy  1 at 1000
        fill    b2 sell 1 at 3000
        expect  pnl available=2000
        expect  no allocation
        outcome CONFIRMED
        expect  allocation available=2000 amount=1900
    """)


def test_too_little_profit_is_no_decision() -> None:
    World().play(f"""
        {READY}
        fill   a1 buy  1 at 1000
        fill   a2 sell 1 at 1009.99
        expect pnl available=9.99
        expect no allocation
        fill   a3 buy  1 at 1000
        fill   a4 sell 1 at 1000.01
        expect allocation available=10 amount=9.5
    """)


def test_no_profit_at_all_is_no_decision_even_without_a_minimum() -> None:
    World().play(f"""
        policy limits.loan.min_usd=0
        {READY}
        fill   a1 buy 1 at 1000
        expect no allocation
    """)


@pytest.mark.req("000-47")
def test_after_a_hold_fills_decide_nothing_until_the_retry() -> None:
    World().play(f"""
        control PAUSED
        {READY} {PROFIT}
        expect  allocation reason=paused
        expect  wake +60s
        fill    b1 buy 1 at 1000
        expect  no allocation
        expect  no decision
        control ACTIVE
        tick    book
        expect  allocation amount=950
        table   book allocating waits_for= wait_until=0
    """)


def test_a_retry_that_must_hold_again_waits_again() -> None:
    World().play(f"""
        control PAUSED
        {READY} {PROFIT}
        tick    book
        expect  allocation reason=paused
        expect  wake +120s
        expect  no proposal
    """)


def test_a_wake_up_that_comes_too_early_decides_nothing() -> None:
    World().play(f"""
        control PAUSED
        {READY} {PROFIT}
        at      +59s
        tick    book now
        expect  nothing
    """)


def test_the_next_loan_state_ends_a_wait_and_clears_the_wake_up() -> None:
    World().play(f"""
        wallet  USDT 1000000
        {PROFIT}
        expect  allocation reason=stale_loan
        at      +1s
        loan    ltv=0.50
        expect  allocation amount=950
        expect  wake none
    """)


def test_another_policy_ends_a_wait() -> None:
    World().play(f"""
        control PAUSED
        {READY} {PROFIT}
        control ACTIVE
        policy  allocation.f_high=0.90
        fill    b1 buy 1 at 1000
        expect  allocation amount=900
    """)


@pytest.mark.req("000-23")
def test_a_loan_state_of_another_band_decides_and_one_of_the_same_does_not() -> None:
    World().play(f"""
        policy  limits.loan.min_usd=2000
        {READY} {PROFIT}
        expect  no allocation
        policy  limits.loan.min_usd=10
        at      +1s
        loan    ltv=0.51
        expect  no allocation
        at      +2s
        loan    ltv=0.44
        expect  allocation action=split
    """)


def test_an_old_or_equal_loan_state_is_not_applied() -> None:
    World().play("""
        at     +10s
        loan   ltv=0.50
        loan   ltv=0.30
        loan   ltv=0.30 as_of=+9s
        expect nothing
        table  book loans ltv_ratio=0.50 band=high
    """)


@pytest.mark.req("000-53")
def test_after_the_daily_limit_the_account_waits_for_the_next_day() -> None:
    World().play(f"""
        at      +23h
        {READY} {PROFIT}
        outcome REFUSED reason=over_daily_limit
        expect  wake +24h
        at      +83000s
        loan    ltv=0.40
        expect  no allocation
        tick    book
        expect  allocation reason=stale_loan
        loan    ltv=0.50
        expect  allocation amount=950
    """)


def test_another_policy_ends_the_wait_for_the_next_day_too() -> None:
    World().play(f"""
        {READY} {PROFIT}
        outcome REFUSED reason=over_daily_limit
        fill    b1 buy 1 at 1000
        expect  no allocation
        policy  limits.loan.daily_usd=60000
        fill    b2 sell 1 at 1000
        expect  allocation amount=950
    """)


def test_a_refusal_that_comes_after_midnight_waits_the_usual_time() -> None:
    World().play(f"""
        at      +86399s
        {READY} {PROFIT}
        at      +86400s
        outcome REFUSED reason=over_daily_limit
        expect  wake +86460s
    """)


def test_any_other_end_without_effect_waits_the_retry_time() -> None:
    for state, reason in (("REFUSED", "stale_mark"), ("REJECTED", "148029"), ("VOID", "expired")):
        World().play(f"""
            {READY} {PROFIT}
            outcome {state} reason={reason}
            expect  wake +60s
            expect  no allocation
            table   book allocating waits_for={reason} open_id=
        """)


@pytest.mark.req("000-22")
def test_a_split_ends_with_its_last_part_and_one_may_fail_alone() -> None:
    World().play(f"""
        wallet  USDT 1000000
        loan    ltv=0.40
        {PROFIT}
        expect  allocation action=split repay_amount=450 collateral_amount=450 kept=100
        table   book pnl_book USDT allocated=900 retained=100
        outcome CONFIRMED part=REPAY
        expect  nothing
        outcome REJECTED part=ADD_COLLATERAL
        expect  wake +60s
        table   book pnl_book USDT allocated=450 retained=50
        table   book allocating waits_for=rejected
    """)


def test_of_two_refusals_the_daily_limit_rules_the_wait() -> None:
    World().play(f"""
        wallet  USDT 1000000
        loan    ltv=0.40
        {PROFIT}
        outcome REFUSED part=REPAY reason=stale_mark
        outcome REFUSED part=ADD_COLLATERAL reason=over_daily_limit
        expect  wake +24h
    """)


def test_a_reversal_opens_nothing_by_itself() -> None:
    World().play(f"""
        {READY} {PROFIT}
        outcome CONFIRMED
        outcome REVERSED
        expect  nothing
        fill    b1 buy 1 at 1000
        expect  allocation available=1000
    """)


def test_ids_follow_from_the_cause() -> None:
    """The same execution at another offset gives the same decision and the same intents."""
    one, two = World(), World()
    two.offset = 1000
    for world in (one, two):
        world.play(f"{READY}{PROFIT}")
    (first,), (second,) = one.said("proposal"), two.said("proposal")
    assert (first.intent_id, first.decision_id) == (second.intent_id, second.decision_id)
    assert first.meta.event_id == second.meta.event_id
    assert first.meta.source != second.meta.source


def test_a_tick_and_a_takeover_without_profit_do_nothing() -> None:
    World().play("""
        started book
        expect  nothing
        tick    book now
        expect  nothing
    """)


def test_what_the_book_does_not_take_is_refused() -> None:
    world = World()
    body = BookInput(body=UsdRate("USDT", 1, T0_MS))
    with pytest.raises(Refused, match="unsupported"):
        world.to_book("treasury.book-inputs.v1", body)


@pytest.mark.req("000-02")
def test_without_a_policy_profit_folds_and_one_hold_says_so() -> None:
    world = World()
    store = type(world.book)()
    outputs = []
    for row in ("a1 buy 1 at 1000", "a2 sell 1 at 2000", "a3 buy 1 at 1000"):
        world.play(f"fill {row}")
        event = Event("hedge-executions", 0, 1, ACCOUNT, world.last[2], T0_MS, T0_MS)
        out = step(Entries(store, ACCOUNT), event, NOTHING_IN_FORCE)
        outputs.append([item for item in out if item.topic != "treasury.tax-lots.v1"])
    assert [len(out) for out in outputs] == [3, 5, 3]
    allocation, decision = (item.value for item in outputs[1][3:])
    assert (allocation.action, allocation.reason, allocation.rule) == ("hold", "no_policy", "none")
    assert decision.outcome == "no_policy"
    assert not any(isinstance(item, Wake) for out in outputs for item in out)


def test_an_operation_without_any_policy_stops_the_worker() -> None:
    world = World().play(f"{READY}{PROFIT}\noutcome READY\ntable book allocating waits_for=")
    refused = replace(world.last[2].body, state="REFUSED", final=True)
    event = Event("treasury.book-inputs.v1", 0, 1, ACCOUNT, refused, T0_MS, T0_MS)
    with pytest.raises(InvariantBroken, match="no policy"):
        step(Entries(world.book, ACCOUNT), event, NOTHING_IN_FORCE)
