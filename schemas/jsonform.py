"""The JSON form of a record: what `weir produce` takes, `weir consume` prints and REST speaks.

Decimals are plain strings, times ISO-8601 in UTC with milliseconds, dates ISO-8601, bytes base64,
a union is `{"Branch": {...}}`, a null stands as null. Reading is strict: whatever does not fit is
`Invalid`, which names the field and the value. Nothing is rounded and nothing is guessed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from schemas.contracts import Schema, attribute, inner, named, nullable, short
from schemas.money import parse_scaled, text_scaled
from schemas.records import RECORDS
from schemas.varint import INT_MAX, LIMIT, LONG_MAX

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LAST_ISO_MS = 253_402_300_799_999  # the end of the year 9999
_LAST_DAY = 2_932_896  # its last one


class Invalid(ValueError):
    """A JSON value does not fit its field."""

    def __init__(self, field: str, value: object, why: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        super().__init__(f"{field}: {shown} {why}" if field else f"{shown} {why}")
        self.field, self.value, self.why = field, value, why


def to_json(record: Any) -> dict[str, Any]:
    """The JSON form of a record."""
    schema = named()[type(record).__name__]
    return {
        field["name"]: _shown(field["type"], getattr(record, attribute(field)))
        for field in schema["fields"]
    }


def from_json(record_type: type[T], content: Any, path: str = "") -> T:
    """The record of a JSON form; Invalid names the first field that does not fit."""
    schema = named()[record_type.__name__]
    if not isinstance(content, dict):
        raise Invalid(path.rstrip("."), content, f"must be an object, a {record_type.__name__}")
    names = {field["name"] for field in schema["fields"]}
    for name in content:
        if name not in names:
            why = f"is no field of {record_type.__name__}"
            raise Invalid(f"{path}{name}", content[name], why)
    values = {}
    for field in schema["fields"]:
        name = field["name"]
        if name in content:
            values[attribute(field)] = _read(field["type"], content[name], f"{path}{name}")
        elif "default" not in field:
            raise Invalid(f"{path}{name}", None, "is missing")
    made: T = RECORDS[schema["name"]](**values)
    return made


def iso(at_ms: int) -> str | int:
    """A time as ISO-8601 in UTC with milliseconds; beyond the year 9999 the number itself."""
    if not 0 <= at_ms <= _LAST_ISO_MS:
        return at_ms
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at.isoformat(timespec='milliseconds')[:-6]}Z"


def parse_time(value: Any, path: str = "timestamp") -> int:
    """Epoch milliseconds of an ISO-8601 text with a zone, or of the number itself."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _within(value, LONG_MAX, path, "long")
    if not isinstance(value, str):
        raise Invalid(path, value, "must be a time: ISO-8601 text or epoch milliseconds")
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(path, value, "is no ISO-8601 time") from None
    if at.tzinfo is None:
        raise Invalid(path, value, "has no time zone: end it with Z")
    since = at - _EPOCH
    if since % _MS:
        raise Invalid(path, value, "is finer than a millisecond")
    return since // _MS


def iso_date(day: int) -> str | int:
    """A date (days since 1970-01-01) as ISO-8601; before 1970 and beyond 9999 the number itself."""
    if not 0 <= day <= _LAST_DAY:
        return day
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def parse_date(value: Any, path: str = "date") -> int:
    """Days since 1970-01-01 of an ISO-8601 date, or of the number itself."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _within(value, INT_MAX, path, "int")
    if not isinstance(value, str):
        raise Invalid(path, value, "must be a date: ISO-8601 text or days since 1970-01-01")
    try:
        return (date.fromisoformat(value) - _EPOCH.date()).days
    except ValueError:
        raise Invalid(path, value, "is no ISO-8601 date") from None


def _shown(avro: Any, value: Any) -> Any:
    if value is None:
        return None
    avro = inner(avro)
    if isinstance(avro, list):
        return {type(value).__name__: to_json(value)}
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return [_shown(avro["items"], item) for item in value]
        if avro["type"] == "map":
            return {key: _shown(avro["values"], item) for key, item in value.items()}
        if avro.get("logicalType") == "decimal":
            return text_scaled(value, avro["scale"])
        if avro.get("logicalType") == "timestamp-millis":
            return iso(value)
        if avro.get("logicalType") == "date":
            return iso_date(value)
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return to_json(value) if type(value).__name__ in RECORDS else value


def _read(avro: Any, value: Any, path: str) -> Any:
    if nullable(avro):
        return None if value is None else _read(inner(avro), value, path)
    if value is None:
        raise Invalid(path, value, "must not be null")
    if isinstance(avro, list):
        return _branch(avro, value, path)
    if isinstance(avro, dict):
        return _composed(avro, value, path)
    plain = _PLAIN.get(avro)
    if plain:
        return plain(value, path)
    schema = named()[short(avro)]
    if schema["type"] == "record":
        return from_json(RECORDS[schema["name"]], value, f"{path}.")
    symbols = schema["symbols"][1:]
    if value not in symbols:
        raise Invalid(path, value, f"must be one of {', '.join(symbols)}")
    return value


def _branch(avro: list[str], value: Any, path: str) -> Any:
    names = [short(item) for item in avro]
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in names:
        raise Invalid(path, value, f'must be {{"Branch": {{...}}}}, one of {", ".join(names)}')
    name, content = next(iter(value.items()))
    return from_json(RECORDS[name], content, f"{path}.{name}.")


def _composed(avro: Schema, value: Any, path: str) -> Any:
    if avro["type"] == "array":
        if not isinstance(value, list):
            raise Invalid(path, value, "must be an array")
        return tuple(_read(avro["items"], item, f"{path}[{i}]") for i, item in enumerate(value))
    if avro["type"] == "map":
        if not isinstance(value, dict):
            raise Invalid(path, value, "must be an object")
        return {
            _text(key, path): _read(avro["values"], item, f"{path}.{key}")
            for key, item in value.items()
        }
    if avro.get("logicalType") == "decimal":
        return _decimal(avro, value, path)
    if avro.get("logicalType") == "timestamp-millis":
        return parse_time(value, path)
    if avro.get("logicalType") == "date":
        return parse_date(value, path)
    return _read(avro["type"], value, path)


def _decimal(avro: Schema, value: Any, path: str) -> int:
    try:
        number = parse_scaled(value, avro["scale"])
    except ValueError as error:
        why = str(error).removeprefix(repr(value)).strip()
        raise Invalid(path, value, why) from None
    if abs(number) >= LIMIT[avro["precision"]]:
        raise Invalid(path, value, f"has more than {avro['precision']} digits")
    return number


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Invalid(path, value, "must be text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(path, value, "is no valid Unicode text") from None
    return value


def _integer(value: Any, path: str) -> int:
    return _whole(value, INT_MAX, path, "int")


def _long(value: Any, path: str) -> int:
    return _whole(value, LONG_MAX, path, "long")


def _whole(value: Any, most: int, path: str, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(path, value, "must be a whole number")
    return _within(value, most, path, name)


def _within(value: int, most: int, path: str, name: str) -> int:
    if not -most - 1 <= value <= most:
        raise Invalid(path, value, f"does not fit {name}")
    return value


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(path, value, "must be true or false")
    return value


def _bytes(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_text(value, path), validate=True)
    except (binascii.Error, ValueError) as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid(path, value, "is no base64") from None


_PLAIN: dict[str, Callable[[Any, str], Any]] = {
    "string": _text,
    "int": _integer,
    "long": _long,
    "boolean": _boolean,
    "bytes": _bytes,
}
