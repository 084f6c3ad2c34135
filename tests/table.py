"""Scenarios as tables that a treasurer can read.

One row is one command: a verb, words, and `name=value` pairs. `#` starts a comment.

    fill   f1 buy 2 at 100 fee=0.12
    expect pnl gross_pnl=0 fees=0.12

A world gives each verb a method; `expect` compares what the last row put out with what stands
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.money import parse_e18, text_scaled

SUFFIXES = ("", "_e18", "_e4", "_ms", "_")

PLACES = {"_e18": 18, "_e4": 4}


class Row(NamedTuple):
    """One command of a scenario with the line it stands on."""

    line: int
    verb: str
    words: tuple[str, ...]
    fields: dict[str, str]

    def __str__(self) -> str:
        pairs = [f"{name}={value}" for name, value in self.fields.items()]
        return f"line {self.line}: {' '.join((self.verb, *self.words, *pairs))}"


def rows(text: str) -> Iterator[Row]:
    """The commands of a scenario, in order."""
    for number, line in enumerate(text.splitlines(), start=1):
        items = line.partition("#")[0].split()
        if items:
            pairs = dict(item.split("=", 1) for item in items[1:] if "=" in item)
            words = tuple(item for item in items[1:] if "=" not in item)
            yield Row(number, items[0], words, pairs)


def run(world: Any, text: str) -> None:
    """Plays a scenario; a row that does not hold is named in the failure."""
    for row in rows(text):
        try:
            getattr(world, row.verb)(row)
        except Exception as why:
            why.add_note(str(row))
            raise


def said(record: Any, name: str) -> str:
    """A field of a record as the tables write it: `gross_pnl` of `gross_pnl_e18` as plain text."""
    for suffix in SUFFIXES:
        if hasattr(record, f"{name}{suffix}"):
            value = getattr(record, f"{name}{suffix}")
            if value is None:
                return "null"
            if isinstance(value, bool):
                return str(value).lower()
            return text_scaled(value, PLACES[suffix]) if suffix in PLACES else str(value)
    raise AttributeError(f"{type(record).__name__} has no field {name}")


def matches(record: Any, fields: dict[str, str]) -> list[str]:
    """What differs between a record and a row: empty when all fields hold."""
    return [
        f"{name} is {said(record, name)}, not {value}"
        for name, value in fields.items()
        if not _same(said(record, name), value)
    ]


def _same(found: str, expected: str) -> bool:
    if found == expected:
        return True
    try:
        return parse_e18(found) == parse_e18(expected.replace("_", ""))
    except ValueError:
        return False
