"""The executor's own reading of the pause: the last look before money goes out.

The node that committed an attempt may be behind. So the runner reads treasury.controls.v1 itself
and posts only if it knows the same pause epoch and knows it is up to date: its position had reached
the end of the topic, as the broker told it, at most so many seconds ago. Which controls count is
decided by the policy's people, as at the relay; so the policies are read along.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from agents.exact.clock import elapsed_s
from agents.standing import CONTROLS, POLICIES, Standing, Told, decoded
from schemas.wire import Wire
from streams.step import ModeOfScope

TOPIC = CONTROLS
ASK_S = 0.5
WAIT_S = 2.0

log = structlog.get_logger()


class Reading(NamedTuple):
    """The pause epoch (0 without any control), how old that knowledge is, in seconds, whether the
    log was brought in from files, and the control of each scope.
    """

    epoch: int
    age_s: float
    imported: bool = False
    controls: tuple[ModeOfScope, ...] = ()


class Controls:
    """Reads controls in a thread of its own from `start` to `stop`."""

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        client: Mapping[str, Any] | None = None,
        monotonic: Callable[[], float] = elapsed_s,
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
        self._told: list[Told] = []
        self._folded = 0
        self._standing = Standing()
        self._fresh_s = float("-inf")
        self._position = {POLICIES: 0, CONTROLS: 0}
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
        known = self._standing
        age_s = self._monotonic() - self._fresh_s
        return Reading(known.epoch, age_s, known.imported, tuple(known.controls.values()))

    def standing(self) -> Standing | None:
        """What stands now, not to be changed by the caller; None until the end was reached once."""
        return self._standing if self._fresh_s > float("-inf") else None

    def _run(self) -> None:
        consumer = Consumer(self._config)
        places = [TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._position]
        consumer.assign(places)
        try:
            while not self._stopped.is_set():
                self._catch_up(consumer, places)
        finally:
            consumer.close()

    def _catch_up(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Asks where the ends are, reads up to them, and only then calls the knowledge fresh."""
        asked_s = self._monotonic()
        try:
            ends = {
                place.topic: consumer.get_watermark_offsets(place, timeout=WAIT_S, cached=False)[1]
                for place in places
            }
        except KafkaException as why:
            log.warning("controls_unreadable", topic=TOPIC, error=str(why))
            self._stopped.wait(ASK_S)
            return
        while not self._stopped.is_set():
            there = all(self._position[topic] >= end for topic, end in ends.items())
            if there or self._fresh_s > float("-inf"):
                self._fold()  # what is new counts at once, but half a past would be none
            if there:
                self._fresh_s = asked_s
            behind_s = self._monotonic() - asked_s
            if behind_s >= (ASK_S if there else WAIT_S):
                return
            self._take(consumer)

    def _fold(self) -> None:
        if len(self._told) != self._folded:
            self._standing, self._folded = Standing.of(self._told), len(self._told)

    def _take(self, consumer: Consumer) -> None:
        message = consumer.poll(ASK_S)
        if message is None:
            return
        error, topic, offset = message.error(), str(message.topic()), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._position[topic] = max(self._position[topic], offset)
            else:
                log.warning("controls_unreadable", topic=topic, error=error.str())
            return
        found = decoded(self._wire, message)
        if not found:
            log.error("control_undecodable", topic=topic, offset=offset)
        self._told += found
        self._position[topic] = max(self._position[topic], offset + 1)
