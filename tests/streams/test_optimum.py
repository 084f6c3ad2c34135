"""The best pair is the best: no point of a grid is better, and every limit is kept."""

import os
import random

import pytest

from schemas.money import E18
from streams.haircut import Haircut, Slice
from streams.optimum import Pair, Question, allowed, best, worth

CENT = E18 // 100
STATES = int(os.environ.get("WEIR_STATES", "300"))


def question(chance: random.Random) -> Question:
    """A random case: under and over water, tiers, caps, steps that differ, rates that are equal."""
    collateral = chance.choice([0, chance.randrange(1, 10**7), 10**5]) * CENT
    debt = chance.choice([0, collateral * chance.randrange(1, 1500) // 1000, 48_000 * E18])
    budget = chance.choice([0, chance.randrange(10**6), 10**7]) * CENT + chance.randrange(E18)
    target = chance.randrange(1, 99) * CENT
    rates = [0, CENT, 5 * CENT, 8 * CENT, 8 * CENT + 1]
    ends = sorted({chance.randrange(1, 10**5) * E18 for _ in range(chance.randrange(4))})
    ratios = sorted((chance.randrange(0, 101) * CENT for _ in range(len(ends) + 1)), reverse=True)
    slices = [Slice(end, ratio) for end, ratio in zip([*ends, None], ratios, strict=True)]
    return Question(
        debt_e18=debt,
        collateral_e18=collateral,
        budget_e18=budget,
        repayable_e18=chance.choice([debt, debt // 3, 0, chance.randrange(10**6) * CENT]),
        rate_e18=chance.choice(rates),
        yield_e18=chance.choice(rates),
        target_e18=target,
        floor_e18=target * chance.randrange(101) // 100,
        least_e18=chance.choice([0, 10 * E18, 500 * E18]),
        repay_step=10 ** chance.choice([14, 14, 16, 18]),
        pledge_step=10 ** chance.choice([14, 14, 16, 18]),
        haircut=Haircut(tuple(slices), "policy"),
        pledge=chance.random() < 0.9,
    )


def grid(q: Question, points: int) -> list[Pair]:
    """Pairs spread over the budget, on the venue's steps."""
    side = int(points**0.5) + 1
    spread = [q.budget_e18 * n // side for n in range(side + 1)]
    return [
        Pair(repay // q.repay_step * q.repay_step, pledge // q.pledge_step * q.pledge_step)
        for repay in spread
        for pledge in spread
    ]


def check(seed: int, points: int) -> None:
    """One random case against a grid."""
    q = question(random.Random(seed))
    found = best(q)
    assert allowed(q, found), (seed, found)
    mark = worth(q, found)
    for pair in grid(q, points):
        assert not allowed(q, pair) or worth(q, pair) >= mark, (seed, found, pair)


@pytest.mark.req("000-78")
def test_no_point_of_a_grid_is_better() -> None:
    for seed in range(STATES):
        check(seed, 1000)


@pytest.mark.req("000-78")
def test_every_step_of_a_small_case_is_tried() -> None:
    """Amounts of a few steps: all pairs there are, not a sample of them."""
    for seed in range(STATES):
        chance = random.Random(seed)
        q = question(chance)._replace(
            budget_e18=chance.randrange(40) * E18 + chance.randrange(E18),
            repayable_e18=chance.randrange(40) * E18,
            debt_e18=chance.randrange(100) * E18,
            collateral_e18=chance.randrange(200) * E18,
            least_e18=chance.choice([0, 3 * E18]),
            repay_step=E18 * chance.choice([1, 1, 10]),
            pledge_step=E18 * chance.choice([1, 1, 10]),
        )
        all_ = [Pair(r * E18, p * E18) for r in range(41) for p in range(41)]
        mark = min(worth(q, pair) for pair in all_ if allowed(q, pair))
        found = best(q)
        assert allowed(q, found)
        assert worth(q, found)[:4] == mark[:4], (seed, found)
