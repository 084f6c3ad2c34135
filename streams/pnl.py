"""What an execution earned: the fold of linear fills, fees and funding into positions and realised
profit.

Numbers are integers of 10^-18 of the settlement currency; a fee above 0 is a cost, below 0 a
rebate, funding above 0 was paid. The average entry moves only when a position grows: its total
entry value is kept, not the average, so no rounding accumulates. The cash view counts what was
booked when it was booked; the trade view gives each closing fill its own share of the opening fees.
Nothing here depends on a policy.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from schemas.money import E18, MAX_E18, div_e18, divide_half_even, mul_div_e18, mul_e18
from schemas.records import HedgeExecution, PnLRecord
from schemas.records import Position as PositionRecord
from streams.available import available_e18, shortfall_e18
from streams.step import Emit, Entries, Event, InForce, Refused, meta
from tables.book import PnlBook, Position, Repeats, Seen

CAUSES = {
    "Trade": "trade",
    "BlockTrade": "trade",
    "MovePosition": "trade",
    "AdlTrade": "adl",
    "BustTrade": "liquidation",
    "Delivery": "delivery",
    "Funding": "funding",
}
"""The execution types that are understood, and what each is called as the cause of a profit."""

FLAT = Position()
_NO_PROFIT = PnlBook()
_E36 = E18 * E18
_LARGEST_E18 = MAX_E18 // 8
_SIGNS = {"Buy": 1, "Sell": -1}


class Folded(NamedTuple):
    """A position after a fill, and what the fill realised."""

    position: Position
    gross_e18: int
    trade_view_e18: int


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """A PnLRecord for each execution, a Position where the size changed; nothing for a repeat."""
    row: HedgeExecution = event.value
    digest = content(row)
    mark = f"{row.category}|{row.exec_id}"
    seen = entries.get("seen", mark)
    if seen is not None:
        return _repeated(entries, row, seen.digest == digest)
    cause, sign = _validated(row)
    idx = row.position_idx or 0
    place = f"{row.category}|{row.symbol}|{idx}"
    old = entries.get("positions", place) or FLAT
    if cause == "funding":
        folded = Folded(_paid(old, row.fee_e18), 0, -row.fee_e18)
        fees, funding = 0, row.fee_e18
    else:
        folded = fold(old, sign * row.qty_e18, row.price_e18, row.multiplier_e18, row.fee_e18)
        fees, funding = row.fee_e18, 0
        _check_leg(row, idx, folded.position)
    net = folded.gross_e18 - row.fee_e18
    position = folded.position
    book = _booked(entries.get("pnl_book", row.settle_ccy) or _NO_PROFIT, folded, fees, funding)
    _check_size(row, position, folded.gross_e18, book)
    entries.put("seen", Seen(digest, row.exec_time_ms), mark)
    entries.put("positions", position, place)
    entries.put("pnl_book", book, row.settle_ccy)

    stamp = meta(event, in_force, trigger(row))
    record = PnLRecord(
        meta=stamp,
        exec_id=row.exec_id,
        account_id=row.account_id,
        symbol=row.symbol,
        position_idx=idx,
        cause=cause,
        gross_pnl_e18=folded.gross_e18,
        fees_e18=fees,
        funding_e18=funding,
        net_pnl_e18=net,
        trade_view_net_e18=folded.trade_view_e18,
        realised_total_e18=book.realised_e18,
        available_e18=available_e18(book),
        shortfall_e18=shortfall_e18(book),
        hwm_e18=book.allocated_e18 + book.retained_e18,
        ccy=row.settle_ccy,
        revision=row.revision,
        flags=(),
        timestamp_ms=row.exec_time_ms,
    )
    outputs: list[Any] = [Emit("treasury.pnl.v1", record)]
    if cause != "funding":
        outputs.append(Emit("treasury.positions.v1", _position(row, idx, position, stamp)))
    return outputs


def fold(
    old: Position, signed_e18: int, price_e18: int, multiplier_e18: int, fee_e18: int
) -> Folded:
    """A linear fill: it adds, reduces, or closes and opens the other side with the rest."""
    held = old.qty_e18
    size = abs(signed_e18)
    if held == 0 or (held > 0) == (signed_e18 > 0):
        value = _value(size, price_e18, multiplier_e18)
        grown = Position(
            held + signed_e18,
            old.cost_e18 + value,
            old.open_fees_e18 + fee_e18,
            old.realised_e18 - fee_e18,
        )
        return Folded(grown, 0, 0)
    open_ = abs(held)
    closed = min(size, open_)
    if closed == open_:
        released, freed = old.cost_e18, old.open_fees_e18
    else:
        released = mul_div_e18(old.cost_e18, closed, open_)
        freed = mul_div_e18(old.open_fees_e18, closed, open_)
    fee = fee_e18 if closed == size else mul_div_e18(fee_e18, closed, size)
    value = _value(closed, price_e18, multiplier_e18)
    gross = value - released if held > 0 else released - value
    cost, pool = old.cost_e18 - released, old.open_fees_e18 - freed
    if size > open_:
        cost = _value(size, price_e18, multiplier_e18) - value
        pool = fee_e18 - fee
    left = Position(held + signed_e18, cost, pool, old.realised_e18 + gross - fee_e18)
    return Folded(left, gross, gross - fee - freed)


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
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _repeated(entries: Entries, row: HedgeExecution, same: bool) -> list[Any]:
    if not same:
        raise Refused(
            "exists_different", "exec_id", row.exec_id, "the same id came before with other content"
        )
    dropped = (entries.get("repeats") or Repeats()).dropped
    entries.put("repeats", Repeats(dropped + 1))
    return []


def _validated(row: HedgeExecution) -> tuple[str, int]:
    """The cause and the sign of an execution that can be folded."""
    if row.kind != "FILL":
        raise Refused("kind", "kind", row.kind, "only FILL is supported")
    if row.category != "linear":
        raise Refused("category", "category", row.category, "only linear is supported")
    cause = CAUSES.get(row.exec_type)
    if cause is None:
        raise Refused("exec_type", "exec_type", row.exec_type, "its effect is not known")
    sign = _SIGNS.get(row.side)
    if sign is None:
        raise Refused("side", "side", row.side, "neither Buy nor Sell")
    if row.fee_ccy != row.settle_ccy and row.fee_e18:
        raise Refused("fee_unpriced", "fee_ccy", row.fee_ccy, f"settled in {row.settle_ccy}")
    if cause != "funding":
        for field in ("qty_e18", "price_e18", "multiplier_e18"):
            if getattr(row, field) <= 0:
                raise Refused("range", field[:-4], getattr(row, field), "must be above 0")
    return cause, sign


def _check_leg(row: HedgeExecution, idx: int, position: Position) -> None:
    """In hedge mode leg 1 is long, leg 2 short: a fill that turns one over contradicts that."""
    if (idx == 1 and position.qty_e18 < 0) or (idx == 2 and position.qty_e18 > 0):
        raise Refused("hedge_leg", "qty", row.qty_e18, f"closes more than leg {idx} holds")


def _check_size(row: HedgeExecution, position: Position, gross_e18: int, book: PnlBook) -> None:
    """A number that no record can hold is refused here, before it can spoil the transaction."""
    largest = max(
        abs(position.qty_e18),
        position.cost_e18,
        abs(position.open_fees_e18),
        abs(position.realised_e18),
        abs(gross_e18),
        abs(book.realised_e18),
    )
    if largest > _LARGEST_E18:
        raise Refused("overflow", "price", row.price_e18, "quantity times price is out of range")


def _value(qty_e18: int, price_e18: int, multiplier_e18: int) -> int:
    if multiplier_e18 == E18:
        return mul_e18(qty_e18, price_e18)
    return divide_half_even(qty_e18 * price_e18 * multiplier_e18, _E36)


def _paid(old: Position, funding_e18: int) -> Position:
    return Position(old.qty_e18, old.cost_e18, old.open_fees_e18, old.realised_e18 - funding_e18)


def _booked(old: PnlBook, folded: Folded, fees_e18: int, funding_e18: int) -> PnlBook:
    realised = old.realised_e18 + folded.gross_e18 - fees_e18 - funding_e18
    return PnlBook(
        old.gross_e18 + folded.gross_e18,
        old.fees_e18 + fees_e18,
        old.funding_e18 + funding_e18,
        realised,
        max(old.highest_e18, realised),
        old.allocated_e18,
        old.retained_e18,
    )


def _position(row: HedgeExecution, idx: int, position: Position, stamp: Any) -> PositionRecord:
    qty = position.qty_e18
    return PositionRecord(
        meta=stamp,
        account_id=row.account_id,
        symbol=row.symbol,
        idx=idx,
        size_e18=qty,
        entry_price_e18=div_e18(position.cost_e18, abs(qty)) if qty else 0,
        realized_pnl_e18=position.realised_e18,
        open_fees_e18=position.open_fees_e18,
        last_updated_ms=row.exec_time_ms,
    )
