"""What the gate remembers of a desk to tell what is unusual. Dollars are 10^-18 of one, times the
node's milliseconds.
"""

from __future__ import annotations

from tables.state import State


class Usual(State, frozen=True):
    """What the last confirmed operations of a class moved, oldest first, key the class."""

    moved_usd_e18: tuple[int, ...] = ()


class Paid(State, frozen=True):
    """A beneficiary who has been paid, key their name."""

    intent_id: str
    at_ms: int


class Pace(State, frozen=True):
    """When the last operations of the desk were granted, oldest first, at most one more than an
    hour may have; until when they are too many, 0 if they are not.
    """

    granted_ms: tuple[int, ...] = ()
    until_ms: int = 0


PARTS: dict[str, type[State]] = {"usual": Usual, "paid": Paid, "pace": Pace}
"""The parts of the gate's table that this writes."""
