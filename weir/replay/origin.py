"""Where a replay begins: the state of each node's partition before the range, and the first record
it needs.

The state is taken from the changelog if it can be proven there, else from what was given; else it
is folded from the beginning. What is needed and gone ends the replay before it begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from agents.wiring import ORDER_TOPIC
from streams.node import Node
from weir.errors import WeirError
from weir.replay.base import Base, changelog, from_changelog
from weir.replay.log import At, Log
from weir.replay.report import EMPTY, FOLDED
from weir.replay.survey import Line, Place, Survey


@dataclass
class Origin:
    """`folded` are the places whose transactions before the range are folded too."""

    bases: list[Base] = field(default_factory=list)
    folded: set[Place] = field(default_factory=set)
    begun: dict[Place, str] = field(default_factory=dict)
    inputs: dict[At, int] = field(default_factory=dict)
    order: dict[At, int] = field(default_factory=dict)


def origin(
    log: Log, nodes: Mapping[str, Node], found: Survey, given: Collection[Base] = ()
) -> Origin:
    """The origin of a range. WeirError says which records it needs that are gone."""
    lines = {place: line for place, line in found.lines.items() if line.transactions}
    proven = _proven(log, nodes, lines)
    offered = {(base.node, base.partition): base for base in given}
    cut = _cut(log, lines)
    start = Origin()
    for place, line in sorted(lines.items()):
        before = None if line.before is None else line.before.table_hash
        base = proven.get(place) or offered.get(place)
        if base is None and place[1] in cut:
            raise _unknown(nodes[place[0]], place, cut[place[1]])
        if base is not None:
            start.bases.append(base)
        if before is not None and (base is None or base.table_hash != before):
            start.folded.add(place)
            start.begun[place] = FOLDED
        else:
            start.begun[place] = EMPTY if base is None else base.table_hash
        needed = line.taken if place in start.folded else line.inputs
        start.inputs |= {(topic, place[1]): first for topic, (first, _) in needed.items()}
    again = {partition for _, partition in start.folded}
    start.order = {
        (ORDER_TOPIC, partition): one.first
        for partition, one in found.order.items()
        if partition not in again
    }
    _check_inputs(log, start.inputs)
    return start


def _proven(log: Log, nodes: Mapping[str, Node], lines: Mapping[Place, Line]) -> dict[Place, Base]:
    """The states that the changelogs give."""
    wanted: dict[str, dict[int, str]] = {}
    for (name, partition), line in lines.items():
        if line.before is not None:
            wanted.setdefault(name, {})[partition] = line.before.table_hash
    return {
        (name, partition): base
        for name, hashes in wanted.items()
        for partition, base in from_changelog(log, nodes[name], hashes).items()
    }


def _cut(log: Log, places: Iterable[Place]) -> dict[int, int]:
    """The partitions of the merge order whose beginning is gone, and where they begin now."""
    bounds = log.bounds({(ORDER_TOPIC, partition) for _, partition in places})
    return {partition: low for (_, partition), (low, _) in bounds.items() if low > 0}


def _unknown(node: Node, place: Place, low: int) -> WeirError:
    name, partition = place
    return WeirError(
        f"{name}[{partition}]: the state it had before the range is not on {changelog(node)} and"
        f" cannot be folded: {ORDER_TOPIC}[{partition}]@0..{low - 1} are gone"
    )


def _check_inputs(log: Log, starts: Mapping[At, int]) -> None:
    """Retention takes from the beginning: what it took of the needed records is said at once."""
    for (topic, partition), (low, _) in sorted(log.bounds(starts).items()):
        first = starts[topic, partition]
        if first < low:
            raise WeirError(
                f"{topic}[{partition}]@{first}..{low - 1} were folded and are gone: the log is cut"
            )
