"""The entries of one partition in memory: what a step sees in tests and in a replay."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any


class MemoryStore:
    """A mapping of full keys to frozen values with ordered prefix iteration."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        return self.entries.get(key)

    def put(self, key: str, value: Any) -> None:
        self.entries[key] = value

    def delete(self, key: str) -> None:
        self.entries.pop(key, None)

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        for key in sorted(key for key in self.entries if key.startswith(prefix)):
            yield key, self.entries[key]


class OrderedStore(MemoryStore):
    """The same for long lives: a range costs what it returns, not a search through all keys.

    The keys lie in order in drawers, one for all that begin alike up to their second bar
    (`part|node key`), because a step asks for the entries of one part of its key. `entries` is to
    be read here, not written.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawers: dict[str, list[str]] = {}

    def put(self, key: str, value: Any) -> None:
        if key not in self.entries:
            insort(self._drawers.setdefault(_drawer(key), []), key)
        self.entries[key] = value

    def delete(self, key: str) -> None:
        if key in self.entries:
            del self.entries[key]
            drawer = _drawer(key)
            keys = self._drawers[drawer]
            del keys[bisect_left(keys, key)]
            if not keys:
                del self._drawers[drawer]

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        drawer = _drawer(prefix)
        if drawer == prefix:  # it may be the beginning of many
            yield from super().range(prefix)
            return
        keys = self._drawers.get(drawer, [])
        start, length = bisect_left(keys, prefix), len(prefix)
        stop = bisect_right(keys, prefix, start, key=lambda key: key[:length])
        for key in keys[start:stop]:  # a step may write meanwhile
            yield key, self.entries[key]


def _drawer(key: str) -> str:
    """Everything before the second bar; a key without one is its own."""
    first = key.find("|")
    second = key.find("|", first + 1) if first >= 0 else -1
    return key if second < 0 else key[:second]
