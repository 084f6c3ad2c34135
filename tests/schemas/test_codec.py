"""The generated codec writes and reads exactly the bytes that fastavro does, for every record."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import records as r
from schemas.contracts import SUBJECTS, raw, resolved
from schemas.errors import Undecodable, Unencodable
from schemas.records import DECODERS, ENCODERS
from schemas.wire import SchemaIds, Wire
from tests.schemas.examples import EXECUTION
from tests.schemas.oracle import to_datum
from tests.schemas.strategies import records

WIRE = Wire(SchemaIds.from_lock())
TOPIC = "hedge-executions"


@pytest.mark.parametrize("name", sorted(SUBJECTS.values()))
def test_bytes_equal_fastavro(name: str) -> None:
    schema = fastavro.parse_schema(raw(resolved(name)), named_schemas={})

    @settings(max_examples=40, deadline=None)
    @given(records(name))
    def check(record: Any) -> None:
        oracle = io.BytesIO(b"head")
        oracle.seek(4)
        fastavro.schemaless_writer(oracle, schema, to_datum(record))
        data = ENCODERS[type(record)](b"head", record)
        assert data == oracle.getvalue()
        assert DECODERS[type(record)](data, 4) == record

    check()


def test_decimals_and_times_mean_what_the_schema_says() -> None:
    schema = fastavro.parse_schema(resolved("HedgeExecution"), named_schemas={})
    datum = fastavro.schemaless_reader(io.BytesIO(WIRE.encode(TOPIC, EXECUTION)[5:]), schema, None)
    assert str(datum["price"]) == "95900.100000000000000000"
    assert datum["exec_time"].isoformat() == "2025-12-01T09:30:00.250000+00:00"
    assert str(datum["multiplier"]) == "1.000000000000000000"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_undecodable(data: bytes) -> None:
    try:
        WIRE.decode(TOPIC, WIRE.encode(TOPIC, EXECUTION)[:5] + data)
    except Undecodable:
        return


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_record_is_a_record_or_undecodable(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SUBJECTS.items())))
    whole = bytearray(WIRE.encode(name[0], data.draw(records(name[1]))))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    try:
        WIRE.decode(name[0], bytes(whole))
    except Undecodable:
        return


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_stamp_alone_is_the_stamp_of_the_whole(data: st.DataObject) -> None:
    topic, name = data.draw(st.sampled_from(sorted(SUBJECTS.items())))
    record = data.draw(records(name))
    whole = bytearray(WIRE.encode(topic, record))
    assert WIRE.meta(topic, bytes(whole)) == getattr(record, "meta", None)
    del whole[data.draw(st.integers(0, len(whole))) :]
    try:
        found = WIRE.meta(topic, bytes(whole))
    except Undecodable:
        return
    assert found == getattr(record, "meta", None)


def test_missing_and_trailing_bytes() -> None:
    data = WIRE.encode(TOPIC, EXECUTION)
    for wrong in (data[:-1], data + b"\0", data[:40], data[:5], data[:4], b""):
        with pytest.raises(Undecodable) as caught:
            WIRE.decode(TOPIC, wrong)
        assert caught.value.cause == "decode"


def test_a_decimal_with_too_many_digits_is_a_dead_letter_and_never_rounded() -> None:
    schema = fastavro.parse_schema(raw(resolved("HedgeExecution")), named_schemas={})
    for size, number in ((17, 10**39), (16, 10**38), (16, -(10**38))):
        datum = to_datum(EXECUTION) | {"fee": number.to_bytes(size, "big", signed=True)}
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, datum)
        with pytest.raises(Undecodable, match=r"scale: fee=.* over 38 digits") as caught:
            WIRE.decode(TOPIC, WIRE.encode(TOPIC, EXECUTION)[:5] + out.getvalue())
        assert (caught.value.cause, caught.value.field) == ("scale", "fee")


@pytest.mark.parametrize("symbol", ["UNKNOWN", 9])
def test_an_unknown_symbol_is_refused(symbol: str | int) -> None:
    data = bytearray(ENCODERS[r.HedgeExecution](b"", EXECUTION))
    at = data.rindex(b"\x0abybit") + 1
    data[at + len("bybit")] = 0 if symbol == "UNKNOWN" else 18
    with pytest.raises(Undecodable, match="enum: kind=") as caught:
        WIRE.decode(TOPIC, WIRE.encode(TOPIC, EXECUTION)[:5] + bytes(data))
    assert caught.value.cause == "enum"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qty_e18": 10**38}, r"qty=1000.*: more than 38 digits"),
        ({"qty_e18": "1"}, "qty='1': must be int, is str"),
        ({"side": "buy"}, "side='buy': must be one of Buy, Sell"),
        ({"side": "UNKNOWN"}, "side='UNKNOWN': must be one of Buy, Sell"),
        ({"exec_id": 5}, "exec_id=5: must be str, is int"),
        ({"exec_id": None}, "exec_id=None: must not be null"),
        ({"position_idx": 2**31}, "position_idx=2147483648: does not fit int"),
        ({"exec_time_ms": 2**63}, "exec_time=9223372036854775808: does not fit long"),
    ],
)
def test_a_value_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    fields = {f: getattr(EXECUTION, f) for f in EXECUTION.__struct_fields__}
    with pytest.raises(Unencodable, match=message):
        WIRE.encode(TOPIC, r.HedgeExecution(**fields | change))


def test_a_nested_value_that_does_not_fit_is_named() -> None:
    wrong = r.BookInput(body=r.Freeze(break_id="b", on=True, reason=7))
    with pytest.raises(Unencodable, match=r"body.reason=7"):
        WIRE.encode("treasury.book-inputs.v1", wrong)
    with pytest.raises(Unencodable, match=r"body=.*must be one of PolicyCopy"):
        WIRE.encode("treasury.book-inputs.v1", r.BookInput(body=EXECUTION))
    with pytest.raises(Unencodable, match="holds BookInput"):
        WIRE.encode("treasury.book-inputs.v1", EXECUTION)
