"""A linear one-way position, in the venue's own arithmetic: size, average price, realised gross.

Average price and realised profit are exact fractions. What is booked to the wallet is the running
total rounded to 8 decimals, minus what was booked before, so rounding never adds up.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from weir.sandbox.money import UNIT, e8_rounded

__all__ = ["Closed", "Position"]


@dataclass(frozen=True, slots=True)
class Closed:
    """What a trade closed, and the gross profit booked for it."""

    closed_e8: int
    gross_e8: int


@dataclass(slots=True)
class Position:
    """Size is signed (short below zero); `average_e8` is the exact entry price, 0 when flat."""

    symbol: str
    size_e8: int = 0
    average_e8: Fraction = field(default_factory=Fraction)
    gross: Fraction = field(default_factory=Fraction)
    gross_e8: int = 0
    fees_e8: int = 0
    funding_e8: int = 0
    seq: int = 0
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def realised_e8(self) -> int:
        """Cash view: gross of closes minus every fee and funding when paid."""
        return self.gross_e8 - self.fees_e8 - self.funding_e8

    def trade(self, signed_e8: int, price_e8: int) -> Closed:
        """Apply a trade of a signed quantity: add, reduce, close or flip."""
        if signed_e8 == 0 or price_e8 <= 0:
            raise ValueError(f"{self.symbol}: quantity {signed_e8} at {price_e8} is no trade")
        closed_e8 = 0
        if self.size_e8 * signed_e8 < 0:
            closed_e8 = min(abs(signed_e8), abs(self.size_e8))
            direction = 1 if self.size_e8 > 0 else -1
            self.gross += direction * (price_e8 - self.average_e8) * closed_e8 / UNIT
            self.size_e8 -= direction * closed_e8
        opened_e8 = abs(signed_e8) - closed_e8
        if opened_e8:
            held_e8 = abs(self.size_e8)
            worth = self.average_e8 * held_e8 + price_e8 * opened_e8
            self.average_e8 = Fraction(worth, held_e8 + opened_e8)
            self.size_e8 += opened_e8 if signed_e8 > 0 else -opened_e8
        if self.size_e8 == 0:
            self.average_e8 = Fraction(0)
        booked_e8 = e8_rounded(self.gross) - self.gross_e8
        self.gross_e8 += booked_e8
        return Closed(closed_e8, booked_e8)

    def unrealised(self, mark_e8: int) -> Fraction:
        """Profit of the open size at a mark, exact."""
        return (mark_e8 - self.average_e8) * self.size_e8 / UNIT

    def value_e8(self, price_e8: int) -> Fraction:
        """Absolute value of the open size at a price, exact."""
        return Fraction(abs(self.size_e8) * price_e8, UNIT)
