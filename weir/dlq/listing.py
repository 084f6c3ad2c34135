"""What lies in the dead-letter topics: each letter, and a summary per topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from agents.letter import Letter, from_message, marked
from weir.reading import whole


def letters(bootstrap: str, topics: Iterable[str]) -> list[Letter]:
    """All letters, by topic, partition and offset; those with a mark are `redriven`."""
    found: list[Letter] = []
    marks: set[tuple[str, int, int]] = set()
    for message in whole(bootstrap, topics):
        letter = from_message(message)
        speaks_of = marked(letter)
        if speaks_of is None:
            found.append(letter)
        else:
            marks.add((letter.topic, *speaks_of))
    found.sort(key=lambda one: (one.topic, one.partition, one.offset))
    return [replace(one, redriven=(one.topic, one.partition, one.offset) in marks) for one in found]


@dataclass(frozen=True)
class Summary:
    """The letters of one topic; causes and ages are of those that wait."""

    topic: str
    count: int
    redriven: int
    causes: dict[str, int]
    oldest_ms: int | None
    newest_ms: int | None
    first: list[str]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "topic": self.topic,
            "count": self.count,
            "waiting": self.count - self.redriven,
            "redriven": self.redriven,
            "causes": self.causes,
            "oldest_ms": self.oldest_ms,
            "newest_ms": self.newest_ms,
            "first": self.first,
        }


FIRST_SHOWN = 3


def summary(found: Iterable[Letter]) -> list[Summary]:
    """One summary for each topic that has letters."""
    by_topic: dict[str, list[Letter]] = {}
    for letter in found:
        by_topic.setdefault(letter.topic, []).append(letter)
    return [_summary(topic, of_topic) for topic, of_topic in sorted(by_topic.items())]


def _summary(topic: str, found: list[Letter]) -> Summary:
    waiting = [letter for letter in found if not letter.redriven]
    times = [letter.timestamp_ms for letter in waiting]
    causes = Counter(letter.origin.cause for letter in waiting)
    return Summary(
        topic=topic,
        count=len(found),
        redriven=len(found) - len(waiting),
        causes=dict(sorted(causes.items())),
        oldest_ms=min(times, default=None),
        newest_ms=max(times, default=None),
        first=[letter.place for letter in waiting[:FIRST_SHOWN]],
    )
