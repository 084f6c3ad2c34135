"""Nodes with their tables, and the records that wait for them: what one partition of the log is.

A batch of events is folded, and its entries, outputs, wake-ups and places become true together or
not at all. A partition that is taken over is restored from its bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from schemas.topics import BY_NAME, key_of, timestamp_ms
from streams.node import Node, fold
from streams.step import DeadLetter, Emit, Event, Refused, Started, Tick, Wake
from tables.memory import MemoryStore
from tables.spec import PARTITION_KEY

_NONE = object()
NEVER_MS = 1 << 60


class Waiting(NamedTuple):
    """A record on its way into a partition."""

    ready_ms: int
    offset: int
    key: str
    value: Any
    timestamp_ms: int


class Written(NamedTuple):
    """A record on its way out of a batch."""

    topic: str
    key: str
    value: Any
    timestamp_ms: int


class Part(MemoryStore):
    """One node's one partition. `generation` is that of a takeover its keys have not heard of."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node
        self.wakes: dict[str, int] = {}
        self.at_ms = 0
        self.generation: int | None = None
        self.inputs: dict[str, deque[Waiting]] = {topic: deque() for topic in node.sources}
        self.taken: dict[str, int] = {}
        self.letters: list[tuple[str, str]] = []
        self._undo: list[tuple[dict[str, Any], str, Any]] = []
        self._before: tuple[int, int | None] = (0, None)

    # The table

    def put(self, key: str, value: Any) -> None:
        self._undo.append((self.entries, key, self.entries.get(key, _NONE)))
        self.entries[key] = value

    def delete(self, key: str) -> None:
        self._undo.append((self.entries, key, self.entries.get(key, _NONE)))
        self.entries.pop(key, None)

    def restore(self) -> None:
        """What another worker finds: every entry from its bytes."""
        table = self.node.table
        for key, value in self.entries.items():
            self.entries[key] = table.loads(key, table.dumps(key, value))

    # A batch

    def begin(self, at_ms: int) -> None:
        """A batch begins at this node time, unless the partition knows a later one."""
        self._undo.clear()
        self.taken.clear()
        self._before = (self.at_ms, self.generation)
        self.at_ms = max(self.at_ms, at_ms)

    def seal(self) -> None:
        """The batch is committed: what was taken is gone for good."""
        for topic, count in self.taken.items():
            waiting = self.inputs[topic]
            for _ in range(count):
                waiting.popleft()
        self._undo.clear()
        self.taken.clear()

    def take_back(self) -> None:
        """The batch has never been: another worker will read it again."""
        self._roll_back(0)
        self.taken.clear()
        self.at_ms, self.generation = self._before

    def ready(self, now_ms: int) -> bool:
        """Whether there is anything to fold now."""
        for waiting in self.inputs.values():
            if waiting and waiting[0].ready_ms <= now_ms:
                return True
        wakes = self.wakes.values()
        return any(self.generation is not None or due_ms <= self.at_ms for due_ms in wakes)

    def events(self, now_ms: int, chance: Random) -> Iterator[Event]:
        """What a batch folds now: takeovers, wake-ups, then records, topic by topic."""
        at_ms = self.at_ms
        if self.generation is not None:
            started, self.generation = Started(self.generation), None
            for key in sorted(self.wakes, key=lambda key: (self.wakes[key], key)):
                yield Event("@started", 0, started.generation, key, started, at_ms, at_ms)
        due = [key for key, due_ms in self.wakes.items() if due_ms <= at_ms]
        for key in sorted(due, key=lambda key: (self.wakes.get(key, 0), key)):
            self._wake(key, None)
            yield Event("@tick", 0, at_ms, key, Tick(), at_ms, at_ms)
        ready = [
            topic for topic, all_ in self.inputs.items() if all_ and all_[0].ready_ms <= now_ms
        ]
        if len(ready) > 1:
            chance.shuffle(ready)
        for topic in ready:
            count = 0
            for one in self.inputs[topic]:
                if one.ready_ms > now_ms:
                    break
                count += 1
                yield Event(topic, 0, one.offset, one.key, one.value, one.timestamp_ms, at_ms)
            self.taken[topic] = count

    def fold(self, event: Event, written: list[Written], effects: list[Any]) -> None:
        """Folds one event into the batch; one that is refused leaves nothing but its letter."""
        mark = len(self._undo)
        try:
            outputs = fold(self.node, self, event)
        except Refused as why:
            self._roll_back(mark)
            self.letters.append((event.topic, why.cause))
            return
        for output in outputs:
            if isinstance(output, Emit):
                topic = BY_NAME[output.topic]
                key = output.key if output.key is not None else key_of(topic, output.value)
                at_ms = event.timestamp_ms if output.timestamp_ms is None else output.timestamp_ms
                written.append(Written(output.topic, key or event.key, output.value, at_ms))
            elif isinstance(output, Wake):
                self._wake(event.key, output.at_ms)
            elif isinstance(output, DeadLetter):
                self.letters.append((event.topic, output.cause))
            else:
                effects.append(output)

    def next_ms(self, offset_ms: int) -> int:
        """The true time at which there is something to fold, on a clock that is off by so much;
        NEVER_MS if nothing waits.
        """
        first = NEVER_MS
        for waiting in self.inputs.values():
            if waiting and waiting[0].ready_ms < first:
                first = waiting[0].ready_ms
        for due_ms in self.wakes.values():
            if self.generation is not None or due_ms <= self.at_ms:
                return 0
            if due_ms - offset_ms < first:
                first = due_ms - offset_ms
        return first

    def waits(self) -> int:
        """How many records are on their way in."""
        return sum(len(all_) for all_ in self.inputs.values())

    def _wake(self, key: str, at_ms: int | None) -> None:
        self._undo.append((self.wakes, key, self.wakes.get(key, _NONE)))
        if at_ms is None:
            self.wakes.pop(key, None)
        else:
            self.wakes[key] = at_ms

    def _roll_back(self, mark: int) -> None:
        while len(self._undo) > mark:
            place, key, old = self._undo.pop()
            if old is _NONE:
                place.pop(key, None)
            else:
                place[key] = old


