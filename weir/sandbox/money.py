"""The venue's money: integers of 10^-8 (names end in `_e8`), since its books show 8 decimals.

Text is read exactly or refused; quotients are exact fractions until they are rounded once,
half-even, at the moment they are booked.
"""

import re
from decimal import Decimal
from fractions import Fraction

__all__ = ["PLACES", "UNIT", "decimal", "e8", "e8_rounded", "places", "text", "truncated"]

PLACES = 8
UNIT: int = 10**PLACES
_PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?")


def places(value: str) -> int:
    """Count the decimals of a plain positive number; trailing zeros say nothing."""
    if not _PLAIN.fullmatch(value):
        raise ValueError(f"not a plain decimal number: {value!r}")
    _, _, decimals = value.partition(".")
    return len(decimals.rstrip("0"))


def e8(value: str) -> int:
    """Read a plain decimal number exactly; more than 8 decimals are an error."""
    sign, digits = (-1, value[1:]) if value.startswith("-") else (1, value)
    if places(digits) > PLACES:
        raise ValueError(f"more than {PLACES} decimals: {value!r}")
    whole, _, decimals = digits.partition(".")
    return sign * (int(whole) * UNIT + int(decimals[:PLACES].ljust(PLACES, "0")))


def e8_rounded(value_e8: Fraction) -> int:
    """Round an exact amount of 10^-8 units to a whole one, half-even."""
    return round(value_e8)


def decimal(value_e8: int) -> Decimal:
    """The same number as an exact Decimal."""
    return Decimal(value_e8).scaleb(-PLACES)


def text(value_e8: int) -> str:
    """Write an amount plainly, without exponent and without trailing zeros."""
    return _plain(value_e8, PLACES)


def truncated(value_e8: Fraction, shown: int) -> str:
    """Write an exact amount cut (not rounded) to the decimals shown."""
    scaled = abs(value_e8) * 10**shown / UNIT
    cut = scaled.numerator // scaled.denominator
    return _plain(cut if value_e8 >= 0 else -cut, shown)


def _plain(units: int, decimals: int) -> str:
    whole, rest = divmod(abs(units), 10**decimals)
    fraction = str(rest).rjust(decimals, "0").rstrip("0")
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
