"""What happens to an account at the venue without us: a person at the web page, or the venue.

On command each is done at once, by the same books as a request; a person's rows look like ours.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from weir.sandbox import journal as place
from weir.sandbox import loans, orders
from weir.sandbox.books import Books, amount_e8
from weir.sandbox.records import Account

__all__ = ["OPS", "act"]

Params = Mapping[str, str]


def act(books: Books, account: Account, op: str, params: Params, at_ms: int) -> dict[str, Any]:
    """Do one operation; what the venue calls it. Raises Refused, or ValueError for one that is
    none.
    """
    if op not in OPS:
        raise ValueError(f"op must be one of {', '.join(OPS)}, not {op!r}")
    try:
        return OPS[op](books, account, params, at_ms)
    except KeyError as missing:
        raise ValueError(f"{op} needs {missing}") from missing


def _repay(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    row = loans.repay(books, account, params["coin"], params["amount"], at_ms)
    return {"repayId": str(row.repay_id)}


def _adjust(direction: str) -> "Operation":
    def adjust(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
        coin, amount = params["coin"], params["amount"]
        row = loans.add_or_reduce(books, account, coin, amount, direction, at_ms)
        return {"adjustId": row.adjust_id}

    return adjust


def _borrow(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    coin = params["coin"]
    lent_e8 = amount_e8("amount", params["amount"], 8, precision_code=148003)
    source, target = place.PRINCIPAL, place.FUND
    books.book(account, at_ms, coin, source, target, lent_e8, "borrow", "by hand")
    return {}


def _transfer(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    done = books.transfer(
        account,
        transfer_id=str(uuid4()),
        coin=params["coin"],
        amount=params["amount"],
        source=params["from"],
        target=params["to"],
        at_ms=at_ms,
    )
    return {"transferId": done.transfer_id}


def _order(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    asked = orders.Asked(
        symbol=params["symbol"],
        side=params["side"],
        quantity=params["qty"],
        price=params.get("price", ""),
        link_id=params.get("link_id", ""),
    )
    order = orders.create(books, account, asked, at_ms)
    return {"orderId": order.order_id}


def _cancel(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    order = orders.find(account, params["order_id"], "")
    return {"orderId": orders.cancel(books, account, order, at_ms).order_id}


def _leverage(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    symbol, leverage = params["symbol"], params["leverage"]
    orders.set_leverage(books, account, symbol, leverage, leverage, at_ms)
    return {}


def _liquidate(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    row = loans.liquidate(books, account, params["coin"], params["amount"], at_ms)
    return {"repayId": str(row.repay_id)}


def _restart(books: Books, account: Account, params: Params, at_ms: int) -> dict[str, Any]:
    """The venue restarts: of orders that have ended, only the history knows."""
    account.forgotten_ms = at_ms
    return {}


Operation = Callable[[Books, Account, Params, int], dict[str, Any]]
OPS: dict[str, Operation] = {
    "repay": _repay,
    "add_collateral": _adjust("0"),
    "reduce_collateral": _adjust("1"),
    "borrow": _borrow,
    "transfer": _transfer,
    "order": _order,
    "cancel": _cancel,
    "set_leverage": _leverage,
    "liquidate": _liquidate,
    "restart": _restart,
}
