"""The inputs a transaction folded, taken from the log by their coordinates.

A record that was folded and is not there any more, or lies there and was never folded, ends the
replay with a sentence: a partial result would look like a result.
"""

from __future__ import annotations

from collections.abc import Iterator

from weir.errors import WeirError
from weir.replay.log import Reader, Record

PATIENCE_S = 5.0
"""A worker folds a record before another reader may see it."""


class Sources:
    """Reads every source partition forward, once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.folded: dict[tuple[str, int], int] = {}
        """The next offset per (topic, partition)."""

    def take(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Record]:
        """The committed records of [start, stop); markers and aborted records are gaps in it."""
        wanted = start
        while wanted < stop:
            record = self._reader.next(topic, partition, PATIENCE_S)
            place = f"{topic}[{partition}]"
            if record is None:
                raise WeirError(f"{place} ends before offset {stop - 1}, which was folded")
            if record.offset < wanted:
                raise WeirError(f"{place}@{record.offset} lies there and was never folded")
            if record.offset >= stop or (wanted == start and record.offset > start):
                raise WeirError(f"{place}@{wanted} was folded and is gone: the log is cut")
            wanted = record.offset + 1
            self.folded[topic, partition] = wanted
            yield record
