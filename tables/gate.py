"""What the gate knows of one desk: every hold, the use of each day, the rates, who waits for a
signature, and the numbers of sweep orders.

Amounts are integers of 10^-18 units of their coin, `*_usd_e18` of US dollars at the rate of the
admission. Each hold, day, rate and waiting intent is an entry of its own, so that a proposal costs
the same on any day.
"""

from __future__ import annotations

from tables.allocation import Alerting
from tables.anomaly import PARTS as ANOMALY_PARTS
from tables.partition import PARTITION_PART
from tables.spec import TableSpec
from tables.state import State


class Hold(State, frozen=True):
    """One proposal that was answered, key its intent id: what it may use, and whether it still
    holds it.

    `asked`, `ccy`, `kind` and `lane` tell a repeat from another proposal under the same id.
    `approvals` are the checkers whose word counts, `spent` the hashes of all words taken so far:
    one that was taken back must not count again. `beneficiary` is empty where money stays with the
    account. `created_ms` is the event time of the proposal. `counted` tells whether it uses the
    limit of the day.
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
    opened_ms: int = 0
    body_hash: str = ""
    approvals: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()
    beneficiary: str = ""
    created_ms: int = 0
    counted: bool = True


class Used(State, frozen=True):
    """One day's use by one class, key `class|YYYY-MM-DD`: confirmed, and held by open intents."""

    confirmed_usd_e18: int = 0
    held_usd_e18: int = 0


class Rolling(State, frozen=True):
    """The last 24 hours of one class, key the class: its openings' sums, the oldest and the newest
    of them. `newest_ms` stays when all have left.
    """

    oldest_ms: int | None = None
    newest_ms: int = 0
    confirmed_usd_e18: int = 0
    held_usd_e18: int = 0


class Opening(State, frozen=True):
    """All holds of one class that opened at one time, key `class|<time in ms>`; `next_ms` is the
    opening after it.
    """

    next_ms: int | None = None
    confirmed_usd_e18: int = 0
    held_usd_e18: int = 0


class Rate(State, frozen=True):
    """US dollars for one unit of a coin, key the coin."""

    rate_e18: int
    as_of_ms: int


class Signed(State, frozen=True):
    """A checker who approved, and the key that proved it: a key that was replaced proves nothing
    any more. Their word counts until `expires_ms`; 0: from before that was kept, to the end.
    """

    approver: str
    public_key: str
    expires_ms: int = 0


class Awaiting(State, frozen=True):
    """An intent above the approval threshold, key `<end in ms>|<intent id>`. `held`: all have
    signed, but the mode lets nothing out.
    """

    intent_id: str
    ends_ms: int
    ends_as: str
    body: str
    signed: tuple[Signed, ...] = ()
    held: bool = False


class Numbered(State, frozen=True):
    """How many sweep orders of one day have a number for people, key the UTC day."""

    count: int = 0


GATE = TableSpec(
    "gate",
    {
        **PARTITION_PART,
        "holds": Hold,
        "used": Used,
        "rolling": Rolling,
        "openings": Opening,
        "rates": Rate,
        "awaiting": Awaiting,
        "numbered": Numbered,
        "alerting": Alerting,
        **ANOMALY_PARTS,
    },
)
