"""Rows that cannot be used, by the cause under which they must become dead letters."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from schemas.records import HedgeExecution

DAY_MS = 86_400_000
_Make = Callable[[HedgeExecution, int], HedgeExecution]

_MAKE: dict[str, _Make] = {
    "exec_type": lambda row, now_ms: replace(row, exec_type="FutureSpread"),
    "exists_different": lambda row, now_ms: replace(row, qty_e18=row.qty_e18 + 1),
    "late": lambda row, now_ms: replace(row, exec_time_ms=now_ms - 9 * DAY_MS, closed_size_e18=0),
    "range": lambda row, now_ms: replace(row, qty_e18=0),
    "future": lambda row, now_ms: replace(row, exec_time_ms=now_ms + 2 * DAY_MS),
    "settle_ambiguous": lambda row, now_ms: replace(row, exec_type="Settle", closed_size_e18=None),
    "overflow": lambda row, now_ms: replace(row, qty_e18=10**24, price_e18=10**37),
    "mixed_feed": lambda row, now_ms: replace(
        row,
        kind="CLOSED_TRADE",
        size_e18=row.qty_e18,
        entry_price_e18=row.price_e18,
        exit_price_e18=row.price_e18,
    ),
    "key": lambda row, now_ms: row,
}
UNUSABLE = tuple(_MAKE)


def misfit(cause: str, row: HedgeExecution, now_ms: int) -> HedgeExecution:
    """A row that is refused for this cause; `row` is a good one, or for exists_different a known
    one; for key the caller sends it under another account's key.
    """
    return _MAKE[cause](row, now_ms)
