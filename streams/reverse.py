"""When placed money is brought back, and which.

Usable is what is available, less what is going out, plus what is coming back, less the floor. Below
`trigger_pct` of the float the difference to the whole float is ordered back, rounded up: from the
overnight product first, then what matures next. Both are seen from the day the money would move:
what matures by then comes by itself and is left alone, what we pay only later is not missing yet.
Nothing is brought back within the business day in which money was
placed, unless the floor would break.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.money import E18
from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.policy_cash import Product
from streams import cutoff
from streams.cash_facts import SAFE, Decided, Facts, Figures, Placement
from streams.orders import BACK
from tables.cash import Take


def is_enabled(policy: Policy) -> bool:
    """Whether money is brought back at all: as the policy says, else as its rule does."""
    enabled = policy.sweep.reverse.enabled
    return policy.sweep.rule == SAFE if enabled is None else enabled


def decide(policy: Policy, facts: Facts, sums: Figures) -> Decided | None:
    """The order to bring back, or the hold of one that is due; None when none is. NoCalendar."""
    if not is_enabled(policy):
        return None
    sweep = policy.sweep
    cutoff_ms = cutoff.next_ms(facts.at_ms, sweep)
    moves = cutoff.wire_day(cutoff_ms, facts.calendar("FED"))
    target, usable = sums.float_e18 or 0, sums.usable_e18 + facts.pending.after_e18(moves)
    if usable * E18 >= sweep.reverse.trigger_pct_e18 * target:
        return None
    coming = sum(one.amount_e18 for one in facts.placements if _comes(one, facts.today, moves))
    lacks = target - usable - coming
    if lacks <= 0:
        return None
    if facts.waits_kind == BACK:
        return Decided(reason=facts.waits_for)
    if facts.out_today and usable >= 0:
        return Decided(reason=Outcome.dead_time.value)
    groups = list(_groups(policy, facts, cutoff_ms))
    wanted = max(_up(lacks, sweep.reverse.round_usd_e18), policy.limits.sweep.min_usd_e18)
    held = sum(one.amount_e18 for _, _, group in groups for one in group)
    short = max(0, lacks - held)
    if not groups:
        return Decided(reason=Outcome.cash_short.value, short_e18=short)
    row, value_day, group = groups[0]
    takes = _take(group, wanted, sweep.min_sweep_usd_e18)
    amount = sum(take.amount_e18 for take in takes)
    return Decided(
        kind=BACK,
        product=row.product,
        amount_e18=amount,
        room_e18=amount,
        cutoff_ms=cutoff_ms,
        value_day=value_day,
        takes=takes,
        short_e18=short,
    )


def _comes(one: Placement, today: int, moves: int) -> bool:
    return one.matures_day is not None and today < one.matures_day <= moves


def _groups(
    policy: Policy, facts: Facts, cutoff_ms: int
) -> Iterable[tuple[Product, int, list[Placement]]]:
    """What can be brought back with one order each: overnight first, then by maturity."""
    by_need: dict[tuple[bool, bool, int, str], tuple[Product, int, list[Placement]]] = {}
    for one in facts.placements:
        row = policy.sweep.product(one.product)
        if row is None:
            continue
        moves = cutoff.value_day(cutoff_ms, row, facts.calendar(row.calendar))
        matures = one.matures_day
        if one.value_day > moves or (matures is not None and matures <= moves):
            continue
        order = (row.matures != "next_day", matures is None, matures or 0, one.product)
        by_need.setdefault(order, (row, moves, []))[2].append(one)
    return [by_need[order] for order in sorted(by_need)]


def _take(group: list[Placement], wanted_e18: int, crumb_e18: int) -> tuple[Take, ...]:
    """From the oldest on; a rest too small to be brought back later comes along."""
    takes = []
    left = wanted_e18
    for one in group:
        if left <= 0:
            break
        amount = min(one.amount_e18, left)
        if one.amount_e18 - amount < crumb_e18:
            amount = one.amount_e18
        takes.append(Take(one.key, amount))
        left -= amount
    return tuple(takes)


def _up(amount_e18: int, step_e18: int) -> int:
    return amount_e18 if step_e18 == 0 else -(-amount_e18 // step_e18) * step_e18
