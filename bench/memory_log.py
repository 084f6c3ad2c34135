"""A log in memory, for replays that read it many times: copied from another one, or made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing

from weir.errors import WeirError
from weir.replay import Log, Record
from weir.replay.log import FROM_THE_BEGINNING, At


class MemoryLog:
    """Records by topic and partition, each with its offset. `lows` are first offsets where the
    beginning is gone.
    """

    def __init__(self, partitions: Mapping[str, int], records: Iterable[Record]) -> None:
        self._partitions = partitions
        self.records: dict[At, list[Record]] = defaultdict(list)
        self.lows: dict[At, int] = {}
        for record in records:
            self.records[record.topic, record.partition].append(record)

    @classmethod
    def of(cls, log: Log, *groups: Collection[str]) -> MemoryLog:
        """A copy of these topics; each group as it is when those before it have been read."""
        made = cls({topic: log.partitions(topic) for group in groups for topic in group}, ())
        for group in groups:
            with closing(log.read(group)) as reader:
                for at in ((topic, p) for topic in group for p in range(log.partitions(topic))):
                    while (record := reader.next(*at)) is not None:
                        made.records[at].append(record)
        return made

    def partitions(self, topic: str) -> int:
        """As of `Log`."""
        if topic not in self._partitions:
            raise WeirError(f"{topic} is not in memory")
        return self._partitions[topic]

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        """As of `Log`."""
        found = {}
        for at in places:
            records = self.records.get(at)
            found[at] = self.lows.get(at, 0), records[-1].offset + 1 if records else 0
        return found

    def read(
        self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING
    ) -> MemoryReader:
        """As of `Log`."""
        return MemoryReader(self, starts)


class MemoryReader:
    """Reads a log in memory."""

    def __init__(self, log: MemoryLog, starts: Mapping[At, int]) -> None:
        self._log, self._starts = log, starts
        self._next: dict[At, int] = {}

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        """As of `Reader`; nothing more ever comes."""
        at = topic, partition
        records = self._log.records[at]
        place = self._next.get(at)
        if place is None:
            start = self._starts.get(at, 0)
            place = next((n for n, one in enumerate(records) if one.offset >= start), len(records))
        if place >= len(records):
            self._next[at] = place
            return None
        self._next[at] = place + 1
        return records[place]

    def close(self) -> None:
        """Nothing is open."""
