"""What a topic is: its record, key, partitions, retention, who writes it and who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from schemas.contracts import SUBJECTS
from schemas.records import RECORDS

FOREVER = -1
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """One topic. `key` says in words what the key is, `time_field` where the time stands."""

    name: str
    key: str
    partitions: Literal["P", 1]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    retention_ms: int = FOREVER
    compaction_lag_ms: int = 0
    time_field: str | None = None
    inbox: bool = False
    source: str | None = None
    """Of a dead-letter topic: the topic whose bytes it holds."""
    record: type | None = field(init=False)

    def __post_init__(self) -> None:
        name = SUBJECTS.get(self.name)
        object.__setattr__(self, "record", RECORDS[name] if name else None)

    @property
    def subject(self) -> str:
        """Its name in a schema registry."""
        return f"{self.name}-value"
