"""The topology's nodes in memory, in one process: what one of them writes, the others read at once.

The same `fold` as the workers, the same keys and partitions. There is no batch and no commit:
a record is folded, its outputs are folded by the nodes that read them, and so on until nothing is
left; then the next record comes. Effects are handed out, wake-ups remembered.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from agents.relay import INBOX_RECORD
from agents.wiring import partition_of
from schemas.records import ControlCopy, PolicyCopy
from schemas.topics import BY_NAME, COPY_KEY, key_of, partition_key
from streams.effects import Call, Effect, Look, Prepare
from streams.node import Node, fold, node_key
from streams.step import DeadLetter, Emit, Event, InvariantBroken, Refused, Tick, Wake
from weir.backtest.table import Table
from weir.errors import WeirError


class Placed(NamedTuple):
    """A record where it lies. `offset` None: it is the next one of its partition."""

    topic: str
    partition: int
    offset: int | None
    key: str
    value: Any
    timestamp_ms: int


class Desk:
    """All partitions of some nodes. `hear` is told of every record that a node writes on one of
    the topics `heard`; None: on any.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        partitions: int,
        hear: Callable[[Placed], None] = lambda placed: None,
        heard: Iterable[str] | None = None,
    ) -> None:
        self._nodes = tuple(nodes)
        self._partitions, self._hear = partitions, hear
        self._readers = {topic: node for node in self._nodes for topic in node.sources}
        self._tables = {
            (node.name, number): Table() for node in self._nodes for number in range(partitions)
        }
        sinks = {topic for node in self._nodes for topic in node.sinks}
        self._heard = sinks if heard is None else frozenset(heard)
        self._wanted = self._heard | self._readers.keys()
        self._queue: deque[Placed] = deque()
        self._ends: Counter[tuple[str, int]] = Counter()
        self._wakes: list[tuple[int, int, int]] = []
        self.at_ms = 0
        self.effects: list[Effect] = []
        self.letters: Counter[str] = Counter()
        self.events = 0

    def table(self, node: str, partition: int) -> Table:
        """The entries of a node's partition."""
        return self._tables[node, partition]

    def lies(self, key: str) -> int:
        """The partition of a key."""
        return partition_of(key, self._partitions)

    def deliver(self, placed: Placed, at_ms: int) -> None:
        """Folds a record, and all that follows from it, at a time that never goes back."""
        self.at_ms = max(self.at_ms, at_ms)
        self._queue.append(placed)
        self._drain()

    def copy(self, body: PolicyCopy | ControlCopy, at_ms: int) -> None:
        """What the relay does: a copy for each partition of every inbox."""
        for node in self._nodes:
            if node.inbox is not None:
                record = INBOX_RECORD[node.name](body=body)
                self.spread(node.inbox, record, at_ms)

    def spread(self, topic: str, record: Any, at_ms: int) -> None:
        """A record for each partition of a topic."""
        for number in range(self._partitions):
            self.deliver(Placed(topic, number, None, COPY_KEY, record, at_ms), at_ms)

    def next_wake_ms(self) -> int | None:
        """When a key is due next."""
        while self._wakes:
            at_ms, place, partition = self._wakes[0]
            due = self._tables[self._nodes[place].name, partition].due
            if due.ready(at_ms):
                return at_ms
            heapq.heappop(self._wakes)
        return None

    def wake(self, at_ms: int) -> None:
        """Tells the keys of the partition that is due first."""
        self.at_ms = max(self.at_ms, at_ms)
        _, place, partition = heapq.heappop(self._wakes)
        node = self._nodes[place]
        table = self._tables[node.name, partition]
        for key in table.due.ready(self.at_ms):
            now_ms = self.at_ms
            self._fold(node, table, Event("@tick", partition, now_ms, key, Tick(), now_ms, now_ms))
        self._drain()

    def _drain(self) -> None:
        while self._queue:
            placed = self._queue.popleft()
            node = self._readers.get(placed.topic)
            if node is None:
                continue
            offset = placed.offset
            if offset is None:
                offset = self._ends[placed.topic, placed.partition]
                self._ends[placed.topic, placed.partition] = offset + 1
            event = Event(
                placed.topic,
                placed.partition,
                offset,
                placed.key,
                placed.value,
                placed.timestamp_ms,
                self.at_ms,
            )
            self._fold(node, self._tables[node.name, placed.partition], event)

    def _fold(self, node: Node, table: Table, event: Event) -> None:
        self.events += 1
        table.begin()
        if event.topic == "@tick":
            table.due.wake(event.key, None)
        try:
            self._check_partition(event)
            outputs = fold(node, table, event)
        except Refused as why:
            table.take_back()
            self.letters[f"{event.topic}: {why.cause}"] += 1
            return
        except InvariantBroken as why:
            place = f"{event.topic}[{event.partition}]@{event.offset}"
            raise WeirError(f"{node.name} cannot fold {place}, key {event.key}: {why}") from why
        for output in outputs:
            if isinstance(output, Emit):
                if output.topic not in self._wanted:
                    continue
                placed = self._placed(node, output, event)
                if placed.topic in self._heard:
                    self._hear(placed)
                if placed.topic in self._readers:
                    self._queue.append(placed)
            elif isinstance(output, Wake):
                self._remember(node, table, event, output.at_ms)
            elif isinstance(output, DeadLetter):
                self.letters[f"{event.topic}: {output.cause}"] += 1
            elif isinstance(output, Prepare | Call | Look):
                self.effects.append(output)
            else:
                raise TypeError(f"a step returned {output!r}, which is no output")

    def _placed(self, node: Node, output: Emit, event: Event) -> Placed:
        topic = BY_NAME[output.topic]
        key = output.key if output.key is not None else key_of(topic, output.value) or event.key
        partition = event.partition
        if not node.per_partition:
            count = 1 if topic.partitions == 1 else self._partitions
            partition = partition_of(partition_key(topic, output.value) or key, count)
        at_ms = event.timestamp_ms if output.timestamp_ms is None else output.timestamp_ms
        return Placed(output.topic, partition, None, key, output.value, at_ms)

    def _remember(self, node: Node, table: Table, event: Event, at_ms: int | None) -> None:
        table.due.wake(node_key(node, event), at_ms)
        if at_ms is not None:
            place = self._nodes.index(node)
            heapq.heappush(self._wakes, (at_ms, place, event.partition))

    def _check_partition(self, event: Event) -> None:
        if event.key == COPY_KEY or event.topic[0] == "@":
            return
        if self.lies(event.key) != event.partition:
            raise Refused("partition", "partition", event.partition)