class Log:
    """The topics: who reads a record gets it after a while, in order of its topic, maybe twice."""

    def __init__(self, world: Any, parts: tuple[Part, ...]) -> None:
        self._world = world
        self._readers = {topic: part for part in parts for topic in part.node.sources}
        self._last_ms: dict[str, int] = {}
        self._ends: dict[str, int] = {}

    def write(
        self, topic: str, value: Any, key: str | None = None, time_ms: int | None = None
    ) -> None:
        """Appends a record: `time_ms` is that of its message, else what its contract says."""
        world, contract = self._world, BY_NAME[topic]
        if key is None:
            key = key_of(contract, value) or ""
        if time_ms is None:
            time_ms = timestamp_ms(contract, value)
        if time_ms is None:
            time_ms = world.agenda.now_ms
        world.judge.told(topic, value)
        part = self._readers.get(topic)
        if part is None:
            return
        self._append(part, topic, key, value, time_ms, world.draw_ms(world.swarm.log_lag_ms))
        if key != PARTITION_KEY and world.swarm.hits(world.chance, world.swarm.twice):
            world.agenda.after(
                world.draw_ms(60_000), self._append, part, topic, key, value, time_ms, 0
            )

    def _append(
        self, part: Part, topic: str, key: str, value: Any, time_ms: int, lag_ms: int
    ) -> None:
        world = self._world
        ready_ms = max(world.agenda.now_ms + lag_ms, self._last_ms.get(topic, 0))
        offset = self._ends.get(topic, 0)
        self._last_ms[topic], self._ends[topic] = ready_ms, offset + 1
        part.inputs[topic].append(Waiting(ready_ms, offset, key, value, time_ms))
        world.count(topic, key, offset)
        world.workers[part.node.app].poke(ready_ms)
