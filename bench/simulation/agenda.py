"""What is to happen, in the order of its time: the only clock of a life, in milliseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """`now_ms` is true time, which nobody in the life can read."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, at_ms: int, act: Callable[..., None], *given: Any) -> None:
        """Puts something on the agenda; what has the same time happens in the order of putting."""
        self._count += 1
        heapq.heappush(self._heap, (max(at_ms, self.now_ms), self._count, act, given))

    def after(self, wait_ms: int, act: Callable[..., None], *given: Any) -> None:
        """The same, counted from now."""
        self.at(self.now_ms + wait_ms, act, *given)

    def step(self) -> bool:
        """Lets the next thing happen; False when there is none."""
        if not self._heap:
            return False
        self.now_ms, _, act, given = heapq.heappop(self._heap)
        act(*given)
        return True
