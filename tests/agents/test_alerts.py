"""How loud an alert is in the log: what is over wakes nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from agents.feeds.alerts import Alerts
from agents.outside import NotWritten


class Kept:
    """A producer's place; `broken`: nothing can be written."""

    def __init__(self, broken: bool) -> None:
        self.broken = broken

    async def write(self, topic: str, record: Any, **more: Any) -> int:
        if self.broken:
            raise NotWritten(f"{topic}: no broker")
        return 0


@pytest.mark.parametrize(
    ("state", "broken", "levels"),
    [
        ("firing", False, ["warning"]),
        ("resolved", False, ["info"]),
        ("resolved", True, ["info", "error"]),
    ],
)
def test_an_alert_is_logged_as_what_it_is(state: Any, broken: bool, levels: list[str]) -> None:
    with capture_logs() as lines:
        labels = {"account": "bank:1", "feed": "camt"}
        written = asyncio.run(Alerts(Kept(broken)).say("feed|bank:1|camt", state, "t", labels))
    assert [line["log_level"] for line in lines] == levels
    assert written is not broken
