"""What a person points at: all letters of a topic, of a partition, or one letter."""

from __future__ import annotations

from typing import NamedTuple

from agents.letter import Letter
from schemas.topics import TOPICS
from weir.errors import WeirError

DEAD = tuple(topic.name for topic in TOPICS if topic.source)


class Place(NamedTuple):
    """A dead-letter topic, and how much of it."""

    topic: str
    partition: int | None = None
    offset: int | None = None

    def holds(self, letter: Letter) -> bool:
        """Whether a letter of this topic is meant."""
        return self.partition in (None, letter.partition) and self.offset in (None, letter.offset)


def place_of(text: str) -> Place:
    """Reads `TOPIC[:PARTITION[:OFFSET]]`; the topic may be named with or without `.dlq`.

    WeirError says what is wrong with it.
    """
    name, *numbers = text.split(":")
    topic = name if name.endswith(".dlq") else f"{name}.dlq"
    if topic not in DEAD:
        near = [other for other in DEAD if name in other]
        hint = f"did you mean {', '.join(near[:4])}?" if near else "`weir dlq list` shows them"
        raise WeirError(f"{name!r} has no dead letters: {hint}")
    if len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
        raise WeirError(f"{text}: must be TOPIC, TOPIC:PARTITION or TOPIC:PARTITION:OFFSET")
    return Place(topic, *map(int, numbers))
