"""The Avro binary pieces that the generated codecs share.

Numbers are zigzag varints; lengths and counts are numbers too. The generated code handles the one-
byte case inline and calls these helpers for the rest, so each of them may be thorough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from schemas.errors import Undecodable, Unencodable

T = TypeVar("T")

LEN = tuple(bytes((2 * size,)) for size in range(64))
"""The varint of each length below 64."""

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
LIMIT = {precision: 10**precision for precision in (20, 38)}


def long(value: int) -> bytes:
    """The varint of a 64-bit number."""
    if 0 <= value < 64:
        return LEN[value]
    if not -LONG_MAX - 1 <= value <= LONG_MAX:
        raise OverflowError(f"{value} has more than 64 bits")
    left = (value << 1) ^ (value >> 63)
    if 1 << 35 <= left < 1 << 42:  # every timestamp of today
        return bytes(
            (
                left & 127 | 128,
                left >> 7 & 127 | 128,
                left >> 14 & 127 | 128,
                left >> 21 & 127 | 128,
                left >> 28 & 127 | 128,
                left >> 35,
            )
        )
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


def integer(value: int) -> bytes:
    """The varint of a 32-bit number."""
    if 0 <= value < 64:
        return LEN[value]
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise OverflowError(f"{value} has more than 32 bits")
    return long(value)


def day(prefix: bytes, value: int) -> bytes:
    """The varint of a date, with what stands before it."""
    return prefix + integer(value)


def bound(value: int, precision: int, field: str) -> None:
    """Refuses a decimal with more digits than its type."""
    if abs(value) >= LIMIT[precision]:
        raise Unencodable(field, value, f"more than {precision} digits")


def strings(items: tuple[str, ...]) -> bytes:
    """An array of strings."""
    if not items:
        return b"\0"
    parts = [long(len(items))]
    for item in items:
        raw = item.encode()
        parts += (long(len(raw)), raw)
    parts.append(b"\0")
    return b"".join(parts)


def string_map(items: Mapping[str, str]) -> bytes:
    """A map of strings, in the order of the mapping."""
    if not items:
        return b"\0"
    parts = [long(len(items))]
    for key, value in items.items():
        raw_key, raw = key.encode(), value.encode()
        parts += (long(len(raw_key)), raw_key, long(len(raw)), raw)
    parts.append(b"\0")
    return b"".join(parts)


def decimal_map(items: Mapping[str, int], precision: int, field: str) -> bytes:
    """A map of the integers of decimals, in the order of the mapping."""
    if not items:
        return b"\0"
    parts = [long(len(items))]
    for key, value in items.items():
        bound(value, precision, field)
        raw_key, size = key.encode(), (value.bit_length() + 8) >> 3
        parts += (long(len(raw_key)), raw_key, long(size), value.to_bytes(size, "big", signed=True))
    parts.append(b"\0")
    return b"".join(parts)


def array(items: tuple[T, ...], encode: Callable[[bytes, T], bytes]) -> bytes:
    """An array of records."""
    if not items:
        return b"\0"
    return b"".join((long(len(items)), *[encode(b"", item) for item in items], b"\0"))


def read_long(data: bytes, pos: int) -> tuple[int, int]:
    """A number and the position after it."""
    byte = data[pos]
    pos += 1
    value = byte & 127
    shift = 7
    while byte > 127:
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise Undecodable("decode", why="a number longer than 10 bytes")
    return (value >> 1) ^ -(value & 1), pos


def read_length(data: bytes, pos: int) -> tuple[int, int]:
    """A length, never negative and never beyond the record."""
    size, pos = read_long(data, pos)
    if not 0 <= size <= len(data) - pos:
        raise Undecodable("decode", why=f"a length of {size} with {len(data) - pos} bytes left")
    return size, pos


def read_string(data: bytes, pos: int) -> tuple[str, int]:
    """A string."""
    size, pos = read_length(data, pos)
    return data[pos : pos + size].decode(), pos + size


def read_bytes(data: bytes, pos: int) -> tuple[bytes, int]:
    """Plain bytes."""
    size, pos = read_length(data, pos)
    return data[pos : pos + size], pos + size


def read_decimal(data: bytes, pos: int, precision: int, field: str) -> tuple[int, int]:
    """The integer of a decimal, refused when it has more digits than the type."""
    size, pos = read_length(data, pos)
    value = int.from_bytes(data[pos : pos + size], "big", signed=True)
    if size > 16 or abs(value) >= LIMIT[precision]:
        raise Undecodable("scale", field, data[pos : pos + size].hex(), f"over {precision} digits")
    return value, pos + size


def read_symbol(data: bytes, pos: int, symbols: tuple[str, ...], field: str) -> tuple[str, int]:
    """The symbol of an enum; UNKNOWN, which is symbol 0, is refused."""
    index, pos = read_long(data, pos)
    if not 0 < index < len(symbols):
        raise Undecodable("enum", field, index, f"known are {', '.join(symbols[1:])}")
    return symbols[index], pos


def read_strings(data: bytes, pos: int) -> tuple[tuple[str, ...], int]:
    """An array of strings."""
    return read_array(data, pos, read_string)


def read_string_map(data: bytes, pos: int) -> tuple[dict[str, str], int]:
    """A map of strings."""
    items: dict[str, str] = {}
    while True:
        count, pos = _block(data, pos)
        if count == 0:
            return items, pos
        for _ in range(count):
            key, pos = read_string(data, pos)
            items[key], pos = read_string(data, pos)


def read_decimal_map(
    data: bytes, pos: int, precision: int, field: str
) -> tuple[dict[str, int], int]:
    """A map of the integers of decimals."""
    items: dict[str, int] = {}
    while True:
        count, pos = _block(data, pos)
        if count == 0:
            return items, pos
        for _ in range(count):
            key, pos = read_string(data, pos)
            items[key], pos = read_decimal(data, pos, precision, field)


def read_array(
    data: bytes, pos: int, read: Callable[[bytes, int], tuple[T, int]]
) -> tuple[tuple[T, ...], int]:
    """An array; each item is read by `read`."""
    if data[pos] == 0:
        return (), pos + 1
    items: list[T] = []
    while True:
        count, pos = _block(data, pos)
        if count == 0:
            return tuple(items), pos
        for _ in range(count):
            item, pos = read(data, pos)
            items.append(item)


def _block(data: bytes, pos: int) -> tuple[int, int]:
    """The count of the next block; a negative one is followed by the block's size in bytes."""
    count, pos = read_long(data, pos)
    if count < 0:
        _, pos = read_long(data, pos)
        count = -count
    if count > len(data) - pos:
        raise Undecodable("decode", why=f"{count} items with {len(data) - pos} bytes left")
    return count, pos


def branch(field: str, index: int) -> Undecodable:
    """A union branch that this version does not know."""
    return Undecodable("decode", field, index, "no such branch of the union")


def length(pos: int, size: int) -> Undecodable:
    """The record does not end where its bytes do."""
    what = f"{size - pos} bytes too many" if pos < size else f"{pos - size} bytes missing"
    return Undecodable("decode", why=what)
