"""Tells people of dead letters: one alert for each topic, firing while letters wait there.

It reads what is committed, so no seam needs to know of it and none can forget it: what an agent
could not decode, a seam not verify, a step not take. The alert says how many wait and what is wrong
with the last one; each letter that comes says it anew, those of one second together. It is over
when all have been redriven. What was said last is read from the log too, so that a restart says
nothing twice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from agents.feeds.alerts import TOPIC as ALERTS
from agents.feeds.alerts import Alerts
from agents.letter import Letter, from_message, marked
from agents.runner import Writes
from agents.signatures import CAUSE as FORGED
from schemas.errors import NewerSchema, Undecodable
from schemas.topics import BY_NAME, TOPICS, partitions_of
from schemas.wire import Wire

KEY = "dead-letters|"
MESSAGES, GATHER_S = 2000, 0.5

log = structlog.get_logger()


class Said(NamedTuple):
    """How a topic stood when people were told: letters there ever were, and those that wait."""

    letters: int = 0
    waiting: int = 0


@dataclass
class Box:
    """One dead-letter topic: how many letters came and how many went back; of each partition the
    last that came, unless it went back.
    """

    letters: int = 0
    redriven: int = 0
    lasts: dict[int, Letter] = field(default_factory=dict)
    forged: bool = False

    @property
    def now(self) -> Said:
        """How it stands."""
        return Said(self.letters, max(self.letters - self.redriven, 0))

    @property
    def last(self) -> Letter | None:
        """The last that came, as far as it still waits."""
        return next(reversed(self.lasts.values()), None)

    def take(self, letter: Letter) -> None:
        """Counts a letter, or the mark that one went back."""
        speaks_of = marked(letter)
        if speaks_of is None:
            self.letters += 1
            self.lasts.pop(letter.partition, None)
            self.lasts[letter.partition] = letter
            self.forged = self.forged or letter.origin.cause == FORGED
            return
        self.redriven += 1
        partition, offset = speaks_of
        if partition in self.lasts and self.lasts[partition].offset == offset:
            del self.lasts[partition]


class LetterWatch:
    """Watches all dead-letter topics from their beginning on."""

    def __init__(self, bootstrap: str, wire: Wire, partitions: int, outside: Writes) -> None:
        self._bootstrap, self._wire = bootstrap, wire
        self._alerts = Alerts(outside)
        names = [topic.name for topic in TOPICS if topic.source] + [ALERTS]
        self._unread = {
            (name, number)
            for name in names
            for number in range(partitions_of(BY_NAME[name], partitions))
        }
        self._boxes = {name: Box() for name in names if name != ALERTS}
        self._said: dict[str, Said] = {}

    async def run(self) -> None:
        """Watches for ever."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "weir-letters",  # asked for by the client; no offset is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "log_level": 0,
            }
        )
        consumer.assign([TopicPartition(*at, OFFSET_BEGINNING) for at in self._unread])
        while True:  # not closed when it is cancelled: a thread may be reading still
            for message in await asyncio.to_thread(consumer.consume, MESSAGES, GATHER_S):
                self._take(message)
            if not self._unread:
                for topic, box in self._boxes.items():
                    await self._say(topic, box)

    def _take(self, message: Message) -> None:
        error, at = message.error(), (str(message.topic()), int(message.partition() or 0))
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._unread.discard(at)
            else:
                log.warning("letters_unreadable", topic=at[0], error=error.str())
        elif at[0] != ALERTS:
            self._boxes[at[0]].take(from_message(message))
        elif self._unread:  # later ones are our own
            self._remember(message)

    def _remember(self, message: Message) -> None:
        try:
            alert: Any = self._wire.decode(ALERTS, message.value() or b"")
        except (Undecodable, NewerSchema):
            return  # somebody else's, and nothing we have said
        counts = [alert.labels.get(name, "") for name in Said._fields]
        if alert.key.startswith(KEY) and all(text.isdecimal() for text in counts):
            self._said[f"{alert.key.removeprefix(KEY)}.dlq"] = Said(*map(int, counts))

    async def _say(self, topic: str, box: Box) -> None:
        """Says how a topic stands if people do not know; what could not be written is said again
        at the next look.
        """
        now, before = box.now, self._said.get(topic, Said())
        if now == before or not (now.waiting or before.waiting):
            return
        written = await self._alerts.say(
            f"{KEY}{topic.removesuffix('.dlq')}",
            "firing" if now.waiting else "resolved",
            _text(topic, box),
            _labels(topic, box),
            severity="critical" if box.forged else "warning",
        )
        if written:
            self._said[topic] = now
            box.forged = box.forged and now.waiting > 0


def _text(topic: str, box: Box) -> str:
    waiting, last = box.now.waiting, box.last
    count = {0: "no dead letter waits", 1: "1 dead letter waits"}.get(
        waiting, f"{waiting} dead letters wait"
    )
    if not waiting:
        return f"{count} in {topic}"
    if last is None:
        return f"{count} in {topic} (`weir dlq list`)"
    cause, why = last.origin.cause, last.origin.why or "no reason given"
    where = f" was {last.source}[{last.origin.partition}]@{last.origin.offset}"
    return f"{count} in {topic}; the last{where}, {cause}: {why} (`weir dlq show {last.place}`)"


def _labels(topic: str, box: Box) -> dict[str, str]:
    labels = {"topic": topic} | {name: str(count) for name, count in box.now._asdict().items()}
    if box.last is not None:
        labels |= {"cause": box.last.origin.cause, "step": box.last.step, "last": box.last.place}
    return labels
