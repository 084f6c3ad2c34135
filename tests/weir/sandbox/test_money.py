"""Amounts are read exactly or refused, and written plainly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from weir.sandbox.catalogue import COINS, after_haircut, before_haircut
from weir.sandbox.money import decimal, e8, places, text, truncated


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ("0", 0),
        ("1", 10**8),
        ("-0.00005586", -5586),
        ("9355.37", 935537000000),
        ("1.50000", 15 * 10**7),
    ],
)
def test_reads_exactly(written: str, units: int) -> None:
    assert e8(written) == units


@pytest.mark.parametrize("bad", ["", "1e3", "NaN", "+1", ".5", "1.", "0.000000001", " 1", "1,0"])
def test_refuses_what_is_not_plain_and_exact(bad: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        e8(bad)


@given(some.integers(-(10**20), 10**20))
def test_text_comes_back(units: int) -> None:
    assert e8(text(units)) == units
    assert decimal(units) * 10**8 == units


def test_trailing_zeros_are_no_decimals() -> None:
    assert places("1.2300") == 2


def test_usd_is_cut_as_the_venue_shows_it() -> None:
    assert truncated(Fraction(e8("4002.12")) * Fraction(8, 10), 2) == "3201.69"


@given(some.sampled_from([c for c in COINS.values() if c.tiers]), some.integers(1, 10**14))
def test_haircut_and_back(coin: object, counted_cents: int) -> None:
    tiers = coin.tiers  # type: ignore[attr-defined]
    counted = Fraction(counted_cents * 10**6)
    assert after_haircut(before_haircut(counted, tiers), tiers) == counted
