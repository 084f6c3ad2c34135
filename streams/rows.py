"""What a row of executions says: its cause, its direction, the position it belongs to, and whether
it can be folded at all.

A row whose type may change a position in a way that is not known is `Unsafe`: the account is frozen
until people have looked. A row that only contradicts itself is refused.
"""

from __future__ import annotations

from hashlib import blake2b

from schemas.records import HedgeExecution
from streams.freeze import Unsafe
from streams.step import Entries, Refused
from tables.position import Position

CAUSES = {
    "Trade": "trade",
    "BlockTrade": "trade",
    "MovePosition": "trade",
    "AdlTrade": "adl",
    "BustTrade": "liquidation",
    "Delivery": "delivery",
    "Settle": "settle",
    "Funding": "funding",
}
"""The execution types that are understood, and what each is called as the cause of a profit."""

FILL, CLOSED_TRADE = "FILL", "CLOSED_TRADE"
SIGNS = {"Buy": 1, "Sell": -1}
LONG, SHORT = 1, 2
"""The legs of hedge mode; 0 is the one position of one-way mode."""

_CATEGORIES = frozenset({"linear", "inverse", "spot"})
_KINDS = frozenset({FILL, CLOSED_TRADE})
_TIME_MAX_MS = 1 << 48
_IN_A_FILL = ("qty_e18", "price_e18", "multiplier_e18")
_IN_A_CLOSED_TRADE = ("size_e18", "entry_price_e18", "exit_price_e18", "multiplier_e18")


def checked(row: HedgeExecution) -> str:
    """The cause of a row that can be folded. Raises Refused, or Unsafe for a type not listed."""
    cause = CAUSES.get(row.exec_type)
    if cause is None:
        raise Unsafe("exec_type", "exec_type", row.exec_type, "its effect is not known")
    if not row.exec_id:
        raise Refused("range", "exec_id", row.exec_id, "must not be empty")
    if row.kind not in _KINDS:
        raise Refused("kind", "kind", row.kind, "neither FILL nor CLOSED_TRADE")
    if row.category not in _CATEGORIES:
        raise Refused("category", "category", row.category, "neither linear, inverse nor spot")
    if row.side not in SIGNS:
        raise Refused("side", "side", row.side, "neither Buy nor Sell")
    if not 0 <= row.exec_time_ms < _TIME_MAX_MS:
        raise Refused("range", "exec_time", row.exec_time_ms, "an id holds 48 bits of it")
    if row.position_idx not in (None, 0, LONG, SHORT):
        raise Refused("range", "position_idx", row.position_idx, "must be 0, 1 or 2")
    if row.kind == CLOSED_TRADE:
        _above_zero(row, _IN_A_CLOSED_TRADE)
    elif cause == "funding":
        if row.fee_ccy not in ("", row.settle_ccy) and row.fee_e18:
            raise Refused("funding_ccy", "fee_ccy", row.fee_ccy, f"settled in {row.settle_ccy}")
    elif row.qty_e18 <= 0 or row.price_e18 <= 0 or row.multiplier_e18 <= 0:
        _above_zero(row, _IN_A_FILL)
    return cause


def located(entries: Entries, row: HedgeExecution) -> tuple[int, str, Position | None]:
    """Leg, place (`category|symbol|idx`) and position of a row.

    A row that names no leg belongs to the one-way position, unless the account holds legs of that
    symbol: then what it closes says which.
    """
    idx = row.position_idx or 0
    place = f"{row.category}|{row.symbol}|{idx}"
    position: Position | None = entries.get("positions", place)
    if position is None and row.position_idx is None and row.category != "spot":
        stem = place[:-1]
        if any(entries.get("positions", f"{stem}{leg}") for leg in (LONG, SHORT)):
            idx = inferred(row)
            place = f"{stem}{idx}"
            position = entries.get("positions", place)
    return idx, place, position


def inferred(row: HedgeExecution) -> int:
    """The leg a row belongs to: what closes is a Sell of the long or a Buy of the short one.

    Where nothing is closed the side is the position's, of a Funding row too.
    """
    buys = row.side == "Buy"
    closes = bool(row.closed_size_e18)
    return SHORT if buys == closes else LONG


def check_leg(row: HedgeExecution, idx: int, qty_e18: int) -> None:
    """Leg 1 is long, leg 2 short: a close larger than its leg contradicts what the book knows."""
    if (idx == LONG and qty_e18 < 0) or (idx == SHORT and qty_e18 > 0):
        raise Unsafe("hedge_leg", "qty", row.qty_e18, f"closes more than leg {idx} holds")


def trigger(row: HedgeExecution) -> str:
    """The natural key of an execution as the cause of ids."""
    return f"exec:{row.exec_id}#{row.revision}"


def content(row: HedgeExecution) -> str:
    """What an execution says, as a digest: a fill from a socket and from a page is the same."""
    said = (
        f"{row.kind}|{row.symbol}|{row.position_idx or 0}|{row.side}|{row.exec_type}|{row.qty_e18}"
        f"|{row.price_e18}|{row.fee_e18}|{row.fee_ccy}|{row.settle_ccy}|{row.multiplier_e18}"
        f"|{row.exec_time_ms}|{row.revision}"
    )
    if row.kind == CLOSED_TRADE:
        said += f"|{row.size_e18}|{row.entry_price_e18}|{row.exit_price_e18}|{row.funding_e18}"
    elif row.exec_type == "Settle":
        said += f"|{row.closed_size_e18}"
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _above_zero(row: HedgeExecution, fields: tuple[str, ...]) -> None:
    for field in fields:
        value = getattr(row, field)
        if value is None or value <= 0:
            raise Refused("range", field[:-4], value, "must be above 0")
