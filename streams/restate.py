"""A row is put where it belongs among those of its position, and what followed is folded again.

Nothing that was published is edited: a row that now reads differently is published once more, with
a higher revision and the differences, and realised profit moves by them. It may fall below what was
allocated; that is a shortfall, nothing is clawed back. The highest profit so far counts only what
stands at the end, not what lies between two records of one restatement.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.records import HedgeExecution, Meta, PnLRecord, Trade
from streams import journal, lot_events, lots, pnl, trades
from streams.fills import LARGEST_E18, Result, fold
from streams.lots import Moved
from streams.rows import CLOSED_TRADE, check_leg, trigger
from streams.step import Emit, Entries, Event, InForce, InvariantBroken, Refused, meta
from tables.book import PnlBook
from tables.journal import At, Booked, Journal
from tables.position import Position


class Line(NamedTuple):
    """One row of a tail: how it is folded now, and how it was booked before, if it was."""

    row: HedgeExecution
    at: At
    late: bool
    was: Booked | None
    old: Position = Position()
    new: Position = Position()
    result: Result = Result("")


def line(
    place: str,
    at: At,
    row: HedgeExecution,
    revision: int,
    result: Result,
    moved: Moved,
    late: bool,
) -> Booked:
    """A row as it is booked."""
    return Booked(
        place,
        at,
        journal.fill_of(row),
        revision,
        result.gross_e18,
        result.fees_e18,
        result.funding_e18,
        result.trade_view_e18,
        result.withheld_e18,
        late,
        None,
        moved.opened,
        moved.takes,
    )


def insert(entries: Entries, event: Event, in_force: InForce, idx: int, place: str) -> list[Any]:
    """Puts a new row, the event's, before others of its position."""
    row: HedgeExecution = event.value
    where = journal.at(row)
    head = journal.head(entries, place)
    number = journal.first_after(entries, place, head, where)
    tail = _tail(entries, place, head, number)
    work = _Work(entries, event, in_force)
    work.fold(place, idx, head, number, tail, [Line(row, where, False, None), *tail])
    return work.finish()


def correct(
    entries: Entries, event: Event, in_force: InForce, known: Booked, idx: int, place: str
) -> list[Any]:
    """Replaces what was booked of the event's row, in its place or in another."""
    row: HedgeExecution = event.value
    where = known.at if known.late else journal.at(row)
    fresh = Line(row, where, known.late, known)
    head = journal.head(entries, place)
    number = journal.first_after(entries, place, head, where)
    work = _Work(entries, event, in_force)
    if place == known.place:
        number = min(number, journal.first_after(entries, place, head, known.at))
        tail = _tail(entries, place, head, number)
        others = [one for one in tail if one.at != known.at]
        work.fold(place, idx, head, number, tail, sorted([*others, fresh], key=_where))
        return work.finish()
    tail = _tail(entries, place, head, number)
    _folded(journal.before(entries, place, head, number), [fresh, *tail], idx)
    left = journal.head(entries, known.place)
    first = journal.first_after(entries, known.place, left, known.at)
    before = _tail(entries, known.place, left, first)
    work.fold(known.place, _leg(known.place), left, first, before, before[1:])
    work.fold(place, idx, head, number, tail, [fresh, *tail])
    return work.finish()


