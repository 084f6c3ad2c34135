"""Numbers and times as people read them: thousands separated, a true minus, units beside them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from schemas.jsonform import iso
from schemas.money import text_e18

NONE = "–"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
CENT, HUNDREDTH = Decimal("0.01"), Decimal("0.01")


def money(amount_e18: int | None, sign: bool = False) -> str:
    """An amount to the cent; one that is not nothing is never shown as nothing."""
    if amount_e18 is None:
        return NONE
    shown = _exact(amount_e18).quantize(CENT, ROUND_HALF_EVEN)
    if amount_e18 and not shown:
        return f"{'+' if amount_e18 > 0 and sign else ''}{_true_minus(text_e18(amount_e18))}"
    return _signed(shown, f"{abs(shown):,}", sign)


def percent(ratio_e18: int | None, sign: bool = False) -> str:
    """A ratio of 1 as a percentage, to its hundredth."""
    if ratio_e18 is None:
        return NONE
    shown = (_exact(ratio_e18) * 100).quantize(HUNDREDTH, ROUND_HALF_EVEN)
    return _signed(shown, f"{abs(shown):,}", sign)


def count(number: int, sign: bool = False) -> str:
    """A whole number."""
    return _signed(Decimal(number), f"{abs(number):,}", sign)


def day(at_ms: int) -> str:
    """2026-01-05."""
    return str(iso(at_ms))[:10]


def span(from_ms: int, to_ms: int) -> str:
    """Both ends and how long it is: in days, or in hours where it is less than two days."""
    passed_ms = to_ms - from_ms
    if passed_ms < 2 * DAY_MS:
        hours = count(passed_ms // HOUR_MS)
        return f"{instant(from_ms)[:16]} to {instant(to_ms)[:16]} UTC, {hours} hours"
    return f"{day(from_ms)} to {day(to_ms)}, {count(passed_ms // DAY_MS)} days"


def instant(at_ms: int) -> str:
    """2026-01-05 10:00:00."""
    return str(iso(at_ms))[:19].replace("T", " ")


def exact(amount_e18: int | None) -> str:
    """All digits."""
    return NONE if amount_e18 is None else _true_minus(text_e18(amount_e18))


def _exact(value_e18: int) -> Decimal:
    return Decimal(text_e18(value_e18))


def _signed(value: Decimal, text: str, sign: bool) -> str:
    if value < 0:
        return f"−{text}"
    return f"+{text}" if sign and value > 0 else text


def _true_minus(text: str) -> str:
    return text.replace("-", "−")
