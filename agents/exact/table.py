"""The table an agent uses: a dict of the current event's partition, written in the batch's
transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import faust

from agents.exact.store import Damaged, Part

if TYPE_CHECKING:
    from agents.exact.engine import Engine

log = logging.getLogger("exact")


class Table:
    """State of one agent: `table[key]`, `get`, `del`, `range(prefix)`, `wake(key, at_ms)`.

    Values are frozen; an assignment is the only way to change one. A table belongs to the agent
    that reads `source`, and has that topic's partitions.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        source: faust.Topic,
        dumps: Callable[[str, Any], bytes],
        loads: Callable[[str, bytes], Any],
    ) -> None:
        self._engine = engine
        self.name = name
        self.topics = frozenset(source.topics)
        self.changelog = f"{engine.app.conf.id}-{name}-changelog"
        self.parts: dict[int, Part] = {}
        self._codec = dumps, loads

    @property
    def part(self) -> Part:
        """The entries of the current event's partition."""
        event = self._engine.current
        if event is None:
            raise RuntimeError(f"table {self.name} used outside an event: no partition")
        if event.table is not self:
            raise RuntimeError(f"table {self.name} belongs to another agent than {event}")
        part: Part = self.parts[event.partition]
        return part

    def get(self, key: str, default: Any = None) -> Any:
        value = self.part.get(key)
        return default if value is None else value

    def __getitem__(self, key: str) -> Any:
        value = self.part.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        self.part.put(key, value)

    def __delitem__(self, key: str) -> None:
        self.part.delete(key)

    def __contains__(self, key: str) -> bool:
        return self.part.get(key) is not None

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        return self.part.range(prefix)

    def wake(self, key: str, at_ms: int | None) -> None:
        """Asks for a `@tick` event of this key at a time of the partition (ms); None clears it."""
        self.part.wake(key, at_ms)

    def open(self, partition: int, in_memory: bool = False) -> Part:
        config = self._engine.config
        path = None if in_memory else config.datadir / "tables" / f"{self.name}-{partition}"
        given = path, *self._codec, config.cache_entries, self._engine.journal
        try:
            part = Part(*given)
        except Damaged as why:
            where = {"table": self.name, "partition": partition}
            log.warning("local state is dropped: %s", why, extra=where)
            part = Part(*given)
        self.parts[partition] = part
        return part
