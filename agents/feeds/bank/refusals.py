"""What a bank sent and cannot be used: a dead letter with the reason, a count, and an alert.

It lies with the dead letters of `balance_events`, as it came (cut where it is too long), and tells
where it came from, so that it is never sent back as if it had been a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Protocol

import structlog
from prometheus_client import Counter

from agents.exact.deadletter import PREFIX, WHY_CHARACTERS_MAX
from agents.feeds.alerts import Alerts
from streams.step import Refused

TOPIC = "balance_events"
VALUE_BYTES_MAX = 512 * 1024
REFUSED = Counter(
    "treasury_bank_messages_refused", "What a bank sent and could not be used.", ["bank", "cause"]
)

log = structlog.get_logger()


class WritesLetters(Protocol):
    """The producer of dead letters outside transactions (agents.outside.Outside)."""

    async def dead_letter(
        self, topic: str, key: bytes, value: bytes, headers: Mapping[str, str]
    ) -> int: ...


class Refusals:
    """The refusals of one bank, `bank` being its name in metrics and alerts."""

    def __init__(self, bank: str, outside: WritesLetters, alerts: Alerts) -> None:
        self._bank, self._outside, self._alerts = bank, outside, alerts

    async def refuse(self, origin: str, key: str, raw: bytes, why: Refused) -> None:
        """Writes the dead letter, then the alert. Raises NotWritten."""
        digest = sha256(raw).hexdigest()
        log.error(
            "bank_message_refused",
            bank=self._bank,
            origin=origin,
            cause=why.cause,
            field=why.field,
            value=str(why.value)[:200],
            error=why.why,
            bytes=len(raw),
            sha256=digest,
        )
        headers = {
            f"{PREFIX}exception": why.cause,
            f"{PREFIX}message": str(why)[:WHY_CHARACTERS_MAX],
            f"{PREFIX}topic": origin,
            "treasury.step": "bank feed",
            "treasury.outcome": why.cause,
            "treasury.sha256": digest,
            "treasury.bytes": str(len(raw)),
        }
        await self._outside.dead_letter(TOPIC, key.encode(), raw[:VALUE_BYTES_MAX], headers)
        REFUSED.labels(self._bank, why.cause).inc()
        await self._alerts.say(
            f"bank-message|{self._bank}|{digest[:12]}",
            "firing",
            f"{origin} was not used: {why}",
            {"bank": self._bank, "origin": origin, "cause": why.cause, "sha256": digest},
            "critical",
        )
