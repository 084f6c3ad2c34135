"""Where audit records are read from: their topics, or a file of lines that `weir consume` printed.

A record that cannot be read is not an error of the reader but a finding: it comes with its place
and the reason. The file needs nothing but the lines of both topics, in the order of each partition:

    weir consume treasury.audit.v1 --json > audit.jsonl
    weir consume treasury.audit-checkpoints.v1 --json >> audit.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Message

from schemas.errors import NewerSchema, Undecodable
from schemas.jsonform import Invalid, from_json, iso, parse_time, to_json
from schemas.signing import public_key
from schemas.topics import BY_NAME
from schemas.wire import Wire
from weir.access import address, wire
from weir.errors import WeirError
from weir.home import home
from weir.reading import whole

AUDIT, CHECKPOINTS = "treasury.audit.v1", "treasury.audit-checkpoints.v1"
SCHEMA_BYTES = 5


class Laid(NamedTuple):
    """One record as it lies somewhere; `record` is None where `why` says that it is none."""

    place: str
    topic: str
    partition: int
    key: str
    timestamp_ms: int
    record: Any | None
    why: str = ""


def laid_from(file: Path | None, topic: str) -> Iterator[Laid]:
    """The records of one of the two topics: of an export, or of this home's Kafka."""
    if file is not None:
        return from_export(file, topic)
    return from_kafka(address(), wire(), topic)


def public_keys(named: Sequence[str]) -> list[str]:
    """The texts of keys given as text or as files; without any, the key of this home's pipeline.

    WeirError for what is no key. None at all is possible: then no checkpoint can be believed.
    """
    home_key = home().root / "keys" / "pipeline.pub"
    words = list(named) or ([str(home_key)] if home_key.exists() else [])
    found = []
    for word in words:
        try:
            text = Path(word).read_text() if Path(word).is_file() else word
            found.append(public_key(text))
        except (OSError, ValueError) as why:
            raise WeirError(f"--public-key {word}: {why}") from why
    return found


def from_kafka(bootstrap: str, codec: Wire, topic: str) -> Iterator[Laid]:
    """All that is committed on one of the two topics."""
    for message in whole(bootstrap, [topic]):
        yield laid(message, codec)


def laid(message: Message, codec: Wire) -> Laid:
    """A message of one of the two topics."""
    topic, partition = str(message.topic()), int(message.partition() or 0)
    place = f"{topic}[{partition}]@{message.offset()}"
    key = (message.key() or b"").decode(errors="replace")
    record, why = _decoded(topic, message.value() or b"", codec)
    return Laid(place, topic, partition, key, message.timestamp()[1], record, why)


def from_export(file: Path, topic: str) -> Iterator[Laid]:
    """The lines of one topic in a file; lines that name neither of the two count to both."""
    try:
        with file.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                if raw.isspace():
                    continue
                found = line(number, raw)
                if found.topic == topic or found.topic not in (AUDIT, CHECKPOINTS):
                    yield found
    except OSError as error:
        raise WeirError(f"{file}: {error.strerror}") from error


def line(number: int, raw: bytes) -> Laid:
    """One line of an export."""
    place = f"line {number}"
    nothing = Laid(place, "", -1, "", -1, None)
    try:
        content = json.loads(raw)
        topic = content["topic"]
        if topic not in (AUDIT, CHECKPOINTS):
            return nothing._replace(why=f"topic {topic!r} is none of the audit")
        where = nothing._replace(topic=topic, partition=content["partition"], key=content["key"])
    except (ValueError, KeyError, TypeError) as why:
        return nothing._replace(why=f"is no line of an export: {type(why).__name__} {why}")
    try:
        at_ms = parse_time(content["timestamp"])
        if iso(at_ms) != content["timestamp"]:
            raise Invalid("timestamp", content["timestamp"], "is not as it was written")
        record_type = BY_NAME[topic].record
        if record_type is None:
            raise LookupError(f"{topic} has no record")
        record: Any = from_json(record_type, content["value"])
    except (Invalid, KeyError) as why:
        return where._replace(why=f"is no record: {why}")
    if to_json(record) != content["value"]:
        return where._replace(why="the value is not as it was written")
    return where._replace(timestamp_ms=at_ms, record=record)


def _decoded(topic: str, data: bytes, codec: Wire) -> tuple[Any | None, str]:
    try:
        record = codec.decode(topic, data)
    except (Undecodable, NewerSchema) as why:
        return None, f"cannot be read: {why}"
    again = codec.encode(topic, record)
    if data[:SCHEMA_BYTES] == again[:SCHEMA_BYTES] and data != again:
        return None, "the bytes are not as they were written"
    return record, ""
