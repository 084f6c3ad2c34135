"""The order endpoints of the venue: create, cancel, open and closed orders, history, leverage.

Create and cancel are acknowledged with ids only: how an order stands is asked for afterwards.
"""

from fractions import Fraction
from typing import Any

from weir.sandbox import orders
from weir.sandbox.books import SETTLE_COIN
from weir.sandbox.faults import NO_FILL, PARTIAL_FILL
from weir.sandbox.money import UNIT, e8_rounded, text
from weir.sandbox.records import NEVER_MS, Order
from weir.sandbox.refusal import Refused
from weir.sandbox.routing import Call, Route, page
from weir.sandbox.trade_endpoints import category_of

__all__ = ["ORDER_ROUTES"]

LINEAR = "linear"
CLOSED_KEPT = 500
FILLS = {PARTIAL_FILL: Fraction(1, 2), NO_FILL: Fraction(0)}


def _create(call: Call) -> dict[str, Any]:
    _linear(call)
    kind = call.text("orderType")
    if kind not in ("Market", "Limit"):
        raise Refused(10001, f"params error: orderType not supported: {kind!r}")
    if call.whole("positionIdx", 0) != 0:
        raise Refused(10001, "position idx not match position mode")
    asked = orders.Asked(
        symbol=call.text("symbol"),
        side=call.text("side"),
        quantity=call.text("qty"),
        price=call.text("price") if kind == "Limit" else "",
        reduce_only=call.flag("reduceOnly"),
        link_id=call.text("orderLinkId", ""),
        good_til=call.text("timeInForce", "GTC"),
        fills=FILLS.get(call.odd.kind if call.odd else "", Fraction(1)),
        waits_ms=call.in_process_ms(0),
    )
    order = orders.create(call.books, call.account, asked, call.now_ms)
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _cancel(call: Call) -> dict[str, Any]:
    _linear(call)
    order_id, link_id = call.text("orderId", ""), call.text("orderLinkId", "")
    if not (order_id or link_id):
        raise Refused(10001, "params error: orderId or orderLinkId is required")
    order = orders.find(call.account, order_id, link_id)
    if order is not None and order.symbol != call.text("symbol"):
        order = None
    done = orders.cancel(call.books, call.account, order, call.now_ms)
    return {"orderId": done.order_id, "orderLinkId": done.link_id}


def _realtime(call: Call) -> dict[str, Any]:
    category = category_of(call)
    narrowing = ("symbol", "baseCoin", "settleCoin")
    if category == LINEAR and not any(call.text(name, "") for name in narrowing):
        raise Refused(10001, "params error: symbol, settleCoin or baseCoin is required")
    if call.text("settleCoin", SETTLE_COIN) != SETTLE_COIN:
        return _page(call, category, [])
    closed = call.number("openOnly", 0, 0, 2) > 0
    if not closed:
        return _page(call, category, [row for row in call.account.orders if row.is_open])
    since_ms = call.account.forgotten_ms
    ended = [row for row in call.account.orders if not row.is_open and row.updated_ms > since_ms]
    return _page(call, category, ended[-CLOSED_KEPT:])


def _history(call: Call) -> dict[str, Any]:
    category = category_of(call)
    start, end = call.text("startTime", ""), call.text("endTime", "")
    if bool(start) != bool(end):
        raise Refused(10001, "params error: startTime and endTime must be passed together")
    start_ms = call.number("startTime", 0, 0, NEVER_MS)
    end_ms = call.number("endTime", NEVER_MS, 0, NEVER_MS)
    rows = [
        row for row in call.account.orders if not row.is_open and start_ms <= row.at_ms <= end_ms
    ]
    answer = _page(call, category, rows)
    answer["list"] = [{**row, **_more()} for row in answer["list"]]
    return answer


def _page(call: Call, category: str, rows: list[Order]) -> dict[str, Any]:
    """Rows of an id, else of a symbol: an id wins, as the venue documents it."""
    order_id, link_id = call.text("orderId", ""), call.text("orderLinkId", "")
    symbol = call.text("symbol", "")
    wanted = [
        row
        for row in rows
        if category == LINEAR
        and (
            row.order_id == order_id
            if order_id
            else row.link_id == link_id
            if link_id
            else symbol in ("", row.symbol)
        )
    ]
    listed = call.books.listing.shown("order", wanted, lambda row: row.order_id, call.now_ms)
    numbered = list(enumerate(listed, start=1))
    shown, cursor = page(call, numbered, lambda row: row[0], default=20, high=50)
    return {
        "list": [_row(row) for _, row in shown],
        "nextPageCursor": cursor,
        "category": category,
    }


def _row(row: Order) -> dict[str, Any]:
    average = row.value * UNIT / row.filled_e8 if row.filled_e8 else Fraction(0)
    return {
        "orderId": row.order_id,
        "orderLinkId": row.link_id,
        "blockTradeId": "",
        "symbol": row.symbol,
        "price": text(row.price_e8),
        "qty": text(row.quantity_e8),
        "side": row.side,
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": row.status,
        "cancelType": row.cancel,
        "rejectReason": row.reject,
        "avgPrice": text(e8_rounded(average)) if row.filled_e8 else "",
        "leavesQty": text(row.left_e8),
        "leavesValue": text(e8_rounded(Fraction(row.left_e8 * row.price_e8, UNIT))),
        "cumExecQty": text(row.filled_e8),
        "cumExecValue": text(e8_rounded(row.value)),
        "cumExecFee": text(row.fee_e8),
        "timeInForce": row.good_til,
        "orderType": "Limit" if row.price_e8 else "Market",
        "stopOrderType": "UNKNOWN",
        "orderIv": "",
        "triggerPrice": "0.00",
        "takeProfit": "0.00",
        "stopLoss": "0.00",
        "tpTriggerBy": "UNKNOWN",
        "slTriggerBy": "UNKNOWN",
        "triggerDirection": 0,
        "triggerBy": "UNKNOWN",
        "lastPriceOnCreated": "",
        "reduceOnly": row.reduce_only,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(row.at_ms),
        "updatedTime": str(row.updated_ms),
        "cumFeeDetail": {SETTLE_COIN: text(row.fee_e8)},
    }


def _more() -> dict[str, Any]:
    """What only the history says."""
    return {
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "extraFees": "",
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def _set_leverage(call: Call) -> dict[str, Any]:
    _linear(call)
    buy, sell = call.text("buyLeverage"), call.text("sellLeverage")
    orders.set_leverage(call.books, call.account, call.text("symbol"), buy, sell, call.now_ms)
    return {}


def _linear(call: Call) -> None:
    if category_of(call) != LINEAR:
        raise Refused(10001, "params error: this venue trades linear contracts only")


ORDER_ROUTES = (
    Route("POST", "/v5/order/create", _create, "order-create"),
    Route("POST", "/v5/order/cancel", _cancel, "order-cancel"),
    Route("GET", "/v5/order/realtime", _realtime, "read"),
    Route("GET", "/v5/order/history", _history, "read"),
    Route("POST", "/v5/position/set-leverage", _set_leverage, "set-leverage"),
)
