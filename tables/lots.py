"""Tax lots of one position, under three methods at once, in units of 10^-18.

A lot is one entry with what is left of it under each of METHODS, so an opening fill writes one lot
and a closing fill only those it uses up. Average cost needs none: it is the position itself. The
order in which each method takes lots costs no search: FIFO counts up, LIFO follows `below`, HIFO is
a heap of entries with HEAP_WIDTH children each.
"""

from __future__ import annotations

from tables.state import State

METHODS = ("FIFO", "LIFO", "HIFO")
HEAP_WIDTH = 8
AVERAGE, ALL = "ACB", "ALL"
NO_LOT = -1


class Lot(State, frozen=True):
    """One lot, key `place|number`: what opened it, and quantity and entry value left by method."""

    exec_id: str
    opened_ms: int
    unit_e18: int
    below: int
    qty_e18: tuple[int, ...]
    cost_e18: tuple[int, ...]


class LotsHead(State, frozen=True):
    """Where each method goes on, key `place`: the next number, FIFO's oldest lot, LIFO's newest,
    how many lots HIFO has left and how many entries its heap has.
    """

    next: int = 0
    oldest: int = 0
    newest: int = NO_LOT
    live: int = 0
    heap: int = 0


class HeapSlot(State, frozen=True):
    """One place in HIFO's heap, key `place|index`; one whose lot says otherwise is passed over."""

    unit_e18: int
    lot: int


class Take(State, frozen=True):
    """What one closing fill took of one lot: quantity, entry value and exit value. `gone` is the
    lot before this fill if the fill used it up under every method.
    """

    method: str
    lot: int
    exec_id: str
    opened_ms: int
    qty_e18: int
    entry_e18: int
    exit_e18: int
    gone: Lot | None = None


class Opened(State, frozen=True):
    """The lot that a fill opened."""

    lot: int
    qty_e18: int
    cost_e18: int
