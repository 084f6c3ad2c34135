"""What one transaction will hold, while it is being folded: outputs, effects, offsets, and the
order of its events.
"""

from __future__ import annotations

from typing import Any

from agents.exact.table import Table

Out = tuple[str, str | bytes | None, bytes | None, int | None, int, Any]
TopicPartition = tuple[str, int]


class Batch:
    """Outputs as (topic, key, value, partition, timestamp ms, headers); offsets are the next ones
    to read.

    `runs` is the merge order: per (table, partition) the stretches (topic, from, to) in the order
    they were folded. `now_ms` is the clock when it began, `at_ms` holds the time of each partition
    in it, `stamps` its stamp entry at the end.
    """

    def __init__(self) -> None:
        self.outs: list[Out] = []
        self.effects: list[Any] = []
        self.offsets: dict[TopicPartition, int] = {}
        self.runs: dict[tuple[Table, int], list[list[Any]]] = {}
        self.at_ms: dict[tuple[Table, int], int] = {}
        self.stamps: dict[tuple[Table, int], Any] = {}
        self.events = self.now_ms = 0

    def ran(self, table: Table, partition: int, topic: str, at: int) -> None:
        """Notes a run of the engine's own; `at` is its time or generation."""
        self.runs.setdefault((table, partition), []).append([topic, at, at])

    def offsets_of(self, table: Table, partition: int) -> dict[str, int]:
        """The next offsets of a table's topics, as far as this batch moves them."""
        return {
            t: offset
            for (t, p), offset in self.offsets.items()
            if p == partition and t in table.topics
        }

    @property
    def empty(self) -> bool:
        return not self.offsets and not self.runs
