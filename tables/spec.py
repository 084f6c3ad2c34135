"""How a node's state is written down: a table of frozen structs, each part with its own type.

A full table key is `part|node key` or `part|node key|rest`; the part chooses the type. A value is
readable JSON on the changelog, because people look at it in a Kafka UI: one object per entry,
integers that count units of 10^-18 (`*_e18`) as strings, since a browser rounds numbers above 2^53.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

PARTITION_KEY = "@partition"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class TableSpec:
    """One node's table: `name` and the state type of every part (key prefix) in it."""

    name: str
    parts: Mapping[str, type[msgspec.Struct]]

    def dumps(self, key: str, value: msgspec.Struct) -> bytes:
        """The JSON bytes of one entry; the same value always gives the same bytes."""
        return _encode(_writers(self._type(key))(value))

    def loads(self, key: str, data: bytes) -> msgspec.Struct:
        """The frozen value of one entry. Raises KeyError for a part the table does not declare."""
        value: msgspec.Struct = _readers(self._type(key))(_decode(data))
        return value

    def _type(self, key: str) -> type[msgspec.Struct]:
        part = key.partition("|")[0]
        try:
            return self.parts[part]
        except KeyError:
            raise KeyError(f"table {self.name} declares no part {part!r} (key {key!r})") from None


def _writers(cls: type[msgspec.Struct]) -> Callable[[Any], Any]:
    made = _WRITE.get(cls)
    if made is None:
        made = _WRITE[cls] = _struct_writer(cls)
    return made


def _readers(cls: type[msgspec.Struct]) -> Callable[[Any], Any]:
    made = _READ.get(cls)
    if made is None:
        made = _READ[cls] = _struct_reader(cls)
    return made


_WRITE: dict[type, Callable[[Any], Any]] = {}
_READ: dict[type, Callable[[Any], Any]] = {}


def _struct_writer(cls: type[msgspec.Struct]) -> Callable[[Any], Any]:
    hints = get_type_hints(cls)
    fields = [(name, _writer(name, hints[name])) for name in cls.__struct_fields__]

    def write(value: Any) -> dict[str, Any]:
        out = {}
        for name, convert in fields:
            item = getattr(value, name)
            out[name] = convert(item) if convert is not None and item is not None else item
        return out

    return write


def _struct_reader(cls: type[msgspec.Struct]) -> Callable[[Any], Any]:
    hints = get_type_hints(cls)
    fields = {name: _reader(name, hints[name]) for name in cls.__struct_fields__}

    def read(data: dict[str, Any]) -> Any:
        out = {}
        for name, item in data.items():
            convert = fields[name]
            out[name] = convert(item) if convert is not None and item is not None else item
        return cls(**out)

    return read


def _writer(name: str, hint: Any) -> Callable[[Any], Any] | None:
    """The converter of one field to JSON, or None where msgspec writes it as it is."""
    return _converter(name, hint, str, _writers, list)


def _reader(name: str, hint: Any) -> Callable[[Any], Any] | None:
    return _converter(name, hint, int, _readers, tuple)


def _converter(
    name: str,
    hint: Any,
    unit: Callable[[Any], Any],
    struct: Callable[[type[msgspec.Struct]], Callable[[Any], Any]],
    sequence: Callable[[Any], Any],
) -> Callable[[Any], Any] | None:
    if get_origin(hint) in (Union, UnionType):
        (hint,) = [arm for arm in get_args(hint) if arm is not type(None)]
    if hint is int:
        return unit if name.endswith("_e18") else None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return struct(hint)
    if get_origin(hint) is tuple:
        inner = _converter(name, get_args(hint)[0], unit, struct, sequence)
        if inner is None:
            return sequence
        one = inner
        return lambda items: sequence([one(item) for item in items])
    if get_origin(hint) is dict:
        inner = _converter(name, get_args(hint)[1], unit, struct, sequence)
        if inner is None:
            return None
        each = inner
        return lambda items: {key: each(item) for key, item in items.items()}
    if hint in (str, bool):
        return None
    raise TypeError(f"field {name}: a state value cannot hold {hint!r}")
