"""What cash knows of one bank account: balances, statements, known payments, and our own orders.

Every number is an integer of 10^-18 US dollars (ratios and basis points: of 1). Days are counted
from 1970-01-01. Statements keep the flows of their days as booked, whatever the calendar: which
business day they belong to is worked out from the calendar in force.
"""

from __future__ import annotations

from tables.allocation import Alerting, Coordinates
from tables.corrections import Frozen, Released
from tables.partition import PARTITION_PART
from tables.spec import TableSpec
from tables.state import State


class Balance(State, frozen=True):
    """A balance, key `avail` or `booked`: the newest the bank told, with the code it had; of a
    prior-day statement the day it closes.
    """

    code: str
    amount_e18: int
    as_of_ms: int
    source: Coordinates
    statement_day: int | None = None


class Recent(State, frozen=True):
    """The last messages of the account, newest last, and the sha256 of what each said."""

    msg_ids: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


class DayFlow(State, frozen=True):
    """What a statement books on one day, our own movements left out: the net flow, and the gross
    outflow by whether it was known before.
    """

    day: int
    net_e18: int
    out_e18: int
    known_out_e18: int


class Statement(State, frozen=True):
    """A prior-day statement, key its date as six digits; a restatement replaces it. `replaced`: the
    sha256 of what those before it said, the last of them.
    """

    msg_id: str
    hash: str
    as_of_ms: int
    flows: tuple[DayFlow, ...] = ()
    replaced: tuple[str, ...] = ()


class Listed(State, frozen=True):
    """The statement (its date) that counts a booked entry, key `ref|day|amount`, and those that
    list it too; whether it is a movement of ours, and whether it was known before.
    """

    day: int
    also: tuple[int, ...] = ()
    ours: bool = False
    known: bool = False


class Scheduled(State, frozen=True):
    """A payment that is known before it happens, key its id; `seen` once an entry shows it."""

    amount_e18: int
    due_ms: int
    cancelled: bool = False
    seen: bool = False


class Risk(State, frozen=True):
    """Value at risk as the statements have it under a policy version; bands, last day and its net
    flow None where there are no observations.
    """

    n: int
    status: str
    var_e18: int
    es_e18: int
    band_low_e18: int | None
    band_high_e18: int | None
    as_of_ms: int
    version: str
    published_bps_e18: int | None = None
    last_day: int | None = None
    last_net_e18: int | None = None


class Usual(State, frozen=True):
    """What went out on such days, known payments left out, key the day as six digits."""

    median_e18: int
    tail_e18: int
    method: str
    sample: int
    version: str


class Expected(State, frozen=True):
    """What is expected of a business day, key its number as six digits.

    `p50_e18` and `p95_e18` are the latest said. A known payment leaves them once it is seen, so
    what is scored against the day's statement has the most that was ever known, `known_e18`.
    """

    p50_e18: int
    p95_e18: int
    method: str
    sample: int
    known_e18: int
    scored_p50_e18: int
    scored_p95_e18: int
    actual_e18: int | None = None


class Take(State, frozen=True):
    """What an order brings back from one placement."""

    placement: str
    amount_e18: int


class Sight(State, frozen=True):
    """How the bank tells an order's entry: by which way, and under which reference there."""

    source: str
    ref: str


class Order(State, frozen=True):
    """One order, key its id as 32 hex digits: what it asks, what became of it, what the bank shows.

    `amount_e18` is what it may move at most: asked, then granted, then done. Of a confirmed
    placement `left_e18` is what is still placed and `taken_e18` what open orders bring back of it.
    `seen_ms` and `back_ms` tell the as-of of the report in which its entry, and that of its
    maturity or return, was booked (0: not yet); `seen_ref` names the first, `seen_as` is what it
    said, `sights` are all tellings of it, `doubted` entries that may be others. `felt_ms` and
    `risen_ms` tell the as-of of the balance that first had fallen by most of a placement against
    `decided_on_e18`, and risen by most of what matured against `eve_e18`. From `deadline_ms` on it
    is not begun any more; `withdrawn_ms` tells when it was taken back (0: it was not).
    """

    intent_id: str
    decision_id: str
    kind: str
    product: str
    state: str
    final: bool
    amount_e18: int
    created_ms: int
    value_day: int
    day: int
    matures_day: int | None = None
    discount_rate_e18: int | None = None
    left_e18: int = 0
    taken_e18: int = 0
    confirmed_ms: int = 0
    seen_ms: int = 0
    back_ms: int = 0
    seen_ref: str = ""
    reason: str = ""
    takes: tuple[Take, ...] = ()
    decided_on_e18: int = 0
    felt_ms: int = 0
    eve_e18: int | None = None
    risen_ms: int = 0
    seen_as: str = ""
    sights: tuple[Sight, ...] = ()
    doubted: tuple[str, ...] = ()
    deadline_ms: int = 0
    withdrawn_ms: int = 0


class Active(State, frozen=True):
    """The orders that still move or hold money, oldest first."""

    keys: tuple[str, ...] = ()


class Deciding(State, frozen=True):
    """Until when nothing of a kind is proposed again and under which policy that was said, the
    wake-up, and the last order in either direction, with the last one before it that had not ended
    without effect.
    """

    wait_until_ms: int = 0
    wait_version: str = ""
    wait_reason: str = ""
    wait_kind: str = ""
    wake_ms: int = 0
    last_out: str = ""
    last_back: str = ""
    prior_out: str = ""
    prior_back: str = ""


CASH = TableSpec(
    "cash",
    {
        **PARTITION_PART,
        "balances": Balance,
        "recent": Recent,
        "statements": Statement,
        "listed": Listed,
        "scheduled": Scheduled,
        "risk": Risk,
        "usual": Usual,
        "forecasts": Expected,
        "orders": Order,
        "active": Active,
        "deciding": Deciding,
        "frozen": Frozen,
        "released": Released,
        "alerting": Alerting,
    },
)
