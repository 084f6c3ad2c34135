"""What holds now, read from the topics it comes from: modes, the policy, the last decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.errors import Undecodable
from schemas.jsonform import iso
from schemas.records import Control, Decision, PolicyUpdate
from schemas.wire import Wire
from weir.status.gather import Seen

OFFSET, MESSAGE = "__streams.errors.offset", "__streams.errors.message"


@dataclass(frozen=True)
class Mode:
    """The last control of one scope."""

    scope: str
    mode: str
    epoch: int
    reason: str
    actors: tuple[str, ...]
    at: str


@dataclass(frozen=True)
class PolicySeen:
    """A policy record; `why` says why one was refused, `folded` whether the relay has passed it."""

    version: str
    hash: str
    author: str
    at: str
    offset: int
    folded: bool = True
    why: str = ""


@dataclass(frozen=True)
class Decided:
    """The last decision of any node."""

    decision_id: str
    node: str
    key: str
    kind: str
    outcome: str
    policy: str
    at: str


def modes(records: list[Seen], wire: Wire) -> list[Mode]:
    """The last control of every scope, the widest scope first."""
    last: dict[str, Mode] = {}
    for record in records:
        value: Control | None = _decoded(record, wire)
        if value is not None:
            at = str(iso(value.at_ms))
            last[value.scope] = Mode(
                value.scope, value.mode, value.epoch, value.reason, value.actors, at
            )
    return sorted(last.values(), key=lambda mode: (mode.scope != "all", mode.scope))


def policy(
    records: list[Seen], refused: list[Seen], folded_to: int, wire: Wire
) -> tuple[PolicySeen | None, list[PolicySeen]]:
    """The policy in force, and those that came after it and were refused or still wait."""
    why = {
        int(one.headers[OFFSET]): one.headers[MESSAGE].decode(errors="replace")
        for one in refused
        if OFFSET in one.headers
    }
    in_force: PolicySeen | None = None
    others: list[PolicySeen] = []
    for record in records:
        value: PolicyUpdate | None = _decoded(record, wire)
        name = f"{value.name}@{value.version}" if value else "unreadable"
        seen = PolicySeen(
            version=name,
            hash=value.hash if value else "",
            author=value.author if value else "",
            at=str(iso(value.at_ms if value else record.timestamp_ms)),
            offset=record.offset,
            folded=record.offset < folded_to,
            why=why.get(record.offset, ""),
        )
        if seen.folded and not seen.why:
            in_force, others = seen, []
        else:
            others.append(seen)
    return in_force, others


def decided(records: list[Seen], wire: Wire) -> Decided | None:
    """The latest decision by its own time."""
    last: Decision | None = None
    for record in records:
        value: Decision | None = _decoded(record, wire)
        if value is not None and (
            last is None or value.meta.event_time_ms >= last.meta.event_time_ms
        ):
            last = value
    if last is None:
        return None
    return Decided(
        decision_id=last.decision_id,
        node=last.node,
        key=last.key,
        kind=last.kind,
        outcome=last.outcome,
        policy=last.meta.policy,
        at=str(iso(last.meta.event_time_ms)),
    )


def _decoded(record: Seen, wire: Wire) -> Any:
    """The record's value; None for bytes that are none, which are dead letters, not facts."""
    try:
        return wire.decode(record.topic, record.value or b"")
    except Undecodable:
        return None
