"""Value at risk of an account's net flows: an order statistic, no interpolation, no distribution
assumed.

The loss of a day is its net flow with the sign turned. Of the n most recent losses in ascending
order VaR is the k-th, k = ceil(q * n): the 3rd worst of 250 at q = 0.99, what numpy calls
`inverted_cdf`. Expected shortfall is the mean of the worst (1 - q) * n losses, the last of them in
part. Both are at least 0. The band around VaR is the order statistics whose exact binomial ranks
leave at most 5 % on either side, and the worst loss where even that leaves more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import comb, gcd
from typing import NamedTuple

from schemas.money import E18, divide_half_even
from schemas.policy_cash import VarRule

OK, INSUFFICIENT = "OK", "INSUFFICIENT"
TAIL_PERCENT = 5
BPS = 10_000
UNIT_E18 = 10**14
"""The fourth place: a hundredth of a cent, and of a basis point."""


class Measured(NamedTuple):
    """What n losses say, in US dollars; bands None where there are none."""

    n: int
    status: str
    var_e18: int
    es_e18: int
    band_low_e18: int | None
    band_high_e18: int | None


def measure(net_flows_e18: Sequence[int], rule: VarRule) -> Measured:
    """VaR, expected shortfall and band of net flows, oldest first; only the window's last count."""
    losses = sorted(-flow for flow in net_flows_e18[-rule.window :])
    n = len(losses)
    status = OK if n >= rule.min_obs else INSUFFICIENT
    if n == 0:
        return Measured(0, status, 0, 0, None, None)
    low, high = band_ranks(n, rule.quantile_e18)
    return Measured(
        n=n,
        status=status,
        var_e18=max(0, losses[RANKS[rule.method](n, rule.quantile_e18) - 1]),
        es_e18=_shortfall_e18(losses, rule.quantile_e18),
        band_low_e18=max(0, losses[low - 1]),
        band_high_e18=max(0, losses[high - 1]),
    )


def held_against_e18(rule: VarRule, avail_e18: int) -> int:
    """What value at risk is held against, by `var.base`: what is available on the account."""
    return {"avail_usd": avail_e18}[rule.base]


def rank(n: int, quantile_e18: int) -> int:
    """Which of n losses in ascending order is the quantile: the smallest k with k >= q * n."""
    return max(1, -(-n * quantile_e18 // E18))


RANKS: Mapping[str, Callable[[int, int], int]] = {"inverted_cdf": rank}
"""Which loss is the quantile, by `var.method`."""


def bps_e18(var_e18: int, base_e18: int) -> int | None:
    """VaR in basis points of the base, rounded to 4 places; None without a base above 0."""
    if base_e18 <= 0:
        return None
    return divide_half_even(BPS * var_e18 * E18, base_e18 * UNIT_E18) * UNIT_E18


def breaches(var_e18: int, base_e18: int, limit_bps_e18: int) -> bool:
    """Whether VaR is above the limit, compared without rounding; the base is above 0."""
    return BPS * var_e18 * E18 > limit_bps_e18 * base_e18


@lru_cache(maxsize=1024)
def band_ranks(n: int, quantile_e18: int) -> tuple[int, int]:
    """The ranks of the band: the largest l with P(B < l) <= 5 % and the smallest u with
    P(B >= u) <= 5 %, B binomial over n losses with the quantile as its chance; l at least 1 and u
    at most n. Exact: chances are whole numbers over one denominator.
    """
    common = gcd(quantile_e18, E18)
    hit, one = quantile_e18 // common, E18 // common
    whole = one**n
    ways = [comb(n, j) * hit**j * (one - hit) ** (n - j) for j in range(n + 1)]
    low, below = 1, ways[0]
    while low < n and 100 * (below + ways[low]) <= TAIL_PERCENT * whole:
        below += ways[low]
        low += 1
    high, above = n, ways[n]
    while high > 1 and 100 * (above + ways[high - 1]) <= TAIL_PERCENT * whole:
        above += ways[high - 1]
        high -= 1
    return low, high


def _shortfall_e18(losses: Sequence[int], quantile_e18: int) -> int:
    """The mean of the worst mass of ascending losses, rounded to the fourth place."""
    mass_e18 = len(losses) * (E18 - quantile_e18)
    total, left_e18 = 0, mass_e18
    count = (mass_e18 + E18 - 1) // E18
    for loss in reversed(losses[-count:]):
        part_e18 = min(left_e18, E18)
        total += loss * part_e18
        left_e18 -= part_e18
    return max(0, divide_half_even(total, mass_e18 * UNIT_E18) * UNIT_E18)
