"""The JSON Schema (2020-12) of a sweep order, as an outside bank connector reads it.

It is made from the Avro contract. Its version is semantic and follows from the released schemas: a
field or a symbol more is a minor version, anything that breaks a reader a major one. An amount is a
number with exact digits, or the same as text where `amounts=string` is asked for.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas.contracts import Schema, inner, nullable, plain, resolved, short

RECORD, SUBJECT = "SweepOrder", "sweep_intent-value"
FILE = Path(__file__).parent / "sweep_order.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:weir:sweep-order"
INTERNAL = frozenset({"meta"})
"""Fields that are ours alone: not signed, and not shown outside."""
SIGNATURE = {
    "type": "string",
    "description": "Detached JWS (Ed25519) over all other fields as canonical JSON: amounts as"
    " text, sorted keys, no spaces.",
}


def text(released: list[Schema]) -> str:
    """The file's text, given all released schemas of the order, oldest first."""
    current = resolved(RECORD)
    history = [*released, current] if _changed(released, current) else released
    return json.dumps(json_schema(current, version(history)), indent=2) + "\n"


def version(history: list[Schema]) -> str:
    """The semantic version after these schemas; the first is 1.0.0."""
    major, minor = 1, 0
    shapes = [json_schema(schema, "") for schema in history]
    for old, new in pairwise(shapes):
        if breaks(old, new):
            major, minor = major + 1, 0
        else:
            minor += 1
    return f"{major}.{minor}.0"


def breaks(old: Any, new: Any) -> bool:
    """Whether a reader of the old schema may fail on what the new one allows: something is gone or
    means another type.
    """
    if set(_types(old)) != set(_types(new)):
        return True
    if not set(old.get("enum", ())) <= set(new.get("enum", ())):
        return True
    shared = ("format", "pattern", "const")
    if any(old.get(name) != new.get(name) for name in shared):
        return True
    before, after = old.get("properties", {}), new.get("properties", {})
    if any(name not in after or breaks(before[name], after[name]) for name in before):
        return True
    nested = ("items", "additionalProperties")
    return any(name in old and breaks(old[name], new.get(name, {})) for name in nested)


def json_schema(schema: Schema, at: str) -> dict[str, Any]:
    """The schema of a released contract under a version."""
    shape = _record(schema, {}, INTERNAL)
    shape["properties"]["signature"] = SIGNATURE
    return {"$schema": DIALECT, "$id": f"{ID}:{at}", "title": RECORD, **shape}


def _record(schema: Schema, known: dict[str, Schema], without: frozenset[str]) -> dict[str, Any]:
    known[schema["name"]] = schema
    fields = [field for field in schema["fields"] if field["name"] not in without]
    for field in schema["fields"]:
        if field["name"] in without:
            _shape(field["type"], known)  # a type may be defined where it is used first
    properties = {
        field["name"]: {"description": field.get("doc", ""), **_shape(field["type"], known)}
        for field in fields
    }
    return {
        "type": "object",
        "description": schema.get("doc", ""),
        "required": [field["name"] for field in fields],
        "properties": properties,
    }


def _shape(avro: Any, known: dict[str, Schema]) -> dict[str, Any]:
    if nullable(avro):
        shape = _shape(inner(avro), known)
        return shape | {"type": [*_types(shape), "null"]}
    if isinstance(avro, str):
        named = known.get(short(avro))
        return _PLAIN[avro] if named is None else _shape(named, known)
    if avro["type"] == "record":
        shape = _record(avro, known, frozenset())
        del shape["description"]
        return shape
    if avro["type"] == "enum":
        known[avro["name"]] = avro
        return {"type": "string", "enum": avro["symbols"][1:]}
    if avro["type"] == "array":
        return {"type": "array", "items": _shape(avro["items"], known)}
    if avro["type"] == "map":
        return {"type": "object", "additionalProperties": _shape(avro["values"], known)}
    if avro.get("logicalType") == "decimal":
        whole, places = avro["precision"] - avro["scale"], avro["scale"]
        pattern = rf"^-?\d{{1,{whole}}}(\.\d{{1,{places}}})?$"
        return {"type": ["number", "string"], "pattern": pattern}
    return _TIMES.get(avro.get("logicalType"), {}) or _shape(avro["type"], known)


def _types(shape: dict[str, Any]) -> list[str]:
    found = shape.get("type", [])
    return [found] if isinstance(found, str) else found


def _changed(released: list[Schema], current: Schema) -> bool:
    return not released or plain(released[-1]) != plain(current)


_PLAIN: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "long": {"type": "integer"},
    "boolean": {"type": "boolean"},
}
_TIMES: dict[Any, dict[str, Any]] = {
    "timestamp-millis": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
}
