"""The dearest lot first: a heap whose places are entries, so that a change writes a few small ones.

It holds every lot that HIFO has left, and may hold more: the entry of a lot that was undone stays
until it is met or until such entries are the most.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.step import Entries, InvariantBroken
from tables.lots import HEAP_WIDTH, HeapSlot

SPARE = 16


class Heap:
    """The heap of one position; `size` is kept by its owner."""

    def __init__(self, entries: Entries, place: str, size: int) -> None:
        self._entries, self._place, self.size = entries, place, size

    def push(self, slot: HeapSlot) -> None:
        """Adds a lot."""
        self.size += 1
        self._up(self.size - 1, slot)

    def top(self, is_left: Callable[[HeapSlot], bool]) -> int:
        """The dearest lot that is left."""
        while self.size:
            slot = self._at(0)
            if is_left(slot):
                return slot.lot
            self.pop()
        raise InvariantBroken(f"{self._place}: more is closed than lots are open")

    def pop(self) -> None:
        """Takes the top away."""
        self.size -= 1
        last = self._at(self.size)
        self._entries.delete("lots_heap", self._key(self.size))
        if self.size:
            self._down(last)

    def tidy(self, live: int, is_left: Callable[[HeapSlot], bool]) -> None:
        """Throws entries out that name nothing any more, once they are the most."""
        if self.size <= (2 * live + SPARE if live else 0):
            return
        found = {slot.lot: slot for slot in map(self._at, range(self.size)) if is_left(slot)}
        kept = sorted(found.values(), key=_rank)
        for index, slot in enumerate(kept):
            self._put(index, slot)
        for index in range(len(kept), self.size):
            self._entries.delete("lots_heap", self._key(index))
        self.size = len(kept)

    def clear(self) -> None:
        """Takes all away."""
        for index in range(self.size):
            self._entries.delete("lots_heap", self._key(index))
        self.size = 0

    def _up(self, index: int, slot: HeapSlot) -> None:
        while index:
            above = (index - 1) // HEAP_WIDTH
            parent = self._at(above)
            if _rank(parent) <= _rank(slot):
                break
            self._put(index, parent)
            index = above
        self._put(index, slot)

    def _down(self, slot: HeapSlot) -> None:
        index = 0
        while True:
            first = index * HEAP_WIDTH + 1
            below = range(first, min(first + HEAP_WIDTH, self.size))
            if not below:
                break
            best = min((_rank(self._at(child)), child) for child in below)
            if _rank(slot) <= best[0]:
                break
            self._put(index, self._at(best[1]))
            index = best[1]
        self._put(index, slot)

    def _at(self, index: int) -> HeapSlot:
        slot: HeapSlot | None = self._entries.get("lots_heap", self._key(index))
        if slot is None:
            raise InvariantBroken(f"{self._place}: place {index} of the heap is empty")
        return slot

    def _put(self, index: int, slot: HeapSlot) -> None:
        self._entries.put("lots_heap", slot, self._key(index))

    def _key(self, index: int) -> str:
        return f"{self._place}|{index}"


def _rank(slot: HeapSlot) -> tuple[int, int]:
    return -slot.unit_e18, slot.lot
