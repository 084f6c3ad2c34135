"""What a person does at the venue, and what the venue does by itself, on command."""

from typing import Any

import httpx
import pytest

from tests.weir.sandbox.conftest import Serve, Served
from weir.sandbox import loans
from weir.sandbox.books import Terms
from weir.sandbox.journal import COLLATERAL, FUND
from weir.sandbox.money import e8, text
from weir.sandbox.records import FAILED, LIQUIDATION, PROCESSING


def by_hand(served: Served, op: str, **params: str) -> Any:
    order = {"account": "100001", "op": op, "params": params}
    answer = httpx.post(f"{served.url}/sandbox/manual", json=order)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_operation_reaches_the_same_books(serve: Serve) -> None:
    served = serve()
    by_hand(served, "transfer", coin="USDT", amount="5000", **{"from": "UNIFIED", "to": "FUND"})
    repay_id = by_hand(served, "repay", coin="USDT", amount="7")["repayId"]
    by_hand(served, "add_collateral", coin="USDT", amount="10")
    by_hand(served, "reduce_collateral", coin="USDT", amount="4")
    by_hand(served, "borrow", coin="USDT", amount="100")
    by_hand(served, "set_leverage", symbol="BTCUSDT", leverage="7")
    by_hand(served, "order", symbol="BTCUSDT", side="Buy", qty="0.1")
    waiting = by_hand(served, "order", symbol="BTCUSDT", side="Buy", qty="0.1", price="50000")
    by_hand(served, "cancel", order_id=waiting["orderId"])
    book = served.books()["accounts"]["100001"]
    assert book["wallets"]["FUND"] == {"USDT": "5187"}
    assert book["loan"]["debts"]["USDT"]["total"] == "48105.3456789"
    assert book["loan"]["collateral"]["USDT"]["amount"] == "6"
    assert [row["repay_id"] for row in book["repays"]] == [repay_id]
    assert [row["type"] for row in book["repays"]] == [1]
    assert book["positions"]["BTCUSDT"]["size"] == "0.1"
    assert [row["status"] for row in book["orders"]] == ["Filled", "Cancelled"]
    assert book["leverage"] == {"BTCUSDT": "7"}
    assert served.books()["journal"]["conserved"]


@pytest.mark.parametrize(
    "order",
    [
        {"account": "100001", "op": "steal", "params": {}},
        {"account": "100001", "op": "repay", "params": {"coin": "USDT"}},
        {"account": "100001", "op": "repay", "params": {"coin": "USDT", "amount": "900000"}},
        {"account": "7", "op": "repay", "params": {"coin": "USDT", "amount": "1"}},
    ],
)
def test_what_cannot_be_done_is_said(serve: Serve, order: Any) -> None:
    answer = httpx.post(f"{serve().url}/sandbox/manual", json=order)
    assert answer.status_code == 422


def test_a_liquidation_sells_collateral_and_repays_interest_first(serve: Serve) -> None:
    """9,000 of debt for 0.15 BTC at 60,000."""
    served = serve()
    books = served.venue.books
    account = books.accounts["100001"]
    btc_e8 = books.balance_e8(account, "BTC", COLLATERAL)
    by_hand(served, "liquidate", coin="USDT", amount="9000")
    assert text(btc_e8 - books.balance_e8(account, "BTC", COLLATERAL)) == "0.15"
    (row,) = account.repays
    assert (row.repay_type, text(row.amount_e8)) == (LIQUIDATION, "9000")
    assert (text(row.interest_e8), text(row.principal_e8)) == ("12.3456789", "8987.6543211")
    listed = served.client().get_repayment_history_flexible_crypto_loan(loanCurrency="USDT")
    assert [row["repayType"] for row in listed["result"]["list"]] == [2]
    assert text(books.balance_e8(account, "USDT", FUND)) == "100"
    assert books.journal.conserved()


def test_no_more_is_liquidated_than_is_owed_or_than_it_brings(serve: Serve) -> None:
    served = serve()
    books = served.venue.books
    account = books.accounts["100001"]
    by_hand(served, "liquidate", coin="USDT", amount="1000000")
    assert loans.debts(books, account) == {}
    books.prices_e8 |= {"BTCUSDT": e8("1"), "ETHUSDT": e8("1")}
    by_hand(served, "borrow", coin="USDT", amount="500")
    by_hand(served, "liquidate", coin="USDT", amount="500")
    assert loans.collateral_usd(books, account) == {}
    assert loans.debt_e8(books, account, "USDT") > 0
    assert books.journal.conserved()


def test_a_repayment_of_a_debt_that_has_gone_fails_and_comes_back(serve: Serve) -> None:
    served = serve(terms=Terms(settle_ms=10_000))
    books = served.venue.books
    account = books.accounts["100001"]
    by_hand(served, "repay", coin="USDT", amount="100")
    by_hand(served, "liquidate", coin="USDT", amount="48000")
    row = account.repays[0]
    assert row.status == PROCESSING
    loans.advance(books, row.settles_ms)
    assert row.status == FAILED
    assert text(books.balance_e8(account, "USDT", FUND)) == "100"
    assert books.journal.conserved()
