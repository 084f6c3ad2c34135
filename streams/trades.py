"""Trades from flat to flat, as the book sees them, and what the venue did to a position by force.

A trade opens with the first fill, grows and shrinks with its position, and closes when that is flat
or turns over. Its result is the trade view: price profit less all its fees and funding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas.ids import derive
from schemas.money import MAX_E18
from schemas.records import HedgeExecution, Meta, RiskEvent, Trade
from schemas.records import Position as PositionRecord
from streams.contract import CONTRACTS
from streams.fills import LARGEST_E18, Result
from streams.step import Emit, Refused
from tables.position import Position

TOPIC = "treasury.trades.v1"
RISKS = {"adl": "ADL", "liquidation": "LIQUIDATION"}
"""What the venue does without asking, by the cause it has as a row."""


class At(NamedTuple):
    """What traded, where and when a position changed."""

    account_id: str
    category: str
    symbol: str
    idx: int
    ccy: str
    multiplier_e18: int
    at_ms: int
    revision: int = 0
    mark_e18: int | None = None

    @property
    def place(self) -> str:
        """The key of the position."""
        return f"{self.category}|{self.symbol}|{self.idx}"


def at(row: HedgeExecution, idx: int) -> At:
    """Where and when a row changed a position."""
    return At(
        row.account_id,
        row.category,
        row.symbol,
        idx,
        row.settle_ccy,
        row.multiplier_e18,
        row.exec_time_ms,
        row.revision,
        row.mark_price_e18,
    )


def placed(at: At, position: Position, stamp: Meta) -> PositionRecord:
    """A position as it is published. Raises Refused where no record can hold its average entry."""
    qty = abs(position.qty_e18)
    price = CONTRACTS[at.category].price_e18
    entry = price(qty, position.cost_e18, at.multiplier_e18) if qty else 0
    if entry > MAX_E18:
        raise Refused("overflow", "price", entry, "the average entry is out of range")
    return PositionRecord(
        meta=stamp,
        account_id=at.account_id,
        symbol=at.symbol,
        idx=at.idx,
        size_e18=position.qty_e18,
        entry_price_e18=entry,
        realized_pnl_e18=position.realised_e18,
        open_fees_e18=position.open_fees_e18,
        unrealized_pnl_e18=None if at.mark_e18 is None else _unrealised_e18(at, position),
        mark_e18=at.mark_e18,
        last_updated_ms=at.at_ms,
        category=at.category,
    )


def changed(at: At, old: Position, new: Position, result: Result, stamp: Meta) -> list[Any]:
    """The trade that ended with a change of position, and the one that began."""
    outputs: list[Any] = []
    if old.opened_by not in ("", new.opened_by):
        ended = (
            old.gross_e18 + result.gross_e18,
            old.fees_e18 + result.fees_e18 - new.open_fees_e18,
        )
        outputs.append(Emit(TOPIC, _trade(at, old, *ended, "CLOSED", result.cause, stamp)))
    if new.opened_by not in ("", old.opened_by):
        begun = _trade(at, new, 0, new.fees_e18, "OPEN", result.cause, stamp)
        outputs.append(Emit(TOPIC, begun))
    return outputs


def whole(row: HedgeExecution, result: Result, stamp: Meta) -> Emit:
    """The trade of a row that carries a closed one; the row does not say when it began."""
    trigger = f"{row.category}|{row.symbol}|{row.position_idx or 0}|{row.exec_id}"
    trade = Trade(
        meta=stamp,
        id=derive("trade", row.account_id, trigger, 0, "", row.exec_time_ms),
        account_id=row.account_id,
        symbol=row.symbol,
        side=row.side,
        entry_price_e18=row.entry_price_e18 or 0,
        exit_price_e18=row.exit_price_e18,
        quantity_e18=row.size_e18 or 0,
        entry_time_ms=row.exec_time_ms,
        exit_time_ms=row.exec_time_ms,
        fee_paid_e18=result.fees_e18,
        funding_paid_e18=result.funding_e18,
        realized_pnl_e18=result.net_e18,
        status="CLOSED",
        cause=result.cause,
        revision=row.revision,
        category=row.category,
        ccy=row.settle_ccy,
    )
    return Emit(TOPIC, trade)


def risk_event(row: HedgeExecution, result: Result, stamp: Meta) -> Emit:
    """The venue reduced or took a position: `value` is what that row earned, net."""
    event = RiskEvent(
        meta=stamp,
        type=RISKS[result.cause],
        value_e18=result.net_e18,
        symbol=row.symbol,
        account_id=row.account_id,
        timestamp_ms=row.exec_time_ms,
    )
    return Emit("treasury.risk-events.v1", event)


def _unrealised_e18(at: At, position: Position) -> int | None:
    """What the position would earn at the mark; None where the mark is no price."""
    mark, qty = at.mark_e18 or 0, position.qty_e18
    if mark <= 0:
        return None
    contract = CONTRACTS[at.category]
    value = contract.value_e18(abs(qty), mark, at.multiplier_e18)
    if value > LARGEST_E18:
        raise Refused("overflow", "mark_price", mark, "the value at the mark is out of range")
    return contract.profit_e18(qty > 0, position.cost_e18, value)


def _trade(
    at: At, held: Position, gross: int, fees: int, status: str, cause: str, stamp: Meta
) -> Trade:
    """`held` is the position while the trade was open; its exits follow from entries and profit."""
    contract, long = CONTRACTS[at.category], held.qty_e18 > 0
    qty, entered, over = held.entered_qty_e18, held.entered_e18, status == "CLOSED"
    left = contract.exit_e18(long, entered, gross)
    trigger = f"{at.category}|{at.symbol}|{at.idx}|{held.opened_by}"
    return Trade(
        meta=stamp,
        id=derive("trade", at.account_id, trigger, 0, "", held.opened_ms),
        account_id=at.account_id,
        symbol=at.symbol,
        side="Buy" if long else "Sell",
        entry_price_e18=contract.price_e18(qty, entered, at.multiplier_e18),
        exit_price_e18=contract.price_e18(qty, left, at.multiplier_e18) if over else None,
        quantity_e18=qty,
        entry_time_ms=held.opened_ms,
        exit_time_ms=at.at_ms if over else None,
        fee_paid_e18=fees,
        funding_paid_e18=held.funding_e18,
        realized_pnl_e18=gross - fees - held.funding_e18 if over else 0,
        status=status,
        cause=cause,
        revision=at.revision,
        category=at.category,
        ccy=at.ccy,
    )
