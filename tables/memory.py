"""The entries of one partition in memory: what a step sees in tests and in a replay."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any


class MemoryStore:
    """A mapping of full keys to frozen values with ordered prefix iteration.

    `entries` is to be read, not written: beside it the keys lie in order, by what stands before
    their second bar (`part|node key`), because a step asks for the entries of one part of its key,
    and a search through all keys would cost more than the step.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self._ordered: dict[str, list[str]] = {}

    def get(self, key: str) -> Any | None:
        return self.entries.get(key)

    def put(self, key: str, value: Any) -> None:
        if key not in self.entries:
            insort(self._ordered.setdefault(_drawer(key), []), key)
        self.entries[key] = value

    def delete(self, key: str) -> None:
        if key in self.entries:
            del self.entries[key]
            drawer = _drawer(key)
            keys = self._ordered[drawer]
            del keys[bisect_left(keys, key)]
            if not keys:
                del self._ordered[drawer]

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        for key in self._keys(prefix):
            yield key, self.entries[key]

    def _keys(self, prefix: str) -> list[str]:
        """As they are now: a step may write while it reads."""
        drawer = _drawer(prefix)
        if drawer == prefix:  # it may be the beginning of many
            return sorted(key for key in self.entries if key.startswith(prefix))
        keys = self._ordered.get(drawer, [])
        start, length = bisect_left(keys, prefix), len(prefix)
        return keys[start : bisect_right(keys, prefix, start, key=lambda key: key[:length])]


def _drawer(key: str) -> str:
    """Everything before the second bar; a key without one is its own."""
    first = key.find("|")
    second = key.find("|", first + 1) if first >= 0 else -1
    return key if second < 0 else key[:second]