class _Work:
    """One restatement: of one place, or of the two that a corrected row leaves and comes to."""

    def __init__(self, entries: Entries, event: Event, in_force: InForce) -> None:
        self._entries = entries
        self._stamp: Meta = meta(event, in_force, trigger(event.value))
        self._books: dict[str, PnlBook] = {}
        self._fates: dict[str, Moved] = {}
        self._outputs: list[Any] = []

    def fold(
        self, place: str, idx: int, head: Journal, number: int, tail: list[Line], rows: list[Line]
    ) -> None:
        """Replaces the tail of a place, from its n-th row on, by these rows."""
        start = journal.before(self._entries, place, head, number)
        before, after = _folded(start, tail, idx), _folded(start, rows, idx)
        for one in reversed(tail):
            booked = _booked(one)
            fate = Moved(booked.opened, journal.takes_of(self._entries, booked))
            self._fates[one.at.exec_id] = fate
            lots.undo(self._entries, place, fate)
        were, are = _trades(before, idx, self._stamp), _trades(after, idx, self._stamp)
        told = {exec_id for key, (exec_id, trade) in are.items() if _differs(were.get(key), trade)}
        for offset, one in enumerate(after):
            self._put(place, idx, number + offset, one, one.at.exec_id in told)
        end = after[-1].new if after else start
        self._settle(place, idx, head, number, before, after, end)
        self._tell_trades(idx, were, are, (after or before)[-1].row, end)

    def finish(self) -> list[Any]:
        """Writes the profit as it stands now, and hands over all records."""
        for ccy, book in self._books.items():
            if abs(book.realised_e18) > LARGEST_E18:
                raise Refused("overflow", "price", book.realised_e18, "profit is out of range")
            old: PnlBook = self._entries.get("pnl_book", ccy) or pnl.NO_PROFIT
            highest = max(old.highest_e18, book.realised_e18)
            self._entries.put("pnl_book", replace(book, highest_e18=highest), ccy)
        return self._outputs

    def _put(self, place: str, idx: int, number: int, one: Line, trade_told: bool) -> None:
        """Books one row of the tail, and says what changed of it."""
        row, was = one.row, one.was
        moved = lots.step(self._entries, place, one.old, one.new, row, one.result)
        bought, revision = lot_events.bought(row, one.old), row.revision
        if was is None:
            self._tell_profit(row, idx, one.result, revision, None)
            self._outputs += lot_events.first(row, place, moved, bought, revision, self._stamp)
            if one.result.cause in trades.RISKS:
                self._outputs.append(trades.risk_event(row, one.result, self._stamp))
        else:
            fate = self._fates[one.at.exec_id]
            profit = _profit(was) != _numbers(one.result) or journal.fill_of(row) != was.fill
            lots_told = place != was.place or lot_events.differs(fate, moved)
            changed = profit or lots_told or trade_told
            revision = max(row.revision, was.revision + 1) if changed else was.revision
            if profit:
                self._tell_profit(row, idx, one.result, revision, was)
            if lots_told:
                self._outputs += lot_events.again(
                    row, place, moved, bought, revision, self._stamp, was.place, fate
                )
        booked = line(place, one.at, row, revision, one.result, moved, one.late)
        journal.put(self._entries, number, booked, one.new, 0 if was is None else was.more)
        journal.put_nth(self._entries, place, number, one.at.exec_id)

    def _tell_profit(
        self, row: HedgeExecution, idx: int, result: Result, revision: int, was: Booked | None
    ) -> None:
        """Moves the profit by a row, or by what it earns more than before, and says so."""
        ccy = row.settle_ccy
        if was is None:
            self._books[ccy] = book = pnl.booked(self._book(ccy), result)
            self._outputs.append(_emit(pnl.record(row, idx, result, book, self._stamp)))
            return
        gross, fees, funding, view, withheld = _profit(was)
        old = Result(result.cause, gross, fees, funding, view, withheld)
        self._books[was.fill.settle_ccy] = pnl.booked(self._book(was.fill.settle_ccy), _minus(old))
        self._books[ccy] = book = pnl.booked(self._book(ccy), result)
        record = replace(
            pnl.record(row, idx, result, book, self._stamp),
            revision=revision,
            delta_gross_e18=result.gross_e18 - old.gross_e18,
            delta_fees_e18=result.fees_e18 - old.fees_e18,
            delta_funding_e18=result.funding_e18 - old.funding_e18,
            delta_net_e18=result.net_e18 - old.net_e18,
        )
        self._outputs.append(_emit(record))

    def _settle(
        self,
        place: str,
        idx: int,
        head: Journal,
        number: int,
        before: list[Line],
        after: list[Line],
        end: Position,
    ) -> None:
        """Writes where the journal ends now, and the position behind it."""
        following = number + len(after)
        for gone in range(following, head.next):
            self._entries.delete("nth", f"{place}|{gone}")
        last = after[-1].at if after else None
        if last is None and number > head.first:
            last = journal.nth(self._entries, place, number - 1).at
        new = Journal(head.first, following, head.base, last, head.floor)
        self._entries.put("journal", new, place)
        ended = before[-1].new if before else after[0].old
        if ended != end:
            held: Position = self._entries.get("positions", place) or ended
            apart = held.realised_e18 - ended.realised_e18  # accepted by people, of no row
            end = replace(end, realised_e18=end.realised_e18 + apart)
            self._entries.put("positions", end, place)
            row = (after or before)[-1].row
            record = trades.placed(trades.at(row, idx), end, self._stamp)
            self._outputs.append(Emit("treasury.positions.v1", record))

    def _tell_trades(
        self,
        idx: int,
        were: dict[str, tuple[str, Trade]],
        are: dict[str, tuple[str, Trade]],
        row: HedgeExecution,
        end: Position,
    ) -> None:
        """Trades that read differently now; one that no longer is has quantity 0."""
        still = _trades(
            [Line(row, journal.at(row), False, None, Position(), end)], idx, self._stamp
        )
        for key, (_, old) in were.items():
            if key not in are:
                new = still[key][1] if key in still else _void(old)
                are[key] = ("", new)
        for key, (_, trade) in are.items():
            before = were.get(key)
            if _differs(before, trade):
                floor = trade.revision if before is None else before[1].revision + 1
                revised = replace(trade, meta=self._stamp, revision=max(trade.revision, floor))
                self._outputs.append(Emit(trades.TOPIC, revised))

    def _book(self, ccy: str) -> PnlBook:
        if ccy not in self._books:
            self._books[ccy] = self._entries.get("pnl_book", ccy) or pnl.NO_PROFIT
        return self._books[ccy]


