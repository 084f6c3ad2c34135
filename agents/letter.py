"""One dead letter: the original record, where it lay, and why it was refused.

Three dialects of headers are read, because others write to our dead-letter topics too: Kafka
Streams (KIP-1034, the one Weir writes), Kafka Connect, and Spring, whose numbers are big-endian
bytes. A mark is a record without a value that says of a letter: it has been redriven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import Message

from schemas.topics import BY_NAME, COPY_KEY

STREAMS, CONNECT, SPRING = "__streams.errors.", "__connect.errors.", "kafka_dlt-"
STEP, OUTCOME = "treasury.step", "treasury.outcome"
ATTEMPT, REDRIVE_OF, MARK = "treasury.attempt", "treasury.redrive_of", "treasury.redriven"
UNKNOWN = "unknown"

Headers = tuple[tuple[str, bytes], ...]


class Origin(NamedTuple):
    """Where a refused record lay, as far as its headers tell, and what was wrong with it."""

    topic: str | None
    partition: int | None
    offset: int | None
    cause: str
    why: str


@dataclass(frozen=True)
class Letter:
    """A record of a dead-letter topic. `redriven` is set when a mark speaks of it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers
    redriven: bool = False

    @property
    def place(self) -> str:
        """`TOPIC:PARTITION:OFFSET`, as the commands take it."""
        return f"{self.topic}:{self.partition}:{self.offset}"

    @property
    def origin(self) -> Origin:
        """Where it comes from and why it is here."""
        return origin_of(self.headers)

    @property
    def source(self) -> str:
        """The topic whose dead letters these are."""
        return BY_NAME[self.topic].source or ""

    @property
    def attempt(self) -> int:
        """How often this record has been tried: 1 for one that was never redriven."""
        text = _text(self.headers, ATTEMPT)
        return int(text) if text is not None and text.isdecimal() else 1

    @property
    def step(self) -> str:
        """At which seam it was refused."""
        return _text(self.headers, STEP) or UNKNOWN

    def original_headers(self) -> list[tuple[str, bytes]]:
        """The headers it had before it was refused."""
        return [(name, value) for name, value in self.headers if not is_error(name)]

    def obstacle(self) -> str:
        """Why it cannot go back to where it came from; empty if it can."""
        origin = self.origin
        if origin.topic is not None and origin.topic != self.source:
            return f"comes from {origin.topic}, but these are the dead letters of {self.source}"
        if self.key == COPY_KEY.encode():
            return "an old copy of a policy or control would undo a newer one: send that again"
        return ""


def from_message(message: Message) -> Letter:
    """A message of a dead-letter topic."""
    pairs: Any = message.headers() or []
    headers = tuple((n, v.encode() if isinstance(v, str) else v or b"") for n, v in pairs)
    return Letter(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        key=message.key(),
        value=message.value(),
        timestamp_ms=message.timestamp()[1],
        headers=headers,
    )


def origin_of(headers: Headers) -> Origin:
    """Reads whichever dialect is there; ours first, since a letter of theirs may be redriven."""
    if _text(headers, f"{STREAMS}exception") or _text(headers, f"{STREAMS}topic"):
        return _textual(headers, STREAMS, "exception", "message")
    if any(name.startswith(CONNECT) for name, _ in headers):
        return _textual(headers, CONNECT, "exception.class.name", "exception.message")
    if any(name.startswith(SPRING) for name, _ in headers):
        return Origin(
            _text(headers, f"{SPRING}original-topic"),
            _big_endian(headers, f"{SPRING}original-partition"),
            _big_endian(headers, f"{SPRING}original-offset"),
            _text(headers, f"{SPRING}exception-fqcn") or UNKNOWN,
            _text(headers, f"{SPRING}exception-message") or "",
        )
    return Origin(None, None, None, UNKNOWN, "no header tells")


def is_error(name: str) -> bool:
    """Whether a header speaks of the refusal and not of the record."""
    return name.startswith((STREAMS, CONNECT, SPRING)) or name in (STEP, OUTCOME)


def marked(letter: Letter) -> tuple[int, int] | None:
    """Partition and offset of the letter that a mark speaks of; None for a letter.

    A refused record may have carried such a header of its own: with a value or a reason it is a
    letter, whatever else it says.
    """
    text = _text(letter.headers, MARK)
    if text is None or letter.value is not None or any(is_error(n) for n, _ in letter.headers):
        return None
    words = text.split(":")
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return None
    return int(words[0]), int(words[1])


def _textual(headers: Headers, prefix: str, cause: str, why: str) -> Origin:
    return Origin(
        _text(headers, f"{prefix}topic"),
        _number(headers, f"{prefix}partition"),
        _number(headers, f"{prefix}offset"),
        _text(headers, f"{prefix}{cause}") or UNKNOWN,
        _text(headers, f"{prefix}{why}") or "",
    )


def _text(headers: Headers, name: str) -> str | None:
    """The last header of a name: a redriven record may have been refused again."""
    found = [value for other, value in headers if other == name]
    return found[-1].decode(errors="replace") if found else None


def _number(headers: Headers, name: str) -> int | None:
    text = _text(headers, name)
    return int(text) if text is not None and text.isdecimal() else None


def _big_endian(headers: Headers, name: str) -> int | None:
    found = [value for other, value in headers if other == name]
    return int.from_bytes(found[-1], "big") if found and len(found[-1]) in (4, 8) else None
