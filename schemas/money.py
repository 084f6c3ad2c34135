"""Exact numbers: integers of 10^-18 units, `Decimal` only where numbers enter or leave.

Each product and quotient is computed exactly and rounded once to 18 places, half-even. `//` alone
floors, which is wrong for negative numbers, so nothing here uses it without looking at the rest.
Names of such integers end in `_e18`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

E18 = 10**18
MAX_E18 = 10**38 - 1
"""The largest number a record can hold: 20 digits before the point, 18 after."""

HOURS_PER_YEAR = 8_760
"""Venues charge a loan by the hour; its yearly rate is that of 365 days, without compounding."""

_PLAIN = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?")


def parse_e18(value: str | int | Decimal) -> int:
    """The number as 10^-18 units, exactly; ValueError names the value where that cannot be."""
    return parse_scaled(value, 18)


def parse_scaled(value: str | int | Decimal, places: int) -> int:
    """The number as 10^-places units, exactly; ValueError names the value where that cannot be."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{value!r} is not a decimal number")
    match = _PLAIN.fullmatch(str(value).strip())
    if match is None or not (match[2] or match[3]):
        raise ValueError(f"{value!r} is not a decimal number")
    digits, exponent = (match[2] + (match[3] or "")).lstrip("0"), int(match[4] or 0)
    shift = exponent - len(match[3] or "") + places
    if not digits:
        return 0
    if shift < 0:
        kept, lost = digits[:shift], digits[shift:]
        if lost.strip("0"):
            raise ValueError(f"{value!r} has more than {places} decimal places")
        units = int(kept or "0")
    else:
        units = int(digits) * 10**shift if len(digits) + shift <= 38 else MAX_E18 + 1
    if units > MAX_E18:
        raise ValueError(f"{value!r} is too large: {38 - places} digits before the point at most")
    return -units if match[1] == "-" else units


def text_e18(value_e18: int) -> str:
    """The number in plain form: no exponent, no trailing zeros."""
    return text_scaled(value_e18, 18)


def text_scaled(value: int, places: int) -> str:
    """A number of 10^-places units in plain form."""
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**places)
    if part == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{part:0{places}d}".rstrip("0")


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient as a whole number, rounded half-even."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def mul_e18(left_e18: int, right_e18: int) -> int:
    """The product, rounded once, half-even."""
    return divide_half_even(left_e18 * right_e18, E18)


def div_e18(left_e18: int, right_e18: int) -> int:
    """The quotient, rounded once, half-even. ZeroDivisionError is the caller's to prevent."""
    return divide_half_even(left_e18 * E18, right_e18)


def mul_div_e18(left_e18: int, right_e18: int, divisor_e18: int) -> int:
    """left · right / divisor with one rounding, half-even: for shares of a whole."""
    return divide_half_even(left_e18 * right_e18, divisor_e18)


def floor_to(value_e18: int, precision: int) -> int:
    """The number cut toward zero to `precision` decimal places: what may be sent is never more than
    what is meant.
    """
    unit = int(10 ** (18 - precision))
    cut = abs(value_e18) // unit * unit
    return -cut if value_e18 < 0 else cut


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its currency. USDT, USD and USDC are three currencies; unlike ones never add or
    compare.
    """

    number_e18: int
    currency: str

    @classmethod
    def of(cls, number: str | int | Decimal, currency: str) -> Amount:
        """An amount from its plain form."""
        return cls(parse_e18(number), currency)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.number_e18 + self._same(other), self.currency)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.number_e18 - self._same(other), self.currency)

    def __neg__(self) -> Amount:
        return Amount(-self.number_e18, self.currency)

    def __lt__(self, other: Amount) -> bool:
        return self.number_e18 < self._same(other)

    def __le__(self, other: Amount) -> bool:
        return self.number_e18 <= self._same(other)

    def __bool__(self) -> bool:
        raise TypeError("ask for number_e18 != 0: an amount of zero is still an amount")

    def __str__(self) -> str:
        return f"{text_e18(self.number_e18)} {self.currency}"

    def times(self, ratio_e18: int) -> Amount:
        """The amount times a ratio, rounded once, half-even."""
        return Amount(mul_e18(self.number_e18, ratio_e18), self.currency)

    def floor_to(self, precision: int) -> Amount:
        """The amount cut toward zero to a venue's precision."""
        return Amount(floor_to(self.number_e18, precision), self.currency)

    def _same(self, other: Amount) -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are not of one currency")
        return other.number_e18
