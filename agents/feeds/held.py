"""What an account holds at the venue: every open contract of the categories it trades, page by
page.

A list that was cut off would look like positions that are gone, and freeze the account; so the
pages are followed to their end or nothing is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.payloads import PositionRow, many, result
from agents.connectors.port import TimedOut

LINEAR_COINS = ("USDT", "USDC")
"""Linear contracts are listed by the coin they settle in."""
PAGE = "200"
PAGES_MAX = 50


def held(client: Client, categories: Sequence[str], settle_coin: str) -> list[PositionRow]:
    """The positions the venue lists, flat ones included. Spot has none. Raises ConnectorError."""
    rows: list[PositionRow] = []
    for category in categories:
        for question in _questions(category, settle_coin):
            rows += _listed(client, question)
    return rows


def _questions(category: str, settle_coin: str) -> Iterator[dict[str, str]]:
    if category == "linear":
        for coin in dict.fromkeys((settle_coin, *LINEAR_COINS)):
            yield {"category": category, "settleCoin": coin}
    elif category == "inverse":
        yield {"category": category}


def _listed(client: Client, question: dict[str, str]) -> list[PositionRow]:
    rows: list[PositionRow] = []
    cursor: dict[str, str] = {}
    for _ in range(PAGES_MAX):
        answer = client.read(client.reads, "get_positions", **question, limit=PAGE, **cursor)
        found = many(PositionRow, answer)
        rows += found
        next_page = result(answer).get("nextPageCursor") or ""
        if not found or not next_page:
            return rows
        cursor = {"cursor": str(next_page)}
    raise TimedOut(f"{question}: over {PAGES_MAX} pages of positions")
