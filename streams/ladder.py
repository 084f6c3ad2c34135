"""ladder-v1: bills that mature on successive Tuesdays, each rung an equal part of what is placed.

New money fills the rung of the next auction up to (placed + new) / rungs, as far as that is worth
an order; the rest waits overnight. A rung that matures comes back as new money and so rolls, unless
it is needed. What is needed early comes from the overnight product first, then from the rung that
matures next: of equal rates that is the one whose early sale costs least, since the price of a bill
moves with the days it has left.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.policy import Policy
from schemas.policy_cash import Product
from streams import cutoff
from streams.cash_facts import Facts

WEEK_DAYS = 7


class Rung(NamedTuple):
    """The rung of the next auction and how much it still takes."""

    value_day: int
    matures_day: int
    amount_e18: int


def next_rung(policy: Policy, facts: Facts, bill: Product, new_e18: int, cutoff_ms: int) -> Rung:
    """What of new money goes into the next auction's rung. Raises NoCalendar."""
    calendar = facts.calendar(bill.calendar)
    value_day = cutoff.auction_value_day(cutoff_ms, bill, calendar)
    matures_day = cutoff.matures_day(value_day, bill, calendar) or value_day
    placed = [one for one in facts.placements if (one.matures_day or 0) > facts.today]
    total = new_e18 + sum(one.amount_e18 for one in placed)
    target = total // (policy.sweep.target_ladder_days // WEEK_DAYS)
    has = sum(
        one.amount_e18
        for one in placed
        if one.product == bill.product and one.matures_day == matures_day
    )
    return Rung(value_day, matures_day, min(new_e18, max(0, target - has)))