def _tail(entries: Entries, place: str, head: Journal, number: int) -> list[Line]:
    """The rows from the n-th on, as they are booked."""
    rows = (journal.nth(entries, place, index) for index in range(number, head.next))
    return [Line(journal.row_of(was, entries.key), was.at, was.late, was) for was in rows]


def _folded(start: Position, lines: list[Line], idx: int) -> list[Line]:
    """The lines with the positions before and behind each. Raises what a fold raises."""
    out, position = [], start
    for one in lines:
        new, result = fold(position, one.row)
        check_leg(one.row, idx, new.qty_e18)
        if one.late:
            result = replace(result, flags=(*result.flags, "late"))
        out.append(one._replace(old=position, new=new, result=result))
        position = new
    return out


def _trades(lines: list[Line], idx: int, stamp: Meta) -> dict[str, tuple[str, Trade]]:
    """The trades that begin or end in these lines, as they stand at their end, by id; with the row
    that says so.
    """
    found: dict[str, tuple[str, Trade]] = {}
    for one in lines:
        at = trades.at(one.row, idx)._replace(revision=one.was.revision if one.was else 0)
        emits: list[Any] = []
        if one.row.kind == CLOSED_TRADE:
            emits = [trades.whole(one.row, one.result, stamp)]
        elif one.old.opened_by != one.new.opened_by:
            emits = trades.changed(at, one.old, one.new, one.result, stamp)
        for emit in emits:
            found[emit.value.id] = (one.at.exec_id, emit.value)
    return found


def _differs(before: tuple[str, Trade] | None, trade: Trade) -> bool:
    if before is None:
        return True
    return replace(before[1], revision=0, cause="") != replace(trade, revision=0, cause="")


def _void(trade: Trade) -> Trade:
    """A trade that never was."""
    return replace(
        trade,
        quantity_e18=0,
        fee_paid_e18=0,
        funding_paid_e18=0,
        realized_pnl_e18=0,
        status="CLOSED",
    )


def _numbers(result: Result) -> tuple[int, int, int, int, int]:
    return (
        result.gross_e18,
        result.fees_e18,
        result.funding_e18,
        result.trade_view_e18,
        result.withheld_e18,
    )


def _profit(was: Booked) -> tuple[int, int, int, int, int]:
    return was.gross_e18, was.fees_e18, was.funding_e18, was.trade_view_e18, was.withheld_e18


def _minus(result: Result) -> Result:
    gross, fees, funding, view, withheld = _numbers(result)
    return Result(result.cause, -gross, -fees, -funding, -view, -withheld)


def _booked(one: Line) -> Booked:
    if one.was is None:
        raise InvariantBroken(f"{one.at.exec_id} is no row of the journal")
    return one.was


def _emit(record: PnLRecord) -> Emit:
    return Emit("treasury.pnl.v1", record)


def _leg(place: str) -> int:
    return int(place.rpartition("|")[2])


def _where(one: Line) -> At:
    return one.at
