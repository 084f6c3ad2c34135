"""One assignment of partitions to this worker: from a rebalance to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from agents.exact.table import Table


class Session:
    """`next` is the next offset to fold per (topic, partition); it only rises, from where the group
    had committed, or where it had not yet (`unread`) from the log's start.
    """

    def __init__(self, where: set[tuple[str, int]], generation: int, metadata: bytes) -> None:
        self.where, self.generation, self.metadata = where, generation, metadata
        self.stopping = self.ready = self.fenced = False
        self.task: asyncio.Task[None] | None = None
        self.next: dict[tuple[str, int], int] = {}
        self.unread: set[tuple[str, int]] = set()
        self.paused: set[tuple[str, int]] = set()
        self.restored_rows = 0

    def expected(self, topic: str, partition: int) -> int:
        """The next offset of a partition. Raises RuntimeError for one that is not ours."""
        expected = self.next.get((topic, partition))
        if expected is None:
            raise RuntimeError(f"{topic}[{partition}] is not assigned to this worker")
        return expected

    def offsets_of(self, parts: Iterable[tuple[Table, int]]) -> dict[tuple[str, int], int]:
        """The present offsets of the parts' topics: a transaction without records must carry some,
        to be fenced.
        """
        out: dict[tuple[str, int], int] = {}
        for table, partition in parts:
            for topic in table.topics:
                out[topic, partition] = self.next[topic, partition]
        return out

    def describe(self) -> dict[str, Any]:
        """What a status page shows."""
        return {
            "generation": self.generation,
            "ready": self.ready,
            "restored_rows": self.restored_rows,
            "partitions": sorted(f"{topic}[{partition}]" for topic, partition in self.where),
            "paused": sorted(f"{topic}[{partition}]" for topic, partition in self.paused),
            "positions": {f"{t}[{p}]": offset for (t, p), offset in sorted(self.next.items())},
        }
