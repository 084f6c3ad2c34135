"""Every open contract is read, whatever it settles in, to the last page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from agents.connectors.bybit import payloads
from agents.connectors.bybit.client import client_of
from agents.connectors.port import TimedOut
from agents.feeds.bybit import snapshot
from agents.feeds.held import PAGES_MAX, held, ordered
from schemas.money import text_e18
from tests.agents.test_feeds import SHORT
from tests.connectors.conftest import Recorded, recorded  # noqa: F401

WALLET = payloads.one(payloads.Wallet, {"totalEquity": "", "coin": []})


def answer(*rows: dict[str, Any], cursor: str = "") -> bytes:
    result = {"list": rows, "nextPageCursor": cursor}
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": 1}).encode()


def named(symbol: str, **more: Any) -> dict[str, Any]:
    return {**SHORT, "symbol": symbol, **more}


def asked(recorded: Recorded) -> list[dict[str, str]]:  # noqa: F811
    return [dict(parse_qsl(urlsplit(path).query)) for _, path, _ in recorded.seen]


@pytest.mark.req("000-02")
def test_a_long_list_is_read_to_its_last_page(recorded: Recorded) -> None:  # noqa: F811
    recorded.first = [
        answer(named("BTCUSDT"), cursor="second"),
        answer(named("ETHUSDT"), cursor="third"),
        answer(),
        answer(named("SOLPERP")),
    ]
    rows = held(client_of(recorded.venue()), ("linear",), "USDT")
    assert [row.symbol for row in rows] == ["BTCUSDT", "ETHUSDT", "SOLPERP"]
    pages = [(one["settleCoin"], one.get("cursor")) for one in asked(recorded)]
    assert pages == [("USDT", None), ("USDT", "second"), ("USDT", "third"), ("USDC", None)]


def test_inverse_contracts_are_read_and_their_size_is_in_contracts(
    recorded: Recorded,  # noqa: F811
) -> None:
    recorded.first = [answer(named("BTCUSD", size="10000", side="Buy"))]
    rows = held(client_of(recorded.venue()), ("inverse", "spot"), "USDT")
    assert [one["category"] for one in asked(recorded)] == ["inverse"]
    assert "settleCoin" not in asked(recorded)[0]
    (shown,) = snapshot("bybit:1", WALLET, [], rows, "REGULAR_MARGIN", 1).positions
    assert (shown.symbol, text_e18(shown.size_e18)) == ("BTCUSD", "10000")


@pytest.mark.parametrize(
    ("settle_coin", "coins"),
    [("USDT", ["USDT", "USDC"]), ("USDC", ["USDC", "USDT"]), ("EUR", ["EUR", "USDT", "USDC"])],
)
def test_each_coin_that_contracts_settle_in_is_asked_once(
    settle_coin: str,
    coins: Sequence[str],
    recorded: Recorded,  # noqa: F811
) -> None:
    recorded.body = answer()
    assert held(client_of(recorded.venue()), ("linear",), settle_coin) == []
    assert [one["settleCoin"] for one in asked(recorded)] == coins


def test_a_list_without_an_end_is_no_answer(recorded: Recorded) -> None:  # noqa: F811
    recorded.body = answer(named("BTCUSDT"), cursor="again")
    with pytest.raises(TimedOut, match=f"over {PAGES_MAX} pages"):
        held(client_of(recorded.venue(paced=False)), ("linear",), "USDT")
    assert len(recorded.seen) == PAGES_MAX


ORDER: dict[str, Any] = {
    "orderId": "fd4300ae-7847-404e-b947-b46980a4d140",
    "orderLinkId": "test-000005",
    "symbol": "ETHUSDT",
    "price": "1600.00",
    "qty": "0.10",
    "side": "Buy",
    "orderStatus": "New",
    "cumExecQty": "0.00",
    "orderType": "Limit",
    "reduceOnly": False,
}
"""The fields that are read of the venue's documented example."""


@pytest.mark.req("003-40")
def test_open_orders_are_read_to_the_last_page(recorded: Recorded) -> None:  # noqa: F811
    """And told as the venue shows them: a market order, half filled, has no price of its own."""
    market = {"orderId": "m", "price": "0", "cumExecQty": "0.05", "side": "Sell"}
    recorded.first = [answer(ORDER, cursor="second"), answer({**ORDER, **market})]
    recorded.body = answer()
    rows = ordered(client_of(recorded.venue()), ("linear", "spot"), "USDT")
    pages = [(one["category"], one.get("settleCoin"), one.get("cursor")) for one in asked(recorded)]
    assert pages == [
        ("linear", "USDT", None),
        ("linear", "USDT", "second"),
        ("linear", "USDC", None),
        ("spot", None, None),
    ]
    assert {one["openOnly"] for one in asked(recorded)} == {"0"}
    shown = snapshot("bybit:1", WALLET, [], [], "REGULAR_MARGIN", 1, rows).open_orders
    assert [(one.order_id[:8], one.link_id, one.side) for one in shown] == [
        ("fd4300ae", "test-000005", "Buy"),
        ("m", "test-000005", "Sell"),
    ]
    assert [(one.qty_e18, one.filled_e18, one.price_e18) for one in shown] == [
        (10**17, 0, 1600 * 10**18),
        (10**17, 5 * 10**16, None),
    ]
