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

from msgspec.structs import replace

from schemas.policy import parse
from schemas.records import Calendar, ControlCopy, PolicyCopy
from schemas.same import Same
from schemas.topics import BY_NAME, key_of
from streams.newyork import FIRST_YEAR, day_number
from streams.step import (
    NOTHING_IN_FORCE,
    Entries,
    Event,
    InForce,
    Refused,
    Store,
)
from tables.partition import CalendarYear, ControlEntry, PartitionEntry
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
        if isinstance(body, PolicyCopy):
            return _copy_policy(store, body)
        if isinstance(body, ControlCopy):
            return _copy_control(store, body)
        if isinstance(body, Calendar):
            return _copy_calendar(store, body)
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


def _copy_policy(store: Store, copy: PolicyCopy) -> list[Any]:
    try:
        parse(copy.body)
    except ValueError as why:
        raise Refused("policy", "body", copy.name, str(why)) from why
    _change(
        store,
        policy_name=copy.name,
        policy_version=copy.version,
        policy_hash=copy.hash,
        policy_body=copy.body,
    )
    return []


def _copy_control(store: Store, copy: ControlCopy) -> list[Any]:
    new = ControlEntry(copy.scope, copy.mode, copy.epoch, copy.reason)
    others = [one for one in _entry(store).controls if one.scope != copy.scope]
    _change(store, controls=tuple(sorted([*others, new], key=lambda control: control.scope)))
    return []


def _copy_calendar(store: Store, copy: Calendar) -> list[Any]:
    if not FIRST_YEAR <= copy.year < 3000:
        raise Refused("range", "year", copy.year, f"must lie between {FIRST_YEAR} and 2999")
    first, next_first = (day_number(year, 1, 1) for year in (copy.year, copy.year + 1))
    for day in copy.closed:
        if not first <= day < next_first:
            raise Refused("range", "closed", day, f"is no day of {copy.year}")
    new = CalendarYear(copy.calendar, copy.year, tuple(sorted(copy.closed)))
    same = (new.calendar, new.year)
    others = [one for one in _entry(store).calendars if (one.calendar, one.year) != same]
    years = sorted([*others, new], key=lambda one: (one.calendar, one.year))
    _change(store, calendars=tuple(years))
    return []


def _entry(store: Store) -> PartitionEntry:
    return store.get(PARTITION_KEY) or PartitionEntry()


def _change(store: Store, **changes: Any) -> None:
    store.put(PARTITION_KEY, replace(_entry(store), **changes))


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
