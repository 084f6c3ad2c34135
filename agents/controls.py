"""The executor's own reading of the pause: the last look before money goes out.

The node that committed an attempt may be behind. So the runner reads treasury.controls.v1 itself
and posts only if it knows the same pause epoch and knows it is up to date: its position had reached
the end of the topic, as the broker told it, at most so many seconds ago.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.records import Control
from schemas.wire import Undecodable, Wire

TOPIC = "treasury.controls.v1"
ASK_S = 0.5
WAIT_S = 2.0

log = structlog.get_logger()


class Reading(NamedTuple):
    """The pause epoch (0 without any control) and how old that knowledge is, in seconds."""

    epoch: int
    age_s: float


class Controls:
    """Reads controls in a thread of its own from `start` to `stop`."""

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        client: Mapping[str, Any] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire, self._monotonic = wire, monotonic
        self._config = {
            "bootstrap.servers": bootstrap,
            "group.id": "weir-executor-controls",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,  # a question about the end waits behind a running fetch
            **(client or {}),
        }
        self._epochs: dict[str, int] = {}
        self._fresh_s = float("-inf")
        self._position = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controls", daemon=True)

    def start(self) -> None:
        """Begins to read, from the first control there is."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopped.set()
        self._thread.join()

    def reading(self) -> Reading:
        """What is known now; its age is endless until the end was reached once."""
        return Reading(max(self._epochs.values(), default=0), self._monotonic() - self._fresh_s)

    def _run(self) -> None:
        consumer = Consumer(self._config)
        place = TopicPartition(TOPIC, 0, OFFSET_BEGINNING)
        consumer.assign([place])
        try:
            while not self._stopped.is_set():
                self._catch_up(consumer, place)
        finally:
            consumer.close()

    def _catch_up(self, consumer: Consumer, place: TopicPartition) -> None:
        """Asks where the end is, reads up to it, and only then calls the knowledge fresh."""
        asked_s = self._monotonic()
        try:
            _, end = consumer.get_watermark_offsets(place, timeout=WAIT_S, cached=False)
        except KafkaException as why:
            log.warning("controls_unreadable", topic=TOPIC, error=str(why))
            self._stopped.wait(ASK_S)
            return
        while not self._stopped.is_set():
            if self._position >= end:
                self._fresh_s = asked_s
            behind_s = self._monotonic() - asked_s
            if behind_s >= (ASK_S if self._position >= end else WAIT_S):
                return
            self._take(consumer)

    def _take(self, consumer: Consumer) -> None:
        message = consumer.poll(ASK_S)
        if message is None:
            return
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._position = max(self._position, message.offset() or 0)
            else:
                log.warning("controls_unreadable", topic=TOPIC, error=error.str())
            return
        self._note(message.value() or b"", message.offset() or 0)
        self._position = max(self._position, (message.offset() or 0) + 1)

    def _note(self, value: bytes, offset: int) -> None:
        try:
            control: Control = self._wire.decode(TOPIC, value)
        except Undecodable as why:  # a dead letter for the relay: no node knows of it either
            log.error("control_undecodable", topic=TOPIC, offset=offset, error=str(why))
            return
        self._epochs[control.scope] = control.epoch
