"""What an execution earned: the fold of fills, fees and funding into positions and realised profit.

    fold(position, row) -> (position', result)      pure; of every category and every kind of row
    booked(pnl_book, result) -> pnl_book'           adds a result, or the difference of two
    record(...), trades.placed(...), trades.changed(...)   what is published of it

`fold` knows no entries, no policy and no event: a tail of rows is folded again by calling it row by
row from the position before the first. A Correction sets a position apart from any row
(`streams.opening`, `streams.adjustment`), so no tail reaches back across one.

Numbers are integers of 10^-18 of the settlement currency; a fee above 0 is a cost, below 0 a
rebate, funding above 0 was paid. The average entry moves only when a position grows: its total
entry value is kept, not the average, so no rounding accumulates. The cash view counts what was
booked when it was booked; the trade view gives each closing fill its own share of the opening fees.
Nothing here depends on a policy.
"""

from __future__ import annotations

from typing import Any

from schemas.records import HedgeExecution, Meta, PnLRecord
from streams import trades
from streams.available import available_e18, gains_e18, shortfall_e18
from streams.fills import Result, fee_is_settled
from streams.rows import CLOSED_TRADE
from streams.step import Emit
from tables.book import PnlBook
from tables.position import Position

NO_PROFIT = PnlBook()


def booked(old: PnlBook, result: Result) -> PnlBook:
    """The profit of one currency with a result added."""
    gross, fees, funding = result.gross_e18, result.fees_e18, result.funding_e18
    realised = old.realised_e18 + gross - fees - funding
    return PnlBook(
        old.gross_e18 + gross,
        old.fees_e18 + fees,
        old.funding_e18 + funding,
        realised,
        max(old.highest_e18, realised),
        old.allocated_e18,
        old.retained_e18,
        old.withheld_e18 + result.withheld_e18,
        gains_e18(old, result.net_e18 - result.withheld_e18),
    )


def published(
    row: HedgeExecution,
    idx: int,
    old: Position,
    new: Position,
    result: Result,
    book: PnlBook,
    stamp: Meta,
) -> list[Any]:
    """All records of a row that was folded for the first time."""
    outputs: list[Any] = [Emit("treasury.pnl.v1", record(row, idx, result, book, stamp))]
    cause = result.cause
    if cause == "funding":
        return outputs
    if row.kind == CLOSED_TRADE:
        return [*outputs, trades.whole(row, result, stamp)]
    at = trades.at(row, idx)
    outputs.append(Emit("treasury.positions.v1", trades.placed(at, new, stamp)))
    if old.opened_by != new.opened_by:
        outputs += trades.changed(at, old, new, result, stamp)
    if cause in trades.RISKS:
        outputs.append(trades.risk_event(row, result, stamp))
    return outputs


def record(row: HedgeExecution, idx: int, result: Result, book: PnlBook, stamp: Meta) -> PnLRecord:
    """What a row did to the profit of its account; the totals are those of `book`."""
    foreign = row.fee_ccy != row.settle_ccy and row.fee_e18 != 0 and not fee_is_settled(row)
    return PnLRecord(
        meta=stamp,
        exec_id=row.exec_id,
        account_id=row.account_id,
        symbol=row.symbol,
        position_idx=idx,
        cause=result.cause,
        gross_pnl_e18=result.gross_e18,
        fees_e18=result.fees_e18,
        funding_e18=result.funding_e18,
        net_pnl_e18=result.net_e18,
        trade_view_net_e18=result.trade_view_e18,
        realised_total_e18=book.realised_e18,
        available_e18=available_e18(book),
        shortfall_e18=shortfall_e18(book),
        hwm_e18=book.allocated_e18 + book.retained_e18,
        ccy=row.settle_ccy,
        fee_native_e18=row.fee_e18 if foreign else None,
        fee_ccy=row.fee_ccy if foreign else None,
        revision=row.revision,
        flags=result.flags,
        timestamp_ms=row.exec_time_ms,
        category=row.category,
    )
