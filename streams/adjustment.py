"""Adjustments to the venue's books: the position follows at once, the profit only when people
accept the break.

What an adjustment changes is shown apart (`recon_pnl`), is in no total and cannot be allocated. It
is what the size that both sides hold gained or lost by the other entry price: a position that grew
was only bought, one that is gone left at its own cost, one that turned over left at the new entry.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.money import mul_div_e18
from schemas.records import BreakAccept, Correction, Meta, PnLRecord
from streams import opening, trades
from streams.available import available_e18, shortfall_e18
from streams.contract import CONTRACTS
from streams.fills import FLAT, Result
from streams.pnl import NO_PROFIT, booked
from streams.step import Emit, Entries, Event, InForce, Refused, meta
from tables.book import PnlBook
from tables.corrections import Adjustment
from tables.position import Position

RECON_PNL = "recon_pnl"


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The position as the venue has it, and what that changes, apart from the totals."""
    correction: Correction = event.value
    for field in ("break_id", "settle_ccy"):
        if not getattr(correction, field):
            raise Refused("missing", field, getattr(correction, field), "an adjustment says it")
    if opening.repeated(entries, event):
        return []
    at = opening.place(event)
    old: Position = entries.get("positions", at.place) or FLAT
    new = opening.position(at, old, correction, event.timestamp_ms)
    change = recon_pnl_e18(at, old, new, correction.entry_price_e18 or 0)
    entries.put("positions", new, at.place)
    opening.reset(entries, at.place, new)
    pending = Adjustment(at.symbol, at.idx, at.category, at.ccy, change)
    entries.put("adjustments", pending, f"{correction.break_id}|{correction.correction_id}")
    book: PnlBook = entries.get("pnl_book", at.ccy) or NO_PROFIT
    stamp = meta(event, in_force, f"correction:{correction.correction_id}")
    record = _record(event, pending, correction.correction_id, book, stamp)
    return [
        Emit("treasury.pnl.v1", replace(record, recon_pnl_e18=change, flags=(RECON_PNL,))),
        Emit("treasury.positions.v1", trades.placed(at, new, stamp)),
        *trades.changed(at, old, new, Result(opening.CAUSE, change), stamp),
    ]


def accept(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """What the adjustments of an accepted break changed becomes realised profit."""
    accepted: BreakAccept = event.value
    outputs: list[Any] = []
    stamp = meta(event, in_force, f"accept:{accepted.break_id}")
    prefix = f"{accepted.break_id}|"
    for rest, pending in list(entries.range("adjustments")):
        if not rest.startswith(prefix):
            continue
        change = pending.recon_pnl_e18
        book = booked(
            entries.get("pnl_book", pending.ccy) or NO_PROFIT, Result(opening.CAUSE, change)
        )
        entries.put("pnl_book", book, pending.ccy)
        entries.delete("adjustments", rest)
        place = f"{pending.category}|{pending.symbol}|{pending.idx}"
        held: Position = entries.get("positions", place) or FLAT
        entries.put("positions", replace(held, realised_e18=held.realised_e18 + change), place)
        record = _record(event, pending, rest.removeprefix(prefix), book, stamp)
        outputs.append(
            Emit(
                "treasury.pnl.v1",
                replace(
                    record,
                    gross_pnl_e18=change,
                    net_pnl_e18=change,
                    trade_view_net_e18=change,
                    delta_gross_e18=change,
                    delta_net_e18=change,
                    revision=1,
                ),
            )
        )
    return outputs


def recon_pnl_e18(at: trades.At, old: Position, new: Position, entry_price_e18: int) -> int:
    """What the size that both sides hold gained by the venue's entry price."""
    contract, long = CONTRACTS[at.category], old.qty_e18 > 0
    held, size = abs(old.qty_e18), abs(new.qty_e18)
    if held == 0 or size == 0:
        return 0
    if old.qty_e18 * new.qty_e18 < 0:
        left = contract.value_e18(held, entry_price_e18, at.multiplier_e18)
        return contract.profit_e18(long, old.cost_e18, left)
    if size > held:
        return 0
    return contract.profit_e18(long, mul_div_e18(old.cost_e18, size, held), new.cost_e18)


def _record(
    event: Event, pending: Adjustment, correction_id: str, book: PnlBook, stamp: Meta
) -> PnLRecord:
    return PnLRecord(
        meta=stamp,
        exec_id=correction_id,
        account_id=event.key,
        symbol=pending.symbol,
        position_idx=pending.idx,
        cause=opening.CAUSE,
        gross_pnl_e18=0,
        fees_e18=0,
        funding_e18=0,
        net_pnl_e18=0,
        trade_view_net_e18=0,
        realised_total_e18=book.realised_e18,
        available_e18=available_e18(book),
        shortfall_e18=shortfall_e18(book),
        hwm_e18=book.allocated_e18 + book.retained_e18,
        ccy=pending.ccy,
        revision=0,
        flags=(),
        timestamp_ms=event.timestamp_ms,
        category=pending.category,
    )
