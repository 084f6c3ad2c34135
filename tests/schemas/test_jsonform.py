"""The JSON form: every record and back, and what is refused with field and value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import records as r
from schemas.contracts import SUBJECTS
from schemas.jsonform import (
    Invalid,
    from_json,
    iso,
    iso_date,
    parse_date,
    parse_time,
    to_json,
)
from tests.schemas.examples import EXECUTION
from tests.schemas.strategies import records


@pytest.mark.parametrize("name", sorted(SUBJECTS.values()))
def test_every_record_survives(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(records(name))
    def check(record: Any) -> None:
        text = json.dumps(to_json(record))
        assert from_json(type(record), json.loads(text, parse_float=Decimal)) == record

    check()


def test_how_it_looks() -> None:
    form = to_json(EXECUTION)
    assert form["price"] == "95900.1"
    assert form["exec_time"] == "2025-12-01T09:30:00.250Z"
    assert form["order_id"] is None
    body = to_json(r.BookInput(body=r.Yield(coin="BTC", yield_e18=10**16, as_of_ms=0)))
    assert body == {
        "meta": None,
        "body": {"Yield": {"coin": "BTC", "yield": "0.01", "as_of": "1970-01-01T00:00:00.000Z"}},
    }


@pytest.mark.parametrize("spelled", ["95900.1", "95900.10", "9.59001e4", Decimal("95900.1")])
def test_decimals_may_be_spelled_in_several_ways(spelled: Any) -> None:
    assert from_json(r.HedgeExecution, to_json(EXECUTION) | {"price": spelled}) == EXECUTION


def test_defaults_may_be_left_out() -> None:
    form = {name: value for name, value in to_json(EXECUTION).items() if value is not None}
    del form["multiplier"], form["revision"]
    assert from_json(r.HedgeExecution, form) == EXECUTION


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prize": "1"}, "prize: '1' is no field of HedgeExecution"),
        ({"price": "1e30"}, "price: '1e30' is too large: 20 digits before the point at most"),
        ({"price": "0.1234567890123456789"}, "price: .* has more than 18 decimal places"),
        ({"price": "NaN"}, "price: 'NaN' is not a decimal number"),
        ({"price": "1,5"}, "price: '1,5' is not a decimal number"),
        ({"price": 0.5}, "price: 0.5 is not a decimal number"),
        ({"price": None}, "price: None must not be null"),
        ({"price": True}, "price: True is not a decimal number"),
        ({"side": "buy"}, "side: 'buy' must be one of Buy, Sell"),
        ({"side": "UNKNOWN"}, "side: 'UNKNOWN' must be one of Buy, Sell"),
        ({"side": ["Buy"]}, r"side: \['Buy'\] must be one of"),
        ({"exec_id": 7}, "exec_id: 7 must be text"),
        ({"exec_id": "\ud800"}, "exec_id: .* is no valid Unicode text"),
        ({"seq": 2**63}, "seq: 9223372036854775808 does not fit long"),
        ({"revision": 2**31}, "revision: 2147483648 does not fit int"),
        ({"revision": "1"}, "revision: '1' must be a whole number"),
        ({"revision": True}, "revision: True must be a whole number"),
        ({"is_maker": 1}, "is_maker: 1 must be true or false"),
        ({"exec_time": "2025-12-01T09:30:00"}, "exec_time: .* has no time zone"),
        ({"exec_time": "2025-12-01T09:30:00.0001Z"}, "exec_time: .* finer than a millisecond"),
        ({"exec_time": "yesterday"}, "exec_time: 'yesterday' is no ISO-8601 time"),
        ({"exec_time": 1.5}, "exec_time: 1.5 must be a time"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        from_json(r.HedgeExecution, to_json(EXECUTION) | change)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Freeze": {"break_id": "b", "on": True}}, "body.Freeze.reason: None is missing"),
        ({"Thaw": {}}, 'body: .* must be {"Branch"'),
        ({"Freeze": {}, "Yield": {}}, "body: .* must be"),
        ("Freeze", "body: 'Freeze' must be"),
        (
            {"Request": {"request_id": "q", "verb": "v", "params": {"a": 1}}},
            "body.Request.params.a",
        ),
        (
            {"Correction": {"correction_id": "c", "kind": "LATE", "row": "%"}},
            "row: '%' is no base64",
        ),
    ],
)
def test_a_union_names_its_branch(body: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        from_json(r.BookInput, {"body": body})


def test_what_is_missing_or_no_object() -> None:
    with pytest.raises(Invalid, match="exec_id: None is missing"):
        from_json(r.HedgeExecution, {})
    with pytest.raises(Invalid, match="must be an object, a HedgeExecution"):
        from_json(r.HedgeExecution, [])


@given(st.integers(0, 253_402_300_799_999))
def test_times(at_ms: int) -> None:
    assert parse_time(iso(at_ms)) == at_ms
    assert parse_time(at_ms) == at_ms


@given(st.integers(0, 2_932_896))
def test_dates(day: int) -> None:
    assert parse_date(iso_date(day)) == day
    assert parse_date(day) == day


def test_dates_far_away_and_wrong_ones() -> None:
    assert iso_date(0) == "1970-01-01"
    assert (iso_date(-1), iso_date(2_932_897)) == (-1, 2_932_897)
    for wrong in ("2026-02-30", "yesterday", 1.5, True, None):
        with pytest.raises(Invalid, match="date"):
            parse_date(wrong)
    with pytest.raises(Invalid, match="value_date: 2147483648 does not fit int"):
        parse_date(2**31, "value_date")


def test_times_with_other_zones_and_far_away() -> None:
    assert parse_time("2025-12-01T10:30:00.250+01:00") == EXECUTION.exec_time_ms
    assert iso(253_402_300_800_000) == 253_402_300_800_000
    assert iso(-1) == -1
