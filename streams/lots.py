"""Which lots a fill opens and uses up: oldest first, newest first, dearest first, and by average
cost, all at once.

Lots follow the position, so they know nothing of contracts: where it grows a lot opens with the
value it grew by; where it shrinks each method gives up the same quantity for the same value. Of
what is divided one part is rounded half-even and the other is the rest, so entry and exit values
are used up to the last unit and the four gains are equal once a position is flat. The dearest lot
is the one with the highest entry value for one unit, long or short; of equal ones the oldest.

A fill can be undone if it was the last one: what it took is kept with it. So a late fill costs as
much as the fills that follow it, never as much as all lots.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.money import div_e18, mul_div_e18
from schemas.records import HedgeExecution
from streams.contract import CONTRACTS
from streams.fills import Result
from streams.lots_heap import Heap
from streams.rows import CLOSED_TRADE
from streams.step import Entries, InvariantBroken
from tables.lots import ALL, AVERAGE, METHODS, NO_LOT, HeapSlot, Lot, LotsHead, Opened, Take
from tables.position import Position

FIFO, LIFO, HIFO = range(3)
_FRESH = LotsHead()


class Moved(NamedTuple):
    """What a fill did to the lots: the one it opened, and what it took of others."""

    opened: Opened | None
    takes: tuple[Take, ...]


NOTHING = Moved(None, ())


def step(
    entries: Entries,
    place: str,
    old: Position,
    new: Position,
    row: HedgeExecution,
    result: Result,
) -> Moved:
    """What a row did that took a position from `old` to `new`."""
    if row.kind == CLOSED_TRADE:
        return _whole(row, result)
    held, left = old.qty_e18, new.qty_e18
    if held == left and old.cost_e18 == new.cost_e18:
        return NOTHING
    lots = _Lots(entries, place)
    if lots.head is _FRESH and held:
        lots.seed(abs(held), old)
    same_side = held * left > 0
    if held == 0 or (same_side and abs(left) > abs(held)):
        grown = lots.open(abs(left - held), new.cost_e18 - old.cost_e18, row)
        lots.save()
        return Moved(grown, ())
    part = same_side and abs(left) < abs(held)
    closed = abs(held) - abs(left) if part else abs(held)
    entry = old.cost_e18 - new.cost_e18 if part else old.cost_e18
    exit_ = CONTRACTS[row.category].exit_e18(held > 0, entry, result.gross_e18)
    takes = lots.close(closed, entry, exit_)
    opened = None
    if left and not part:
        opened = lots.open(abs(left), new.cost_e18, row)
    return Moved(opened, lots.save(takes))


def undo(entries: Entries, place: str, moved: Moved) -> None:
    """Takes back the last fill of a position."""
    if moved == NOTHING:
        return
    lots = _Lots(entries, place)
    if moved.opened is not None:
        lots.unopen(moved.opened.lot)
    lots.give_back(moved.takes)
    lots.save()


def reset(entries: Entries, place: str) -> None:
    """The position was set from outside: its next row finds one lot, of all that is held then."""
    head: LotsHead | None = entries.get("lots_head", place)
    if head is None:
        return
    for rest, _ in list(entries.range("lots")):
        if rest.rpartition("|")[0] == place:
            entries.delete("lots", rest)
    Heap(entries, place, head.heap).clear()
    entries.delete("lots_head", place)


def _whole(row: HedgeExecution, result: Result) -> Moved:
    """A trade that came closed is one lot, the same under every method."""
    size, contract = row.size_e18 or 0, CONTRACTS[row.category]
    entry = contract.value_e18(size, row.entry_price_e18 or 0, row.multiplier_e18)
    exit_ = contract.exit_e18(row.side == "Buy", entry, result.gross_e18)
    return Moved(None, (Take(ALL, NO_LOT, row.exec_id, row.exec_time_ms, size, entry, exit_),))


class _Lots:
    """The lots of one place while one fill changes them; `save` writes what changed."""

    def __init__(self, entries: Entries, place: str) -> None:
        self._entries, self._place = entries, place
        self.head: LotsHead = entries.get("lots_head", place) or _FRESH
        self._next, self._live = self.head.next, self.head.live
        self._oldest, self._newest = self.head.oldest, self.head.newest
        self._heap = Heap(entries, place, self.head.heap)
        self._before: dict[int, Lot | None] = {}
        self._lots: dict[int, Lot | None] = {}

    def open(self, qty_e18: int, cost_e18: int, row: HedgeExecution) -> Opened:
        """A lot of this row."""
        return self._open(qty_e18, cost_e18, row.exec_id, row.exec_time_ms)

    def _open(self, qty_e18: int, cost_e18: int, exec_id: str, time_ms: int) -> Opened:
        number, unit = self._next, div_e18(cost_e18, qty_e18)
        below = self._newest
        lot = Lot(exec_id, time_ms, unit, below, (qty_e18,) * 3, (cost_e18,) * 3)
        self._before[number] = None
        self._lots[number] = lot
        self._next, self._newest, self._live = number + 1, number, self._live + 1
        self._heap.push(HeapSlot(unit, number))
        return Opened(number, qty_e18, cost_e18)

    def seed(self, qty_e18: int, position: Position) -> None:
        """What was held before lots were kept is one lot."""
        number = self._open(qty_e18, position.cost_e18, position.opened_by, position.opened_ms).lot
        self._before[number] = self._lots[number]

    def unopen(self, number: int) -> None:
        self._newest = self._lot(number).below
        self._lots[number] = None
        self._next, self._live = number, self._live - 1

    def close(self, qty_e18: int, entry_e18: int, exit_e18: int) -> list[Take]:
        """What every method takes for the same quantity and exit value."""
        takes = [
            take for method in (FIFO, LIFO, HIFO) for take in self._take(method, qty_e18, exit_e18)
        ]
        first = takes[0].opened_ms
        return [*takes, Take(AVERAGE, NO_LOT, "", first, qty_e18, entry_e18, exit_e18)]

    def give_back(self, takes: tuple[Take, ...]) -> None:
        for take in takes:
            if take.gone is not None:
                self._lots[take.lot] = take.gone
        restored = {take.lot for take in takes if take.gone is not None}
        for take in reversed(takes):
            if take.lot == NO_LOT:
                continue
            method = METHODS.index(take.method)
            lot = self._lot(take.lot)
            used_up = take.lot in restored or lot.qty_e18[method] == 0
            if take.lot not in restored:
                self._lots[take.lot] = _changed(lot, method, take.qty_e18, take.entry_e18)
            if method == FIFO:
                self._oldest = take.lot
            elif method == LIFO:
                self._newest = take.lot
            elif used_up:
                self._heap.push(HeapSlot(lot.unit_e18, take.lot))
                self._live += 1

    def save(self, takes: list[Take] | None = None) -> tuple[Take, ...]:
        """Writes what changed; the takes, with each lot that is used up named once."""
        gone: dict[int, Lot] = {}
        for number, lot in self._lots.items():
            key = f"{self._place}|{number}"
            if lot is not None and any(lot.qty_e18):
                self._entries.put("lots", lot, key)
                continue
            before = self._before.get(number)
            if lot is not None and before is not None:
                gone[number] = before
            if before is not None:
                self._entries.delete("lots", key)
        self._heap.tidy(self._live, self._is_left)
        head = LotsHead(self._next, self._oldest, self._newest, self._live, self._heap.size)
        self._entries.put("lots_head", head, self._place)
        return tuple(
            take if take.lot not in gone else _gone(take, gone.pop(take.lot))
            for take in takes or ()
        )

    def _take(self, method: int, qty_e18: int, exit_e18: int) -> list[Take]:
        taken: list[Take] = []
        while qty_e18:
            number = self._pick(method)
            lot = self._lot(number)
            has, costs = lot.qty_e18[method], lot.cost_e18[method]
            qty = min(has, qty_e18)
            entry = costs if qty == has else mul_div_e18(costs, qty, has)
            exit_ = exit_e18 if qty == qty_e18 else mul_div_e18(exit_e18, qty, qty_e18)
            self._lots[number] = _changed(lot, method, -qty, -entry)
            taken.append(
                Take(METHODS[method], number, lot.exec_id, lot.opened_ms, qty, entry, exit_)
            )
            qty_e18, exit_e18 = qty_e18 - qty, exit_e18 - exit_
            if qty == has:
                self._pass(method, number, lot)
        return taken

    def _pick(self, method: int) -> int:
        if method == FIFO:
            return self._oldest
        if method == LIFO:
            return self._newest
        return self._heap.top(self._is_left)

    def _pass(self, method: int, number: int, lot: Lot) -> None:
        if method == FIFO:
            self._oldest = number + 1
        elif method == LIFO:
            self._newest = lot.below
        else:
            self._heap.pop()
            self._live -= 1

    def _is_left(self, slot: HeapSlot) -> bool:
        """Whether an entry of the heap still names what is there: an undone lot's does not."""
        lot = self._find(slot.lot)
        return lot is not None and lot.unit_e18 == slot.unit_e18 and lot.qty_e18[HIFO] > 0

    def _lot(self, number: int) -> Lot:
        lot = self._find(number)
        if lot is None:
            raise InvariantBroken(f"{self._place}: lot {number} is not there")
        return lot

    def _find(self, number: int) -> Lot | None:
        if number in self._lots:
            return self._lots[number]
        lot: Lot | None = self._entries.get("lots", f"{self._place}|{number}")
        if number not in self._before:
            self._before[number] = lot
        return lot


def _changed(lot: Lot, method: int, qty_e18: int, cost_e18: int) -> Lot:
    qty, cost = list(lot.qty_e18), list(lot.cost_e18)
    qty[method] += qty_e18
    cost[method] += cost_e18
    return Lot(lot.exec_id, lot.opened_ms, lot.unit_e18, lot.below, tuple(qty), tuple(cost))


def _gone(take: Take, lot: Lot) -> Take:
    return Take(
        take.method,
        take.lot,
        take.exec_id,
        take.opened_ms,
        take.qty_e18,
        take.entry_e18,
        take.exit_e18,
        lot,
    )
