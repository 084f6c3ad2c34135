"""What the gate knows of one desk: every hold, the use of each day, the rates, and who waits for a
signature.

Amounts are integers of 10^-18 units of their coin, `*_usd_e18` of US dollars at the rate of the
admission. Each hold, day, rate and waiting intent is an entry of its own, so that a proposal costs
the same on any day.
"""

from __future__ import annotations

import msgspec

from tables.partition import PARTITION_PART
from tables.spec import TableSpec


class Hold(msgspec.Struct, frozen=True):
    """One proposal that was answered, key its intent id: what it may use, and whether it still
    holds it.

    `asked`, `ccy`, `kind` and `lane` tell a repeat from another proposal under the same id.
    """

    decision_id: str
    origin: str
    class_: str
    kind: str
    account_id: str
    lane: str
    ccy: str
    day: str
    asked_e18: int
    granted_e18: int
    rate_e18: int
    held_usd_e18: int
    confirmed_usd_e18: int
    state: str
    final: bool


class Used(msgspec.Struct, frozen=True, gc=False):
    """One day's use by one class, key `class|YYYY-MM-DD`: confirmed, and held by open intents."""

    confirmed_usd_e18: int = 0
    held_usd_e18: int = 0


class Rate(msgspec.Struct, frozen=True, gc=False):
    """US dollars for one unit of a coin, key the coin."""

    rate_e18: int
    as_of_ms: int


class Awaiting(msgspec.Struct, frozen=True):
    """An intent above the approval threshold, key `<end in ms>|<intent id>`."""

    intent_id: str
    ends_ms: int
    ends_as: str
    body: str


GATE = TableSpec(
    "gate",
    {
        **PARTITION_PART,
        "holds": Hold,
        "used": Used,
        "rates": Rate,
        "awaiting": Awaiting,
    },
)
