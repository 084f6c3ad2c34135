"""`weir export`: what is committed on the topics, into a folder.

The export is one moment of a log that may go on growing. The end of the merge order is asked for
first, up to what is committed; then the ends of all other topics, up to what is written at all:
whatever a recorded transaction folded or wrote lies below them. Then everything is read up to those
ends, and what is not yet committed there is waited for. A compacted topic is read until nothing
more comes, because what lies below its end may be gone for the sake of what lies above.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    TopicPartition,
)

from schemas.topics import BY_NAME, TOPICS
from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.folder import Folder
from weir.files.manifest import Manifest
from weir.files.offsets import one_moment
from weir.files.stretch import Stretch
from weir.progress import Tell
from weir.replay.log import At, KafkaLog, Record, record_of
from weir.replay.span import WHOLE, Span
from weir.topics import find, partition_counts

OPEN_S = 90.0
"""How long an open transaction is waited for: longer than a worker may leave one open."""
_BATCH = 2_000
_POLL_S = 0.2


def export(
    bootstrap: str,
    wire: Wire,
    folder: Path,
    topics: Sequence[str] = (),
    span: Span = WHOLE,
    tell: Tell = lambda done, of: None,
    open_s: float = OPEN_S,
) -> Manifest:
    """Writes all that is committed on these topics (default: every topic of Weir) into a folder, or
    what a range of transactions needs.

    WeirError when the folder is not empty, a topic is not there, Kafka is away, or a transaction
    stays open for `open_s`; of a range, when it or the state before it is not there in full.
    """
    wanted = [find(name).name for name in topics] or [topic.name for topic in TOPICS]
    written, origin = Folder(folder, wire), f"kafka {bootstrap}"
    stretch = None if span == WHOLE else Stretch(KafkaLog(bootstrap), wire, span)
    with closing(_Source(bootstrap, wanted, stretch)) as source:
        total = sum(end - start for start, end in source.ranges.values())
        for record in source.records(lambda done: tell(min(done, total), total), open_s):
            if stretch is None or stretch.has(record):
                written.add(record)
        if stretch is None:
            return written.close(source.ranges, origin)
        ranges = {at: stretch.range(at) for at in source.ranges}
        return written.close(ranges, origin, str(span), stretch.bases)


class _Source:
    """One consumer outside of every group on all partitions; `ranges` is what it reads of each."""

    def __init__(
        self, bootstrap: str, topics: Sequence[str], stretch: Stretch | None = None
    ) -> None:
        self._bootstrap = bootstrap
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "weir-export",  # asked for by the client; no offset is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 32_768,  # of all partitions together
                "fetch.queue.backoff.ms": 10,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        try:
            found = one_moment(bootstrap, _places(bootstrap, topics, self._consumer))
            self.ranges = {
                at: (start if stretch is None else min(stretch.read_from(at, start), end), end)
                for at, (start, end) in found.items()
            }
        except BaseException:
            self._consumer.close()
            raise

    def records(self, tell: Callable[[int], None], open_s: float) -> Iterator[Record]:
        """Every record below the ends, those of a partition in their order."""
        reached = {at: start for at, (start, end) in self.ranges.items() if start < end}
        left = set(reached)
        self._consumer.assign([TopicPartition(*at, start) for at, start in reached.items()])
        seen_s = time.monotonic()
        passed = 0
        while left:
            for message in self._consumer.consume(_BATCH, _POLL_S):
                at = str(message.topic()), int(message.partition() or 0)
                is_record = self._is_record(message)
                if at not in left:
                    continue
                offset = int(message.offset() or 0)
                if is_record and (offset < self.ranges[at][1] or _compacts(at[0])):
                    yield record_of(message)
                now = offset + is_record
                if now > reached[at]:
                    passed += now - reached[at]
                    reached[at], seen_s = now, time.monotonic()
                if self._is_done(at, now, is_record):
                    left.discard(at)
                    self._consumer.pause([TopicPartition(*at)])
            tell(passed)
            if left and time.monotonic() - seen_s > open_s:
                raise self._stuck(min(left), reached)

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close()

    def _is_done(self, at: At, now: int, is_record: bool) -> bool:
        """Whether the end is reached; of a compacted topic that is where nothing more comes."""
        start, end = self.ranges[at]
        if now < end or (is_record and _compacts(at[0])):
            return False
        if _compacts(at[0]):
            self.ranges[at] = start, now
        return True

    def _is_record(self, message: Any) -> bool:
        """True for a record, False for the end of a partition; WeirError for anything else."""
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            return False
        raise WeirError(f"Kafka at {self._bootstrap}, {message.topic() or 'any'}: {error.str()}")

    def _stuck(self, at: At, reached: dict[At, int]) -> WeirError:
        return WeirError(
            f"{at[0]}[{at[1]}] on Kafka at {self._bootstrap} gives nothing beyond offset"
            f" {reached[at]} of {self.ranges[at][1]}: a transaction is open there"
        )


def _places(bootstrap: str, topics: Sequence[str], client: Consumer) -> list[At]:
    there = partition_counts(bootstrap, client)
    for topic in topics:
        if topic not in there:
            raise WeirError(f"{topic} is not on Kafka at {bootstrap}: nothing to export")
    return [(topic, number) for topic in topics for number in range(there[topic])]


def _compacts(topic: str) -> bool:
    return BY_NAME[topic].cleanup != "delete"
