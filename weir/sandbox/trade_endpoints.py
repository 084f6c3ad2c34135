"""The trading endpoints of the venue: positions, executions, prices and its clock."""

from typing import Any

from weir.sandbox.books import SETTLE_COIN, Books
from weir.sandbox.money import UNIT, e8_rounded, text, truncated
from weir.sandbox.positions import Position
from weir.sandbox.records import Account, Execution
from weir.sandbox.refusal import Refused
from weir.sandbox.routing import Call, Route, page

__all__ = ["TRADE_ROUTES", "category_of", "execution_row", "position_row"]

WEEK_MS = 7 * 24 * 3_600_000
CATEGORIES = ("linear", "inverse", "spot", "option")


def _positions(call: Call) -> dict[str, Any]:
    category, symbol = category_of(call), call.text("symbol", "")
    coin = call.text("settleCoin", "")
    if category == "linear" and not (symbol or coin):
        raise Refused(10001, "params error: symbol or settleCoin is required")
    rows: list[Position] = []
    if category == "linear" and symbol in call.books.symbols:
        rows = [call.account.positions.get(symbol, Position(symbol))]
    elif category == "linear" and not symbol and coin == SETTLE_COIN:
        rows = [p for p in call.account.positions.values() if p.size_e8]
    numbered = list(enumerate(rows, start=1))
    shown, cursor = page(call, numbered, lambda row: row[0], default=20, high=200)
    return {
        "list": [position_row(call.books, call.account, row) for _, row in shown],
        "nextPageCursor": cursor,
        "category": category,
    }


def position_row(books: Books, account: Account, position: Position) -> dict[str, Any]:
    """A position as `/v5/position/list` shows it."""
    mark_e8 = books.prices_e8.get(position.symbol, 0)
    value = position.average_e8 * abs(position.size_e8) / UNIT
    margin = position.value_e8(mark_e8) / books.leverage(account, position.symbol)
    side = "Buy" if position.size_e8 > 0 else "Sell" if position.size_e8 < 0 else ""
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": position.symbol,
        "side": side,
        "size": text(abs(position.size_e8)),
        "avgPrice": text(e8_rounded(position.average_e8)),
        "positionValue": text(e8_rounded(value)),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": books.leverage_text(account, position.symbol),
        "breakEvenPrice": "",
        "positionBalance": "0",
        "markPrice": text(mark_e8),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": truncated(margin / 20, 8),
        "positionMMByMp": truncated(margin / 20, 8),
        "positionIM": truncated(margin, 8),
        "positionIMByMp": truncated(margin, 8),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": text(e8_rounded(position.unrealised(mark_e8))),
        "curRealisedPnl": text(position.realised_e8),
        "cumRealisedPnl": text(position.realised_e8),
        "seq": position.seq,
        "isReduceOnly": False,
        "mmrSysUpdateTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "createdTime": str(position.created_ms),
        "updatedTime": str(position.updated_ms),
    }


def _executions(call: Call) -> dict[str, Any]:
    category, symbol = category_of(call), call.text("symbol", "")
    exec_type, order_id = call.text("execType", ""), call.text("orderId", "")
    start_ms, end_ms = _window(call)
    rows = [
        (number, row)
        for number, row in enumerate(call.account.executions, start=1)
        if category == "linear"
        and symbol in ("", row.symbol)
        and exec_type in ("", row.exec_type)
        and order_id in ("", row.order_id)
        and start_ms <= row.exec_time_ms <= end_ms
    ]
    shown, cursor = page(call, rows, lambda row: row[0], default=50, high=100)
    return {
        "nextPageCursor": cursor,
        "category": category,
        "list": [execution_row(row) for _, row in shown],
    }


