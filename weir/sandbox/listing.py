"""How history pages show the rows that a fault was meant for: late, or twice.

The effect is in the books at once, whatever the pages say.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["Listing"]

T = TypeVar("T")


class Listing:
    """Rows are known by the list they stand in and their id there."""

    def __init__(self) -> None:
        self._from_ms: dict[tuple[str, str], int] = {}
        self._twice: set[tuple[str, str]] = set()

    def late(self, where: str, row_id: str, from_ms: int) -> None:
        """The row is listed from a time on."""
        self._from_ms[where, row_id] = from_ms

    def twice(self, where: str, row_id: str) -> None:
        """The row is listed two times."""
        self._twice.add((where, row_id))

    def shown(
        self, where: str, rows: Iterable[T], id_of: Callable[[T], object], now_ms: int
    ) -> list[T]:
        """The rows as they are listed at a time, in their order."""
        found: list[T] = []
        for row in rows:
            key = where, str(id_of(row))
            if self._from_ms.get(key, 0) <= now_ms:
                found += [row, row] if key in self._twice else [row]
        return found
