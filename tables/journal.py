"""The fills of one position in their order, so that a late one can be put in its place.

Two entries per fill: the fill itself, keyed by its own id, is what is folded again and the mark by
which a repeat is known; the other says which fill is the n-th of its position, so that the first,
the last and any place between are found without a search.
"""

from __future__ import annotations

from tables.lots import Opened, Take
from tables.position import Position
from tables.state import State

TAKES_MAX = 100
"""Lots that one entry names; a fill that used up more has further entries."""

AFTER_EVERY = 32
"""How many fills are folded again at most to know the position before any of them. A journal is let
go in such parts, so one that should be shorter than a part is not.
"""


class At(State, frozen=True, order=True):
    """Where a fill stands among those of its position."""

    time_ms: int
    seq: int
    exec_id: str


class Fill(State, frozen=True):
    """What an execution says that its fold or its record needs."""

    kind: str
    side: str
    exec_type: str
    qty_e18: int
    price_e18: int
    fee_e18: int
    fee_ccy: str
    settle_ccy: str
    multiplier_e18: int
    exec_time_ms: int
    revision: int
    position_idx: int | None = None
    seq: int | None = None
    value_e18: int | None = None
    closed_size_e18: int | None = None
    entry_price_e18: int | None = None
    exit_price_e18: int | None = None
    size_e18: int | None = None
    funding_e18: int | None = None
    mark_price_e18: int | None = None


class Booked(State, frozen=True):
    """One fill as it is booked now, key `category|exec_id`.

    `revision` counts what was published of it; the venue's own stands in `fill`. `after` is the
    position behind it, kept where its number is a multiple of AFTER_EVERY; `more` counts further
    entries with lots it took.
    """

    place: str
    at: At
    fill: Fill
    revision: int
    gross_e18: int
    fees_e18: int
    funding_e18: int
    trade_view_e18: int
    withheld_e18: int = 0
    late: bool = False
    after: Position | None = None
    opened: Opened | None = None
    takes: tuple[Take, ...] = ()
    more: int = 0


class MoreTakes(State, frozen=True):
    """Further lots a fill took, key `category|exec_id|number`."""

    takes: tuple[Take, ...]


class Nth(State, frozen=True):
    """Which fill is the n-th of its position, key `place|n`."""

    exec_id: str


class Journal(State, frozen=True):
    """The fills `first` to `next` (exclusive) of one position, key `place`. `base` is the position
    before them, `floor` the place of the last one that was let go.
    """

    first: int = 0
    next: int = 0
    base: Position = Position()
    last: At | None = None
    floor: At | None = None


class Latest(State, frozen=True):
    """The account's latest execution: what the horizon of late ones is counted from."""

    exec_time_ms: int = 0
