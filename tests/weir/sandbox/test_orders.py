"""Orders and leverage of the venue: fills at the mark, reduce-only, cancels, what is refused."""

from fractions import Fraction
from typing import Any

import pytest

from tests.weir.sandbox.conftest import Serve
from tests.weir.sandbox.test_endpoints import BTC, code_of, order
from weir.sandbox import orders
from weir.sandbox.books import Books
from weir.sandbox.journal import UNIFIED
from weir.sandbox.money import e8, text
from weir.sandbox.orders import Asked
from weir.sandbox.records import Account
from weir.sandbox.refusal import Refused


def desk(wallet: str = "10000", mark: str = "60000") -> tuple[Books, Account]:
    """Books with one account and one price."""
    books = Books(prices_e8={"BTCUSDT": e8(mark)})
    return books, books.open_account("7", 0, wallets={(UNIFIED, "USDT"): e8(wallet)})


def buy(books: Books, account: Account, quantity: str, at_ms: int = 1, **more: Any) -> Any:
    return orders.create(books, account, Asked("BTCUSDT", "Buy", quantity, **more), at_ms)


def sell(books: Books, account: Account, quantity: str, at_ms: int = 2, **more: Any) -> Any:
    return orders.create(books, account, Asked("BTCUSDT", "Sell", quantity, **more), at_ms)


def test_a_market_order_fills_at_the_mark_and_is_told() -> None:
    books, account = desk()
    told: list[Any] = []
    books.on_execution.append(lambda _, row: told.append(row))
    done = buy(books, account, "0.5", link_id="ours")
    assert (done.status, text(done.filled_e8), text(done.fee_e8)) == ("Filled", "0.5", "16.5")
    (row,) = told
    assert (row.order_id, row.order_link_id, text(row.price_e8)) == (done.order_id, "ours", "60000")
    assert account.positions["BTCUSDT"].size_e8 == e8("0.5")
    assert books.journal.conserved()


def test_a_reduce_only_order_never_turns_a_position_over() -> None:
    books, account = desk()
    buy(books, account, "0.5")
    done = sell(books, account, "0.8", reduce_only=True)
    assert (done.status, text(done.quantity_e8), text(done.filled_e8)) == ("Filled", "0.5", "0.5")
    assert account.positions["BTCUSDT"].size_e8 == 0
    for asked in (sell, buy):
        with pytest.raises(Refused) as refused:
            asked(books, account, "0.1", reduce_only=True)
        assert refused.value.code == 110017


@pytest.mark.parametrize(
    ("fills", "status", "filled"),
    [(Fraction(1, 2), "Cancelled", "0.25"), (Fraction(0), "Cancelled", "0")],
)
def test_what_finds_no_other_side_is_cancelled(fills: Fraction, status: str, filled: str) -> None:
    books, account = desk()
    done = buy(books, account, "0.5", fills=fills)
    assert (done.status, text(done.filled_e8)) == (status, filled)
    assert done.reject == "EC_NoEnoughQtyToFill"


def test_a_limit_order_waits_for_its_price() -> None:
    books, account = desk()
    waiting = buy(books, account, "0.1", price="59000")
    orders.match(books, 5)
    assert (waiting.status, waiting.filled_e8) == ("New", 0)
    books.prices_e8["BTCUSDT"] = e8("58990")
    orders.match(books, 6)
    assert (waiting.status, waiting.updated_ms) == ("Filled", 6)
    assert account.executions[-1].price_e8 == e8("58990")


def test_a_waiting_reduce_only_order_ends_with_its_position() -> None:
    books, account = desk()
    buy(books, account, "0.1")
    waiting = sell(books, account, "0.1", price="61000", reduce_only=True)
    sell(books, account, "0.1", reduce_only=True)
    books.prices_e8["BTCUSDT"] = e8("61000")
    orders.match(books, 9)
    assert (waiting.status, waiting.cancel) == ("Cancelled", "CancelByReduceOnly")


def test_an_order_in_process_acts_later() -> None:
    books, account = desk()
    slow = buy(books, account, "0.1", waits_ms=100)
    orders.match(books, 100)
    assert slow.status == "New"
    orders.match(books, 101)
    assert slow.status == "Filled"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked("XYZUSDT", "Buy", "0.1"), 10001),
        (Asked("BTCUSDT", "Hold", "0.1"), 10001),
        (Asked("BTCUSDT", "Buy", "0.0005"), 10001),
        (Asked("BTCUSDT", "Buy", "-1"), 10001),
        (Asked("BTCUSDT", "Buy", "0.1", price="60000.01"), 10001),
        (Asked("BTCUSDT", "Buy", "0.1", link_id="x" * 37), 10001),
        (Asked("BTCUSDT", "Buy", "0.1", link_id="known"), 110072),
        (Asked("BTCUSDT", "Buy", "1.666"), 110007),
    ],
)
def test_refused_orders_leave_nothing_behind(asked: Asked, code: int) -> None:
    books, account = desk()
    buy(books, account, "0.001", link_id="known")
    with pytest.raises(Refused) as refused:
        orders.create(books, account, asked, 2)
    assert refused.value.code == code
    assert len(account.orders) == 1


