"""Wake-ups: a key asks to be woken, the table remembers it, and a time that has come is an event of
its own.

An `@due|time|key` entry is state like any other (changelog, hash, restore), so a wake-up survives
every crash, and a replay that folds the recorded ticks wakes the same keys. Works over any store
with get, put, delete and range.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, Protocol

DUE = "@due|"


class DueStore(Protocol):
    def put(self, key: str, value: Any) -> None: ...
    def delete(self, key: str) -> None: ...
    def range(self, prefix: str) -> Iterator[tuple[str, Any]]: ...


class Due:
    """The pending wake-ups of one partition: at most one per key."""

    def __init__(self, store: DueStore) -> None:
        self._store = store
        self._at: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        for full, at_ms in store.range(DUE):
            self._note(full.split("|", 2)[2], at_ms)

    def wake(self, key: str, at_ms: int | None) -> None:
        """Sets the key's one wake-up, or clears it with None."""
        old = self._at.get(key)
        if old == at_ms:
            return
        if old is not None:
            self._store.delete(_entry(old, key))
            del self._at[key]
        if at_ms is not None:
            self._store.put(_entry(at_ms, key), at_ms)
            self._note(key, at_ms)

    def restore(self, key: str, at_ms: int | None) -> None:
        """Puts one key back to what it was before a refused event; the entries are rolled back by
        the table.
        """
        if at_ms is None:
            self._at.pop(key, None)
        else:
            self._note(key, at_ms)

    def at(self, key: str) -> int | None:
        return self._at.get(key)

    def ready(self, at_ms: int) -> list[str]:
        """The keys whose time has come, in the order (time, key)."""
        if not self._next() or self._heap[0][0] > at_ms:
            return []
        return [key for _, key in sorted((t, k) for k, t in self._at.items() if t <= at_ms)]

    def pending(self) -> list[str]:
        """Every key that has a wake-up, in the order (time, key)."""
        return [key for _, key in sorted((t, k) for k, t in self._at.items())]

    def _next(self) -> bool:
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return bool(self._heap)

    def _note(self, key: str, at_ms: int) -> None:
        self._at[key] = at_ms
        heapq.heappush(self._heap, (at_ms, key))


def _entry(at_ms: int, key: str) -> str:
    return f"{DUE}{at_ms:015d}|{key}"
