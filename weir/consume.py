"""`weir consume`: what is on a topic, committed records only, in the form `weir produce` takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from schemas.wire import Wire
from weir.errors import WeirError
from weir.lines import shown
from weir.reading import Reader
from weir.topics import find


def consume(
    bootstrap: str,
    topic: str,
    wire: Wire,
    start: str = "earliest",
    until: str = "end",
    timeout_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """The records of a topic as lines.

    `start` is earliest, latest, an offset (in every partition) or an ISO-8601 time. `until` is
    `end` (of what is committed now), a number of records, or `never`. WeirError if the records do
    not arrive within `timeout_s`, or when Kafka is away.
    """
    find(topic)
    count = _count(until)
    with closing(Reader(bootstrap, [topic], start)) as reader:
        for message in reader.messages(count, until == "end", timeout_s):
            yield shown(message, wire)


def printed(line: dict[str, Any], as_json: bool) -> str:
    """A line as JSON, or shorter for a person's eyes."""
    if as_json:
        return json.dumps(line, ensure_ascii=False)
    value = json.dumps(_without_nulls(line["value"]), ensure_ascii=False)
    return f"{line['partition']}:{line['offset']}  {line['timestamp']}  {line['key']}  {value}"


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {k: _without_nulls(v) for k, v in content.items() if v is not None}
    return [_without_nulls(item) for item in content] if isinstance(content, list) else content


def _count(until: str) -> int | None:
    if until in ("end", "never"):
        return None
    if until.isdecimal() and int(until) > 0:
        return int(until)
    raise WeirError(f"--until {until}: must be `end`, `never` or a number of records")
