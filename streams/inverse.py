"""Inverse contracts: one is worth a dollar, paid in coin, so a quantity is worth less coin the
higher the price.

The average entry is therefore the harmonic one, and a long position gains when its value in coin
falls.
"""

from __future__ import annotations

from schemas.money import divide_half_even


def value_e18(qty_e18: int, price_e18: int, multiplier_e18: int) -> int:
    """The coins that a quantity is worth at a price, rounded once."""
    return divide_half_even(qty_e18 * multiplier_e18, price_e18)


def profit_e18(long: bool, entry_e18: int, exit_e18: int) -> int:
    """What came of entering at one value and leaving at another."""
    return entry_e18 - exit_e18 if long else exit_e18 - entry_e18


def exit_e18(long: bool, entry_e18: int, profit: int) -> int:
    """The value at which a profit was made."""
    return entry_e18 - profit if long else entry_e18 + profit


def price_e18(qty_e18: int, worth_e18: int, multiplier_e18: int) -> int:
    """The average price of a quantity of this value; 0 where the value is below all places."""
    return divide_half_even(qty_e18 * multiplier_e18, worth_e18) if worth_e18 else 0
