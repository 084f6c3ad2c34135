"""Value at risk: the order statistic by hand, and against numpy on ten thousand series."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import E18, parse_e18
from schemas.policy_cash import VarRule
from streams.var import INSUFFICIENT, OK, band_ranks, bps_e18, breaches, measure, rank
from tests.streams.cash_world import CashWorld

RULE = VarRule()
Q = RULE.quantile_e18


def usd(*losses: int) -> list[int]:
    """Net flows of these losses, in dollars."""
    return [-loss * E18 for loss in losses]


@pytest.mark.req("004-33", "004-58")
def test_the_example() -> None:
    found = measure(usd(*range(1, 251)), RULE)
    assert (found.n, found.status) == (250, OK)
    assert found.var_e18 == 248 * E18
    assert found.es_e18 == 2492 * E18 // 10
    assert (found.band_low_e18, found.band_high_e18) == (245 * E18, 250 * E18)
    assert bps_e18(found.var_e18, 500_000 * E18) == 496 * E18 // 100
    assert not breaches(found.var_e18, 500_000 * E18, 10 * E18)


@pytest.mark.req("004-33")
@pytest.mark.parametrize(
    ("n", "worst"),
    [(1, 1), (2, 1), (99, 1), (100, 2), (199, 2), (200, 3), (201, 3), (249, 3), (250, 3), (300, 3)],
)
def test_which_of_the_worst_it_is(n: int, worst: int) -> None:
    found = measure(usd(*range(1, n + 1)), RULE)
    assert found.var_e18 == (n + 1 - worst) * E18
    assert found.n == min(n, 250)
    assert found.status == (OK if n >= 250 else INSUFFICIENT)


def test_the_window_keeps_the_latest() -> None:
    assert measure(usd(*[10**6] * 50, *[1] * 250), RULE).var_e18 == E18


@pytest.mark.parametrize(
    ("losses", "var", "es"),
    [
        ([-5] * 250, 0, "0"),  # every day gained
        ([7] * 250, 7, "7"),  # ties
        ([0] * 250, 0, "0"),
        ([*[0] * 247, 1, 2, 3], 1, "2.2"),  # (3 + 2 + 0.5 * 1) / 2.5
        ([*[-9] * 248, 5, 6], 0, "2.6"),  # (6 + 5 - 0.5 * 9) / 2.5
    ],
)
def test_edges(losses: list[int], var: int, es: str) -> None:
    found = measure(usd(*losses), RULE)
    assert found.var_e18 == var * E18
    assert found.es_e18 == parse_e18(es)


def test_no_day_at_all() -> None:
    assert measure([], RULE) == (0, INSUFFICIENT, 0, 0, None, None)


@pytest.mark.req("004-33")
def test_against_numpy_on_ten_thousand_series() -> None:
    """With ties and short ones: what `inverted_cdf` says of the losses, to the last unit."""
    random = Random(20260709)
    for series in range(10_000):
        n = random.choice((1, 2, 3, 50, 99, 100, 101, 199, 200, 201, 249, 250))
        spread = random.choice((1, 5, 1000, 10**9))
        losses = [random.randint(-spread, spread) for _ in range(n)]
        expected = int(np.quantile(np.array(losses), 0.99, method="inverted_cdf"))
        found = measure([-loss * 10**14 for loss in losses], RULE)
        assert found.var_e18 == max(0, expected) * 10**14, (series, n)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=260))
def test_shortfall_is_the_mean_of_the_worst_mass(losses: list[int]) -> None:
    found = measure([-loss * 10**14 for loss in losses], RULE)
    worst = sorted(losses[-250:], reverse=True)
    mass = left = Fraction(len(worst), 100)
    total = Fraction(0)
    for loss in worst:
        part = min(left, Fraction(1))
        total += loss * part
        left -= part
    assert abs(max(Fraction(0), total / mass) * 10**14 - found.es_e18) <= Fraction(10**14, 2)
    assert found.es_e18 >= found.var_e18 - 10**14
    low, high = found.band_low_e18, found.band_high_e18
    assert low is not None
    assert high is not None
    assert low <= found.var_e18 <= high


def test_ranks_of_the_band() -> None:
    """n = 250: from the 6th worst to the worst, which covers 88 %; of many more it is 90 %."""
    assert band_ranks(250, Q) == (245, 250)
    assert band_ranks(1, Q) == (1, 1)
    binomial = np.random.default_rng(1).binomial(1000, 0.99, 200_000)
    low, high = band_ranks(1000, Q)
    for tail, next_tail in (
        (binomial < low, binomial < low + 1),
        (binomial >= high, binomial >= high - 1),
    ):
        assert np.mean(tail) <= 0.052
        assert np.mean(next_tail) > 0.048


def test_rank_needs_no_rounding() -> None:
    assert rank(100, Q) == 99
    assert rank(100, Q + 1) == 100
    assert rank(3, E18 // 2) == 2


def test_basis_points() -> None:
    assert bps_e18(1, 0) is None
    assert bps_e18(1, -5) is None
    assert bps_e18(0, 1) == 0
    assert bps_e18(E18, 3 * E18) == 33_333_333 * 10**14
    assert breaches(10_0001, 100_000_000, 10 * E18)
    assert not breaches(100_000, 100_000_000, 10 * E18)


@pytest.mark.req("004-42")
def test_what_is_published() -> None:
    world = CashWorld()
    for number, day in enumerate(world.business_days(250), start=1):
        world.close_day(day, "0", str(number))
    world.play("""
        expect var n=250 status=OK var_usd=248 es_usd=249.2 base_usd=null var_bps=null
        report ITAV 500000
        expect var var_usd=248 base_usd=500000 var_bps=4.96 band_low=245 band_high=250
        expect var method=inverted_cdf
        report ITAV 500000 as_of=+1s
        expect no var
        report ITAV 248000 as_of=+2s
        expect var var_bps=10
        report ITAV 0 as_of=+3s
        expect var var_bps=null
    """)
