"""What the venue lists of an account's executions, between two moments: all of it, oldest first.

The list is asked in windows of at most seven days and comes newest first, in pages. A window with
very many pages is refused and must be halved, so that no reading holds an unbounded number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.payloads import result
from agents.connectors.port import TimedOut

WINDOW_MS = 7 * 86_400_000 - 1
PAGE = "100"
PAGES_MAX = 50


class TooMany(Exception):
    """The window has more rows than one reading holds."""


class Listed(NamedTuple):
    """One row as the venue lists it; the category stands beside the list, not in the row."""

    category: str
    row: Any


def windows(start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Both ends belong to a window; the next begins a millisecond later."""
    while start_ms <= end_ms:
        last_ms = min(start_ms + WINDOW_MS, end_ms)
        yield start_ms, last_ms
        start_ms = last_ms + 1


def halves(start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """A window as two, older first."""
    middle_ms = (start_ms + end_ms) // 2
    return [(start_ms, middle_ms), (middle_ms + 1, end_ms)]


def listed(client: Client, category: str, start_ms: int, end_ms: int) -> list[Listed]:
    """The rows of one window, newest first. Raises TooMany, ConnectorError."""
    rows: list[Listed] = []
    cursor: dict[str, str] = {}
    for page in count(1):
        answer = client.read(
            client.reads,
            "get_executions",
            category=category,
            startTime=str(start_ms),
            endTime=str(end_ms),
            limit=PAGE,
            **cursor,
        )
        found = result(answer).get("list")
        if not isinstance(found, list):
            raise TimedOut(f"result.list is {found!r}, a list was expected")
        rows += [Listed(category, row) for row in found]
        next_page = result(answer).get("nextPageCursor") or ""
        if not found or not next_page:
            break
        if page >= PAGES_MAX and start_ms < end_ms:
            raise TooMany(f"{category}: over {PAGES_MAX} pages from {start_ms} to {end_ms}")
        cursor = {"cursor": str(next_page)}
    return rows
