"""What a person should know of an account: an alert is written when it starts to hold and when it
ends, never in between.
"""

from __future__ import annotations

from typing import Any

from schemas.records import Alert
from streams.step import Emit, Entries, Event
from tables.allocation import Alerting

TOPIC = "treasury.alerts.v1"


def fire(
    entries: Entries, event: Event, name: str, text: str, severity: str = "warning"
) -> list[Any]:
    """The alert, unless it is firing already."""
    if entries.get("alerting", name) is not None:
        return []
    entries.put("alerting", Alerting(event.timestamp_ms, severity), name)
    return [_said(event, name, severity, "firing", text)]


def resolve(entries: Entries, event: Event, name: str, text: str) -> list[Any]:
    """Its end, if it is firing."""
    old: Alerting | None = entries.get("alerting", name)
    if old is None:
        return []
    entries.delete("alerting", name)
    return [_said(event, name, old.severity, "resolved", text)]


def _said(event: Event, name: str, severity: str, state: str, text: str) -> Emit:
    return Emit(
        TOPIC,
        Alert(
            key=f"{name}|{event.key}",
            severity=severity,
            state=state,
            text=text,
            labels={"account": event.key},
            since_ms=event.timestamp_ms,
        ),
    )
