"""Every endpoint through the real client: documented shapes, codes, pages and limits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from tests.weir.sandbox.conftest import Serve, until, wall_ms
from weir.sandbox.auth import LIMITS, RateLimits
from weir.sandbox.books import Terms, Trade
from weir.sandbox.endpoints import ROUTES
from weir.sandbox.money import e8

# What the venue documents for each answer: names and JSON types, as in the examples of its docs.
DOCUMENTED = json.loads((Path(__file__).parent / "documented_shapes.json").read_text())
USDT = {"loanCurrency": "USDT"}
BTC = {"category": "linear", "symbol": "BTCUSDT"}
CALLS: dict[str, Callable[[HTTP], Any]] = {
    "GET /v5/crypto-loan-common/position": lambda h: h.get_position_new_crypto_loan(),
    "POST /v5/crypto-loan-common/adjust-ltv": lambda h: h.adjust_collateral_amount_new_crypto_loan(
        currency="USDT", amount="2", direction="0"
    ),
    "GET /v5/crypto-loan-common/adjustment-history": lambda h: (
        h.get_ltv_adjustment_history_new_crypto_loan(collateralCurrency="USDT")
    ),
    "GET /v5/crypto-loan-common/collateral-data": lambda h: h.get_collateral_coins_new_crypto_loan(
        currency="BTC"
    ),
    "GET /v5/crypto-loan-common/loanable-data": lambda h: h.get_borrowable_coins_new_crypto_loan(
        currency="USDT"
    ),
    "POST /v5/crypto-loan-flexible/repay": lambda h: h.repay_flexible_crypto_loan(
        loanCurrency="USDT", amount="3"
    ),
    "GET /v5/crypto-loan-flexible/ongoing-coin": lambda h: (
        h.get_flexible_loans_flexible_crypto_loan(**USDT)
    ),
    "GET /v5/crypto-loan-flexible/repayment-history": lambda h: (
        h.get_repayment_history_flexible_crypto_loan(**USDT)
    ),
    "POST /v5/asset/transfer/inter-transfer": lambda h: transfer(h, "4"),
    "GET /v5/asset/transfer/query-inter-transfer-list": lambda h: h.get_internal_transfer_records(
        coin="USDT"
    ),
    "GET /v5/asset/transfer/query-account-coin-balance": lambda h: h.get_coin_balance(
        accountType="FUND", coin="USDT"
    ),
    "GET /v5/asset/transfer/query-account-coins-balance": lambda h: h.get_coins_balance(
        accountType="UNIFIED", coin="USDT"
    ),
    "GET /v5/account/wallet-balance": lambda h: h.get_wallet_balance(accountType="UNIFIED"),
    "GET /v5/position/list": lambda h: h.get_positions(category="linear", symbol="BTCUSDT"),
    "GET /v5/execution/list": lambda h: h.get_executions(category="linear"),
    "POST /v5/order/create": lambda h: order(h, "Limit", price="50000"),
    "POST /v5/order/cancel": lambda h: h.cancel_order(
        **BTC, orderId=order(h, "Limit", price="50000")["result"]["orderId"]
    ),
    "GET /v5/order/realtime": lambda h: h.get_open_orders(**BTC),
    "GET /v5/order/history": lambda h: h.get_order_history(**BTC),
    "POST /v5/position/set-leverage": lambda h: h.set_leverage(
        **BTC, buyLeverage="5", sellLeverage="5"
    ),
}


def order(client: HTTP, kind: str, **changes: Any) -> Any:
    """Ask to buy 0.1 BTC, unless told otherwise."""
    asked = {**BTC, "side": "Buy", "orderType": kind, "qty": "0.1"}
    return client.place_order(**(asked | changes))


def transfer(client: HTTP, amount: str, **changes: str) -> Any:
    """Move USDT from UNIFIED to FUND under a new id, unless told otherwise."""
    asked = {
        "transferId": str(uuid4()),
        "coin": "USDT",
        "amount": amount,
        "fromAccountType": "UNIFIED",
        "toAccountType": "FUND",
    }
    return client.create_internal_transfer(**(asked | changes))


def shape(value: Any) -> Any:
    """Names and JSON types of an answer."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def code_of(call: Callable[[], Any]) -> int:
    """The retCode with which a call is refused."""
    with pytest.raises(InvalidRequestError) as refused:
        call()
    return int(refused.value.status_code)


def test_answers_have_the_documented_shape(serve: Serve) -> None:
    served = serve()
    client = served.client()
    account = served.venue.books.accounts["100001"]
    trade = Trade("e1", "BTCUSDT", "Buy", e8("0.5"), e8("60000"), "0.00055")
    served.venue.books.execute(account, trade, wall_ms())
    order = sorted(CALLS, key=lambda name: not name.startswith("POST"))
    got = {name: shape(CALLS[name](client)) for name in order}
    for name, documented in DOCUMENTED.items():
        if name == "GET /v5/crypto-loan-common/position":
            documented["result"]["supplyList"] = []
        if name.startswith("GET /v5/order/"):  # the example paid its fees in another coin
            documented["result"]["list"][0]["cumFeeDetail"] = {"USDT": "str"}
        assert got[name] == documented, name


