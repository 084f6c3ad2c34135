"""What the book knows of one exchange account: profit, positions, loan, wallets, and who is
allocating what.

Every number is an integer of 10^-18 units of its coin (ratios and yearly or hourly rates: of 1). An
execution writes three small entries whatever the account's history: its seen mark, its position,
its profit book.
"""

from __future__ import annotations

import msgspec

from tables.journal import Booked, Journal, Latest, MoreTakes, Nth
from tables.lots import HeapSlot, Lot, LotsHead
from tables.partition import PARTITION_PART
from tables.position import Position
from tables.spec import TableSpec


class PnlBook(msgspec.Struct, frozen=True, gc=False):
    """One settlement currency: what was realised (cash view), and what of it is already consumed.

    `allocated` is the sum of l and `retained` the sum of b over all operations; their sum is the
    high-water mark below which nothing is available again. `highest` is the largest realised total
    so far.
    """

    gross_e18: int = 0
    fees_e18: int = 0
    funding_e18: int = 0
    realised_e18: int = 0
    highest_e18: int = 0
    allocated_e18: int = 0
    retained_e18: int = 0
    withheld_e18: int = 0
    """Profit of rows whose fee has no price: realised, but not to be allocated."""


class Feed(msgspec.Struct, frozen=True, gc=False):
    """What the account's executions are: FILL or CLOSED_TRADE, never both."""

    kind: str


class Frozen(msgspec.Struct, frozen=True, gc=False):
    """Why nothing is allocated: `cause:reference`, one for each cause that still holds."""

    marks: tuple[str, ...] = ()


class Released(msgspec.Struct, frozen=True, gc=False):
    """A mark that people have released, key `cause:reference`: the same row never sets it again."""

    request_id: str


class Adjustment(msgspec.Struct, frozen=True, gc=False):
    """What a break changed in a position, key its break id: shown apart until people accept it."""

    correction_id: str
    place: str
    ccy: str
    recon_pnl_e18: int


class Corrected(msgspec.Struct, frozen=True, gc=False):
    """A correction that was taken, key its id."""

    at_ms: int


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One execution that was folded, key `category|exec_id`; the digest tells a repeat from a
    contradiction.
    """

    digest: str
    exec_time_ms: int


class Repeats(msgspec.Struct, frozen=True, gc=False):
    """How many executions came again with the same content and were dropped."""

    dropped: int = 0


class Coordinates(msgspec.Struct, frozen=True, gc=False):
    """Where an input lies on the log, so that a decision can name it."""

    topic: str
    partition: int
    offset: int


class Loan(msgspec.Struct, frozen=True):
    """The account's loan as last published, or as a confirmed operation left it."""

    as_of_ms: int
    coin: str
    ltv_ratio_e18: int
    hourly_rate_e18: int
    repayable_e18: int
    debt_usd_e18: int
    collateral_usd_e18: int
    col_res: int | None
    band: str
    source: Coordinates


class Wallets(msgspec.Struct, frozen=True):
    """What each coin of the trading wallet can be transferred, by the last snapshot less what was
    moved since.
    """

    as_of_ms: int
    transferable_e18: dict[str, int]
    source: Coordinates
    moved_at_ms: int = 0


class Leg(msgspec.Struct, frozen=True):
    """One intent of a decision: how much of the profit it still claims (l), and how it ended."""

    intent_id: str
    kind: str
    claim_e18: int
    state: str = ""
    final: bool = False
    reason: str = ""


class Operation(msgspec.Struct, frozen=True):
    """One decision that moves money, key its decision id: legs, its factor, and what it keeps back
    (b).
    """

    ccy: str
    factor_e18: int
    kept_e18: int
    trigger_ms: int
    legs: tuple[Leg, ...]


class Allocating(msgspec.Struct, frozen=True):
    """Single flight: the decision that is open, or until when and for what the account waits.

    A wait ends at `wait_until_ms` (0: by no clock), under another policy than `wait_policy`, and,
    unless the day's limit is used up, with the next loan state.
    """

    open_id: str = ""
    waits_for: str = ""
    wait_until_ms: int = 0
    wait_policy: str = ""


BOOK = TableSpec(
    "book",
    {
        **PARTITION_PART,
        "positions": Position,
        "pnl_book": PnlBook,
        "feed": Feed,
        "frozen": Frozen,
        "released": Released,
        "adjustments": Adjustment,
        "corrected": Corrected,
        "seen": Seen,
        "fills": Booked,
        "takes": MoreTakes,
        "nth": Nth,
        "journal": Journal,
        "latest": Latest,
        "repeats": Repeats,
        "lots": Lot,
        "lots_head": LotsHead,
        "lots_heap": HeapSlot,
        "loans": Loan,
        "wallets": Wallets,
        "operations": Operation,
        "allocating": Allocating,
    },
)
