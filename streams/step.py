"""What a step takes and what it may return.

A step is `step(entries, event, in_force) -> list of outputs`. It reads and writes the entries of
one node key, and everything else it wants done it returns as a value: records to emit, a wish to be
woken, and (intents only) effects that the runner carries out after the transaction has committed.
Time, ids and prices arrive in events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from schemas.ids import derive
from schemas.policy import Policy
from schemas.records import Meta, Source
from tables.partition import CalendarYear, ControlEntry


class Event(msgspec.Struct, frozen=True, gc=False):
    """One input of a step. `timestamp_ms` is the record's event time, `at_ms` the node's time,
    which never goes back.

    `value` is the record itself; of an inbox record, its body; for the engine's own runs a `Tick`
    or a `Started`.
    """

    topic: str
    partition: int
    offset: int
    key: str
    value: Any
    timestamp_ms: int
    at_ms: int


class Tick(msgspec.Struct, frozen=True):
    """The key asked to be woken and its time has come."""


class Started(msgspec.Struct, frozen=True):
    """The partition was taken over by this worker; sent once to each key that has a wake-up
    pending.
    """

    generation: int


class Emit(msgspec.Struct, frozen=True, gc=False):
    """A record to write; timestamp and key follow event and contract unless they are named.

    `key` is named for inboxes, whose records do not tell where they lie.
    """

    topic: str
    value: Any
    timestamp_ms: int | None = None
    key: str | None = None


class Wake(msgspec.Struct, frozen=True):
    """Sets the key's one wake-up (node time, ms); None clears it."""

    at_ms: int | None


class DeadLetter(msgspec.Struct, frozen=True):
    """The event is not acceptable, but that it came is remembered: it becomes a dead letter, and
    what the step wrote stands. The fields are those of `Refused`.
    """

    cause: str
    field: str
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.field}={self.value!r} {self.why}".rstrip()


class Refused(Exception):
    """The event is not acceptable as it stands: it becomes a dead letter and changes nothing.

    `cause` is a short word for tables and alerts; `field` and `value` say what is wrong.
    """

    def __init__(self, cause: str, field: str = "", value: object = "", why: str = "") -> None:
        super().__init__(f"{cause}: {field}={value!r} {why}".rstrip())
        self.cause, self.field, self.value, self.why = cause, field, value, why


class InvariantBroken(RuntimeError):
    """What cannot happen did: the worker stops, nothing of this transaction is kept."""


class InForce(msgspec.Struct, frozen=True):
    """What holds in this partition now: policy, its `name@version`, hash and canonical JSON, the
    controls, and the calendars.
    """

    policy: Policy | None
    version: str
    policy_hash: str
    controls: tuple[ControlEntry, ...]
    calendars: tuple[CalendarYear, ...] = ()
    policy_body: str = ""

    @property
    def epoch(self) -> int:
        """The pause epoch: rises with every change of mode."""
        return max((control.epoch for control in self.controls), default=0)

    def mode(self, class_: str, account_id: str) -> str:
        """The strictest mode of all scopes that match; without any control record everything is
        PAUSED.
        """
        return mode_of(self.controls, class_, account_id)


class ModeOfScope(Protocol):
    """A control as a node or a process knows it."""

    @property
    def scope(self) -> str: ...
    @property
    def mode(self) -> str: ...


def mode_of(controls: Iterable[ModeOfScope], class_: str, account_id: str) -> str:
    """The strictest mode of all scopes that match; PAUSED while nothing is said of all."""
    modes = {control.scope: control.mode for control in controls}
    venue = account_id.partition(":")[0]
    scopes = (f"class:{class_}", f"venue:{venue}", f"account:{account_id}")
    found = [modes[scope] for scope in scopes if scope in modes]
    return max([modes.get("all", "PAUSED"), *found], key=STRICTNESS.index)


STRICTNESS = ("ACTIVE", "REDUCING", "PAUSED")
IMPORTED = "import"
"""Scope of the control that stands before all others on a log that was brought in from files: what
is decided on it is not live, and nothing of it is carried out.
"""
NOTHING_IN_FORCE = InForce(policy=None, version="none", policy_hash="", controls=())


class Store(Protocol):
    """The entries of one partition: the engine's table live, `tables.memory.MemoryStore` in tests
    and replay.
    """

    def get(self, key: str) -> Any | None: ...
    def put(self, key: str, value: Any) -> None: ...
    def delete(self, key: str) -> None: ...
    def range(self, prefix: str) -> Iterator[tuple[str, Any]]: ...


class Entries:
    """The entries of one node key: `part` names the kind, `rest` the one among many."""

    __slots__ = ("_store", "key")

    def __init__(self, store: Store, key: str) -> None:
        self._store, self.key = store, key

    def get(self, part: str, rest: str = "") -> Any | None:
        return self._store.get(self._full(part, rest))

    def put(self, part: str, value: Any, rest: str = "") -> None:
        self._store.put(self._full(part, rest), value)

    def delete(self, part: str, rest: str = "") -> None:
        self._store.delete(self._full(part, rest))

    def range(self, part: str) -> Iterator[tuple[str, Any]]:
        """All entries of a part with their `rest`, in key order; entries written by this very step
        included.
        """
        prefix = f"{part}|{self.key}|"
        for full, value in self._store.range(prefix):
            yield full[len(prefix) :], value

    def _full(self, part: str, rest: str) -> str:
        return f"{part}|{self.key}|{rest}" if rest else f"{part}|{self.key}"


def meta(event: Event, in_force: InForce, trigger: str) -> Meta:
    """The stamp of every output of one event: a derived event id, event time, policy, input
    coordinates.

    `trigger` is the natural key of the cause (`exec:<id>#<revision>`, `as_of:<time>`,
    `outcome:<intent>#<state>`), so that the same record restored at another offset gives the same
    id.
    """
    return Meta(
        event_id=derive("event", event.key, trigger, 0, in_force.version, event.timestamp_ms),
        event_time_ms=event.timestamp_ms,
        policy=in_force.version,
        source=Source(topic=event.topic, partition=event.partition, offset=event.offset),
    )
