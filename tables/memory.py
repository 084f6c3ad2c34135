"""The entries of one partition in memory: what a step sees in tests and in a replay."""

from __future__ import annotations

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
