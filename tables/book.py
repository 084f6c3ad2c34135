"""What the book knows of one exchange account: profit, positions, loan, wallets, and who is
allocating what.

Every number is an integer of 10^-18 units of its coin (ratios and yearly or hourly rates: of 1). An
execution writes three small entries whatever the account's history: its seen mark, its position,
its profit book.
"""

from __future__ import annotations

from tables.allocation import PARTS as ALLOCATION
from tables.corrections import PARTS as CORRECTIONS
from tables.journal import Booked, Journal, Latest, MoreTakes, Nth
from tables.lots import HeapSlot, Lot, LotsHead
from tables.partition import PARTITION_PART
from tables.position import Position
from tables.spec import TableSpec
from tables.state import State
from tables.wishes import PARTS as WISHES


class PnlBook(State, frozen=True):
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
    gains_e18: int | None = None
    """Under per-trade-v1: the gains so far, losses left out; None under hwm-v1."""


class Feed(State, frozen=True):
    """What the account's executions are: FILL or CLOSED_TRADE, never both."""

    kind: str


class Repeats(State, frozen=True):
    """How many executions came again with the same content and were dropped."""

    dropped: int = 0


BOOK = TableSpec(
    "book",
    {
        **PARTITION_PART,
        "positions": Position,
        "pnl_book": PnlBook,
        "feed": Feed,
        **CORRECTIONS,
        "fills": Booked,
        "takes": MoreTakes,
        "nth": Nth,
        "journal": Journal,
        "latest": Latest,
        "repeats": Repeats,
        "lots": Lot,
        "lots_head": LotsHead,
        "lots_heap": HeapSlot,
        **ALLOCATION,
        **WISHES,
    },
)
