"""The window of the daily limit: a UTC day, or the last 24 hours, to the millisecond."""

import pytest

from tests.streams.desk_world import World


@pytest.mark.req("000-53")
def test_the_day_is_the_proposal_s_own_in_utc() -> None:
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000
        at      +86399999ms
        rate    USDT 1
        propose p1 REPAY 10000
        propose p2 REPAY 10000
        expect  answer reason=over_daily_limit
        at      +86400000ms
        propose p3 REPAY 10000
        expect  answer state=READY
        table   gate used loan|2025-06-11 held_usd=10000
        table   gate used loan|2025-06-12 held_usd=10000
    """)


@pytest.mark.req("000-53")
def test_what_is_long_past_counts_today() -> None:
    """A statement of last week that is read today moves today's money: today's limit holds."""
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000
        at      +240h
        rate    USDT 1
        propose p1 REPAY 6000 event=0
        propose p2 REPAY 6000 event=+24h
        propose p3 REPAY 10
        table   gate used loan|2025-06-21 held_usd=10000
        table   gate holds p1 day=2025-06-21
        expect  answer state=REFUSED reason=over_daily_limit
    """)


@pytest.mark.req("000-53")
def test_the_last_moment_of_a_day_is_that_day_s_for_a_minute() -> None:
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000
        at      +86459999ms
        rate    USDT 1
        propose p1 REPAY 10000 event=+86399999ms
        table   gate holds p1 day=2025-06-11
        at      +86460000ms
        propose p2 REPAY 10000 event=+86399999ms
        table   gate holds p2 day=2025-06-12
    """)


@pytest.mark.req("000-53")
def test_a_rolling_day_ends_to_the_millisecond() -> None:
    """24 hours after its opening a hold has left the window, one millisecond earlier it has not."""
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000 limits.window=rolling_24h
        at      +1000ms
        rate    USDT 1
        propose p1 REPAY 6000
        outcome CONFIRMED to=gate done=5000
        at      +23h
        rate    USDT 1
        propose p2 REPAY 6000
        expect  intent amount=5000
        propose p3 REPAY 10
        expect  answer state=REFUSED reason=over_daily_limit
        at      +86400999ms
        rate    USDT 1
        propose p4 REPAY 10
        expect  answer state=REFUSED reason=over_daily_limit
        at      +86401000ms
        propose p5 REPAY 6000
        expect  intent amount=5000
        table   gate rolling loan confirmed_usd=0 held_usd=10000
        outcome REVERSED to=gate of=p1
        outcome REJECTED to=gate of=p2
        table   gate rolling loan confirmed_usd=0 held_usd=5000
        table   gate openings loan|0001749600001000
    """)


@pytest.mark.req("000-53")
def test_the_window_never_goes_back() -> None:
    """An older event counts as of the latest opening, so no 24 hours exceed the limit."""
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000 limits.window=rolling_24h
        at      +25h
        rate    USDT 1
        propose p1 REPAY 6000
        propose p2 REPAY 6000 event=+24h
        expect  intent amount=4000
        table   gate holds p2 opened_ms=1749690000000 day=2025-06-12
        propose p3 REPAY 10 event=0
        expect  answer state=REFUSED reason=over_daily_limit
    """)


@pytest.mark.req("000-53")
def test_a_refused_proposal_does_not_move_the_window() -> None:
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000 limits.window=rolling_24h
        rate    USDT 1
        propose p1 REPAY 10000
        propose p2 REPAY 10000 event=+25h
        expect  answer state=REFUSED reason=stale_input
        propose p3 REPAY 10
        expect  answer state=REFUSED reason=over_daily_limit
        at      +24h
        rate    USDT 1
        propose p4 REPAY 9
        expect  answer state=REFUSED reason=below_min
        propose p5 REPAY 10 event=+86399999ms
        expect  answer state=REFUSED reason=over_daily_limit
        propose p6 REPAY 10
        expect  answer state=READY
    """)


def test_a_policy_that_changes_the_window_is_judged_by_what_went_out() -> None:
    World().play("""
        policy  approvals.loan_usd=100000 limits.loan.daily_usd=10000
        at      +86399999ms
        rate    USDT 1
        propose p1 REPAY 10000
        at      +86400000ms
        policy  limits.window=rolling_24h
        propose p2 REPAY 10
        expect  answer state=REFUSED reason=over_daily_limit
        policy  limits.window=utc_day
        propose p3 REPAY 10000
        expect  answer state=READY
    """)
