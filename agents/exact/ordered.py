"""The keys of a batch in order, so that a range over them costs what it returns."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator


class Keys:
    """The keys that a batch has written. They are put in order when a range is asked for, so that
    it costs what it returns, and whoever asks for none pays nothing for it.
    """

    __slots__ = ("_ordered", "fresh")

    def __init__(self) -> None:
        self.fresh: list[str] = []
        self._ordered: list[str] = []

    def starting(self, prefix: str) -> Iterator[str]:
        """Those that start so, in order; one that was written, taken back and written, twice."""
        ordered = self._ordered
        for key in self.fresh:
            insort(ordered, key)
        self.fresh.clear()
        place = bisect_left(ordered, prefix)
        while place < len(ordered) and ordered[place].startswith(prefix):
            yield ordered[place]
            place += 1
