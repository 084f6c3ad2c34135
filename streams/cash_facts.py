"""What a sweep is decided from, and what it comes to: plain values, so that a decision can be made
again years later.

Amounts are US dollars, ratios and basis points of 1, all times 10^18; days are New York's.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.money import E18
from schemas.policy import Policy
from streams.calendar import Calendar, calendar
from streams.newyork import day_of
from streams.orders import Pending, Unsent
from streams.var import UNIT_E18
from tables.cash import Balance, Expected, Risk, Take
from tables.partition import CalendarYear

SAFE = "sweep-safe-v1"


class Placement(NamedTuple):
    """Money that is placed and can be brought back; without a day it never matures."""

    key: str
    product: str
    amount_e18: int
    value_day: int
    matures_day: int | None


class Facts(msgspec.Struct, frozen=True):
    """All that is known of an account when it decides."""

    account_id: str
    at_ms: int
    mode: str
    frozen: tuple[str, ...] = ()
    balance: Balance | None = None
    booked: Balance | None = None
    pending: Pending = Pending(0, 0)
    expected: Expected | None = None
    for_day: int | None = None
    risk: Risk | None = None
    placements: tuple[Placement, ...] = ()
    open_id: str = ""
    unsent: Unsent | None = None
    waits_kind: str = ""
    waits_for: str = ""
    business_day: int | None = None
    out_today: bool = False
    back_today: bool = False
    calendars: tuple[CalendarYear, ...] = ()

    @property
    def today(self) -> int:
        """The date in New York."""
        return day_of(self.at_ms)

    def calendar(self, name: str) -> Calendar:
        """The business days of FED or SIFMA."""
        return calendar(name, self.calendars)


class Figures(NamedTuple):
    """The arithmetic of a decision. `float_e18` None: no outflow can be forecast."""

    avail_e18: int
    excess_e18: int
    float_e18: int | None
    usable_e18: int

    @property
    def investable_e18(self) -> int:
        """What may be invested: at least 0."""
        return max(0, self.excess_e18 - (self.float_e18 or 0))


class Decided(msgspec.Struct, frozen=True):
    """What follows: an order of `kind`, or a hold with its reason. `short_e18` is what is missing
    although all that can be is brought back. `because` tells why the open order is taken back, of
    which `amount_e18` is more than the room.
    """

    kind: str = ""
    reason: str = ""
    product: str = ""
    amount_e18: int = 0
    room_e18: int = 0
    cutoff_ms: int = 0
    value_day: int = 0
    matures_day: int | None = None
    takes: tuple[Take, ...] = ()
    short_e18: int = 0
    because: str = ""


def is_stale(policy: Policy, balance: Balance, at_ms: int) -> bool:
    """Whether a balance is older than the policy lets anything be decided from."""
    return at_ms - balance.as_of_ms > policy.guards.balance_age_max_s * 1000


def figures(policy: Policy, facts: Facts, balance: Balance) -> Figures:
    """Excess and float by the policy in force."""
    sweep, pending = policy.sweep, facts.pending
    kept: int | None = None
    if facts.expected is not None:
        exact = sweep.liq_buffer_pct_e18 * facts.expected.p50_e18
        kept = -(-exact // (E18 * UNIT_E18)) * UNIT_E18  # what is kept is never rounded down
    excess = balance.amount_e18 - pending.out_e18 - sweep.floor_usd_e18
    return Figures(balance.amount_e18, excess, kept, excess + pending.in_e18)
