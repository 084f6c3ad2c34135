"""One line of JSON for one Kafka record: what `weir produce` takes and `weir consume` prints.

    {"key": …, "value": {…}, "timestamp": …, "headers": {…}}

Key and timestamp may be left out where the contract derives them from the value. A line that was
consumed also carries topic, partition and offset; it can be produced again as it stands: the topic
must be the same, the offset is ignored, and the partition counts only where the key does not decide
it. Bytes that are no record and no text are `{"base64": …}`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.errors import NewerSchema, Undecodable, Unencodable
from schemas.jsonform import Invalid, from_json, iso, parse_time, to_json
from schemas.topics import BY_NAME, COPY_KEY, Topic, key_of, partition_key, timestamp_ms
from schemas.wire import Wire

FIELDS = ("topic", "partition", "offset", "key", "timestamp", "headers", "value")
LARGEST_BYTES = 1_000_000
Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True)
class Ready:
    """A record that may be sent. `lies_by` is the text whose hash names its partition."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None
    lies_by: str | None = None
    partition: int | None = None


def ready(topic: Topic, line: str, wire: Wire) -> Ready:
    """The record of a line. Invalid says which field is wrong, with its value."""
    try:
        content = json.loads(line, parse_float=Decimal, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise Invalid("", line, f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise Invalid("", content, "must be an object with key and value")
    for name in content:
        if name not in FIELDS:
            raise Invalid(name, content[name], f"is not one of {', '.join(FIELDS)}")
    if content.get("topic", topic.name) != topic.name:
        raise Invalid("topic", content["topic"], f"is not {topic.name}")
    if "value" not in content:
        raise Invalid("value", None, "is missing")
    made = _record(topic, content, wire) if topic.record else _plain(topic, content, wire)
    size = len(made.key or b"") + len(made.value or b"")
    if size > LARGEST_BYTES:
        raise Invalid("value", f"{size} bytes", f"is larger than {LARGEST_BYTES} bytes")
    return made


def shown(message: Any, wire: Wire) -> dict[str, Any]:
    """The line of a consumed message."""
    topic = BY_NAME[message.topic()]
    kind, at_ms = message.timestamp()
    return {
        "topic": topic.name,
        "partition": message.partition(),
        "offset": message.offset(),
        "key": _text(message.key()),
        "timestamp": iso(at_ms) if kind else None,
        "headers": _shown_headers(message.headers() or []),
        "value": _shown_value(topic, message.value(), wire),
    }


def _record(topic: Topic, content: dict[str, Any], wire: Wire) -> Ready:
    value, key = content["value"], content.get("key")
    headers, at = _headers(content.get("headers")), _timestamp(content)
    if key is not None and (not isinstance(key, str) or not key):
        raise Invalid("key", key, "must be text")
    record = from_json(_type(topic), value, "value.")
    derived = key_of(topic, record)
    key = key if derived is None else _agreeing(topic, key, derived)
    if key is None:
        raise Invalid("key", None, f"is missing: {topic.name} does not hold its {topic.key}")
    if at is None:
        at = timestamp_ms(topic, record)
    try:
        data = wire.encode(topic.name, record)
    except Unencodable as error:
        raise Invalid(f"value.{error.field}", error.value, error.why) from error
    partition = _partition(content) if key == COPY_KEY else None
    lies_by = partition_key(topic, record) if partition is None else None
    return Ready(key.encode(), data, headers, at, lies_by, partition)


def _plain(topic: Topic, content: dict[str, Any], wire: Wire) -> Ready:
    """Dead letters and changelogs: their bytes are not those of a contract of their own."""
    key, value = content.get("key"), content["value"]
    if topic.source and isinstance(value, dict) and set(value) != {"base64"}:
        source = BY_NAME[topic.source]
        data: bytes | None = wire.encode(source.name, from_json(_type(source), value, "value."))
    else:
        data = _bytes(value, "value")
    return Ready(
        _bytes(key, "key"),
        data,
        _headers(content.get("headers")),
        _timestamp(content),
        partition=_partition(content) if "partition" in content else None,
    )


def _agreeing(topic: Topic, given: str | None, derived: str) -> str:
    if given not in (None, derived):
        raise Invalid("key", given, f"contradicts the value, whose {topic.key} is {derived!r}")
    return derived


def _type(topic: Topic) -> type[Any]:
    if topic.record is None:
        raise LookupError(f"{topic.name} has no record")
    return topic.record


def _partition(content: dict[str, Any]) -> int:
    value = content.get("partition")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Invalid("partition", value, "must be a partition: the key does not decide it")
    return value


def _timestamp(content: dict[str, Any]) -> int | None:
    value = content.get("timestamp")
    if value is None:
        return None
    at = parse_time(value)
    if at < 0:
        raise Invalid("timestamp", value, "is before 1970, which Kafka does not take")
    return at


def _headers(content: Any) -> Headers:
    if content is None:
        return []
    if not isinstance(content, dict):
        raise Invalid("headers", content, "must be an object")
    pairs: Headers = []
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            pairs.append((name, _bytes(one, f"headers.{name}")))
    return pairs


def _bytes(value: Any, path: str) -> bytes | None:
    """Text, {"base64": …}, null, or any other JSON as its compact text."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError:
            raise Invalid(path, value["base64"], "is no base64") from None
    if path == "value" and isinstance(value, dict | list):
        return _compact(value)
    raise Invalid(path, value, 'must be text or {"base64": …}')


def _shown_headers(headers: Headers) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in headers:
        one = _text(value)
        if name not in found:
            found[name] = one
        else:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), one]
    return found


def _shown_value(topic: Topic, data: bytes | None, wire: Wire) -> Any:
    if data is None:
        return None
    contract = topic.source or topic.name
    if BY_NAME[contract].record is None:
        return _json_or_text(data)
    try:
        return to_json(wire.decode(contract, data))
    except (Undecodable, NewerSchema):
        return {"base64": base64.b64encode(data).decode()}


def _json_or_text(data: bytes) -> Any:
    """JSON as itself where writing it again gives the same bytes, so that nothing is changed."""
    try:
        content = json.loads(data)
    except ValueError:
        return _text(data)
    whole = isinstance(content, dict | list) and _compact(content) == data
    return content if whole else _text(data)


def _compact(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _text(data: str | bytes | None) -> Any:
    if data is None or isinstance(data, str):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _constant(name: str) -> Any:
    raise Invalid("", name, "is no JSON number")
