"""Answers every intent the gate lets out, as an executor would in the end: all of it done, a part,
refused, unclear first, or done and later undone. Which one follows from the intent's id, so a
campaign knows what the book must count.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from msgspec.structs import replace

from agents import keys
from agents.signatures import DESK, ending
from bench.pen import WIRE, Pen
from schemas.records import BookInput, DeskInput, Intent, IntentOutcome

INTENTS, BOOK = "treasury.intents.v1", "treasury.book-inputs.v1"
UNIT = 10**14
"""The last place that the venue takes."""


class Answers:
    """Reads intents in a thread until closed. `claims` holds what each moved in the end, by
    decision and intent. It signs ends with the executor's key of the home.
    """

    def __init__(self, bootstrap: str, pen: Pen, home: Path) -> None:
        self._pen = pen
        self._sign = ending(keys.executor(home))
        self.claims: dict[str, dict[str, int]] = {}
        self.moved_ms = 0.0
        self._seen: set[str] = set()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench-answers",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        partitions = self._consumer.list_topics(INTENTS, timeout=10).topics[INTENTS].partitions
        self._consumer.assign([TopicPartition(INTENTS, p, OFFSET_BEGINNING) for p in partitions])
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops answering; raises what broke it."""
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
        if self._failure is not None:
            raise RuntimeError("nobody answered any more") from self._failure

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                for message in self._consumer.consume(100, 0.1):
                    if message.error() is None:
                        self._answer(WIRE.decode(INTENTS, message.value()))
        except Exception as error:  # noqa: BLE001 - `close` raises it where it is heard
            self._failure = error

    def _answer(self, intent: Intent) -> None:
        if intent.intent_id in self._seen:
            raise RuntimeError(f"{intent.intent_id} was let out twice")
        self._seen.add(intent.intent_id)
        self.moved_ms = time.monotonic()
        claim = 0
        for outcome in _outcomes(intent):
            claim = outcome.amount_done_e18 if outcome.state == "CONFIRMED" else 0
            told, key = BookInput(body=outcome), intent.account_id
            self._pen.write(BOOK, told, key, self._sign[BOOK])
            self._pen.write(DESK, DeskInput(body=outcome), "desk", self._sign[DESK])
        self.claims.setdefault(intent.decision_id, {})[intent.intent_id] = claim


def _outcomes(intent: Intent) -> Iterator[IntentOutcome]:
    chance = random.Random(intent.intent_id)
    lot, whole = chance.random(), _outcome(intent, "CONFIRMED", intent.amount_e18)
    if lot < 0.2:
        yield _outcome(intent, "UNKNOWN", 0)
    if lot < 0.15:
        yield _outcome(intent, "REJECTED", 0)
    elif lot < 0.35:
        part = intent.amount_e18 // 2 // UNIT * UNIT
        yield replace(whole, amount_done_e18=part)
    else:
        yield whole
        if chance.random() < 0.3:
            yield whole  # it comes twice
        if chance.random() < 0.1:
            yield _outcome(intent, "REVERSED", 0)


def _outcome(intent: Intent, state: str, done_e18: int) -> IntentOutcome:
    facts: dict[str, Any] = {}
    return IntentOutcome(
        intent_id=intent.intent_id,
        decision_id=intent.decision_id,
        kind=intent.kind,
        class_=intent.class_,
        origin=intent.origin,
        account_id=intent.account_id,
        lane=intent.lane,
        state=state,
        asked_e18=intent.amount_e18,
        granted_e18=intent.amount_e18,
        amount_done_e18=done_e18,
        ccy=intent.ccy,
        venue_refs=("1",) if done_e18 else (),
        facts=facts,
        final=state != "UNKNOWN",
        at_ms=time.time_ns() // 1_000_000,
    )
