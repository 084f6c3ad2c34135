"""What is published of lots: one record for each lot opened, and for each part of one closed under
each method.

A long position gives first and receives when it closes, a short one the other way round; an inverse
contract counts in coin, so there too what it holds is worth less the better it goes. Therefore
`cost` is what was given and `proceeds` what was received, whichever came first, and the gain is
their difference.
"""

from __future__ import annotations

from schemas.records import HedgeExecution, LotEvent, Meta
from streams.lots import Moved
from streams.rows import CLOSED_TRADE
from streams.step import Emit
from tables.lots import ALL, NO_LOT, Opened, Take
from tables.position import Position

TOPIC = "treasury.tax-lots.v1"


def bought(row: HedgeExecution, old: Position) -> bool:
    """Whether what a row closes was given for first."""
    long = row.side == "Buy" if row.kind == CLOSED_TRADE else old.qty_e18 > 0
    return long != (row.category == "inverse")


def first(
    row: HedgeExecution, place: str, moved: Moved, bought: bool, revision: int, stamp: Meta
) -> list[Emit]:
    """The records of a fill that is booked for the first time. `bought`: what it closes was given
    for first.
    """
    out = [_closed(row, place, take, bought, "close", revision, stamp) for take in moved.takes]
    if moved.opened is not None:
        out.append(_opened(row, place, moved.opened, "open", revision, stamp))
    return out


def again(
    row: HedgeExecution,
    place: str,
    moved: Moved,
    bought: bool,
    revision: int,
    stamp: Meta,
    old_place: str,
    old: Moved,
) -> list[Emit]:
    """The records of a fill that did other things to lots before."""
    was = {(old_place, take.method, take.exec_id): take for take in old.takes}
    out = []
    for take in moved.takes:
        before = was.pop((place, take.method, take.exec_id), None)
        if before is None:
            out.append(_closed(row, place, take, bought, "close", revision, stamp))
        elif _amounts(before) != _amounts(take):
            out.append(_closed(row, place, take, bought, "restated", revision, stamp))
    for (at_place, method, exec_id), take in was.items():
        none = Take(method, NO_LOT, exec_id, take.opened_ms, 0, 0, 0)
        out.append(_closed(row, at_place, none, bought, "restated", revision, stamp))
    before_open, now_open = old.opened, moved.opened
    if before_open is not None and (now_open is None or place != old_place):
        nothing = Opened(before_open.lot, 0, 0)
        out.append(_opened(row, old_place, nothing, "restated", revision, stamp))
        before_open = None
    if now_open is not None:
        if before_open is None:
            out.append(_opened(row, place, now_open, "open", revision, stamp))
        elif _size(before_open) != _size(now_open):
            out.append(_opened(row, place, now_open, "restated", revision, stamp))
    return out


def differs(old: Moved, new: Moved) -> bool:
    """Whether two fates of a fill read differently, the numbers of lots aside."""
    return [_amounts(take) for take in old.takes] != [_amounts(take) for take in new.takes] or (
        _size(old.opened) != _size(new.opened)
    )


def _closed(
    row: HedgeExecution,
    place: str,
    take: Take,
    bought: bool,
    action: str,
    revision: int,
    stamp: Meta,
) -> Emit:
    entry, exit_ = take.entry_e18, take.exit_e18
    cost, proceeds = (entry, exit_) if bought else (exit_, entry)
    return Emit(
        TOPIC,
        LotEvent(
            meta=stamp,
            account_id=row.account_id,
            method=take.method,
            asset=place.split("|")[1],
            action=action,
            qty_e18=take.qty_e18,
            cost_e18=cost,
            proceeds_e18=proceeds,
            gain_e18=proceeds - cost,
            opened_at_ms=take.opened_ms,
            closed_at_ms=row.exec_time_ms,
            lot_id=f"{place}|{take.exec_id}" if take.exec_id else place,
            exec_id=row.exec_id,
            revision=revision,
            ccy=row.settle_ccy,
        ),
    )


def _opened(
    row: HedgeExecution, place: str, opened: Opened, action: str, revision: int, stamp: Meta
) -> Emit:
    return Emit(
        TOPIC,
        LotEvent(
            meta=stamp,
            account_id=row.account_id,
            method=ALL,
            asset=place.split("|")[1],
            action=action,
            qty_e18=opened.qty_e18,
            cost_e18=opened.cost_e18,
            opened_at_ms=row.exec_time_ms,
            lot_id=f"{place}|{row.exec_id}",
            exec_id=row.exec_id,
            revision=revision,
            ccy=row.settle_ccy,
        ),
    )


def _amounts(take: Take) -> tuple[object, ...]:
    return take.method, take.exec_id, take.opened_ms, take.qty_e18, take.entry_e18, take.exit_e18


def _size(opened: Opened | None) -> tuple[int, int] | None:
    return None if opened is None else (opened.qty_e18, opened.cost_e18)
