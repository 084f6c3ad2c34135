"""Price, face and yield of a discount bill. P = F (1 - d t / 360), t the days from settlement to
maturity; the bond-equivalent yield of at most half a year is 365 d / (360 - d t).

Source: 31 CFR 356, appendix B; TreasuryDirect sells bills in hundreds of face.
"""

from __future__ import annotations

from schemas.money import E18, divide_half_even

PRODUCT = "TBILL_4W"
YEAR_DAYS, YIELD_DAYS = 360, 365
LOT_E18 = 100 * E18
CENT_E18 = E18 // 100


def price_e18(face_e18: int, rate_e18: int, days: int) -> int:
    """What a bill costs, rounded to cents half-even."""
    discounted = face_e18 * (YEAR_DAYS * E18 - rate_e18 * days)
    return divide_half_even(discounted, YEAR_DAYS * E18 * CENT_E18) * CENT_E18


def face_e18(amount_e18: int, rate_e18: int | None, days: int) -> int:
    """The most face that an amount buys, in hundreds; at an unknown rate the face is the amount,
    because a bill never costs more than its face.
    """
    if rate_e18 is None:
        return amount_e18 // LOT_E18 * LOT_E18
    whole = YEAR_DAYS * E18 - rate_e18 * days
    face = amount_e18 * YEAR_DAYS * E18 // whole // LOT_E18 * LOT_E18
    if price_e18(face, rate_e18, days) > amount_e18:  # rounded up to its cent
        return face - LOT_E18
    more = face + LOT_E18
    return more if price_e18(more, rate_e18, days) <= amount_e18 else face


def cost_e18(amount_e18: int, rate_e18: int | None, days: int) -> int:
    """What is ordered out of an amount: the price of the face it buys, or that face."""
    face = face_e18(amount_e18, rate_e18, days)
    return face if rate_e18 is None else price_e18(face, rate_e18, days)


def yield_e18(rate_e18: int, days: int) -> int:
    """The bond-equivalent yield of a discount rate."""
    return divide_half_even(YIELD_DAYS * rate_e18 * E18, YEAR_DAYS * E18 - rate_e18 * days)
