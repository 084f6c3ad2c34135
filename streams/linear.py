"""Linear contracts and spot: a quantity is worth its price in the settlement currency."""

from __future__ import annotations

from schemas.money import E18, div_e18, divide_half_even, mul_e18

_E36 = E18 * E18


def value_e18(qty_e18: int, price_e18: int, multiplier_e18: int) -> int:
    """What a quantity is worth at a price, rounded once."""
    if multiplier_e18 == E18:
        return mul_e18(qty_e18, price_e18)
    return divide_half_even(qty_e18 * price_e18 * multiplier_e18, _E36)


def profit_e18(long: bool, entry_e18: int, exit_e18: int) -> int:
    """What came of entering at one value and leaving at another."""
    return exit_e18 - entry_e18 if long else entry_e18 - exit_e18


def exit_e18(long: bool, entry_e18: int, profit: int) -> int:
    """The value at which a profit was made."""
    return entry_e18 + profit if long else entry_e18 - profit


def price_e18(qty_e18: int, worth_e18: int, multiplier_e18: int) -> int:
    """The average price of a quantity of this value."""
    if multiplier_e18 == E18:
        return div_e18(worth_e18, qty_e18)
    return divide_half_even(worth_e18 * _E36, qty_e18 * multiplier_e18)