def test_cancels_say_how_an_order_ended() -> None:
    books, account = desk()
    waiting = buy(books, account, "0.1", price="50000")
    assert orders.cancel(books, account, waiting, 3).status == "Cancelled"
    filled = buy(books, account, "0.1")
    for what, code in ((None, 110001), (waiting, 110010), (filled, 110008)):
        with pytest.raises(Refused) as refused:
            orders.cancel(books, account, what, 4)
        assert refused.value.code == code
    assert account.cancels == 1


@pytest.mark.parametrize(
    ("symbol", "buy_leverage", "sell_leverage", "code"),
    [
        ("XYZUSDT", "5", "5", 10001),
        ("BTCUSDT", "5", "4", 10001),
        ("BTCUSDT", "0.5", "0.5", 10001),
        ("BTCUSDT", "five", "five", 10001),
        ("BTCUSDT", "100.01", "100.01", 110013),
        ("BTCUSDT", "10", "10.0", 110043),
        ("BTCUSDT", "2", "2", 110044),
    ],
)
def test_refused_leverage_changes_nothing(
    symbol: str, buy_leverage: str, sell_leverage: str, code: int
) -> None:
    books, account = desk()
    buy(books, account, "1")
    with pytest.raises(Refused) as refused:
        orders.set_leverage(books, account, symbol, buy_leverage, sell_leverage, 2)
    assert refused.value.code == code
    assert (account.leverage, account.settings) == ({}, [])


def test_leverage_binds_the_margin_of_the_account() -> None:
    books, account = desk()
    buy(books, account, "1")
    assert books.initial_margin(account) == e8("6000")
    orders.set_leverage(books, account, "BTCUSDT", "20", "20", 2)
    assert books.initial_margin(account) == e8("3000")
    assert books.leverage_text(account, "BTCUSDT") == "20"


def test_an_order_over_http_is_found_by_our_id(serve: Serve) -> None:
    served = serve()
    client = served.client()
    client.set_leverage(**BTC, buyLeverage="5", sellLeverage="5")
    placed = order(client, "Market", qty="0.2", orderLinkId="mine", positionIdx=0)["result"]
    waiting = order(client, "Limit", price="50000", orderLinkId="other")["result"]
    assert code_of(lambda: order(client, "Market", orderLinkId="mine")) == 110072
    found = client.get_open_orders(**BTC, orderLinkId="mine")["result"]["list"]
    closed = client.get_open_orders(**BTC, orderLinkId="mine", openOnly=1)["result"]["list"]
    past = client.get_order_history(**BTC, orderLinkId="mine")["result"]["list"]
    assert (found, [row["orderId"] for row in closed]) == ([], [placed["orderId"]])
    assert [(row["orderStatus"], row["cumExecQty"], row["avgPrice"]) for row in past] == [
        ("Filled", "0.2", "60000")
    ]
    assert [row["orderId"] for row in client.get_open_orders(**BTC)["result"]["list"]] == [
        waiting["orderId"]
    ]
    rows = client.get_executions(category="linear")["result"]["list"]
    assert [(row["orderLinkId"], row["execQty"]) for row in rows] == [("mine", "0.2")]
    (position,) = client.get_positions(**BTC)["result"]["list"]
    assert (position["size"], position["leverage"], position["positionIM"]) == ("0.2", "5", "2400")
    client.cancel_order(**BTC, orderLinkId="other")
    book = served.books()["accounts"]["100001"]
    assert [row["status"] for row in book["orders"]] == ["Filled", "Cancelled"]
    assert (book["leverage"], book["counts"]["cancels"]) == ({"BTCUSDT": "5"}, 1)


def test_parameters_of_the_wrong_kind_are_refused(serve: Serve) -> None:
    client = serve().client()
    refused = {
        "reduceOnly": code_of(lambda: order(client, "Market", reduceOnly="true")),
        "positionIdx": code_of(lambda: order(client, "Market", positionIdx=1)),
        "orderType": code_of(lambda: order(client, "Stop")),
        "category": code_of(lambda: order(client, "Market", category="spot")),
        "price": code_of(lambda: order(client, "Limit")),
        "order": code_of(lambda: client.cancel_order(**BTC)),
        "window": code_of(lambda: client.get_order_history(**BTC, startTime=1)),
    }
    assert set(refused.values()) == {10001}, refused
