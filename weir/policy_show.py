"""`weir policy show`: which policy is in force, who set it, and which nodes decide by it already.

The newest policy that counts is read as the relay reads it. What each partition of a node decided
by last stands in the merge order, which every transaction writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from agents.policies.publisher import ALERT
from agents.policies.seen import findings
from agents.standing import Standing
from agents.wiring import ORDER_TOPIC
from schemas.errors import Undecodable
from schemas.jsonform import iso
from schemas.records import Alert, MergeRun
from schemas.wire import Wire
from streams.topology import NODES
from weir.controls import standing_of
from weir.status.gather import Found, gather
from weir.topics import partition_counts

ALERTS = "treasury.alerts.v1"
TAIL = 2000
"""Offsets of a partition's end among which the last transaction of each node is looked for."""


@dataclass(frozen=True)
class Shown:
    """`nodes`: of each node, how many partitions decided by which version last; `findings`: what
    the lint said when it was set.
    """

    version: str | None
    hash: str
    source: str
    author: str
    at: str
    signed: int
    nodes: dict[str, dict[str, int]]
    findings: tuple[str, ...]
    trouble: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def look(bootstrap: str, wire: Wire) -> tuple[Shown, Standing]:
    """One look, and what stands. WeirError when Kafka does not answer."""
    standing = standing_of(bootstrap, wire)
    there = partition_counts(bootstrap)
    places = [(name, number) for name in (ORDER_TOPIC, ALERTS) for number in range(there[name])]
    found = gather(bootstrap, {}, places, TAIL)
    last = standing.update
    shown = Shown(
        version=f"{last.name}@{last.version}" if last is not None else None,
        hash=last.hash if last is not None else "",
        source=last.source if last is not None else "",
        author=last.author if last is not None else "",
        at=str(iso(last.at_ms)) if last is not None else "",
        signed=len(last.signatures) if last is not None else 0,
        nodes=_nodes(found, wire),
        findings=findings(last) if last is not None else (),
        trouble=_trouble(found, wire),
    )
    return shown, standing


def lines(shown: Shown) -> Iterator[str]:
    """What a person reads."""
    if shown.version is None:
        yield "none: there is no policy yet; `weir policy set FILE` makes one"
    else:
        signed = f", signed by {shown.signed}" if shown.signed else ", not signed"
        yield f"{shown.version}, hash {shown.hash}"
        yield f"set {shown.at} by {shown.author} ({shown.source}{signed})"
    if shown.findings:
        yield f"lint       {', '.join(shown.findings)}"
    for node, versions in shown.nodes.items():
        told = ", ".join(f"{version} in {count}" for version, count in sorted(versions.items()))
        yield f"{node:<10} {told} partitions" if versions else f"{node:<10} has not decided lately"
    if shown.trouble:
        yield f"sources    {shown.trouble}"


def _nodes(found: Found, wire: Wire) -> dict[str, dict[str, int]]:
    last: dict[tuple[str, int], MergeRun] = {}
    for record in found.of(ORDER_TOPIC):
        run: MergeRun | None = _decoded(wire, ORDER_TOPIC, record.value)
        if run is not None:
            last[run.node, run.partition] = run
    counted = {node.name: Counter[str]() for node in NODES if node.inbox is not None}
    for (node_name, _), run in last.items():
        if node_name in counted:
            counted[node_name][run.policy] += 1
    return {name: dict(versions) for name, versions in counted.items()}


def _trouble(found: Found, wire: Wire) -> str:
    """What keeps the watched sources from being in force, if anything."""
    text = ""
    for record in found.of(ALERTS):
        alert: Alert | None = _decoded(wire, ALERTS, record.value)
        if alert is not None and alert.key == ALERT:
            text = alert.text if alert.state == "firing" else ""
    return text


def _decoded(wire: Wire, topic: str, value: bytes | None) -> Any:
    try:
        return wire.decode(topic, value or b"")
    except Undecodable:
        return None
