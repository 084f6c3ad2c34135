"""What happened outside, from a log, as one stream: by event time, then topic name, then offset.

That is the documented order for records without a merge order. A partition keeps its own order
whatever its times say. What a node or the executor wrote is no input: it is decided anew; what it
tells of the recorded policy's own operations is told ahead of its time. So of the inboxes only the
words of people and pollers are taken; the answers to single intents, people's approvals among them,
fit only the intents they were given for. What the executor refused because its signature did not
hold tells of nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from schemas.errors import NewerSchema, Undecodable
from schemas.wire import Wire
from weir.backtest.desk import Placed
from weir.backtest.gaps import Folded, Watch
from weir.errors import WeirError
from weir.replay.log import Log, Reader
from weir.replay.verdicts import Verdicts

EXECUTIONS, LOANS = "hedge-executions", "treasury.loan-states.v1"
SNAPSHOTS, BALANCES = "treasury.account-snapshots.v1", "balance_events"
POLICIES, CONTROLS = "orch_config_updates", "treasury.controls.v1"
ATTEMPTS, INTENTS, ORDERS = "treasury.attempts.v1", "treasury.intents.v1", "sweep_intent"
BOOK, CASH, DESK = "treasury.book-inputs.v1", "treasury.cash-inputs.v1", "treasury.desk-inputs.v1"

WHOLE = (EXECUTIONS, LOANS, BALANCES, SNAPSHOTS, POLICIES, CONTROLS)
"""Topics that only the outside writes."""
INBOXES = {
    BOOK: ("Request", "Correction", "Freeze", "Yield", "BreakAccept"),
    CASH: ("Request", "ScheduledFlow", "Freeze", "Calendar"),
    DESK: ("UsdRate",),
}
"""Of each inbox what people, pollers and the almanac wrote into it."""
RECORDED = (ATTEMPTS, INTENTS, ORDERS)
"""What tells of the recorded policy's own operations; folded by no node."""
AHEAD_MS = {ATTEMPTS: 60_000, INTENTS: 120_000, ORDERS: 60_000}
"""So much earlier than they lie they are told: what the outside shows may carry an earlier time
than the call that it shows, and an intent the time of a clock that is ahead of ours.
"""
PLAIN = frozenset({EXECUTIONS, LOANS, SNAPSHOTS, BALANCES})
"""Written without transactions: each offset is a record."""
NEEDED_WHOLE = frozenset({EXECUTIONS, BALANCES, *RECORDED})
"""Profit and flows are sums from the first record on, and so is what is taken out of them."""


class Outside(NamedTuple):
    """One record of the outside, in the order of the stream."""

    at_ms: int
    placed: Placed


class Sources:
    """The records of a log before a time. `letters` counts what cannot be read, by topic."""

    def __init__(self, log: Log, wire: Wire, to_ms: int | None = None) -> None:
        self._log, self._wire, self._to_ms = log, wire, to_ms
        self.letters: dict[str, int] = {}
        self._watches: list[Watch] = []

    @property
    def told(self) -> list[str]:
        """Sentences on offsets without a record, of what was read so far of topics whose writers
        use no transactions.
        """
        sentences = (one.sentence() for one in self._watches if one.topic in PLAIN)
        return [one for one in sentences if one is not None]

    @property
    def partitions(self) -> int:
        """P of the log. WeirError when it holds none of the topics."""
        counts = [self.count(topic) for topic in (*WHOLE, *INBOXES)]
        if not any(counts):
            raise WeirError(f"there is nothing to run: none of {', '.join(WHOLE)} is there")
        return max(counts)

    def count(self, topic: str) -> int:
        """Its partitions; 0 where the log is without the topic, as files of one's own may be."""
        try:
            return self._log.partitions(topic)
        except WeirError:
            return 0

    def keys(self, topics: Iterable[str]) -> list[str]:
        """Every key on some topics."""
        found: set[str] = set()
        names = tuple(topic for topic in topics if self.count(topic))
        with closing(self._log.read(names)) as reader:
            for topic in names:
                for number in range(self._log.partitions(topic)):
                    while (record := reader.next(topic, number)) is not None:
                        found.add((record.key or b"").decode())
        return sorted(found)

    @property
    def size(self) -> int:
        """How many records there are at most."""
        places = [
            (topic, number)
            for topic in (*WHOLE, *INBOXES, *RECORDED)
            for number in range(self.count(topic))
        ]
        return sum(end - first for first, end in self._log.bounds(places).values())

    def __iter__(self) -> Iterator[Outside]:
        topics = [topic for topic in (*WHOLE, *INBOXES, *RECORDED) if self.count(topic)]
        self._check_whole(topics)
        folded = Folded(self._log, self._wire, topics)
        places = [(topic, n) for topic in topics for n in range(self._log.partitions(topic))]
        self._watches = [
            folded.watch(at, first) for at, (first, _) in self._log.bounds(places).items()
        ]
        with closing(self._log.read(topics)) as reader, closing(Verdicts(self._log)) as verdicts:
            streams = [self._records(reader, watch, verdicts) for watch in self._watches]
            for one in heapq.merge(*streams, key=_order):
                if self._to_ms is not None and one.at_ms >= self._to_ms:
                    return
                yield one

    def _check_whole(self, topics: Iterable[str]) -> None:
        """WeirError where the beginning of what is summed up is gone."""
        needed = [
            (topic, number)
            for topic in topics
            if topic in NEEDED_WHOLE
            for number in range(self._log.partitions(topic))
        ]
        for (topic, number), (first, _) in self._log.bounds(needed).items():
            if first > 0:
                raise WeirError(
                    f"{topic}[{number}] begins at offset {first}: what came before is gone, and"
                    " profit and flows are sums from the first record on"
                )

    def _records(self, reader: Reader, watch: Watch, verdicts: Verdicts) -> Iterator[Outside]:
        topic, number = watch.topic, watch.partition
        decode, taken = self._wire.decoder(topic), INBOXES.get(topic)
        ahead_ms = AHEAD_MS.get(topic, 0)
        lettered = topic in RECORDED and self.count(f"{topic}.dlq")
        forged = verdicts.unsigned(topic, number) if lettered else ()
        at_ms = 0
        while (record := reader.next(topic, number, watch.patience_s)) is not None:
            watch.see(record.offset)
            try:
                value = decode(record.value)
                key = (record.key or b"").decode()
            except NewerSchema as why:
                raise WeirError(f"{topic}[{number}]@{record.offset}: {why}") from why
            except (Undecodable, UnicodeDecodeError):
                name = f"{topic}: decode"
                self.letters[name] = self.letters.get(name, 0) + 1
                continue
            if taken is not None and type(value.body).__name__ not in taken:
                continue
            if record.offset in forged:
                continue
            offset = None if taken is not None else record.offset
            at_ms = max(at_ms, record.timestamp_ms - ahead_ms)
            yield Outside(at_ms, Placed(topic, number, offset, key, value, record.timestamp_ms))
        watch.end()


def _order(one: Outside) -> tuple[int, str, int, int]:
    placed: Any = one.placed
    return one.at_ms, placed.topic, placed.offset or 0, placed.partition
