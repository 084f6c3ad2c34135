"""The table of one node's partition while a course is run: entries, wake-ups, and the way back out
of an event that was refused.

The same as a replay's, without the hash after each transaction: there is nothing to compare it
with. Entries lie by part, because a step looks through one part only, whatever another one holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from agents.exact.due import DUE, Due


class Table:
    """Entries of one (node, partition)."""

    def __init__(self) -> None:
        self._entries: dict[str, Any] = {}
        self._parts: defaultdict[str, set[str]] = defaultdict(set)
        self._undo: list[tuple[str, Any, int | None]] = []
        self.due = Due(self)
        self.get = self._entries.get

    def put(self, key: str, value: Any) -> None:
        if self._note(key) is None:
            self._parts[key.partition("|")[0]].add(key)
        self._entries[key] = value

    def delete(self, key: str) -> None:
        if self._note(key) is not None:
            del self._entries[key]
            self._parts[key.partition("|")[0]].remove(key)

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        part = self._parts[prefix.partition("|")[0]]
        for key in sorted(key for key in part if key.startswith(prefix)):
            yield key, self._entries[key]

    def begin(self) -> None:
        """The next event: what the one before wrote stands."""
        self._undo.clear()

    def take_back(self) -> None:
        """Undoes what the present event wrote."""
        undo, self._undo = self._undo, []
        for key, before, due_at in reversed(undo):
            if before is None:
                self.delete(key)
            else:
                self.put(key, before)
            if key.startswith(DUE):
                self.due.restore(key.split("|", 2)[2], due_at)
        self._undo.clear()

    def _note(self, key: str) -> Any | None:
        """Remembers what an entry was, for the way back; returns it."""
        before = self._entries.get(key)
        due_at = self.due.at(key.split("|", 2)[2]) if key.startswith(DUE) else None
        self._undo.append((key, before, due_at))
        return before