def execution_row(row: Execution) -> dict[str, Any]:
    """A row as `/v5/execution/list` shows it."""
    is_trade = row.exec_type == "Trade"
    return {
        "symbol": row.symbol,
        "orderType": "UNKNOWN" if not is_trade else "Limit" if row.is_maker else "Market",
        "underlyingPrice": "",
        "orderLinkId": row.order_link_id,
        "side": row.side,
        "indexPrice": "",
        "orderId": row.order_id,
        "stopOrderType": "UNKNOWN",
        "leavesQty": "0",
        "execTime": str(row.exec_time_ms),
        "feeCurrency": "",
        "isMaker": row.is_maker,
        "execFee": text(row.fee_e8),
        "feeRate": row.fee_rate,
        "execId": row.exec_id,
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": text(row.mark_e8),
        "execPrice": text(row.price_e8),
        "markIv": "",
        "orderQty": text(row.order_quantity_e8),
        "orderPrice": text(row.price_e8) if is_trade else "0",
        "execValue": text(row.value_e8),
        "execType": row.exec_type,
        "execQty": text(row.quantity_e8),
        "closedSize": text(row.closed_e8),
        "extraFees": "",
        "seq": row.seq,
    }


def _tickers(call: Call) -> dict[str, Any]:
    category, wanted = category_of(call), call.text("symbol", "")
    if category not in ("linear", "spot"):
        return {"category": category, "list": []}
    prices = {name: call.books.prices_e8.get(name, 0) for name in call.books.symbols}
    if category == "spot":
        prices["USDCUSDT"] = UNIT
    if wanted and wanted not in prices:
        raise Refused(10001, f"params error: symbol invalid {wanted}")
    shown = {name: price for name, price in prices.items() if wanted in ("", name)}
    row = _linear_ticker if category == "linear" else _spot_ticker
    return {"category": category, "list": [row(name, text(p)) for name, p in shown.items()]}


def _linear_ticker(symbol: str, price: str) -> dict[str, str]:
    return {
        **_ticker(symbol, price),
        "indexPrice": price,
        "markPrice": price,
        "prevPrice1h": price,
        "openInterest": "0",
        "openInterestValue": "0",
        "fundingRate": "0.0001",
        "nextFundingTime": "0",
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
    }


def _spot_ticker(symbol: str, price: str) -> dict[str, str]:
    return {**_ticker(symbol, price), "usdIndexPrice": price}


def _ticker(symbol: str, price: str) -> dict[str, str]:
    return {
        "symbol": symbol,
        "lastPrice": price,
        "bid1Price": price,
        "bid1Size": "1",
        "ask1Price": price,
        "ask1Size": "1",
        "prevPrice24h": price,
        "price24hPcnt": "0",
        "highPrice24h": price,
        "lowPrice24h": price,
        "turnover24h": "0",
        "volume24h": "0",
    }


def _time(call: Call) -> dict[str, Any]:
    return {"timeSecond": str(call.now_ms // 1000), "timeNano": str(call.now_ms * 1_000_000)}


def _window(call: Call) -> tuple[int, int]:
    last_ms = 10**15
    start, end = call.text("startTime", ""), call.text("endTime", "")
    if start and not end:
        start_ms = call.number("startTime", 0, 0, last_ms)
        return start_ms, start_ms + WEEK_MS
    end_ms = call.number("endTime", call.now_ms + WEEK_MS, 0, last_ms)
    start_ms = call.number("startTime", (end_ms if end else call.now_ms) - WEEK_MS, 0, last_ms)
    if start and end_ms - start_ms > WEEK_MS:
        raise Refused(10001, "params error: startTime and endTime are more than 7 days apart")
    return start_ms, end_ms


def category_of(call: Call) -> str:
    """The product an endpoint is asked about."""
    category = call.text("category")
    if category not in CATEGORIES:
        raise Refused(10001, f"params error: category not supported: {category!r}")
    return category


TRADE_ROUTES = (
    Route("GET", "/v5/position/list", _positions, "read"),
    Route("GET", "/v5/execution/list", _executions, "read"),
    Route("GET", "/v5/market/tickers", _tickers),
    Route("GET", "/v5/market/time", _time),
)
