"""Writes the Python of `records.py`: one frozen Struct and one straight-line codec per record.

Straight-line means: no loop over a schema at run time, the one-byte varint inline, one join at
the end. That makes a record cost a few microseconds instead of ten. Fields stand on the wire in
the order of the `.avsc`; in the Struct the required ones come first, because those with a default
must follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from schemas.contracts import Schema, attribute, inner, named, nullable, short

HEADER = '''"""Generated from schemas/avro by `python -m schemas.generate`: edit the .avsc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.varint import (
    LEN,
    array,
    bound,
    branch,
    day,
    decimal_map,
    integer,
    length,
    long,
    read_array,
    read_bytes,
    read_decimal,
    read_decimal_map,
    read_long,
    read_string,
    read_string_map,
    read_strings,
    read_symbol,
    string_map,
    strings,
)

_int = int.from_bytes
'''


SHARED = ("Meta",)
"""Records that several outputs of one event hold: the bytes of the last one are remembered."""


def module(records: Iterable[str]) -> str:
    """The whole text of `records.py`; `records` are those that are the value of a topic."""
    tops = list(records)
    types = named()
    enums = [name for name, schema in types.items() if schema["type"] == "enum"]
    structs = _in_order([name for name, schema in types.items() if schema["type"] == "record"])
    held = {name for name in tops if any(_holds(outer, name) for outer in structs)}
    parts = [HEADER, *map(_symbols, enums), *map(_struct, structs)]
    for name in structs:
        parts.append(_encoder(name))
        if name in tops:
            parts.append(_decoder(name, nested=False))
        if name not in tops or name in held:
            parts.append(_decoder(name, nested=True))
    parts.append(_tables(structs, tops))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def snake(name: str) -> str:
    """HedgeExecution -> hedge_execution, PnLRecord -> pnl_record."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("PnL", "Pnl"))
    return spaced.lower()


def annotation(avro: Any) -> str:
    """The Python type of an Avro type."""
    if nullable(avro):
        return f"{annotation(inner(avro))} | None"
    if isinstance(avro, list):
        return " | ".join(short(item) for item in avro)
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return f"tuple[{annotation(avro['items'])}, ...]"
        if avro["type"] == "map":
            return f"dict[str, {annotation(avro['values'])}]"
        if avro.get("logicalType") == "decimal":
            return "int"
        return annotation(avro["type"])
    plain = {"string": "str", "int": "int", "long": "int", "boolean": "bool", "bytes": "bytes"}
    if avro in plain:
        return plain[avro]
    return "str" if _is_enum(avro) else short(avro)


def ordered(schema: Schema) -> list[Schema]:
    """The fields in the order of the Struct: required first."""
    fields: list[Schema] = schema["fields"]
    return [f for f in fields if "default" not in f] + [f for f in fields if "default" in f]


def default(field: Schema) -> Any:
    """The Python value of a field's default."""
    value = field["default"]
    if isinstance(field["type"], dict) and field["type"].get("logicalType") == "decimal":
        return int.from_bytes(value.encode("latin-1"), "big", signed=True)
    return value


def _is_enum(avro: Any) -> bool:
    return isinstance(avro, str) and named().get(short(avro), {}).get("type") == "enum"


def _is_date(avro: Any) -> bool:
    return isinstance(avro, dict) and avro.get("logicalType") == "date"


def _in_order(names: list[str]) -> list[str]:
    """Records after the records they refer to."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        for other in names:
            if _holds(name, other):
                visit(other)
        done.append(name)

    for name in names:
        visit(name)
    return done


def _holds(outer: str, inside: str) -> bool:
    """Whether a record has a field with the other in it."""
    fields = named()[outer]["fields"]
    return any(re.search(rf"\b{inside}\b", annotation(field["type"])) for field in fields)


def _constant(name: str) -> str:
    return f"_{snake(short(name)).upper()}"


def _symbols(name: str) -> str:
    symbols: list[str] = named()[name]["symbols"]
    known = list(enumerate(symbols))[1:]
    return "\n".join(
        (
            f"{_constant(name)} = {tuple(symbols)!r}",
            f"{_constant(name)}_BYTE = {{{', '.join(f'{s!r}: LEN[{i}]' for i, s in known)}}}",
            f"{_constant(name)}_OF = {{{', '.join(f'{2 * i}: {s!r}' for i, s in known)}}}",
        )
    )


def _struct(name: str) -> str:
    schema = named()[name]
    lines = [
        f"class {name}(msgspec.Struct, frozen=True, gc=False):",
        f'    """{schema["doc"]}"""',
        "",
    ]
    for field in ordered(schema):
        value = f" = {default(field)!r}" if "default" in field else ""
        lines.append(f"    {attribute(field)}: {annotation(field['type'])}{value}")
    return "\n".join(lines)


def _encoder(name: str) -> str:
    body: list[str] = []
    parts = ["prefix"]
    dispatch = ""
    for number, field in enumerate(named()[name]["fields"]):
        avro, value = field["type"], f"v.{attribute(field)}"
        if isinstance(avro, list) and not nullable(avro):
            table = f"_{snake(name).upper()}_{field['name'].upper()}_WRITE"
            dispatch += _write_table(table, avro)
            body.append(f"b{number}, w{number} = {table}[type({value})]")
            parts.append(f"w{number}(b{number}, {value})")
        elif nullable(avro):
            some, pieces = _write(inner(avro), f"o{number}", number, field["name"])
            body.append(f"o{number} = {value}")
            body.append(f"if o{number} is None:")
            body.append(f'    p{number} = b"\\0"')
            body.append("else:")
            body += [f"    {line}" for line in some]
            body.append(f"    p{number} = {' + '.join([_TWO, *pieces])}")
            parts.append(f"p{number}")
        else:
            some, pieces = _write(avro, value, number, field["name"])
            body += some
            parts += pieces
    lines = [f"def encode_{snake(name)}(prefix: bytes, v: {name}) -> bytes:"]
    lines += [f"    {line}" for line in body]
    lines += ['    return b"".join(', "        ("]
    lines += [f"            {part}," for part in parts] + ["        )", "    )"]
    return dispatch + "\n".join(lines) + (_remembering(name) if name in SHARED else "")


_TWO = 'b"\\2"'


def _remembering(name: str) -> str:
    """A second writer, which the other codecs call: the same object gives the same bytes."""
    snaked = snake(name)
    return f"""


_last_{snaked}: tuple[{name} | None, bytes] = (None, b"")


def remembered_{snaked}(v: {name}) -> bytes:
    global _last_{snaked}
    last, data = _last_{snaked}
    if v is last:
        return data
    data = encode_{snaked}(b"", v)
    _last_{snaked} = (v, data)
    return data"""


def _write_table(table: str, union: list[str]) -> str:
    rows = "".join(
        f"    {short(item)}: (LEN[{index}], encode_{snake(short(item))}),\n"
        for index, item in enumerate(union)
    )
    return f"{table}: dict[type, tuple[bytes, Callable[[bytes, Any], bytes]]] = {{\n{rows}}}\n\n\n"


def _write(avro: Any, value: str, number: int, field: str) -> tuple[list[str], list[str]]:
    """Statements, and the expressions whose bytes are the value."""
    sized = f"LEN[n{number}] if n{number} < 64 else long(n{number})"
    if isinstance(avro, dict):
        if avro["type"] == "array":
            if avro["items"] == "string":
                return [], [f"strings({value})"]
            if _is_date(avro["items"]):
                return [], [f"array({value}, day)"]
            return [], [f"array({value}, encode_{snake(short(avro['items']))})"]
        if avro["type"] == "map":
            if avro["values"] == "string":
                return [], [f"string_map({value})"]
            return [], [f'decimal_map({value}, {avro["values"]["precision"]}, "{field}")']
        if avro.get("logicalType") == "decimal":
            safe = 15 if avro["precision"] == 38 else 8
            return [
                f"d{number} = {value}",
                f"n{number} = (d{number}.bit_length() + 8) >> 3",
                f"if n{number} > {safe}:",
                f'    bound(d{number}, {avro["precision"]}, "{field}")',
            ], [f"LEN[n{number}]", f'd{number}.to_bytes(n{number}, "big", signed=True)']
        return _write(avro["type"], value, number, field)
    if avro in ("string", "bytes"):
        encoded = f"{value}.encode()" if avro == "string" else value
        return [f"s{number} = {encoded}", f"n{number} = len(s{number})"], [
            f"({sized})",
            f"s{number}",
        ]
    if avro in ("int", "long"):
        return [], [f"{'integer' if avro == 'int' else 'long'}({value})"]
    if avro == "boolean":
        return [], [f'(b"\\1" if {value} else b"\\0")']
    if _is_enum(avro):
        return [], [f"{_constant(avro)}_BYTE[{value}]"]
    if short(avro) in SHARED:
        return [], [f"remembered_{snake(short(avro))}({value})"]
    return [], [f'encode_{snake(short(avro))}(b"", {value})']


def _decoder(name: str, nested: bool) -> str:
    schema = named()[name]
    body: list[str] = []
    dispatch = ""
    for field in schema["fields"]:
        avro, target = field["type"], f"f_{attribute(field)}"  # never one of our own names
        if isinstance(avro, list) and not nullable(avro):
            table = f"_{snake(name).upper()}_{field['name'].upper()}_READ"
            dispatch += _read_table(table, avro)
            body += [
                f"reader = {table}.get(data[pos])",
                "if reader is None:",
                f'    raise branch("{field["name"]}", data[pos])',
                f"{target}, pos = reader(data, pos + 1)",
            ]
        elif nullable(avro):
            body += [
                f"{target}: {annotation(avro)} = None",
                "n = data[pos]",
                "pos += 1",
                "if n:",
                "    if n != 2:",
                f'        raise branch("{field["name"]}", n)',
                *(f"    {line}" for line in _read(inner(avro), target, field["name"])),
            ]
        else:
            body += _read(avro, target, field["name"])
    values = "".join(f"        f_{attribute(field)},\n" for field in ordered(schema))
    made = f"{name}(\n{values}    )"
    if nested:
        head = f"def read_{snake(name)}(data: bytes, pos: int) -> tuple[{name}, int]:"
        tail = [f"    return {made}, pos"]
    else:
        head = f"def decode_{snake(name)}(data: bytes, pos: int) -> {name}:"
        tail = ["    if pos != len(data):", "        raise length(pos, len(data))"]
        tail += [f"    return {made}"]
    return dispatch + "\n".join([head, *(f"    {line}" for line in body), *tail])


def _read_table(table: str, union: list[str]) -> str:
    rows = "".join(
        f"    {2 * index}: read_{snake(short(item))},\n" for index, item in enumerate(union)
    )
    kind = "Callable[[bytes, int], tuple[Any, int]]"
    return f"{table}: dict[int, {kind}] = {{\n{rows}}}\n\n\n"


def _read(avro: Any, target: str, field: str) -> list[str]:
    if isinstance(avro, dict):
        if avro["type"] == "array":
            if avro["items"] == "string":
                return [f"{target}, pos = read_strings(data, pos)"]
            if _is_date(avro["items"]):
                return [f"{target}, pos = read_array(data, pos, read_long)"]
            return [f"{target}, pos = read_array(data, pos, read_{snake(short(avro['items']))})"]
        if avro["type"] == "map":
            if avro["values"] == "string":
                return [f"{target}, pos = read_string_map(data, pos)"]
            digits = avro["values"]["precision"]
            return [f'{target}, pos = read_decimal_map(data, pos, {digits}, "{field}")']
        if avro.get("logicalType") == "decimal":
            safe = 30 if avro["precision"] == 38 else 16
            slow = f'read_decimal(data, pos, {avro["precision"]}, "{field}")'
            fast = f'{target} = _int(data[pos:end], "big", signed=True)'
            return _sized(target, f"n > {safe} or n & 1", slow, fast)
        return _read(avro["type"], target, field)
    if avro == "string":
        fast = f"{target} = data[pos:end].decode()"
        return _sized(target, "n & 129", "read_string(data, pos)", fast)
    if avro == "bytes":
        return _sized(target, "n & 129", "read_bytes(data, pos)", f"{target} = data[pos:end]")
    if avro in ("int", "long"):
        return [f"{target}, pos = read_long(data, pos)"]
    if avro == "boolean":
        return [
            "n = data[pos]",
            "if n > 1:",
            f'    raise branch("{field}", n)',
            f"{target} = n == 1",
            "pos += 1",
        ]
    if _is_enum(avro):
        constant = _constant(avro)
        slow = f'read_symbol(data, pos, {constant}, "{field}")'
        return [
            f"symbol = {constant}_OF.get(data[pos])",
            "if symbol is None:",
            f"    {target}, pos = {slow}",
            "else:",
            f"    {target} = symbol",
            "    pos += 1",
        ]
    return [f"{target}, pos = read_{snake(short(avro))}(data, pos)"]


def _sized(target: str, wide: str, slow: str, fast: str) -> list[str]:
    return [
        "n = data[pos]",
        f"if {wide}:",
        f"    {target}, pos = {slow}",
        "else:",
        "    pos += 1",
        "    end = pos + (n >> 1)",
        f"    {fast}",
        "    pos = end",
    ]


def _tables(structs: list[str], tops: list[str]) -> str:
    records = "".join(f'    "{name}": {name},\n' for name in structs)
    encoders = "".join(f"    {name}: encode_{snake(name)},\n" for name in tops)
    decoders = "".join(f"    {name}: decode_{snake(name)},\n" for name in tops)
    return (
        f"RECORDS: dict[str, type] = {{\n{records}}}\n\n"
        f"ENCODERS: dict[type, Callable[[bytes, Any], bytes]] = {{\n{encoders}}}\n\n"
        f"DECODERS: dict[type, Callable[[bytes, int], Any]] = {{\n{decoders}}}"
    )
