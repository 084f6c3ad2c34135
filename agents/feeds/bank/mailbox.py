"""Reads the camt messages in a bank's mailbox, each once, in the bank's order.

A message is left behind only after what it says is on the log or among the dead letters. One that
the bank lists and then denies is told to people and left behind as well; one that cannot be read
for now holds up those behind it: better late than out of order. Pages that wait for others are
read again after a restart.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import structlog

from agents.connectors.bank.client import Client
from agents.connectors.bank.iso20022 import XML_BYTES_MAX
from agents.connectors.port import ConnectorError, Rejected
from agents.feeds.alerts import Alerts
from agents.feeds.bank.amounts import parsed
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.marks import MarksFile
from agents.feeds.bank.refusals import Refusals
from agents.feeds.bank.taking import Taker
from streams.step import Refused

PAGE = 50
ROUNDS_MAX = 20
"""Pages of the list in one poll; the others come with the next."""

log = structlog.get_logger()


@dataclass
class MailboxFeed:
    """The mailbox of one login. `wait_s`: a statement whose pages wait longer is an alert."""

    name: str
    client: Client
    taker: Taker
    refusals: Refusals
    alerts: Alerts
    freshness: Freshness
    marks: MarksFile
    poll_s: float = 10.0
    wait_s: float = 3600.0
    polls: int = 0
    failures: int = 0
    _since: dict[str, float] = field(default_factory=dict)
    _told: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until told to stop."""
        resumed = False
        while not stop.is_set():
            try:
                if not resumed:
                    await self._resume()
                    resumed = True
                await self._poll()
                self.freshness.answered()
            except (ConnectorError, Refused) as why:
                self.failures += 1
                log.warning("poll_failed", bank=self.name, what="mailbox", error=str(why))
            self.polls += 1
            try:
                await asyncio.wait_for(stop.wait(), self.poll_s)
            except TimeoutError:
                continue

    async def _resume(self) -> None:
        """Pages that waited when this feed was stopped."""
        for number in self.marks.marks.held:
            await self._take(number)

    async def _poll(self) -> None:
        for _ in range(ROUNDS_MAX):
            numbers, after = await asyncio.to_thread(self._list)
            for number in numbers:
                await self._take(number)
                self._advance(int(number))
            if not numbers or after <= self.marks.marks.after:
                break
        await self._tell_waiting()

    def _list(self) -> tuple[list[str], int]:
        """The numbers after the mark. Raises ConnectorError, Refused."""
        after = self.marks.marks.after
        path = self.client.bank.paths.documents
        answer = self.client.get(path, after=str(after), limit=str(PAGE))
        listed = parsed(answer.body, XML_BYTES_MAX)
        items = listed.get("items") if isinstance(listed, dict) else None
        if not isinstance(items, list):
            raise Refused("invalid", "items", items, "a list was expected")
        numbers = [_number(item) for item in items]
        return [str(one) for one in sorted(numbers) if one > after], max(numbers, default=after)

    async def _take(self, number: str) -> None:
        origin = f"{self.name}/{number}"
        path = f"{self.client.bank.paths.documents}/{number}"
        try:
            answer = await asyncio.to_thread(self.client.get, path)
        except Rejected as why:
            denied = Refused("denied", "document", number, f"{why.code} {why.message}")
            await self.refusals.refuse(origin, f"document:{number}", b"", denied)
            return
        events = await self.taker.take(origin, answer.body)
        self.freshness.told(events)

    def _advance(self, number: int) -> None:
        marks, held = self.marks.marks, self._held()
        marks.after, marks.held = max(marks.after, number), tuple(held)
        self.marks.save()

    def _held(self) -> list[str]:
        origins = self.taker.pages.origins()
        return sorted((one.rpartition("/")[2] for one in origins), key=int)

    async def _tell_waiting(self) -> None:
        """An alert while pages wait for too long."""
        held = self._held()
        now_s = time.monotonic()
        self._since = {one: self._since.get(one, now_s) for one in held}
        late = [one for one, since_s in self._since.items() if now_s - since_s > self.wait_s]
        if bool(late) == self._told:
            return
        text = (
            f"documents {', '.join(late)} wait for their other pages" if late else "no page waits"
        )
        state: Any = "firing" if late else "resolved"
        if await self.alerts.say(f"bank-pages|{self.name}", state, text, {"bank": self.name}):
            self._told = bool(late)


def _number(item: Any) -> int:
    text = str(item.get("id")) if isinstance(item, dict) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused("invalid", "id", item, "a document is a number")
    return int(text)
