"""The bank's money: whole cents. Text is read exactly or refused."""

import re

__all__ = ["cents", "grouped", "text"]

_PLAIN = re.compile(r"([+-]?)([0-9]{1,15})(?:\.([0-9]{1,30}))?")


def cents(value: str) -> int:
    """A plain decimal number in cents; ValueError where it has more than two decimals."""
    found = _PLAIN.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"not a plain decimal number: {value!r}")
    decimals = (found[3] or "").rstrip("0")
    if len(decimals) > 2:
        raise ValueError(f"more than two decimals: {value!r}")
    amount = int(found[2]) * 100 + int(decimals.ljust(2, "0"))
    return -amount if found[1] == "-" else amount


def text(amount_cents: int) -> str:
    """Two decimals, no commas."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def grouped(amount_cents: int) -> str:
    """Two decimals, thousands commas."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), 100)
    return f"{sign}{whole:,}.{rest:02d}"
