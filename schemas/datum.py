"""Records of another version of their schema, and what is wrong with one that cannot be written.

The data here has the integers themselves in the place of decimals (as bytes) and times, because
the schemas it is read with are stripped of their logical types.
"""

from __future__ import annotations

from typing import Any

from schemas.contracts import Schema, attribute, inner, named, nullable, short
from schemas.errors import Undecodable, Unencodable
from schemas.records import RECORDS
from schemas.varint import INT_MAX, LIMIT, LONG_MAX


def from_datum(schema: Schema, datum: Any) -> Any:
    """The record of a datum read with the schema without logical types."""
    values = {}
    for field in schema["fields"]:
        value = datum[field["name"]]
        values[attribute(field)] = _value(field["type"], value, field["name"])
    return RECORDS[schema["name"]](**values)


def misfit(record: Any, error: Exception, path: str = "") -> Unencodable:
    """Which field of a record does not fit its type, after encoding failed with `error`."""
    for field in named()[type(record).__name__]["fields"]:
        name = f"{path}{field['name']}"
        value = getattr(record, attribute(field))
        why = _fault(field["type"], value)
        if why:
            return Unencodable(name, value, why)
        nested = value if isinstance(value, tuple) else (value,)
        for item in nested:
            if type(item).__name__ in RECORDS:
                found = misfit(item, error, f"{name}.")
                if found.field != "value":
                    return found
    return Unencodable("value", record, str(error))


def _value(avro: Any, value: Any, name: str) -> Any:
    if nullable(avro):
        return None if value is None else _value(inner(avro), value, name)
    if isinstance(avro, list):
        branch, datum = value
        return from_datum(named()[short(branch)], datum)
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return tuple(_value(avro["items"], item, name) for item in value)
        if avro["type"] == "map":
            return {key: _value(avro["values"], item, name) for key, item in value.items()}
        if avro.get("logicalType") == "decimal":
            return _decimal(avro, value, name)
        return value
    if avro in ("string", "int", "long", "boolean", "bytes"):
        return value
    schema = named()[short(avro)]
    if schema["type"] == "record":
        datum = value[1] if isinstance(value, tuple) else value
        return from_datum(schema, datum)
    if value == "UNKNOWN":
        raise Undecodable("enum", name, value, f"known are {', '.join(schema['symbols'][1:])}")
    return value


def _decimal(avro: Schema, value: bytes | str, name: str) -> int:
    data = value.encode("latin-1") if isinstance(value, str) else value
    number = int.from_bytes(data, "big", signed=True)
    if len(data) > 16 or abs(number) >= LIMIT[avro["precision"]]:
        raise Undecodable("scale", name, data.hex(), f"over {avro['precision']} digits")
    return number


def _fault(avro: Any, value: Any) -> str:
    """Why a value does not fit a type; empty when it does (the caller looks into records)."""
    if value is None:
        return "" if nullable(avro) else "must not be null"
    avro = inner(avro)
    if isinstance(avro, list):
        names = [short(item) for item in avro]
        return "" if type(value).__name__ in names else f"must be one of {', '.join(names)}"
    if isinstance(avro, dict):
        if avro["type"] == "array":
            faults = [_fault(avro["items"], item) for item in value]
            return next((fault for fault in faults if fault), "")
        if avro["type"] == "map":
            if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
                return "must be a map with text as keys"
            faults = [_fault(avro["values"], item) for item in value.values()]
            return next((fault for fault in faults if fault), "")
        return _fault(avro["type"], value) if avro["type"] != "bytes" else _not("int", value)
    if avro in ("int", "long"):
        most = INT_MAX if avro == "int" else LONG_MAX
        inside = isinstance(value, int) and -most - 1 <= value <= most
        return _not("int", value) or ("" if inside else f"does not fit {avro}")
    plain = {"string": "str", "boolean": "bool", "bytes": "bytes"}
    if avro in plain:
        return _not(plain[avro], value)
    schema = named()[short(avro)]
    if schema["type"] == "enum":
        symbols = schema["symbols"][1:]
        return "" if value in symbols else f"must be one of {', '.join(symbols)}"
    return _not(schema["name"], value)


def _not(name: str, value: Any) -> str:
    return "" if type(value).__name__ == name else f"must be {name}, is {type(value).__name__}"
