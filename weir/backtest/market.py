"""Files of a market: candles, and funding rates. CSV with a header, whatever else stands in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.jsonform import Invalid, parse_date, parse_time
from schemas.money import parse_e18
from weir.errors import WeirError

TIME_COLUMNS = ("open_time_utc", "funding_time_utc", "time", "timestamp", "date")
PRICE, RATE = "close", "funding_rate"
DAY_MS = 86_400_000


class Candle(NamedTuple):
    """The close of one row, at the row's time."""

    at_ms: int
    close_e18: int


class Funding(NamedTuple):
    """What a long position pays a short one then, as a part of its value."""

    at_ms: int
    rate_e18: int


def candles(file: Path) -> list[Candle]:
    """The rows of a file with a time or date and `close`. WeirError names file and line."""
    found = [Candle(at_ms, close) for at_ms, close in _rows(file, PRICE)]
    if not found:
        raise WeirError(f"{file}: no candles below the header")
    return found


def fundings(file: Path) -> list[Funding]:
    """The rows of a file with a time and `funding_rate`. WeirError names file and line."""
    return [Funding(at_ms, rate) for at_ms, rate in _rows(file, RATE)]


def _rows(file: Path, column: str) -> Iterator[tuple[int, int]]:
    """Time and number of each line, the times rising."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            yield from _parsed(file, csv.DictReader(lines), column)
    except OSError as why:
        raise WeirError(f"{file}: {why.strerror}") from why


def _parsed(file: Path, reader: csv.DictReader[str], column: str) -> Iterator[tuple[int, int]]:
    names = reader.fieldnames or ()
    time = next((name for name in TIME_COLUMNS if name in names), None)
    if time is None or column not in names:
        raise WeirError(f"{file}: the header names no {' or '.join(TIME_COLUMNS)}, or no {column}")
    last_ms = -1
    for row in reader:
        where = f"{file}, line {reader.line_num}"
        try:
            at_ms = parse_date(row[time]) * DAY_MS if time == "date" else parse_time(row[time])
            number = parse_e18(row[column])
        except (ValueError, TypeError, Invalid) as why:
            raise WeirError(f"{where}: {why}") from why
        if column == PRICE and number <= 0:
            raise WeirError(f"{where}: {column}={row[column]} is no price")
        if at_ms <= last_ms:
            raise WeirError(f"{where}: {row[time]} does not come after the row before")
        last_ms = at_ms
        yield at_ms, number
