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
from agents.feeds.held import PAGES_MAX, held
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
    with pytest.raises(TimedOut, match="pages of positions"):
        held(client_of(recorded.venue(paced=False)), ("linear",), "USDT")
    assert len(recorded.seen) == PAGES_MAX
