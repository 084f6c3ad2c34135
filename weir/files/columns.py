"""Records as typed columns: the Avro contract of a topic as Arrow, values moved without rounding.

Decimals become decimal128 of the same precision and scale, bit for bit; times timestamp[ms, UTC],
dates date32, enums strings, records structs, arrays lists, maps maps. A union of records is a
struct with one field per branch, of which one is set, as in the JSON form. Every column may be
null: a row whose value is no record has nulls in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

import pyarrow as pa

from schemas.contracts import Schema, attribute, inner, named, nullable, short

Values = Sequence[Any]

_PLAIN = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "bytes": pa.binary(),
}
_DECIMAL_BYTES = 16


def fields(record: str) -> list[pa.Field]:
    """The columns of a record, under the names of its contract."""
    return [pa.field(one["name"], _type(one["type"])) for one in named()[record]["fields"]]


def columns(record: str, values: Values) -> list[pa.Array]:
    """A column for each field of the records; None gives nulls."""
    return [
        _column(field["type"], [None if one is None else getattr(one, name) for one in values])
        for field, name in _attributes(record)
    ]


def _type(avro: Any) -> pa.DataType:
    avro = inner(avro)
    if isinstance(avro, list):
        return pa.struct([pa.field(short(one), _type(one)) for one in avro])
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return pa.list_(_type(avro["items"]))
        if avro["type"] == "map":
            return pa.map_(pa.string(), _type(avro["values"]))
        return _logical(avro)
    if avro in _PLAIN:
        return _PLAIN[avro]
    schema = named()[short(avro)]
    return pa.struct(fields(schema["name"])) if schema["type"] == "record" else pa.string()


def _logical(avro: Schema) -> pa.DataType:
    kind = avro.get("logicalType")
    if kind == "decimal":
        return pa.decimal128(avro["precision"], avro["scale"])
    if kind == "timestamp-millis":
        return pa.timestamp("ms", tz="UTC")
    return pa.date32() if kind == "date" else _type(avro["type"])


def _column(avro: Any, values: Values) -> pa.Array:
    if nullable(avro):
        return _column(inner(avro), values)
    if isinstance(avro, list):
        return _union(avro, values)
    if isinstance(avro, dict):
        if avro["type"] == "array":
            items = [item for one in values if one is not None for item in one]
            return pa.ListArray.from_arrays(
                _offsets(values), _column(avro["items"], items), mask=_nulls(values)
            )
        if avro["type"] == "map":
            return _map(avro, values)
        if avro.get("logicalType") == "decimal":
            return _decimals(avro, values)
        return pa.array(values, _logical(avro))
    if avro in _PLAIN:
        return pa.array(values, _PLAIN[avro])
    schema = named()[short(avro)]
    if schema["type"] != "record":
        return pa.array(values, pa.string())
    name = schema["name"]
    return pa.StructArray.from_arrays(
        columns(name, values), fields=fields(name), mask=_nulls(values)
    )


def _union(avro: list[str], values: Values) -> pa.Array:
    names = [short(one) for one in avro]
    branches = [
        _column(one, [value if type(value).__name__ == name else None for value in values])
        for one, name in zip(avro, names, strict=True)
    ]
    return pa.StructArray.from_arrays(branches, names=names, mask=_nulls(values))


def _map(avro: Schema, values: Values) -> pa.Array:
    keys = [key for one in values if one is not None for key in one]
    items = [item for one in values if one is not None for item in one.values()]
    return pa.MapArray.from_arrays(
        _offsets(values),
        pa.array(keys, pa.string()),
        _column(avro["values"], items),
        mask=_nulls(values),
    )


def _decimals(avro: Schema, values: Values) -> pa.Array:
    """The scaled integers are the very bytes of decimal128: nothing is computed."""
    nothing = bytes(_DECIMAL_BYTES)
    data = b"".join(
        nothing if one is None else one.to_bytes(_DECIMAL_BYTES, "little", signed=True)
        for one in values
    )
    valid = pa.array([one is not None for one in values], pa.bool_()).buffers()[1]
    return pa.Array.from_buffers(_logical(avro), len(values), [valid, pa.py_buffer(data)])


def _offsets(values: Values) -> pa.Array:
    sizes = (0 if one is None else len(one) for one in values)
    return pa.array(accumulate(sizes, initial=0), pa.int32())


def _nulls(values: Values) -> pa.Array:
    return pa.array([one is None for one in values], pa.bool_())


@cache
def _attributes(record: str) -> list[tuple[Schema, str]]:
    return [(field, attribute(field)) for field in named()[record]["fields"]]
