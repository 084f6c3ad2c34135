"""From the bytes of a camt message to records on the log: what both mailbox and folder do.

Statements come whole or not at all: pages wait for the others. One bad statement of a message hides
none of the others. The account of a statement is `bank:<its number>`, whoever asked: whether it is
one of ours is decided where the policy is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.feeds.bank.camt import statements
from agents.feeds.bank.refusals import TOPIC, Refusals
from agents.feeds.bank.statement import Statement, by_day, event_of, together
from agents.runner import Writes
from schemas.records import BalanceEvent
from streams.step import Refused

Place = tuple[str, str, str]
_KEY_UNKNOWN = "bank:unknown"


@dataclass
class Pages:
    """Pages of statements that are not whole yet, and where each came from."""

    _kept: dict[Place, dict[int, tuple[str, Statement]]] = field(default_factory=dict)

    def add(self, origin: str, page: Statement) -> Statement | None:
        """The statement, when this was its last missing page. A page that is there already is
        replaced.
        """
        place = page.kind, page.account, page.statement_id
        pages = self._kept.setdefault(place, {})
        pages[page.page] = origin, page
        ends = [number for number, (_, one) in pages.items() if one.is_last]
        if not ends or sorted(pages)[: ends[0]] != list(range(1, ends[0] + 1)):
            return None
        del self._kept[place]
        return together([pages[number][1] for number in range(1, ends[0] + 1)])

    def origins(self) -> list[str]:
        """Where the pages that wait came from, in order."""
        return sorted({origin for pages in self._kept.values() for origin, _ in pages.values()})


class Taker:
    """Writes what camt messages say; `pages` are those that wait for others."""

    def __init__(self, outside: Writes, refusals: Refusals) -> None:
        self._outside, self._refusals = outside, refusals
        self.pages = Pages()

    async def take(self, origin: str, raw: bytes) -> list[BalanceEvent]:
        """Writes the events of one message and refuses the rest. Raises NotWritten."""
        try:
            found = statements(raw)
        except Refused as why:
            await self._refusals.refuse(origin, _KEY_UNKNOWN, raw, why)
            return []
        events: list[BalanceEvent] = []
        alone = raw if len(found) == 1 and found[0].is_whole else None
        for statement in by_day(self._whole(origin, found)):
            try:
                if isinstance(statement, Refused):
                    raise statement
                account_id = f"bank:{statement.account}"
                event = event_of(account_id, statement, alone)
            except Refused as why:
                key = _KEY_UNKNOWN
                if not isinstance(statement, Refused):
                    key = f"bank:{statement.account}"
                await self._refusals.refuse(origin, key, raw, why)
                continue
            await self._outside.write(TOPIC, event)
            events.append(event)
        return events

    async def refuse(self, origin: str, why: Refused) -> None:
        """Tells that a message could not even be read, or not be put away."""
        await self._refusals.refuse(origin, _KEY_UNKNOWN, origin.encode(), why)

    def _whole(self, origin: str, found: Iterable[Statement]) -> list[Statement]:
        whole: list[Statement] = []
        for statement in found:
            done = statement if statement.is_whole else self.pages.add(origin, statement)
            if done is not None:
                whole.append(done)
        return whole
