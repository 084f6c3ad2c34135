"""One execution of an account: new, come again, late, or corrected.

A row is known by account, category and exec_id. The same content again is dropped and counted. A
higher revision, or a correction of the venue, replaces what was booked; other content under the
same revision contradicts it and is refused. A row that belongs before others of its position is put
there and those are folded again (`streams.restate`), unless it is older than the journal reaches:
then nobody can tell whether it was counted before, so it is refused as late until a person sends it
again by a Correction of kind LATE. Such a row is booked when it arrives and flagged late, and its
mark is never let go.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.errors import Undecodable
from schemas.policy_profit import Pnl
from schemas.records import Correction, HedgeExecution
from schemas.wire import SchemaIds, Wire
from streams import freeze, journal, lot_events, lots, pnl, restate
from streams.fills import FLAT, LARGEST_E18, fold
from streams.freeze import Unsafe
from streams.rows import check_leg, content, located, trigger
from streams.step import Entries, Event, InForce, Refused, meta
from tables.book import Feed, Repeats
from tables.journal import At, Booked, Journal, Latest

LATE, RESTATE = "LATE", "RESTATE"
AHEAD_MAX_MS = 86_400_000
"""How far before the node's time an execution may lie: one of another century would make all that
follow late.
"""

_decode_row = Wire(SchemaIds.from_lock()).decoder("hedge-executions")


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The records of one row; nothing for a repeat."""
    row: HedgeExecution = event.value
    known = journal.find(entries, row.category, row.exec_id)
    try:
        if known is not None:
            return _again(entries, event, in_force, known, row.revision > known.fill.revision)
        return _new(entries, event, in_force)
    except Unsafe as why:
        return freeze.unsafe(entries, event, why)


def correct(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """A Correction that carries a row: one that came too late, or a venue's word on an old one."""
    correction: Correction = event.value
    row = decoded(correction)
    if row.account_id != event.key:
        raise Refused("key", "account_id", row.account_id, f"the correction lies at {event.key}")
    event = Event(
        event.topic,
        event.partition,
        event.offset,
        event.key,
        row,
        event.timestamp_ms,
        event.at_ms,
    )
    known = journal.find(entries, row.category, row.exec_id)
    try:
        if known is not None:
            return _again(entries, event, in_force, known, correction.kind == RESTATE)
        return _new(entries, event, in_force, correction.kind == LATE)
    except Unsafe as why:
        return freeze.unsafe(entries, event, why)


def decoded(correction: Correction) -> HedgeExecution:
    """The row of a correction: bytes as on hedge-executions, schema ids as released."""
    if not correction.row:
        raise Refused("row", "row", correction.correction_id, "the correction carries none")
    try:
        row: HedgeExecution = _decode_row(correction.row)
    except Undecodable as why:
        raise Refused("row", "row", correction.correction_id, str(why)) from why
    return row


def _again(
    entries: Entries, event: Event, in_force: InForce, known: Booked, replaces: bool
) -> list[Any]:
    row: HedgeExecution = event.value
    same = content(row) == content(journal.row_of(known, event.key))
    if same or (row.revision < known.fill.revision and not replaces):
        dropped = (entries.get("repeats") or Repeats()).dropped
        entries.put("repeats", Repeats(dropped + 1))
        return []
    if not replaces:
        raise Refused(
            "exists_different", "exec_id", row.exec_id, "the same id came before with other content"
        )
    if not journal.holds(entries, known):
        raise Refused("late", "exec_id", row.exec_id, "its place in the journal was let go")
    idx, place, _ = located(entries, row)
    _check_time(entries, row, event, journal.head(entries, place), journal.rules_of(in_force))
    return restate.correct(entries, event, in_force, known, idx, place)


def _new(entries: Entries, event: Event, in_force: InForce, resent: bool = False) -> list[Any]:
    row: HedgeExecution = event.value
    rules = journal.rules_of(in_force)
    idx, place, held = located(entries, row)
    head = journal.head(entries, place)
    where, late = journal.at(row), False
    try:
        latest_ms = _check_time(entries, row, event, head, rules)
    except Refused as why:
        if why.cause != LATE.lower() or not resent:
            raise
        latest_ms, late = journal.latest_ms(entries), True
        last_ms = latest_ms if head.last is None else max(latest_ms, head.last.time_ms + 1)
        where = At(last_ms, 0, row.exec_id)
    if not late and head.last is not None and where < head.last:
        outputs = restate.insert(entries, event, in_force, idx, place)
        _arrived(entries, row, latest_ms)
        head = journal.head(entries, place)
        entries.put("journal", journal.let_go(entries, place, head, rules, latest_ms), place)
        return outputs
    old = held or FLAT
    new, result = fold(old, row)
    check_leg(row, idx, new.qty_e18)
    book = pnl.booked(entries.get("pnl_book", row.settle_ccy) or pnl.NO_PROFIT, result)
    if abs(book.realised_e18) > LARGEST_E18:
        raise Refused("overflow", "price", row.price_e18, "the sum of profits is out of range")
    _arrived(entries, row, latest_ms)
    if late:
        result = replace(result, flags=(*result.flags, LATE.lower()))
    moved = lots.step(entries, place, old, new, row, result)
    booked = restate.line(place, where, row, row.revision, result, moved, late)
    journal.put(entries, head.next, booked, new)
    journal.put_nth(entries, place, head.next, row.exec_id)
    head = Journal(head.first, head.next + 1, head.base, where, head.floor)
    entries.put("journal", journal.let_go(entries, place, head, rules, latest_ms), place)
    if new is not old:
        entries.put("positions", new, place)
    entries.put("pnl_book", book, row.settle_ccy)
    stamp = meta(event, in_force, trigger(row))
    outputs = pnl.published(row, idx, old, new, result, book, stamp)
    bought = lot_events.bought(row, old)
    return outputs + lot_events.first(row, place, moved, bought, row.revision, stamp)


def _check_time(
    entries: Entries, row: HedgeExecution, event: Event, head: Journal, rules: Pnl
) -> int:
    """The account's latest execution, this one included. Raises Refused for one that is too late,
    or too early to be true.
    """
    time_ms, latest_ms = row.exec_time_ms, journal.latest_ms(entries)
    if time_ms > event.at_ms + AHEAD_MAX_MS:
        raise Refused("future", "exec_time", time_ms, "lies more than a day ahead")
    if time_ms < latest_ms - rules.late_horizon_s * 1000:
        raise Refused("late", "exec_time", time_ms, f"latest is {latest_ms}, beyond the horizon")
    if head.floor is not None and time_ms <= head.floor.time_ms:
        raise Refused("late", "exec_time", time_ms, "the journal begins later")
    return max(time_ms, latest_ms)


def _arrived(entries: Entries, row: HedgeExecution, latest_ms: int) -> None:
    """What every new row of an account changes besides its position and its profit."""
    _one_kind(entries, row)
    if latest_ms > journal.latest_ms(entries):
        entries.put("latest", Latest(latest_ms))


def _one_kind(entries: Entries, row: HedgeExecution) -> None:
    """Fills and closed trades of one account would count the same profit twice."""
    feed: Feed | None = entries.get("feed")
    if feed is None:
        entries.put("feed", Feed(row.kind))
    elif feed.kind != row.kind:
        raise Refused("mixed_feed", "kind", row.kind, f"the account's rows are {feed.kind}")
