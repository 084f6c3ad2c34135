"""What a person should know of an account or a desk: an alert is written when it starts to hold and
when it ends; in between only if there is more to say. What happened once has no end, and is written
once.

Its record is stamped with the time at which it is said, not with its event's: alerts are kept for a
while from then on, and one about a statement of last year would be gone before anyone reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.records import Alert
from streams.step import Emit, Entries, Event
from tables.allocation import Alerting

TOPIC = "treasury.alerts.v1"


def fire(
    entries: Entries,
    event: Event,
    name: str,
    text: str,
    severity: str = "warning",
    labels: Mapping[str, str] | None = None,
    *,
    again: bool = False,
) -> list[Any]:
    """The alert, unless it is firing already and there is nothing new to say (`again`)."""
    if entries.get("alerting", name) is not None and not again:
        return []
    entries.put("alerting", Alerting(event.timestamp_ms, severity), name)
    return [_said(event, name, severity, "firing", text, labels)]


def resolve(
    entries: Entries,
    event: Event,
    name: str,
    text: str,
    labels: Mapping[str, str] | None = None,
) -> list[Any]:
    """Its end, if it is firing."""
    old: Alerting | None = entries.get("alerting", name)
    if old is None:
        return []
    entries.delete("alerting", name)
    return [_said(event, name, old.severity, "resolved", text, labels)]


def once(
    event: Event, name: str, text: str, severity: str = "warning", *, labels: Mapping[str, str]
) -> Emit:
    """The alert of what will never be over because it has happened; `name` tells it from others."""
    return _said(event, name, severity, "firing", text, labels)


def _said(
    event: Event, name: str, severity: str, state: str, text: str, labels: Mapping[str, str] | None
) -> Emit:
    return Emit(
        TOPIC,
        Alert(
            key=f"{name}|{event.key}",
            severity=severity,
            state=state,
            text=text,
            labels={"account": event.key} if labels is None else dict(labels),
            since_ms=event.timestamp_ms,
        ),
        timestamp_ms=event.at_ms,
    )
