"""Ids: the worked vector, and that they are UUIDv7 in the order of time."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import derive, leg_id


def test_the_worked_vector() -> None:
    found = derive(
        "sweep",
        "bank:0123456789",
        "as_of:2025-06-10T19:42:11.818Z",
        0,
        "weir-default@1",
        1_749_584_531_818,
    )
    assert found == "01975b5d-516a-77cf-b151-967e5b2b8a54"


@given(st.text(), st.integers(0, 2**48 - 2))
def test_ids_are_uuid7_and_sort_by_time(trigger: str, at_ms: int) -> None:
    one = derive("intent", "bybit:1", trigger, 0, "weir-default@1", at_ms)
    assert UUID(one).version == 7
    assert str(UUID(one)) == one
    assert one == derive("intent", "bybit:1", trigger, 0, "weir-default@1", at_ms)
    assert one != derive("intent", "bybit:1", trigger, 1, "weir-default@1", at_ms)
    assert one < derive("intent", "bybit:1", trigger, 0, "weir-default@1", at_ms + 1)


def test_a_leg_has_one_id() -> None:
    assert leg_id("i", "transfer") == leg_id("i", "transfer") != leg_id("i", "return")
    assert UUID(leg_id("i", "transfer")).version == 5
