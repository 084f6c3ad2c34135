"""Records as fastavro writes them, with the schema without logical types: the codec's oracle."""

from __future__ import annotations

from typing import Any

from schemas.contracts import attribute, inner, logical, named
from schemas.records import RECORDS


def to_datum(record: Any) -> Any:
    """The datum of a record, as fastavro writes it with the schema without logical types."""
    schema = named()[type(record).__name__]
    return {
        field["name"]: _datum(field["type"], getattr(record, attribute(field)))
        for field in schema["fields"]
    }


def _datum(avro: Any, value: Any) -> Any:
    if value is None:
        return None
    avro_inner = inner(avro)
    if isinstance(avro_inner, list):
        return (f"treasury.{type(value).__name__}", to_datum(value))
    if isinstance(avro_inner, dict):
        if avro_inner["type"] == "array":
            return [_datum(avro_inner["items"], item) for item in value]
        if avro_inner["type"] == "map":
            return {key: _datum(avro_inner["values"], item) for key, item in value.items()}
        if (logical(avro_inner) or ("",))[0] == "decimal":
            return value.to_bytes((value.bit_length() + 8) >> 3, "big", signed=True)
        return value
    return to_datum(value) if type(value).__name__ in RECORDS else value
