"""Why something was not done: one closed list, in order of precedence.

Where several reasons hold, the first in this list is the one that is told. `transient` says
whether the very same request may pass later; whether to retry is decided by that alone, never by
reading text.
"""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """A refusal. The value is the word that stands in records, alerts and answers."""

    no_policy = "no_policy"
    paused = "paused"
    class_disabled = "class_disabled"
    frozen = "frozen"
    stale_loan = "stale_loan"
    stale_mark = "stale_mark"
    stale_balance = "stale_balance"
    stale_input = "stale_input"
    currency_mismatch = "currency_mismatch"
    no_calendar = "no_calendar"
    no_forecast = "no_forecast"
    in_flight = "in_flight"
    dead_time = "dead_time"
    no_check = "no_check"
    screening = "screening"
    peg_break = "peg_break"
    past_cutoff = "past_cutoff"
    floor_breach = "floor_breach"
    cash_short = "cash_short"
    over_single_limit = "over_single_limit"
    over_daily_limit = "over_daily_limit"
    below_min = "below_min"
    no_equity = "no_equity"
    position_size = "position_size"
    symbol_limit = "symbol_limit"
    over_max_leverage = "over_max_leverage"
    leverage_cap = "leverage_cap"
    no_margin = "no_margin"
    no_provider = "no_provider"
    both_short = "both_short"
    denied = "denied"
    expired = "expired"
    withdrawn = "withdrawn"

    @property
    def transient(self) -> bool:
        """Whether the same request may pass later."""
        return self in _TRANSIENT


_TRANSIENT = frozenset(
    {
        Outcome.paused,
        Outcome.frozen,
        Outcome.stale_loan,
        Outcome.stale_mark,
        Outcome.stale_balance,
        Outcome.stale_input,
        Outcome.no_calendar,
        Outcome.no_forecast,
        Outcome.in_flight,
        Outcome.dead_time,
        Outcome.peg_break,
        Outcome.over_daily_limit,
        Outcome.floor_breach,
        Outcome.cash_short,
        Outcome.no_margin,
        Outcome.no_provider,
        Outcome.both_short,
        Outcome.withdrawn,
    }
)
