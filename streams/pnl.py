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
from streams import freeze, trades
from streams.available import available_e18, shortfall_e18
from streams.fills import FLAT, LARGEST_E18, Result, fee_is_settled, fold
from streams.freeze import Unsafe
from streams.rows import CLOSED_TRADE, check_leg, content, located, trigger
from streams.step import Emit, Entries, Event, InForce, Refused, meta
from tables.book import Feed, PnlBook, Repeats, Seen
from tables.position import Position

NO_PROFIT = PnlBook()

__all__ = ["FLAT", "NO_PROFIT", "Result", "booked", "fold", "published", "record", "step"]


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """A PnLRecord for each execution, a Position where the size changed; nothing for a repeat."""
    row: HedgeExecution = event.value
    digest = content(row)
    mark = f"{row.category}|{row.exec_id}"
    seen = entries.get("seen", mark)
    if seen is not None:
        return _repeated(entries, row, seen.digest == digest)
    idx, place, held = located(entries, row)
    old = held or FLAT
    try:
        position, result = fold(old, row)
        check_leg(row, idx, position.qty_e18)
    except Unsafe as why:
        return freeze.unsafe(entries, event, why)
    _one_kind(entries, row)
    book = booked(entries.get("pnl_book", row.settle_ccy) or NO_PROFIT, result)
    if abs(book.realised_e18) > LARGEST_E18:
        raise Refused("overflow", "price", row.price_e18, "the sum of profits is out of range")
    entries.put("seen", Seen(digest, row.exec_time_ms), mark)
    if position is not old:
        entries.put("positions", position, place)
    entries.put("pnl_book", book, row.settle_ccy)
    stamp = meta(event, in_force, trigger(row))
    return published(row, idx, old, position, result, book, stamp)


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
    foreign = bool(row.fee_e18) and not fee_is_settled(row)
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


def _repeated(entries: Entries, row: HedgeExecution, same: bool) -> list[Any]:
    if not same:
        raise Refused(
            "exists_different", "exec_id", row.exec_id, "the same id came before with other content"
        )
    dropped = (entries.get("repeats") or Repeats()).dropped
    entries.put("repeats", Repeats(dropped + 1))
    return []


def _one_kind(entries: Entries, row: HedgeExecution) -> None:
    """Fills and closed trades of one account would count the same profit twice."""
    feed: Feed | None = entries.get("feed")
    if feed is None:
        entries.put("feed", Feed(row.kind))
    elif feed.kind != row.kind:
        raise Refused("mixed_feed", "kind", row.kind, f"the account's rows are {feed.kind}")
