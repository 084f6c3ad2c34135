"""What the intents node remembers: every intent it was handed, one entry for each lane, and the
amounts that were sent through it within a day.

Amounts are units of 10^-18, times are milliseconds of the node's own time unless the name says
`server`. Intents are never forgotten: a second copy of an old one must find the first and do
nothing.
"""

from __future__ import annotations

import msgspec

from tables.allocation import Alerting
from tables.partition import PARTITION_PART
from tables.spec import TableSpec
from tables.state import State


class LegEntry(State, frozen=True):
    """One call at the venue, with all that proves or disproves its effect.

    `awaits` is the id of the effect whose answer is expected; `due_ms` is when the node acts if
    none comes. `watermark` is what was read before attempt `n`; `absent_mark` what was read before
    the first attempt that was declared without effect, because a late row of that one must still be
    found.
    """

    leg: str
    state: str
    since_ms: int
    n: int = 1
    retries: int = 0
    asked: int = 0
    looks: int = 0
    polls: int = 0
    awaits: str = ""
    due_ms: int = 0
    amount_e18: int = 0
    watermark: dict[str, str] = msgspec.field(default_factory=dict)
    absent_mark: dict[str, str] = msgspec.field(default_factory=dict)
    venue_ref: str = ""


class IntentEntry(State, frozen=True):
    """One intent: what the gate granted, and how far it is. The last leg is the current one;
    `answered` are the ids of the words of people that were taken: each counts once. `cancelled`: it
    must not begin any more; `withdrawn`: because the node that proposed it says so.
    """

    intent_id: str
    decision_id: str
    origin: str
    origin_key: str
    class_: str
    kind: str
    account_id: str
    lane: str
    ccy: str
    precision: int
    granted_e18: int
    params: dict[str, str]
    body: str
    body_hash: str
    deadline_ms: int
    state: str
    legs: tuple[LegEntry, ...]
    pause_epoch: int
    chosen_e18: int = 0
    amount_done_e18: int = 0
    ending: str = ""
    reason: str = ""
    cancelled: bool = False
    withdrawn: bool = False
    answered: tuple[str, ...] = ()
    executed_by: str = "weir"
    facts: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def leg(self) -> LegEntry:
        """The current leg."""
        return self.legs[-1]


class Revoked(State, frozen=True):
    """A revocation that came before its intent, key the intent's id: the two lie on two topics."""

    withdrawn: bool = False


class UsedAmount(State, frozen=True):
    """An amount that was sent through this lane, key `<time in ms>|<amount>`: within 24 hours no
    other may equal it. An entry of its own, so that an event costs the same on a busy day.
    """

    amount_e18: int
    at_ms: int


class LaneEntry(State, frozen=True):
    """One lane: intents in order of arrival (the first is in flight), and why it is halted, if it
    is: a line for each reason, which begins with the intent that people must answer for. `used` is
    what an older program kept here: it becomes entries when the amounts are next asked for.
    """

    queue: tuple[str, ...] = ()
    halted: str = ""
    used: tuple[UsedAmount, ...] = ()
    wake_ms: int | None = None


INTENTS = TableSpec(
    "intents",
    {
        "intents": IntentEntry,
        "lanes": LaneEntry,
        "revoked": Revoked,
        "used": UsedAmount,
        "alerting": Alerting,
        **PARTITION_PART,
    },
)
