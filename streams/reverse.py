"""When placed money is brought back, and which.

Usable is what is available, less what is going out, plus what is coming back, less the floor; it is
looked at for the day on which the money of an order would move, so that what matures by then or is
on its way counts, and what we pay only later does not. What the balance may be less by already is
not taken off it again: money is not brought back on a doubt that the entry ends. Below
`trigger_pct` of the float the difference to the whole float is ordered back, rounded up: from the
overnight product first, then what matures next. Nothing is brought back within the business day in
which money was placed, unless the floor would break.
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


def is_dead_time(policy: Policy) -> bool:
    """Whether an order keeps those in the other direction out for the rest of its business day."""
    return policy.sweep.reverse.dead_time == "same_business_day"


def decide(policy: Policy, facts: Facts, sums: Figures) -> Decided | None:
    """The order to bring back, or the hold of one that is due; None when none is. NoCalendar."""
    if not is_enabled(policy):
        return None
    cutoff_ms = cutoff.next_ms(facts.at_ms, policy.sweep)
    found = list(groups(policy, facts, cutoff_ms))
    for row, moves, group in found:
        if is_low(policy, sums, usable_e18(facts, sums, moves)):
            held = sum(one.amount_e18 for _, _, other in found for one in other)
            return _order(policy, facts, sums, row, moves, group, held, cutoff_ms)
    usable = usable_e18(facts, sums, cutoff.wire_day(cutoff_ms, facts.calendar("FED")))
    if not is_low(policy, sums, usable) or (found and usable >= 0):
        return None
    short = (sums.float_e18 or 0) - usable
    return Decided(reason=Outcome.cash_short.value, short_e18=short)


def usable_e18(facts: Facts, sums: Figures, day: int) -> int:
    """What will be usable on a day, as far as our own movements go."""
    coming = sum(
        one.amount_e18
        for one in facts.placements
        if one.matures_day is not None and facts.today < one.matures_day <= day
    )
    pending = facts.pending
    return sums.usable_e18 + pending.after_e18(day) + pending.unsure_e18(day) + coming


def is_low(policy: Policy, sums: Figures, usable: int) -> bool:
    """Whether what will be usable is so little that money is brought back."""
    return usable * E18 < policy.sweep.reverse.trigger_pct_e18 * (sums.float_e18 or 0)


def _order(
    policy: Policy,
    facts: Facts,
    sums: Figures,
    row: Product,
    moves: int,
    group: list[Placement],
    held_e18: int,
    cutoff_ms: int,
) -> Decided:
    usable, rules = usable_e18(facts, sums, moves), policy.sweep
    lacks = (sums.float_e18 or 0) - usable
    if facts.waits_kind == BACK:
        return Decided(reason=facts.waits_for)
    if facts.out_today and usable >= 0 and is_dead_time(policy):
        return Decided(reason=Outcome.dead_time.value)
    wanted = max(_up(lacks, rules.reverse.round_usd_e18), policy.limits.sweep.min_usd_e18)
    takes = _take(group, wanted, rules.min_sweep_usd_e18)
    amount = sum(take.amount_e18 for take in takes)
    return Decided(
        kind=BACK,
        product=row.product,
        amount_e18=amount,
        room_e18=amount,
        cutoff_ms=cutoff_ms,
        value_day=moves,
        takes=takes,
        short_e18=max(0, lacks - held_e18),
    )


def groups(
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
