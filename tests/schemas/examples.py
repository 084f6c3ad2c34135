"""A few records that tests of several files use."""

from __future__ import annotations

from schemas import records as r
from schemas.money import E18

EXECUTION = r.HedgeExecution(
    exec_id="e-1",
    account_id="bybit:12345678",
    venue="bybit",
    kind="FILL",
    category="linear",
    symbol="BTCUSDT",
    side="Sell",
    exec_type="Trade",
    qty_e18=E18 // 2,
    price_e18=95900 * E18 + E18 // 10,
    fee_e18=26_372_527_500_000_000_000,
    fee_ccy="USDT",
    settle_ccy="USDT",
    exec_time_ms=1_764_581_400_250,
    source="ws",
)
META = r.Meta(
    event_id="01975b5d-516a-77cf-b151-967e5b2b8a54",
    event_time_ms=1_764_581_400_250,
    policy="weir-default@1",
    source=r.Source(topic="hedge-executions", partition=3, offset=17),
)
