"""YAML with exact numbers; whatever else a text is, it is refused as a fault of the text."""

from decimal import Decimal

import pytest

from schemas.exact_yaml import read_yaml


@pytest.mark.req("004-24")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: .nan", "a number"),
        ("a: -.inf", "a number"),
        ("a: 190:20:30.15", "a number"),  # YAML's base 60
        ("a: !!float ten", "a number"),
        ("a: !!map [1]", "no YAML"),
        ("a: !!map b", "no YAML"),
        ("{a: 1, a: 2}", "twice"),
        ("[" * 5_000, "no YAML"),
        ("a: &a {b: *a}", "no YAML"),
        ("a: 2026-13-45", "month"),
        ("a: !!python/name:os.system", "no YAML"),
        ("\0", "no YAML"),
    ],
)
def test_a_text_that_cannot_be_used_is_a_value_error(text: str, why: str) -> None:
    """Nothing else: a watched file with one would stop whoever watches it."""
    with pytest.raises(ValueError, match=why):
        read_yaml(text)


def test_numbers_are_exact() -> None:
    assert read_yaml("{a: 0.1, b: 1_000.50, c: 1.5e+3}") == {
        "a": Decimal("0.1"),
        "b": Decimal("1000.50"),
        "c": Decimal(1500),
    }
