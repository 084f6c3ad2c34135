"""Exact numbers: nothing is lost, and rounding happens once and by name."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import (
    E18,
    MAX_E18,
    Amount,
    div_e18,
    floor_to,
    mul_div_e18,
    mul_e18,
    parse_e18,
    text_e18,
)

NUMBERS = st.integers(-MAX_E18, MAX_E18)


@given(NUMBERS)
def test_text_and_back(number: int) -> None:
    text = text_e18(number)
    assert parse_e18(text) == number
    assert parse_e18(Decimal(text)) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("-0.00", 0),
        ("1e3", 1000 * E18),
        ("1.5E-18", None),
        ("1E-18", 1),
        (".5", E18 // 2),
        ("5.", 5 * E18),
        ("+7", 7 * E18),
        (7, 7 * E18),
        (Decimal("1E+2"), 100 * E18),
        ("0.000000000000000001000", 1),
        ("0.0000000000000000001", None),
        ("1e20", None),
        ("99999999999999999999", 99999999999999999999 * E18),
        ("NaN", None),
        ("Infinity", None),
        ("1e999999", None),
        ("", None),
        (".", None),
        ("1,5", None),
        ("12_000", None),
        (0.5, None),
        (True, None),
        (Decimal("NaN"), None),
    ],
)
def test_parse(text: object, units: int | None) -> None:
    if units is None:
        shown = repr(text).replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")
        with pytest.raises(ValueError, match=shown.replace("+", r"\+")):
            parse_e18(text)  # type: ignore[arg-type]
    else:
        assert parse_e18(text) == units  # type: ignore[arg-type]


@given(NUMBERS, NUMBERS)
def test_products_and_quotients_are_rounded_once_half_even(left: int, right: int) -> None:
    assert mul_e18(left, right) == round(Fraction(left * right, E18))
    if right:
        assert div_e18(left, right) == round(Fraction(left * E18, right))


@given(NUMBERS, NUMBERS, st.integers(1, MAX_E18))
def test_a_share_of_a_whole(part: int, whole: int, parts: int) -> None:
    assert mul_div_e18(part, whole, parts) == round(Fraction(part * whole, parts))


@given(NUMBERS, st.integers(0, 18))
def test_cut(number: int, precision: int) -> None:
    unit = 10 ** (18 - precision)
    cut = floor_to(number, precision)
    assert cut % unit == 0
    assert abs(cut) <= abs(number)
    assert abs(number) - abs(cut) < unit


def test_amounts_know_their_currency() -> None:
    usdt = Amount.of("10.5", "USDT")
    assert str(usdt + Amount.of("0.5", "USDT")) == "11 USDT"
    assert str(-usdt.times(parse_e18("0.95")).floor_to(2)) == "-9.97 USDT"
    assert usdt - usdt <= usdt
    with pytest.raises(ValueError, match=r"10\.5 USDT and 1 USD"):
        usdt + Amount.of(1, "USD")
    with pytest.raises(ValueError, match="USDC"):
        _ = usdt < Amount.of(1, "USDC")
    with pytest.raises(TypeError):
        bool(usdt)
