"""Spot: a linear fill whose fee may be taken from the coin itself.

A fee in the base coin changes the quantity, not the profit: of 1 bought with a fee of 0.001, 0.999
is held at the whole price paid, and a sale that pays its fee in the coin gives more of it away.
"""

from __future__ import annotations

from schemas.records import HedgeExecution
from streams.linear import exit_e18, price_e18, profit_e18, value_e18
from streams.step import Refused

__all__ = ["base", "exit_e18", "price_e18", "profit_e18", "received_e18", "value_e18"]


def base(row: HedgeExecution) -> str:
    """The coin that is traded: what the symbol names besides the settlement currency."""
    return row.symbol.removesuffix(row.settle_ccy).rstrip("/-_")


def received_e18(row: HedgeExecution, signed_e18: int) -> int:
    """What a fill really moves when its fee is taken in the base coin. Raises Refused."""
    moved = signed_e18 - row.fee_e18
    if moved == 0 or (moved > 0) != (signed_e18 > 0):
        raise Refused("range", "fee", row.fee_e18, "is not below the quantity")
    return moved
