"""A fill as tests and measurements need one: BTCUSDT at Bybit, settled in USDT, without a fee."""

from __future__ import annotations

from typing import Any

from schemas.records import HedgeExecution

_USUAL: dict[str, Any] = {
    "venue": "bybit",
    "kind": "FILL",
    "category": "linear",
    "symbol": "BTCUSDT",
    "exec_type": "Trade",
    "fee_e18": 0,
    "fee_ccy": "USDT",
    "settle_ccy": "USDT",
}


def fill(
    exec_id: str,
    account_id: str,
    side: str,
    qty_e18: int,
    price_e18: int,
    at_ms: int,
    **more: Any,
) -> HedgeExecution:
    """The record; `more` are its other fields, or those that are unlike the usual ones."""
    return HedgeExecution(
        exec_id=exec_id,
        account_id=account_id,
        side=side,
        qty_e18=qty_e18,
        price_e18=price_e18,
        exec_time_ms=at_ms,
        **{**_USUAL, "source": "manual", **more},
    )
