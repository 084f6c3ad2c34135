"""One event through one node: the same function live, in tests and in a replay.

Copies of policy, controls and calendars change the partition's own entry; everything else goes to
the node's step with the entries of its key. The message key must be the key the contract derives
from the record, because state of one account in two places would be two truths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from schemas.policy import parse
from schemas.same import Same
from schemas.topics import BY_NAME, key_of
from streams import copies
from streams.step import (
    NOTHING_IN_FORCE,
    Entries,
    Event,
    InForce,
    Refused,
    Store,
)
from tables.partition import PartitionEntry
from tables.spec import PARTITION_KEY, TableSpec

TIME_MAX_MS = 1 << 48

Step = Callable[[Entries, Event, InForce], list[Any]]


@dataclass(frozen=True)
class Node:
    """A domain node: one Faust agent, one table, one pure step. `inbox` is one of its `sources`;
    without one no policy reaches it.

    A node `per_partition` has one key for each partition of its sources, `<name>-<partition>`, and
    what it writes lies in the partition of the same number.
    """

    name: str
    app: str
    sources: tuple[str, ...]
    inbox: str | None
    table: TableSpec
    step: Step
    sinks: tuple[str, ...]
    per_partition: bool = False


def fold(node: Node, store: Store, event: Event) -> list[Any]:
    """The outputs of one event. Raises Refused (nothing may be kept) or InvariantBroken (the worker
    stops).
    """
    value = event.value
    if not 0 <= event.timestamp_ms < TIME_MAX_MS:
        raise Refused("timestamp", "timestamp_ms", event.timestamp_ms, "an id holds 48 bits of it")
    if event.topic == node.inbox:
        body = value.body
        if copies.take(store, body):
            return []
        event = _with_value(event, body)
    elif event.topic[0] != "@":
        expected = key_of(BY_NAME[event.topic], value)
        if expected is not None and event.key != expected:
            raise Refused("key", "key", event.key, f"the contract derives {expected!r}")
    return node.step(Entries(store, node_key(node, event)), event, in_force(store))


class Placed(Protocol):
    """What lies in a partition under a key: an event, as a step or as the engine knows it."""

    @property
    def partition(self) -> int: ...

    @property
    def key(self) -> str: ...


def node_key(node: Node, event: Placed) -> str:
    """The key whose entries an event changes: the message key, unless a partition is one key."""
    return f"{node.name}-{event.partition}" if node.per_partition else event.key


def in_force(store: Store) -> InForce:
    """Policy and controls as the partition knows them at this event."""
    entry = store.get(PARTITION_KEY)
    return NOTHING_IN_FORCE if entry is None else _in_force(Same(entry))


@lru_cache(maxsize=1024)
def _in_force(same: Same) -> InForce:
    entry: PartitionEntry = same.value
    return InForce(
        policy=parse(entry.policy_body) if entry.policy_body else None,
        version=f"{entry.policy_name}@{entry.policy_version}" if entry.policy_body else "none",
        policy_hash=entry.policy_hash,
        controls=entry.controls,
        calendars=entry.calendars,
        policy_body=entry.policy_body,
    )


def _with_value(event: Event, value: Any) -> Event:
    return Event(
        event.topic,
        event.partition,
        event.offset,
        event.key,
        value,
        event.timestamp_ms,
        event.at_ms,
    )
