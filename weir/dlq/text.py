"""Dead letters in words and tables."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from agents.letter import Letter, is_error
from schemas.errors import NewerSchema, Undecodable
from schemas.jsonform import iso, to_json
from schemas.wire import Wire
from weir.dlq.listing import Summary
from weir.dlq.redrive import Outcome

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
BYTES_SHOWN = 200


def table(found: list[Summary]) -> Iterator[str]:
    """One paragraph per topic."""
    if not found:
        yield "no dead letters"
    for one in found:
        yield f"{one.topic}: {one.count - one.redriven} waiting, {one.redriven} redriven"
        if one.oldest_ms is not None and one.newest_ms is not None:
            yield f"  age     oldest {_age(one.oldest_ms)}, newest {_age(one.newest_ms)}"
            causes = ", ".join(f"{cause} {count}" for cause, count in one.causes.items())
            yield f"  causes  {causes}"
            yield f"  first   {' '.join(one.first)}"


def described(letter: Letter, wire: Wire) -> dict[str, Any]:
    """Everything about a letter, as JSON."""
    origin = letter.origin
    return {
        "place": letter.place,
        "from": {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset},
        "cause": origin.cause,
        "why": origin.why,
        "step": letter.step,
        "attempt": letter.attempt,
        "redriven": letter.redriven,
        "timestamp": iso(letter.timestamp_ms),
        "key": _readable(letter.key),
        "headers": {name: _readable(value) for name, value in letter.headers if not is_error(name)},
        "value": _value(letter, wire),
    }


def shown(told: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{told['place']}  {'redriven' if told['redriven'] else 'waiting'}"]
    for name in ("cause", "why", "step", "attempt", "from", "timestamp", "key", "headers"):
        part = told[name]
        lines.append(f"  {name:10} {part if isinstance(part, str | int) else json.dumps(part)}")
    lines.append(f"  {'value':10} {json.dumps(told['value'], ensure_ascii=False)}")
    return "\n".join(lines)


def told(outcome: Outcome, dry_run: bool) -> Iterator[str]:
    """What a redrive did, or would do."""
    for letter in outcome.redriven:
        where = f"{letter.source}[{letter.partition}]"
        verb = "would go" if dry_run else "went"
        yield f"{letter.place}  {letter.origin.cause}  {verb} back to {where}"
    for letter, obstacle in outcome.obstacles:
        yield f"{letter.place}  {letter.origin.cause}  stays: {obstacle}"
    verb = "would be redriven" if dry_run else "redriven"
    yield (
        f"{len(outcome.redriven)} {verb}, {len(outcome.already)} were before,"
        f" {len(outcome.obstacles)} stay"
    )


def _value(letter: Letter, wire: Wire) -> Any:
    """The record, if the bytes are one of the source's; else the bytes."""
    if letter.value is None:
        return None
    try:
        return to_json(wire.decode(letter.source, letter.value))
    except (Undecodable, NewerSchema, LookupError) as why:
        return {
            "unreadable": str(why),
            "bytes": len(letter.value),
            "text": letter.value[:BYTES_SHOWN].decode(errors="backslashreplace"),
            "base64": base64.b64encode(letter.value[:BYTES_SHOWN]).decode(),
        }


def _readable(data: bytes | None) -> str | None:
    return None if data is None else data.decode(errors="backslashreplace")


def _age(at_ms: int) -> str:
    """How long ago, by the record's own time."""
    age_s = max(0, int(time.time()) - at_ms // 1000)
    for unit_s, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if age_s >= unit_s:
            return f"{age_s // unit_s} {name}"
    return f"{age_s} s"
