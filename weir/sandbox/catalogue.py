"""What the venue lists: its coins with their precisions, loan rates and haircut tiers, its symbols.

A tier is (upper bound in USD, ratio); tiers are marginal like a tax table, the last has no bound.
"""

from dataclasses import dataclass
from fractions import Fraction

from weir.sandbox.money import UNIT

__all__ = ["COINS", "SYMBOLS", "Coin", "Symbol", "Tier", "after_haircut", "before_haircut"]

Tier = tuple[int | None, Fraction]


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin: decimals allowed per operation, hourly loan rate, tiers (none: no collateral)."""

    name: str
    transfer_places: int
    loan_places: int
    collateral_places: int
    hourly_rate: str
    tiers: tuple[Tier, ...]
    borrowable: bool = True


@dataclass(frozen=True, slots=True)
class Symbol:
    """One linear contract: its tick and its smallest quantity in 10^-8, its leverage."""

    name: str
    base: str
    tick_e8: int
    step_e8: int
    leverage: int


COINS = {
    coin.name: coin
    for coin in (
        Coin(
            "USDT",
            transfer_places=6,
            loan_places=4,
            collateral_places=4,
            hourly_rate="0.00001",
            tiers=((100_000, Fraction(95, 100)), (None, Fraction(9, 10))),
        ),
        Coin(
            "USDC",
            transfer_places=6,
            loan_places=4,
            collateral_places=4,
            hourly_rate="0.00001",
            tiers=((100_000, Fraction(95, 100)), (None, Fraction(9, 10))),
        ),
        Coin(
            "BTC",
            transfer_places=8,
            loan_places=6,
            collateral_places=8,
            hourly_rate="0.0000001361462",
            tiers=(
                (100_000, Fraction(95, 100)),
                (500_000, Fraction(9, 10)),
                (None, Fraction(4, 5)),
            ),
        ),
        Coin(
            "ETH",
            transfer_places=8,
            loan_places=4,
            collateral_places=8,
            hourly_rate="0.0000018847396",
            tiers=((50_000, Fraction(1)), (250_000, Fraction(975, 1000)), (None, Fraction(9, 10))),
        ),
        Coin(
            "MNT",
            transfer_places=6,
            loan_places=4,
            collateral_places=4,
            hourly_rate="0",
            tiers=(),
            borrowable=False,
        ),
    )
}

SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        Symbol("BTCUSDT", "BTC", tick_e8=UNIT // 10, step_e8=UNIT // 1000, leverage=10),
        Symbol("ETHUSDT", "ETH", tick_e8=UNIT // 100, step_e8=UNIT // 100, leverage=10),
    )
}


def after_haircut(value_e8: Fraction, tiers: tuple[Tier, ...]) -> Fraction:
    """What a value in USD counts as collateral."""
    counted, floor_e8 = Fraction(0), 0
    for bound, ratio in tiers:
        upper_e8 = value_e8 if bound is None else min(value_e8, Fraction(bound * UNIT))
        if upper_e8 > floor_e8:
            counted += (upper_e8 - floor_e8) * ratio
        if bound is None or value_e8 <= bound * UNIT:
            break
        floor_e8 = bound * UNIT
    return counted


def before_haircut(counted_e8: Fraction, tiers: tuple[Tier, ...]) -> Fraction:
    """The value in USD that counts as this much collateral."""
    value, rest, floor_e8 = Fraction(0), counted_e8, 0
    for bound, ratio in tiers:
        width = None if bound is None else bound * UNIT - floor_e8
        if width is None or rest <= width * ratio:
            return value + rest / ratio
        value, rest, floor_e8 = value + width, rest - width * ratio, floor_e8 + width
    raise ValueError("the last tier has a bound: nothing counts beyond it")
