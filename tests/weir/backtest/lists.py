"""A log of lists: what a test says lies on its topics, encoded as on Kafka."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agents.wiring import partition_of
from schemas.topics import BY_NAME, key_of, partitions_of, timestamp_ms
from schemas.wire import SchemaIds, Wire
from weir.errors import WeirError
from weir.replay.log import FROM_THE_BEGINNING, At, Record

WIRE = Wire(SchemaIds.from_lock())
PARTITIONS = 4


class ListLog:
    """Topics with their records; `put` appends one. With `topics` only these are there."""

    def __init__(self, partitions: int = PARTITIONS, topics: Iterable[str] = ()) -> None:
        self._partitions, self._topics = partitions, tuple(topics)
        self.records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.cut: dict[At, int] = {}
        self._ends: Counter[At] = Counter()

    def put(self, topic: str, value: Any, key: str | None = None, at_ms: int | None = None) -> None:
        contract = BY_NAME[topic]
        key = key if key is not None else key_of(contract, value) or ""
        at_ms = at_ms if at_ms is not None else timestamp_ms(contract, value) or 0
        at = topic, partition_of(key, self.partitions(topic))
        data = WIRE.encode(topic, value)
        self.records[at].append(Record(*at, self._ends[at], key.encode(), data, at_ms))
        self._ends[at] += 1

    def partitions(self, topic: str) -> int:
        if self._topics and topic not in self._topics:
            raise WeirError(f"{topic} is not there")
        return partitions_of(BY_NAME[topic], self._partitions)

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        return {at: (self.cut.get(at, 0), self._ends[at]) for at in places}

    def read(
        self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING
    ) -> ListReader:
        return ListReader(self, topics)


class ListReader:
    """Each partition once, from its beginning."""

    def __init__(self, log: ListLog, topics: Iterable[str]) -> None:
        self._left: dict[tuple[str, int], Iterator[Record]] = {
            (topic, number): iter(log.records[topic, number])
            for topic in topics
            for number in range(log.partitions(topic))
        }

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        return next(self._left[topic, partition], None)

    def close(self) -> None:
        self._left.clear()
