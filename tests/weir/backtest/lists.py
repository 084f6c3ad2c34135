"""A log of lists: what a test says lies on its topics, encoded as on Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from agents.wiring import partition_of
from bench.memory_log import MemoryLog
from schemas.topics import BY_NAME, TOPICS, key_of, partitions_of, timestamp_ms
from schemas.wire import SchemaIds, Wire
from weir.replay.log import At, Record

WIRE = Wire(SchemaIds.from_lock())
PARTITIONS = 4


class ListLog(MemoryLog):
    """Topics with their records; `put` appends one. With `topics` only these are there."""

    def __init__(self, partitions: int = PARTITIONS, topics: Iterable[str] = ()) -> None:
        names = tuple(topics) or tuple(topic.name for topic in TOPICS)
        super().__init__({name: partitions_of(BY_NAME[name], partitions) for name in names}, ())
        self._ends: Counter[At] = Counter()

    def put(self, topic: str, value: Any, key: str | None = None, at_ms: int | None = None) -> None:
        contract = BY_NAME[topic]
        key = key if key is not None else key_of(contract, value) or ""
        at_ms = at_ms if at_ms is not None else timestamp_ms(contract, value) or 0
        at = topic, partition_of(key, self.partitions(topic))
        data = WIRE.encode(topic, value)
        self.records[at].append(Record(*at, self._ends[at], key.encode(), data, at_ms))
        self._ends[at] += 1
