"""How a node's state is written down: a table of frozen structs, each part with its own type.

A full table key is `part|node key` or `part|node key|rest`; the part chooses the type. A value is
readable JSON on the changelog, because people look at it in a Kafka UI: one object per entry,
integers that count units of 10^-18 (`*_e18`) as strings, since a browser rounds numbers above 2^53.

Reading is msgspec's own, which takes such strings for integers. Writing is a function made for each
type, one dict display after the other: a loop over the fields cost three times as much, and every
fill writes about ten entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tables.state import State

PARTITION_KEY = "@partition"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class TableSpec:
    """One node's table: `name` and the state type of every part (key prefix) in it."""

    name: str
    parts: Mapping[str, type[State]]

    def dumps(self, key: str, value: State) -> bytes:
        """The JSON bytes of one entry; the same value always gives the same bytes."""
        return _encode(_writer(self._type(key))(value))

    def loads(self, key: str, data: bytes) -> State:
        """The frozen value of one entry. Raises KeyError for a part the table does not declare,
        msgspec.ValidationError for an entry that is not of its type.
        """
        value: State = _reader(self._type(key))(data)
        return value

    def _type(self, key: str) -> type[State]:
        part = key.partition("|")[0]
        try:
            return self.parts[part]
        except KeyError:
            raise KeyError(f"table {self.name} declares no part {part!r} (key {key!r})") from None


_WRITERS: dict[type[State], Callable[[Any], dict[str, Any]]] = {}
_READERS: dict[type[State], Callable[[bytes], Any]] = {}


def _writer(cls: type[State]) -> Callable[[Any], dict[str, Any]]:
    made = _WRITERS.get(cls)
    return _made(cls) if made is None else made


def _reader(cls: type[State]) -> Callable[[bytes], Any]:
    made = _READERS.get(cls)
    if made is None:
        _writer(cls)  # refuses a type that holds what no state may
        made = _READERS[cls] = msgspec.json.Decoder(cls, strict=False).decode
    return made


def _made(cls: type[State]) -> Callable[[Any], dict[str, Any]]:
    """The function that turns one type into what msgspec writes. Raises TypeError for a field that
    no state may have.
    """
    if not issubclass(cls, State):
        raise TypeError(f"{cls.__name__} is no State")
    hints = get_type_hints(cls)
    known: dict[str, Any] = {}
    fields = [
        f"{name!r}: {_expression(name, hints[name], f'value.{name}', known)}"
        for name in cls.__struct_fields__
    ]
    exec(f"def write(value): return {{{', '.join(fields)}}}", known)
    made: Callable[[Any], dict[str, Any]] = known["write"]
    _WRITERS[cls] = made
    return made


def _expression(name: str, hint: Any, source: str, known: dict[str, Any]) -> str:
    """Python text for one value; the writers it calls are put into `known`."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = [arm for arm in get_args(hint) if arm is not type(None)]
        plain = _expression(name, hint, source, known)
        return plain if plain == source else f"None if {source} is None else {plain}"
    if hint is int:
        return f"str({source})" if name.endswith("_e18") else source
    if hint in (str, bool):
        return source
    if isinstance(hint, type) and issubclass(hint, State):
        known[hint.__name__] = _writer(hint)
        return f"{hint.__name__}({source})"
    if get_origin(hint) is tuple:
        item = _expression(name, get_args(hint)[0], "item", known)
        return source if item == "item" else f"[{item} for item in {source}]"
    if get_origin(hint) is dict:
        item = _expression(name, get_args(hint)[1], "item", known)
        return source if item == "item" else f"{{key: {item} for key, item in {source}.items()}}"
    raise TypeError(f"field {name}: a state value cannot hold {hint!r}")