def test_every_documented_endpoint_is_served() -> None:
    served = {f"{method} {path}" for method, path in ROUTES}
    assert set(CALLS) == set(DOCUMENTED)
    assert set(DOCUMENTED) <= served
    assert served - set(DOCUMENTED) == {
        "GET /v5/account/info",
        "GET /v5/market/tickers",
        "GET /v5/market/time",
    }


def test_the_rest_of_the_path(serve: Serve) -> None:
    client = serve().client()
    assert client.get_account_info()["result"]["marginMode"] == "REGULAR_MARGIN"
    assert abs(int(client.get_server_time()["result"]["timeSecond"]) * 1000 - wall_ms()) < 5000
    orders = client.get_open_orders(category="linear", settleCoin="USDT")["result"]
    assert orders == {"list": [], "nextPageCursor": "", "category": "linear"}
    linear = client.get_tickers(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [(row["symbol"], row["markPrice"]) for row in linear] == [("BTCUSDT", "60000")]
    spot = client.get_tickers(category="spot")["result"]["list"]
    assert {row["symbol"]: row["usdIndexPrice"] for row in spot}["USDCUSDT"] == "1"


def test_a_transfer_a_repayment_and_collateral_reach_the_books(serve: Serve) -> None:
    served = serve(terms=Terms(settle_ms=80))
    client = served.client()
    transfer_id = transfer(client, "5000.25")["result"]["transferId"]
    repay_id = client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="2000.5")["result"][
        "repayId"
    ]
    adjust_id = client.adjust_collateral_amount_new_crypto_loan(
        currency="USDT", amount="1000", direction="0"
    )["result"]["adjustId"]

    def row() -> Any:
        history = client.get_repayment_history_flexible_crypto_loan(repayId=repay_id)
        return history["result"]["list"][0]

    assert row()["repayStatus"] == 2
    until(lambda: row()["repayStatus"] == 1, "repayment settled")
    book = served.books()["accounts"]["100001"]
    assert book["wallets"] == {"UNIFIED": {"USDT": "244999.75"}, "FUND": {"USDT": "2099.75"}}
    assert book["loan"]["debts"]["USDT"]["total"] == "46011.8456789"
    assert book["loan"]["collateral"]["USDT"] == {"amount": "1000", "usd": "950"}
    assert [done["transfer_id"] for done in book["transfers"]] == [transfer_id]
    assert [(done["repay_id"], done["interest"]) for done in book["repays"]] == [
        (repay_id, "12.3456789")
    ]
    assert [done["adjust_id"] for done in book["adjusts"]] == [adjust_id]
    position = client.get_position_new_crypto_loan()["result"]
    assert position["ltv"] == book["loan"]["ltv"]
    ongoing = client.get_flexible_loans_flexible_crypto_loan()["result"]["list"][0]
    assert (ongoing["totalDebt"], ongoing["unpaidInterest"]) == ("46011.8456789", "0")


def test_the_same_transfer_id_moves_money_once(serve: Serve) -> None:
    served = serve()
    client = served.client()
    transfer_id = transfer(client, "10")["result"]["transferId"]
    assert code_of(lambda: transfer(client, "10", transferId=transfer_id)) == 131214
    found = client.get_internal_transfer_records(transferId=transfer_id)["result"]["list"]
    assert [(row["status"], row["amount"]) for row in found] == [("SUCCESS", "10")]
    assert served.books()["accounts"]["100001"]["wallets"]["FUND"] == {"USDT": "110"}


def test_documented_refusals_have_no_effect(serve: Serve) -> None:
    served = serve()
    client = served.client()
    before = served.books()["accounts"]
    repay, adjust = (
        client.repay_flexible_crypto_loan,
        client.adjust_collateral_amount_new_crypto_loan,
    )
    refused = {
        "balance": code_of(lambda: repay(loanCurrency="USDT", amount="100.0001")),
        "more than debt": code_of(lambda: repay(loanCurrency="USDT", amount="90000")),
        "precision": code_of(lambda: repay(loanCurrency="USDT", amount="1.00001")),
        "no debt": code_of(lambda: repay(loanCurrency="BTC", amount="1")),
        "amount missing": code_of(lambda: repay(loanCurrency="USDT")),
        "amount as a number": code_of(lambda: repay(loanCurrency="USDT", amount=7)),
        "loanAmount": code_of(lambda: repay(loanCurrency="USDT", loanAmount="7")),
        "collateral precision": code_of(
            lambda: adjust(currency="USDT", amount="1.00001", direction="0")
        ),
        "transfer balance": code_of(lambda: transfer(client, "250000.000001")),
        "transfer precision": code_of(lambda: transfer(client, "0.0000001")),
        "wallet": code_of(lambda: transfer(client, "1", toAccountType="SPOT")),
        "cursor": code_of(lambda: client.get_repayment_history_flexible_crypto_loan(cursor="next")),
        "limit": code_of(lambda: client.get_repayment_history_flexible_crypto_loan(limit=101)),
        "positions of nothing": code_of(lambda: client.get_positions(category="linear")),
    }
    assert refused == {
        "balance": 148029,
        "more than debt": 148038,
        "precision": 148028,
        "no debt": 148032,
        "amount missing": 10001,
        "amount as a number": 10001,
        "loanAmount": 10001,
        "collateral precision": 148005,
        "transfer balance": 131212,
        "transfer precision": 131210,
        "wallet": 10001,
        "cursor": 10001,
        "limit": 10001,
        "positions of nothing": 10001,
    }
    assert served.books()["accounts"] == before


