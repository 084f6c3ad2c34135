"""One attempt of each operation that would pass, for whoever tries it: connector or executor."""

from __future__ import annotations

from typing import Any, NamedTuple

from agents.connectors.bybit import Venue
from tests.connectors.conftest import Sandbox

SYMBOL = "BTCUSDT"


class Trial(NamedTuple):
    """Where the operation is posted, what of the venue's books counts it, and what is tried; `at`
    is the answer to a call that was carried out.
    """

    path: str
    counted: str
    amount: str
    at: str = "accepted"


TRIALS = {
    "TRANSFER": Trial("/v5/asset/transfer/inter-transfer", "transfers", "50.1234", at="done"),
    "REPAY": Trial("/v5/crypto-loan-flexible/repay", "repays", "50.1234"),
    "ADD_COLLATERAL": Trial("/v5/crypto-loan-common/adjust-ltv", "adjusts", "50.1234"),
    "SET_LEVERAGE": Trial("/v5/position/set-leverage", "settings", "0", at="done"),
    "REDUCE_POSITION": Trial("/v5/order/create", "orders", "0.2"),
    "CANCEL_ORDER": Trial("/v5/order/cancel", "cancels", "0"),
}
NO_ROW = frozenset({"SET_LEVERAGE", "CANCEL_ORDER"})
"""They leave no row of their own: what they changed is looked at."""


def params_of(sandbox: Sandbox, venue: Venue, op: str) -> dict[str, str]:
    """The parameters of an attempt, once the account has what it needs for it: a position to
    reduce, an order to cancel.
    """
    if op == "SET_LEVERAGE":
        return {"symbol": SYMBOL, "leverage": "3"}
    if op == "REDUCE_POSITION":
        sandbox.by_hand(venue, "order", symbol=SYMBOL, side="Buy", qty="0.5")
        return {"symbol": SYMBOL, "side": "Sell"}
    if op == "CANCEL_ORDER":
        order = sandbox.by_hand(venue, "order", symbol=SYMBOL, side="Buy", qty="0.1", price="50000")
        return {"symbol": SYMBOL, "order_id": order["orderId"]}
    return {}


def counted(sandbox: Sandbox, venue: Venue, op: str) -> int:
    """How many of an operation the venue has carried out."""
    books: Any = sandbox.books(venue)
    return int(books["counts"][TRIALS[op].counted])
