"""ladder-v1: bills that mature on successive Tuesdays, each rung an equal part of what is placed.

On the day of an auction its rung is filled up to (placed + new) / rungs, as far as that is worth an
order; all else waits overnight. A bill is paid on the Tuesday after its auction, so what matures by
then is money for it: a maturing rung rolls into the new one. What is needed early comes from the
overnight product first, then from the rung that matures next: of equal rates that is the one whose
early sale costs least, since the price of a bill moves with the days it has left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.policy import Policy
from schemas.policy_cash import Product
from streams import cutoff
from streams.cash_facts import Facts, Placement

NAME = "ladder-v1"
WEEK_DAYS = 7


class Rung(NamedTuple):
    """What the next auction's rung still takes: `amount_e18` of the `room_e18` there is."""

    value_day: int
    matures_day: int
    amount_e18: int
    room_e18: int


def next_rung(
    policy: Policy, facts: Facts, bill: Product, left_e18: int, cutoff_ms: int
) -> Rung | None:
    """The rung that an order for this cut-off would fill; None on days without an auction.

    `left_e18` is the excess less the float, below 0 when what matures soon is spent already. Raises
    NoCalendar.
    """
    calendar = facts.calendar(bill.calendar)
    auction = cutoff.auction(cutoff_ms, bill, calendar)
    matures_day = cutoff.matures_day(auction.value_day, bill, calendar)
    if not auction.is_next or matures_day is None:
        return None
    placed = [one for one in facts.placements if one.matures_day is not None]
    total = left_e18 + sum(one.amount_e18 for one in placed)
    target = total // (policy.sweep.target_ladder_days // WEEK_DAYS)
    has = 0
    for one in placed:
        if one.product == bill.product and one.matures_day == matures_day:
            has += one.amount_e18
    room = max(0, left_e18 + comes_e18(placed, auction.value_day))
    return Rung(auction.value_day, matures_day, min(room, max(0, target - has)), room)


def comes_e18(placed: Iterable[Placement], day: int) -> int:
    """What matures until a day: money for what is paid on it."""
    due = (one for one in placed if one.matures_day is not None and one.matures_day <= day)
    return sum(one.amount_e18 for one in due)
