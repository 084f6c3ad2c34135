"""Does the log follow from itself? Recorded transactions are folded again and compared.

For each node and partition the merge order says which records were folded, in which order, at what
time; a replay repeats that with the same topology and the same `fold`, and compares each output
(key, value, partition, timestamp) and the table's hash after each transaction. Transactions of
different nodes are taken by their time, so that inputs and outputs are read about as they lie.

A range begins from the state that was recorded before it (`weir.replay.base`). Where that cannot be
had any more, the node's partition is folded from the beginning, and its outputs before the range
are not compared.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NamedTuple

from agents.wiring import ORDER_TOPIC
from schemas.records import MergeRun
from schemas.wire import Wire
from streams.node import Node
from streams.topology import NODES
from weir.errors import WeirError
from weir.replay.base import Base
from weir.replay.choice import ALL, Choice
from weir.replay.difference import Difference
from weir.replay.folding import Folding
from weir.replay.log import Log, Record
from weir.replay.origin import Origin, origin
from weir.replay.produced import PATIENCE_S, Output, Produced
from weir.replay.report import Progress, Report, Scope
from weir.replay.sources import Sources
from weir.replay.span import Span
from weir.replay.survey import Meant, Survey, runs, survey

_TELL_S = 0.5

Tell = Callable[[Progress], None]
Copy = Callable[[Output], None]


def check(
    log: Log,
    wire: Wire,
    nodes: Iterable[Node] = NODES,
    tell: Tell = lambda progress: None,
    patience_s: float = PATIENCE_S,
    choice: Choice = ALL,
    given: Collection[Base] = (),
    copy: Copy | None = None,
) -> Report:
    """Replays what is chosen of all that is recorded now, up to the first difference.

    An output that is not on the log after `patience_s` is missing. `given` are states to begin from
    where the log itself begins later than its history; `copy` gets every output of the range.

    WeirError when it cannot be done in full: a record that was folded is gone, the range reaches
    beyond the log, or the merge order names a node that this version does not have.
    """
    by_name = {node.name: node for node in nodes}
    only, sinks = choice.nodes_and_sinks(by_name)
    found = survey(log, wire, by_name, choice.span, only)
    start = origin(log, by_name, found, given)
    with (
        opened(log, wire, by_name, found, start) as (order, folding),
        closing(log.read(sinks)) as outputs,
    ):
        counts = {topic: log.partitions(topic) for topic in sinks}
        produced = Produced(outputs, wire, counts, patience_s, Meant(found, by_name))
        replay = _Replay(found, start, folding, produced, frozenset(sinks), tell, copy)
        return replay.run(order)


def states(
    log: Log, wire: Wire, span: Span, nodes: Iterable[Node] = NODES, given: Collection[Base] = ()
) -> list[Base]:
    """The states that a range begins from, of every node's partition that has a transaction before
    it and one in it: what a log must hold that is to begin there. WeirError as of `check`.
    """
    by_name = {node.name: node for node in nodes}
    found = survey(log, wire, by_name, span, by_name)
    return states_before(log, wire, by_name, found, origin(log, by_name, found, given))


def states_before(
    log: Log, wire: Wire, nodes: Mapping[str, Node], found: Survey, start: Origin
) -> list[Base]:
    """The same of a range that was surveyed."""
    with opened(log, wire, nodes, found, start) as (order, folding):
        for record, run in order:
            place = run.node, run.partition
            before = found.span.is_before(run.partition, record.offset, run.at_ms)
            if before and place in start.folded and (wrong := folding.transaction(record, run)[1]):
                raise WeirError(f"the state before the range cannot be folded again:\n{wrong}")
        return folding.bases()


@contextmanager
def opened(
    log: Log, wire: Wire, nodes: Mapping[str, Node], found: Survey, start: Origin
) -> Iterator[tuple[Iterator[tuple[Record, MergeRun]], Folding]]:
    """The surveyed transactions by time, and the nodes' state at the origin."""
    sources = sorted({topic for topic, _ in start.inputs})
    ours = [nodes[name] for name in sorted({name for name, _ in start.begun})]
    counts = {t: log.partitions(t) for node in ours for t in (*node.sources, *node.sinks)}
    with (
        closing(log.read([ORDER_TOPIC], start.order)) as order,
        closing(log.read(sources, start.inputs)) as inputs,
        closing(Folding(log, nodes, Sources(inputs), wire, counts, start.bases)) as folding,
    ):
        streams = [runs(order, wire, partition, found.ends[partition]) for partition in found.order]
        yield heapq.merge(*streams, key=lambda item: item[1].at_ms), folding


class _Replay(NamedTuple):
    """One run over what was surveyed."""

    found: Survey
    start: Origin
    folding: Folding
    produced: Produced
    sinks: frozenset[str]
    tell: Tell
    copy: Copy | None

    def run(self, order: Iterator[tuple[Record, MergeRun]]) -> Report:
        """Up to the first difference, or to the end."""
        started_s = told_s = time.monotonic()
        progress = Progress(expected=self.found.events)
        difference = None
        for record, run in order:
            difference = self._transaction(record, run, progress)
            now_s = time.monotonic()
            progress.seconds = now_s - started_s
            if difference is not None:
                break
            if now_s - told_s >= _TELL_S:
                self.tell(progress)
                told_s = now_s
        if difference is None:
            difference = self.produced.surplus()
        progress.seconds = time.monotonic() - started_s
        return Report(progress, difference, Scope(self.found, self.start.begun))

    def _transaction(self, record: Record, run: MergeRun, progress: Progress) -> Difference | None:
        place = run.partition, record.offset, run.at_ms
        span, folding, produced = self.found.span, self.folding, self.produced
        line = self.found.lines.get((run.node, run.partition))
        if line is None or not line.transactions or span.is_after(*place):
            return None
        if span.is_before(*place):
            if (run.node, run.partition) not in self.start.folded:
                return None
            return folding.transaction(record, run)[1]
        events, refused = folding.events, folding.refused
        outputs, table = folding.transaction(record, run)
        meant = [output for output in outputs if output.topic in self.sinks]
        if self.copy is not None:
            for output in meant:
                self.copy(output)
        found = (produced.compare(output) for output in meant)
        difference = next((one for one in found if one is not None), table)
        progress.transactions += 1
        progress.events += folding.events - events
        progress.refused += folding.refused - refused
        progress.outputs, progress.compacted = produced.matched, produced.compacted
        return difference
