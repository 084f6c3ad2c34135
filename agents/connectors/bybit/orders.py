"""Where orders and positions stand at Bybit: one question in the three places that answer it."""

from __future__ import annotations

from collections.abc import Mapping

from agents.connectors.bybit.client import Client
from agents.connectors.bybit.payloads import OrderRow, PositionRow, many, server_ms
from agents.connectors.bybit.reads import CLOCK_SKEW_MS
from agents.connectors.port import TimedOut

WEEK_MS = 7 * 24 * 3600 * 1000
OPEN = frozenset({"Created", "New", "PartiallyFilled", "Untriggered", "Triggered"})
CANCELLED = frozenset({"Cancelled", "PartiallyFilledCanceled", "Deactivated"})
ENDED = CANCELLED | {"Filled", "Rejected"}

PLACES: tuple[tuple[str, dict[str, str]], ...] = (
    ("get_open_orders", {"openOnly": "0"}),
    ("get_open_orders", {"openOnly": "1"}),
    ("get_order_history", {}),
)
"""Open orders, the last 500 that closed, and the history, which may lag behind."""


def positions(client: Client, params: Mapping[str, str]) -> tuple[list[PositionRow], int]:
    """The rows of a contract (one, or one for each side), and the venue's time."""
    category, symbol = params.get("category", "linear"), params["symbol"]
    answer = client.read(client.reads, "get_positions", category=category, symbol=symbol)
    rows = [row for row in many(PositionRow, answer) if row.symbol == symbol]
    return rows, server_ms(answer)


def find(
    client: Client, params: Mapping[str, str], named: dict[str, str], *, since_ms: int | None = None
) -> tuple[dict[str, OrderRow], int]:
    """The orders of an id by the venue's id of each, ended ones as they ended, and the venue's time
    of the first question. The history is asked from `since_ms` on; without it for a week back.
    """
    query = {"category": params.get("category", "linear"), "symbol": params["symbol"], **named}
    found: dict[str, OrderRow] = {}
    first_ms = None
    for method, more in PLACES:
        asked = query | more
        if method == "get_order_history" and since_ms is not None:
            start_ms = since_ms - CLOCK_SKEW_MS
            asked |= {"startTime": str(start_ms), "endTime": str(start_ms + WEEK_MS - 1)}
        answer = client.read(client.reads, method, **asked)
        first_ms = server_ms(answer) if first_ms is None else first_ms
        for row in many(OrderRow, answer):
            known = found.get(row.order_id)
            if _is(row, named) and (known is None or not has_ended(known)):
                found[row.order_id] = row
    return found, first_ms or 0


def has_ended(row: OrderRow) -> bool:
    """Whether nothing more will come of it. Raises TimedOut for a status nobody documented: what it
    means is not guessed.
    """
    if row.order_status not in OPEN | ENDED:
        raise TimedOut(f"order {row.order_id}: status {row.order_status!r} is not documented")
    return row.order_status in ENDED


def is_cancelled(row: OrderRow) -> bool:
    """Whether it was ended before all of it was filled."""
    return row.order_status in CANCELLED


def _is(row: OrderRow, named: dict[str, str]) -> bool:
    return named in ({"orderId": row.order_id}, {"orderLinkId": row.order_link_id})
