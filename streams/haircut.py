"""What more collateral counts for: the marginal haircut of the coin that is pledged, in 10^-18.

Tiers are marginal, as of a tax: each ratio counts for its own slice of the value before the
haircut. They come from the policy (`loan.haircut`); for a coin it leaves out, from the ratio of
the last tier that the venue publishes; else from the average of what the venue counts now, which
only the settlement currency shows, because it is taken as dollars; else everything counts.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.money import E18, div_e18
from schemas.policy import Policy
from tables.allocation import Loan

POLICY, PUBLISHED, AVERAGE, NONE = "policy", "published", "average", "none"


class Slice(NamedTuple):
    """Up to this much more (None: without end) of the coin counts with this ratio."""

    end_e18: int | None
    ratio_e18: int


class Haircut(NamedTuple):
    """The slices for what is pledged next, their ratios falling, and where they come from."""

    slices: tuple[Slice, ...]
    source: str

    def value_e36(self, added_e18: int) -> int:
        """What that much more adds to the collateral, exactly, in 10^-36 USD."""
        worth = done = 0
        for end, ratio in self.slices:
            upto = added_e18 if end is None else min(added_e18, end)
            worth += max(0, upto - done) * ratio
            done = upto
        return worth

    def needed_e18(self, worth_e36: int) -> int | None:
        """The least that adds this much (rounded up); None if no amount does."""
        done = 0
        for end, ratio in self.slices:
            if ratio == 0:
                return None
            needed = done - (-worth_e36 // ratio)
            if end is None or needed <= end:
                return max(0, needed)
            worth_e36 -= (end - done) * ratio
            done = end
        return None


def of_coin(policy: Policy, loan: Loan, coin: str) -> Haircut:
    """The haircut of what would be pledged next of a coin that is worth a dollar."""
    pledged = next((row for row in loan.collaterals if row.coin == coin), None)
    held = pledged.amount_e18 if pledged else 0
    tiers = policy.loan.haircut.get(coin)
    if tiers:
        ends = [(tier.up_to_usd_e18, tier.ratio_e18) for tier in tiers]
        left = [
            Slice(None if end is None else end - held, ratio)
            for end, ratio in ends
            if end is None or end > held
        ]
        return Haircut(tuple(left), POLICY)
    if pledged is None or held == 0:
        return Haircut((Slice(None, E18),), NONE)
    if pledged.ratio_e18 is not None:
        return Haircut((Slice(None, pledged.ratio_e18),), PUBLISHED)
    return Haircut((Slice(None, min(E18, div_e18(pledged.usd_e18, held))),), AVERAGE)
