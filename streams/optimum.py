"""The best use of an amount (opt-v1): how much to repay and how much to pledge, exactly.

In this order: the loan to value comes as near to the target from above as it can; what is earned
in a year, interest saved and yield after tax, is largest; fewest operations; least money. Nothing
goes more than `overshoot` below the target, and no part is below the least amount of an operation.

Each limit is a line or, because haircuts fall in slices, a line in each slice; so the best pair is
a corner, and every corner is computed, set on the venue's steps, and compared without rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from schemas.money import E18
from streams.haircut import Haircut


class Question(NamedTuple):
    """What is to be used best. Amounts in 10^-18 of a dollar, ratios and yearly rates of 1.

    `budget` bounds both parts together, `repayable` the repayment; `least` is the smallest part;
    steps are the venue's smallest amounts; `pledge` says whether collateral is taken at all.
    """

    debt_e18: int
    collateral_e18: int
    budget_e18: int
    repayable_e18: int
    rate_e18: int
    yield_e18: int
    target_e18: int
    floor_e18: int
    least_e18: int
    repay_step: int
    pledge_step: int
    haircut: Haircut
    pledge: bool = True


class Pair(NamedTuple):
    """How much is repaid, and how much is pledged."""

    repay_e18: int
    pledge_e18: int


def best(question: Question) -> Pair:
    """The best pair that the limits allow; (0, 0), which moves nothing, always is allowed."""
    finest = min(question.repay_step, question.pledge_step)
    budget = question.budget_e18 // finest * finest  # a corner on the budget lies on the steps too
    corners = _corners(question._replace(budget_e18=budget))
    pairs = {pair for pair in corners if allowed(question, pair)}
    return min(pairs | {Pair(0, 0)}, key=lambda pair: worth(question, pair))


def worth(question: Question, pair: Pair) -> tuple[bool, Fraction, int, int, int, int]:
    """What a pair is compared by, the smaller the better: above the target without end, above it by
    how much, minus what a year earns (10^-36), operations, money, collateral.
    """
    owed, counted = _after(question, pair)
    endless = counted == 0 and owed > 0
    ltv = Fraction(owed, counted) if counted else Fraction(0)
    above = max(Fraction(0), ltv - Fraction(question.target_e18, E18))
    earned = question.rate_e18 * pair.repay_e18 + question.yield_e18 * pair.pledge_e18
    operations = (pair.repay_e18 > 0) + (pair.pledge_e18 > 0)
    return endless, above, -earned, operations, sum(pair), pair.pledge_e18


def allowed(question: Question, pair: Pair) -> bool:
    """Whether a pair keeps every limit."""
    q, (repay, pledge) = question, pair
    if repay == pledge == 0:
        return True
    parts = ((repay, q.repay_step), (pledge, q.pledge_step))
    if any(part and (part < q.least_e18 or part % step) for part, step in parts):
        return False
    if min(pair) < 0 or repay > q.repayable_e18 or repay + pledge > q.budget_e18:
        return False
    if pledge and not q.pledge:
        return False
    owed, counted = _after(q, pair)
    return owed * E18 >= q.floor_e18 * counted


def _after(q: Question, pair: Pair) -> tuple[int, int]:
    """Debt and collateral after a pair, in 10^-36 dollars."""
    owed = max(0, q.debt_e18 - pair.repay_e18) * E18
    return owed, q.collateral_e18 * E18 + q.haircut.value_e36(pair.pledge_e18)


def _corners(q: Question) -> Iterator[Pair]:
    """Every pair in which two limits meet, on the steps around it."""
    most = min(q.repayable_e18, q.budget_e18)
    repays = _stepped(_repay_lines(q, most), q.repay_step)
    pledges = _stepped(_pledge_lines(q, most), q.pledge_step) if q.pledge else {0}
    for pledge in pledges:
        wanted = (0, q.least_e18, min(most, q.budget_e18 - pledge), *_repay_at_levels(q, pledge))
        for repay in _stepped(wanted, q.repay_step):
            yield Pair(repay, pledge)
    if not q.pledge:
        return
    for repay in repays:
        wanted = (0, q.least_e18, q.budget_e18 - repay, *_pledge_at_levels(q, repay))
        for pledge in _stepped(wanted, q.pledge_step):
            yield Pair(repay, pledge)


def _repay_lines(q: Question, most: int) -> Iterator[int]:
    yield from (0, q.least_e18, most, q.budget_e18 - q.least_e18)
    for pledge in (0, q.least_e18, q.budget_e18 - most, *_ends(q)):
        yield q.budget_e18 - pledge
        yield from _repay_at_levels(q, pledge)
    for pledge in _on_the_budget(q):
        yield q.budget_e18 - pledge


def _pledge_lines(q: Question, most: int) -> Iterator[int]:
    yield from (0, q.least_e18, q.budget_e18, q.budget_e18 - most, q.budget_e18 - q.least_e18)
    yield from _ends(q)
    yield from _on_the_budget(q)
    for repay in (0, q.least_e18, most):
        yield from _pledge_at_levels(q, repay)


def _ends(q: Question) -> Iterator[int]:
    return (end for end, _ in q.haircut.slices if end is not None)


def _repay_at_levels(q: Question, pledge: int) -> Iterator[int]:
    """The repayments that bring the loan to value to the target and to the floor."""
    counted = q.collateral_e18 * E18 + q.haircut.value_e36(max(0, pledge))
    for level in (q.target_e18, q.floor_e18):
        yield q.debt_e18 - level * counted // (E18 * E18)


def _pledge_at_levels(q: Question, repay: int) -> Iterator[int]:
    owed = max(0, q.debt_e18 - repay) * E18
    for level in (q.target_e18, q.floor_e18):
        if level:
            needed = q.haircut.needed_e18(owed * E18 // level - q.collateral_e18 * E18)
            if needed is not None:
                yield needed


def _on_the_budget(q: Question) -> Iterator[int]:
    """The collateral with which the whole budget just brings the loan to value to a level."""
    owed = (q.debt_e18 - q.budget_e18) * E18 * E18
    for level in (q.target_e18, q.floor_e18):
        below, done = level * q.collateral_e18 * E18 - owed, 0
        for end, ratio in q.haircut.slices:
            slope = E18 * E18 - level * ratio
            if slope:
                yield done + below // slope
            if end is None:
                break
            below, done = below - (end - done) * slope, end


def _stepped(amounts: Iterable[int], step: int) -> set[int]:
    """The steps at and on both sides of each amount."""
    lower = {amount // step * step for amount in amounts}
    return {near for low in lower for near in (low - step, low, low + step) if near >= 0}
