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
        self._parts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self._undo: list[tuple[str, Any, int | None]] = []
        self.due = Due(self)

    def get(self, key: str) -> Any | None:
        return self._parts[key.partition("|")[0]].get(key)

    def put(self, key: str, value: Any) -> None:
        part = self._note(key)
        part[key] = value

    def delete(self, key: str) -> None:
        part = self._note(key)
        part.pop(key, None)

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        part = self._parts[prefix.partition("|")[0]]
        for key in sorted(key for key in part if key.startswith(prefix)):
            yield key, part[key]

    def begin(self) -> None:
        """The next event: what the one before wrote stands."""
        self._undo.clear()

    def take_back(self) -> None:
        """Undoes what the present event wrote."""
        for key, before, due_at in reversed(self._undo):
            part = self._parts[key.partition("|")[0]]
            if before is None:
                part.pop(key, None)
            else:
                part[key] = before
            if key.startswith(DUE):
                self.due.restore(key.split("|", 2)[2], due_at)
        self._undo.clear()

    def _note(self, key: str) -> dict[str, Any]:
        part = self._parts[key.partition("|")[0]]
        due_at = self.due.at(key.split("|", 2)[2]) if key.startswith(DUE) else None
        self._undo.append((key, part.get(key), due_at))
        return part
