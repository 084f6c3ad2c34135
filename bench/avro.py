"""Straight-line Avro codecs for the benchmark's flat records, with the Confluent header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec


class Record:
    """One schema: its id, and field -> "string", "decimal" (38,18), "timestamp", "long", or enum
    symbols.
    """

    def __init__(self, id: int, name: str, fields: dict[str, Any]) -> None:
        self.id, self.name, self.fields = id, name, fields
        types = {"string": str}
        self.type: Any = msgspec.defstruct(
            name, [(key, types.get(kind, Any)) for key, kind in fields.items()], frozen=True
        )

    @property
    def avsc(self) -> dict[str, Any]:
        """The schema as an independent reader wants it."""
        fields = [{"name": key, "type": self._avro(key, kind)} for key, kind in self.fields.items()]
        return {"type": "record", "name": self.name, "fields": fields}

    def _avro(self, key: str, kind: Any) -> Any:
        if isinstance(kind, tuple):
            return {"type": "enum", "name": f"{self.name}_{key}", "symbols": list(kind)}
        decimal = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 18}
        return {"decimal": decimal, "timestamp": "long"}.get(kind, kind)


class _Pair(NamedTuple):
    loads: Callable[[bytes], Any]
    dumps: Callable[[Any], bytes]


def codec(records: Iterable[Record]) -> _Pair:
    """(loads, dumps) over all records; the header's id, or the value's type, chooses."""
    made = [(record, _compile(record)) for record in records]
    by_id = {record.id: pair.loads for record, pair in made}
    by_type = {record.type: pair.dumps for record, pair in made}
    return _Pair(lambda data: by_id[data[4]](data), lambda value: by_type[type(value)](value))


def _compile(record: Record) -> _Pair:
    reads, writes, parts = [], [], []
    names = {"_type": record.type, "_int": int.from_bytes, "_varint": _varint, "_long": _long}
    names["_head"] = b"\0" + record.id.to_bytes(4, "big")
    for key, kind in record.fields.items():
        reads += [" x=b[p];p+=1", " if x>127:x,p=_varint(b,p-1)", " x=(x>>1)^-(x&1)"]
        if kind == "string":
            reads.append(f" {key}=b[p:p+x].decode();p+=x")
            writes.append(f" {key}=o.{key}.encode()")
            parts += [f"_long(len({key}))", key]
        elif kind == "decimal":
            reads.append(f" {key}=_int(b[p:p+x],'big',signed=True);p+=x")
            writes.append(f" {key}=o.{key}")
            size = f"({key}.bit_length()+8)>>3"
            writes.append(f" {key}={key}.to_bytes({size},'big',signed=True)")
            parts += [f"_long(len({key}))", key]
        elif isinstance(kind, tuple):
            names[f"_symbols_{key}"] = kind
            names[f"_index_{key}"] = {symbol: _long(i) for i, symbol in enumerate(kind)}
            reads.append(f" {key}=_symbols_{key}[x]")
            parts.append(f"_index_{key}[o.{key}]")
        else:
            reads.append(f" {key}=x")
            parts.append(f"_long(o.{key})")
    lines = ["def loads(b):", " p=5", *reads, f" return _type({','.join(record.fields)})"]
    lines += ["def dumps(o):", *writes, f" return b''.join((_head,{','.join(parts)}))"]
    exec("\n".join(lines), names)
    return _Pair(names["loads"], names["dumps"])


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, position
        shift += 7


def _long(number: int) -> bytes:
    zigzag = (number << 1) ^ (number >> 63)
    if zigzag < 128:
        return _ONE[zigzag]
    out = bytearray()
    while zigzag > 127:
        out.append(zigzag & 127 | 128)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


_ONE = [bytes([number]) for number in range(128)]
