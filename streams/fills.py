"""The pure fold: a position and a row give the next position and what the row realised.

The average entry moves only when a position grows: its total entry value is kept, not the average,
so no rounding accumulates. A whole that is split is rounded once, the other part is the rest.
"""

from __future__ import annotations

import msgspec

from schemas.money import MAX_E18, mul_div_e18
from schemas.records import HedgeExecution
from streams import spot
from streams.contract import CONTRACTS
from streams.freeze import Unsafe
from streams.rows import CLOSED_TRADE, checked
from streams.step import Refused
from tables.position import Position

FEE_UNPRICED = "fee_unpriced"
FLAT = Position()
LARGEST_E18 = MAX_E18 // 8

__all__ = ["CONTRACTS", "FLAT", "LARGEST_E18", "Result", "fee_is_settled", "fold"]


class Result(msgspec.Struct, frozen=True, gc=False):
    """What one row realised. `fees` are those in the settlement currency; `withheld` is profit that
    must wait for the price of a fee.
    """

    cause: str
    gross_e18: int = 0
    fees_e18: int = 0
    funding_e18: int = 0
    trade_view_e18: int = 0
    withheld_e18: int = 0
    flags: tuple[str, ...] = ()

    @property
    def net_e18(self) -> int:
        """The cash view of the row."""
        return self.gross_e18 - self.fees_e18 - self.funding_e18


def fold(position: Position, row: HedgeExecution) -> tuple[Position, Result]:
    """The position after a row, and what the row realised. Raises Refused, or Unsafe where the row
    contradicts the position.
    """
    cause = checked(row)
    if row.kind == CLOSED_TRADE:
        return position, _closed_trade(row, cause)
    if cause == "funding":
        return _paid(position, row)
    if cause == "settle":
        if not row.closed_size_e18:
            return _rebased(position, row)
        _check_settled(position, row)
    signed, fee, flags = _movement(row)
    held = position.qty_e18
    if held == 0 or (held > 0) == (signed > 0):
        new = _added(position, row, signed, fee)
        result = Result(cause, 0, fee, 0, 0, 0, flags)
    elif abs(signed) < abs(held):
        new, result = _reduced(position, row, cause, signed, fee, flags)
    else:
        new, result = _closed(position, row, cause, signed, fee, flags)
    if _size(new, result) > LARGEST_E18:
        raise Refused("overflow", "price", row.price_e18, "quantity times price is out of range")
    return new, result


def fee_is_settled(row: HedgeExecution) -> bool:
    """Whether the fee is in the settlement currency; a contract's row that names none is."""
    return row.fee_ccy == row.settle_ccy or (row.fee_ccy == "" and row.category != "spot")


def _movement(row: HedgeExecution) -> tuple[int, int, tuple[str, ...]]:
    """What a fill moves, its fee in the settlement currency, and its flags."""
    signed, fee = (row.qty_e18 if row.side == "Buy" else -row.qty_e18), row.fee_e18
    if row.fee_ccy == row.settle_ccy or fee == 0 or fee_is_settled(row):
        return signed, fee, ()
    if row.category == "spot" and row.fee_ccy == spot.base(row):
        return spot.received_e18(row, signed), 0, ()
    return signed, 0, _unpriced(row)


def _unpriced(row: HedgeExecution) -> tuple[str, ...]:
    if row.fee_ccy == "":
        raise Refused("range", "fee_ccy", row.fee_ccy, "the fee has no currency")
    return (FEE_UNPRICED,)


def _added(old: Position, row: HedgeExecution, signed: int, fee: int) -> Position:
    value = CONTRACTS[row.category].value_e18(row.qty_e18, row.price_e18, row.multiplier_e18)
    if old.qty_e18 == 0:
        return _opened(row, signed, value, fee, old.realised_e18 - fee, old.changed_ms)
    return Position(
        old.qty_e18 + signed,
        old.cost_e18 + value,
        old.open_fees_e18 + fee,
        old.realised_e18 - fee,
        max(old.changed_ms, row.exec_time_ms),
        old.opened_by,
        old.opened_ms,
        old.entered_qty_e18 + abs(signed),
        old.entered_e18 + value,
        old.gross_e18,
        old.fees_e18 + fee,
        old.funding_e18,
    )


def _reduced(
    old: Position, row: HedgeExecution, cause: str, signed: int, fee: int, flags: tuple[str, ...]
) -> tuple[Position, Result]:
    contract = CONTRACTS[row.category]
    closed, held = abs(signed), abs(old.qty_e18)
    released = mul_div_e18(old.cost_e18, closed, held)
    freed = mul_div_e18(old.open_fees_e18, closed, held)
    value = contract.value_e18(row.qty_e18, row.price_e18, row.multiplier_e18)
    gross = contract.profit_e18(old.qty_e18 > 0, released, value)
    left = Position(
        old.qty_e18 + signed,
        old.cost_e18 - released,
        old.open_fees_e18 - freed,
        old.realised_e18 + gross - fee,
        max(old.changed_ms, row.exec_time_ms),
        old.opened_by,
        old.opened_ms,
        old.entered_qty_e18,
        old.entered_e18,
        old.gross_e18 + gross,
        old.fees_e18 + fee,
        old.funding_e18,
    )
    return left, Result(cause, gross, fee, 0, gross - fee - freed, _withheld(gross, flags), flags)


