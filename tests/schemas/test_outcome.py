"""Refusals: the closed list, its order, and which may pass later."""

from __future__ import annotations

from schemas.outcome import Outcome

ORDER = """no_policy, paused, class_disabled, frozen, stale_loan, stale_mark, stale_balance,
stale_input, currency_mismatch, no_calendar, no_forecast, in_flight, dead_time, no_check,
screening, peg_break, past_cutoff, floor_breach, cash_short, over_single_limit,
over_daily_limit, below_min, no_equity, position_size, symbol_limit,
over_max_leverage, leverage_cap, no_margin, no_provider, both_short, denied, expired, withdrawn"""
TRANSIENT = """paused frozen stale_loan stale_mark stale_balance stale_input peg_break
no_calendar no_forecast in_flight dead_time over_daily_limit floor_breach cash_short
no_margin no_provider both_short withdrawn"""


def test_the_list_is_closed_and_ordered() -> None:
    assert [outcome.value for outcome in Outcome] == ORDER.replace("\n", " ").split(", ")


def test_what_may_pass_later() -> None:
    assert {o.value for o in Outcome if o.transient} == set(TRANSIENT.split())
