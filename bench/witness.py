"""Sees a running Weir as any reader of its topics does, with the time at which each thing was seen.

One thread reads committed records: what the workers commit (the merge order), and the intents on
their way. So a campaign knows when to strike, and how long a stricken partition stood still.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.wire import SchemaIds, Wire

ORDER, STATES = "treasury.merge-order.v1", "treasury.intent-states.v1"
FLYING = frozenset({"ATTEMPTED", "ACKED", "UNKNOWN"})
AT_REST = frozenset({"CONFIRMED", "REJECTED", "REFUSED", "VOID", "EXPIRED", "REVERSED", "PARKED"})

At = tuple[str, int]


class Witness:
    """Reads from the beginning until closed."""

    def __init__(self, bootstrap: str) -> None:
        self._wire = Wire(SchemaIds.from_lock())
        self._lock = threading.Lock()
        self._since_ms = 0
        self._first_ms: dict[At, int] = {}
        self._last_ms: dict[At, int] = {}
        self._intents: dict[str, tuple[int, str, str]] = {}
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench-witness",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        found = self._consumer.list_topics(timeout=10).topics
        places = [
            (topic, number) for topic in (ORDER, STATES) for number in found[topic].partitions
        ]
        self._consumer.assign([TopicPartition(*at, OFFSET_BEGINNING) for at in places])
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops reading; raises what broke it."""
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
        self._check()

    def strike(self) -> int:
        """Now: what is committed from here on counts as the first thing after a fault."""
        self._check()
        with self._lock:
            self._since_ms = now_ms()
            self._first_ms = {}
            return self._since_ms

    def resumed_s(self, places: Iterable[At]) -> dict[At, float] | None:
        """From the strike to the first commit of each place; None while one has not committed."""
        self._check()
        with self._lock:
            if not all(at in self._first_ms for at in places):
                return None
            return {at: (self._first_ms[at] - self._since_ms) / 1000 for at in places}

    def busy(self, places: Iterable[At], within_s: float) -> set[At]:
        """Those of the places that have committed lately: they have input, so they will again."""
        self._check()
        with self._lock:
            since_ms = now_ms() - within_s * 1000
            return {at for at in places if self._last_ms.get(at, 0) >= since_ms}

    def flying(self) -> set[int]:
        """The partitions in which a call may be under way now."""
        with self._lock:
            return {place for place, state, _ in self._intents.values() if state in FLYING}

    def states(self) -> dict[str, str]:
        """The last state of every intent."""
        self._check()
        with self._lock:
            return {intent_id: state for intent_id, (_, state, _) in self._intents.items()}

    def lanes(self) -> dict[str, tuple[str, str]]:
        """The lane and the last state of every intent."""
        self._check()
        with self._lock:
            told = self._intents.items()
            return {intent_id: (lane, state) for intent_id, (_, state, lane) in told}

    def open(self) -> dict[str, str]:
        """The intents that will still change by themselves, with their state: neither ended nor
        parked, nor behind one that is.
        """
        self._check()
        with self._lock:
            told = self._intents.items()
            blocked = {lane for _, (_, state, lane) in told if state == "PARKED"}
            return {
                intent_id: state
                for intent_id, (_, state, lane) in told
                if state not in AT_REST and not (state == "READY" and lane in blocked)
            }

    def _check(self) -> None:
        if self._failure is not None:
            raise RuntimeError("the witness broke") from self._failure

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                for message in self._consumer.consume(2000, 0.05):
                    if message.error() is None:
                        value = self._wire.decode(message.topic(), message.value())
                        with self._lock:
                            self._take(message.topic(), message.partition(), value)
        except Exception as error:  # noqa: BLE001 - `_check` raises it where it is heard
            self._failure = error

    def _take(self, topic: str, partition: int, value: Any) -> None:
        if topic == ORDER:
            at = value.node, value.partition
            self._last_ms[at] = value.at_ms
            if value.at_ms > self._since_ms and at not in self._first_ms:
                self._first_ms[at] = now_ms()
        else:
            self._intents[value.intent_id] = partition, value.state, value.lane


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