def _closed(
    old: Position, row: HedgeExecution, cause: str, signed: int, fee: int, flags: tuple[str, ...]
) -> tuple[Position, Result]:
    """The whole position is closed; what the fill has more opens the other side at its price."""
    contract = CONTRACTS[row.category]
    qty, price, multiplier = row.qty_e18, row.price_e18, row.multiplier_e18
    size, held = abs(signed), abs(old.qty_e18)
    whole = value = contract.value_e18(qty, price, multiplier)
    paid = fee
    if size > held:
        paid = mul_div_e18(fee, held, size)
        if size == qty:
            value = contract.value_e18(held, price, multiplier)
        else:
            value = mul_div_e18(whole, held, size)
    gross = contract.profit_e18(old.qty_e18 > 0, old.cost_e18, value)
    realised = old.realised_e18 + gross - fee
    if size > held:
        rest = old.qty_e18 + signed
        new = _opened(row, rest, whole - value, fee - paid, realised, old.changed_ms)
    else:
        new = Position(0, 0, 0, realised, max(old.changed_ms, row.exec_time_ms))
    view = gross - paid - old.open_fees_e18
    return new, Result(cause, gross, fee, 0, view, _withheld(gross, flags), flags)


def _opened(
    row: HedgeExecution, signed: int, value: int, fee: int, realised: int, changed_ms: int
) -> Position:
    """The position that begins with a row, and with it a trade."""
    return Position(
        signed,
        value,
        fee,
        realised,
        max(changed_ms, row.exec_time_ms),
        row.exec_id,
        row.exec_time_ms,
        abs(signed),
        value,
        0,
        fee,
        0,
    )


def _paid(old: Position, row: HedgeExecution) -> tuple[Position, Result]:
    """Funding is never a fill: it changes what was realised, and the open trade's funding."""
    paid = row.fee_e18
    open_trade = paid if old.qty_e18 else 0
    new = msgspec.structs.replace(
        old,
        realised_e18=old.realised_e18 - paid,
        funding_e18=old.funding_e18 + open_trade,
    )
    return new, Result("funding", 0, 0, paid, -paid)


def _rebased(old: Position, row: HedgeExecution) -> tuple[Position, Result]:
    """A settlement that closes nothing: profit up to its price is realised, which is the new cost.

    Raises Unsafe where the venue does not say what it did, or another size than the book's.
    """
    if row.closed_size_e18 is None or row.qty_e18 != abs(old.qty_e18):
        raise _ambiguous(row, "nothing is closed, and the quantity is not the position's")
    signed, fee, flags = _movement(row)
    if abs(signed) != row.qty_e18:
        raise _ambiguous(row, "its fee would change the quantity")
    contract = CONTRACTS[row.category]
    value = contract.value_e18(row.qty_e18, row.price_e18, row.multiplier_e18)
    gross = contract.profit_e18(old.qty_e18 > 0, old.cost_e18, value)
    new = msgspec.structs.replace(
        old,
        cost_e18=value,
        realised_e18=old.realised_e18 + gross - fee,
        gross_e18=old.gross_e18 + gross,
        fees_e18=old.fees_e18 + fee,
    )
    return new, Result("settle", gross, fee, 0, gross - fee, _withheld(gross, flags), flags)


def _check_settled(old: Position, row: HedgeExecution) -> None:
    held, buys = old.qty_e18, row.side == "Buy"
    if row.closed_size_e18 != row.qty_e18 or row.qty_e18 > abs(held) or (held < 0) != buys:
        raise _ambiguous(row, "it closes something else than the position")


def _ambiguous(row: HedgeExecution, why: str) -> Unsafe:
    return Unsafe("settle_ambiguous", "closed_size", row.closed_size_e18, why)


def _closed_trade(row: HedgeExecution, cause: str) -> Result:
    """A trade that the source has closed already: it carries entry, exit, fee and funding."""
    contract = CONTRACTS[row.category]
    size, multiplier = row.size_e18 or 0, row.multiplier_e18
    entry = contract.value_e18(size, row.entry_price_e18 or 0, multiplier)
    exit_ = contract.value_e18(size, row.exit_price_e18 or 0, multiplier)
    gross = contract.profit_e18(row.side == "Buy", entry, exit_)
    settled = row.fee_e18 == 0 or fee_is_settled(row)
    fee, flags = (row.fee_e18, ()) if settled else (0, _unpriced(row))
    funding = row.funding_e18 or 0
    net = gross - fee - funding
    if abs(gross) + abs(fee) + abs(funding) + entry + exit_ > LARGEST_E18:
        raise Refused("overflow", "size", size, "size times price is out of range")
    return Result(cause, gross, fee, funding, net, _withheld(net, flags), flags)


def _withheld(net: int, flags: tuple[str, ...]) -> int:
    return max(0, net) if flags else 0


def _size(new: Position, result: Result) -> int:
    """More than any number of either, so that no record is asked to hold what it cannot."""
    return (
        abs(new.qty_e18)
        + new.cost_e18
        + abs(new.open_fees_e18)
        + abs(new.realised_e18)
        + new.entered_qty_e18
        + new.entered_e18
        + abs(new.gross_e18)
        + abs(new.fees_e18)
        + abs(result.gross_e18)
    )
