"""Records without a merge order, folded by the whole topology: what a replay of foreign data is.

The order is the documented one (event time, topic name, offset), the policies are the recorded
ones as they stand, venue and bank are modelled, because nobody has recorded their answers. What the
nodes write becomes lines of JSON, one file for each topic, or nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from schemas.jsonform import iso, to_json
from schemas.wire import Wire
from streams.topology import NODES
from weir.backtest.desk import Placed
from weir.backtest.lines import empty
from weir.backtest.running import WHOLE, Span, Tell, run, silent
from weir.backtest.venue import Terms
from weir.replay.log import Log

AS_RECORDED = Terms(alone=False)


@dataclass(frozen=True)
class Folded:
    """What came of it: events, records written by topic, and those that could not be used."""

    events: int
    outputs: dict[str, int]
    letters: dict[str, int]
    assumptions: tuple[str, ...]
    to_ms: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def __str__(self) -> str:
        unused = sum(self.letters.values())
        return (
            f"{self.events:,} events, {sum(self.outputs.values()):,} outputs on"
            f" {len(self.outputs)} topics, {unused:,} records that could not be used"
        )


def fold(
    log: Log,
    wire: Wire,
    to: Path | None = None,
    span: Span = WHOLE,
    tell: Tell = silent,
) -> Folded:
    """Folds a log by the documented order; with `to` writes what the nodes write into a new folder.

    WeirError as of `run`, and for a folder in use.
    """
    outputs: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, IO[str]] = {}
        if to is not None:
            empty(to)

        def write(placed: Placed) -> None:
            number = outputs[placed.topic]
            outputs[placed.topic] = number + 1
            if to is None:
                return
            if placed.topic not in files:
                place = (to / f"{placed.topic}.jsonl").open("w", encoding="utf-8")
                files[placed.topic] = stack.enter_context(place)
            files[placed.topic].write(_line(placed))

        course = run(log, wire, None, span, AS_RECORDED, tell, NODES, write)
    written = dict(sorted(outputs.items()))
    return Folded(course.events, written, course.letters, course.assumptions, course.to_ms)


def _line(placed: Placed) -> str:
    said = {
        "topic": placed.topic,
        "partition": placed.partition,
        "key": placed.key,
        "timestamp": iso(placed.timestamp_ms),
        "value": to_json(placed.value),
    }
    return json.dumps(said, ensure_ascii=False) + "\n"
