"""Alerts: what a person should know, on `treasury.alerts.v1`; the newest record of a key counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

import structlog

from agents.outside import NotWritten
from agents.runner import Writes
from schemas.records import Alert

TOPIC = "treasury.alerts.v1"

log = structlog.get_logger()


def wall_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Alerts:
    """Writes alerts; one that cannot be written is logged, and the caller is told."""

    def __init__(self, outside: Writes, clock_ms: Callable[[], int] = wall_ms) -> None:
        self._outside, self._clock_ms = outside, clock_ms

    async def say(
        self,
        key: str,
        state: Literal["firing", "resolved"],
        text: str,
        labels: Mapping[str, str],
        severity: Literal["info", "warning", "critical"] = "warning",
    ) -> bool:
        """Writes one alert; whether it is on the log."""
        alert = Alert(
            key=key,
            severity=severity,
            state=state,
            text=text,
            labels=dict(labels),
            since_ms=self._clock_ms(),
        )
        tell = log.warning if state == "firing" else log.info
        tell("alert", key=key, state=state, severity=severity, text=text)
        try:
            await self._outside.write(TOPIC, alert)
        except NotWritten as why:
            log.error("alert_not_written", key=key, state=state, text=text, error=str(why))
            return False
        return True
