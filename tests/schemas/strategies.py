"""Hypothesis strategies for records, built from the contracts themselves."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.contracts import attribute, inner, named, nullable, short
from schemas.records import RECORDS

TEXT = st.one_of(st.sampled_from(["", "BTCUSDT", "naïve ☃ 𝔘", "x" * 63, "x" * 64]), st.text())
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=200),
}


def records(name: str) -> st.SearchStrategy[Any]:
    """Any value of a record."""
    fields = {attribute(f): _values(f["type"]) for f in named()[name]["fields"]}
    return st.builds(RECORDS[name], **fields)


def _values(avro: Any) -> st.SearchStrategy[Any]:
    if nullable(avro):
        return st.none() | _values(inner(avro))
    if isinstance(avro, list):
        return st.one_of([records(short(item)) for item in avro])
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return st.lists(_values(avro["items"]), max_size=3).map(tuple)
        if avro["type"] == "map":
            return st.dictionaries(TEXT, _values(avro["values"]), max_size=3)
        if avro.get("logicalType") == "decimal":
            most = 10 ** avro["precision"] - 1
            return st.one_of(st.integers(-most, most), st.integers(-(10**19), 10**19))
        return _values(avro["type"])
    if avro in PLAIN:
        return PLAIN[avro]
    schema = named()[short(avro)]
    if schema["type"] == "enum":
        return st.sampled_from(schema["symbols"][1:])
    return records(short(avro))