def test_pages_are_newest_first(serve: Serve) -> None:
    client = serve().client()
    ids = [
        client.repay_flexible_crypto_loan(loanCurrency="USDT", amount=f"1.{n}")["result"]["repayId"]
        for n in range(1, 6)
    ]
    seen: list[str] = []
    cursor, pages = "", 0
    while cursor or not pages:
        answer = client.get_repayment_history_flexible_crypto_loan(limit=2, cursor=cursor)["result"]
        seen += [row["repayId"] for row in answer["list"]]
        cursor, pages = answer["nextPageCursor"], pages + 1
    assert (seen, pages) == (ids[::-1], 3)


def test_executions_page_and_filter(serve: Serve) -> None:
    served = serve()
    books, now_ms = served.venue.books, wall_ms()
    account = books.accounts["100001"]
    for number in range(7):
        side = "Buy" if number % 2 else "Sell"
        trade = Trade(f"e{number}", "BTCUSDT", side, e8("0.1"), e8("60000"), "0")
        books.execute(account, trade, now_ms - 7000 + number * 1000)
    client = served.client()
    first = client.get_executions(category="linear", limit=4)["result"]
    second = client.get_executions(category="linear", limit=4, cursor=first["nextPageCursor"])
    ids = [row["execId"] for row in first["list"] + second["result"]["list"]]
    assert ids == [f"e{number}" for number in range(6, -1, -1)]
    since = client.get_executions(category="linear", startTime=now_ms - 2000)["result"]["list"]
    assert [row["execId"] for row in since] == ["e6", "e5"]
    assert client.get_executions(category="inverse")["result"]["list"] == []


def test_signatures_are_checked(serve: Serve) -> None:
    served = serve()
    good = served.client()
    assert code_of(served.client(api_secret="wrong").get_position_new_crypto_loan) == 10004
    assert code_of(served.client(api_key="nobody").get_position_new_crypto_loan) == 10003
    assert good.get_position_new_crypto_loan()["retCode"] == 0
    late = {
        "X-BAPI-API-KEY": "sandbox-100001",
        "X-BAPI-TIMESTAMP": str(wall_ms() - 60_000),
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "0" * 64,
    }
    answer = httpx.get(f"{served.url}/v5/crypto-loan-common/position", headers=late)
    assert (answer.status_code, answer.json()["retCode"]) == (200, 10002)


def test_unknown_paths_are_http_404(serve: Serve) -> None:
    url = serve().url
    assert httpx.get(f"{url}/v5/crypto-loan/ongoing-orders").status_code == 404
    assert httpx.get(f"{url}/v5/crypto-loan-flexible/repay").status_code == 404


def test_one_loan_write_a_second(serve: Serve) -> None:
    served = serve(accounts=2, limits=RateLimits(LIMITS))
    client = served.client(return_response_headers=True)
    _, _, headers = client.repay_flexible_crypto_loan(loanCurrency="USDT", amount="1")
    assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("1", "0")
    reset_ms = int(headers["X-Bapi-Limit-Reset-Timestamp"])
    assert 0 < reset_ms - wall_ms() <= 1000
    refused = code_of(
        lambda: client.adjust_collateral_amount_new_crypto_loan(
            currency="USDT", amount="1", direction="0"
        )
    )
    assert refused == 10006
    served.client("100002").repay_flexible_crypto_loan(loanCurrency="USDT", amount="1")
    patient = served.client(max_retries=3, retry_codes={10006})
    patient.repay_flexible_crypto_loan(loanCurrency="USDT", amount="2")
    book = served.books()["accounts"]["100001"]
    assert [row["amount"] for row in book["repays"]] == ["1", "2"]
    assert book["adjusts"] == []


def test_the_journal_tells_every_movement(serve: Serve) -> None:
    served = serve()
    transfer_id = transfer(served.client(), "7")["result"]["transferId"]
    rows = httpx.get(f"{served.url}/sandbox/journal").json()["rows"]
    assert [row["amount"] for row in rows if row["ref"] == transfer_id] == ["7"]
    rest = httpx.get(f"{served.url}/sandbox/journal", params={"after": len(rows) - 1}).json()
    assert rest["rows"] == rows[-1:]
    assert served.books()["journal"] == {"rows": len(rows), "conserved": True}
