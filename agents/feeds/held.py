"""What an account holds and has ordered at the venue: every open contract and every open order of
the categories it trades, page by page.

A list that was cut off would look like positions that are gone, and freeze the account; so the
pages are followed to their end or nothing is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.payloads import OpenOrderRow, PositionRow, Row, many, result
from agents.connectors.port import TimedOut

LINEAR_COINS = ("USDT", "USDC")
"""Linear contracts are listed by the coin they settle in."""
PAGES_MAX = 50
POSITIONS, ORDERS = ("get_positions", "200"), ("get_open_orders", "50")
"""The questions, and how many rows the venue gives at most at once."""


def held(client: Client, categories: Sequence[str], settle_coin: str) -> list[PositionRow]:
    """The positions the venue lists, flat ones included. Spot has none. Raises ConnectorError."""
    return [
        row
        for category in categories
        if category != "spot"
        for question in _questions(category, settle_coin)
        for row in _listed(client, POSITIONS, PositionRow, question)
    ]


def ordered(client: Client, categories: Sequence[str], settle_coin: str) -> list[OpenOrderRow]:
    """The orders that are open, conditional ones included. Raises ConnectorError."""
    return [
        row
        for category in categories
        for question in _questions(category, settle_coin)
        for row in _listed(client, ORDERS, OpenOrderRow, {**question, "openOnly": "0"})
    ]


def _questions(category: str, settle_coin: str) -> Iterator[dict[str, str]]:
    if category == "linear":
        for coin in dict.fromkeys((settle_coin, *LINEAR_COINS)):
            yield {"category": category, "settleCoin": coin}
    else:
        yield {"category": category}


def _listed(
    client: Client, what: tuple[str, str], model: type[Row], question: dict[str, str]
) -> list[Row]:
    method, limit = what
    rows: list[Row] = []
    cursor: dict[str, str] = {}
    for _ in range(PAGES_MAX):
        answer = client.read(client.reads, method, **question, limit=limit, **cursor)
        found = many(model, answer)
        rows += found
        next_page = result(answer).get("nextPageCursor") or ""
        if not found or not next_page:
            return rows
        cursor = {"cursor": str(next_page)}
    raise TimedOut(f"{method} {question}: over {PAGES_MAX} pages")
