"""What people asked of an account, and what became of it."""

from __future__ import annotations

from tables.state import State


class Wished(State, frozen=True):
    """A request that was taken, key its id: a repeat changes nothing."""

    verb: str
    params: dict[str, str]
    decision_id: str


class Wish(State, frozen=True):
    """A request that became a proposal, key its decision id: how far its intent is."""

    request_id: str
    intent_id: str
    kind: str
    symbol: str
    state: str = ""
    final: bool = False
    reason: str = ""


PARTS: dict[str, type[State]] = {"wished": Wished, "wishes": Wish}
"""The parts of the book's table that requests of people write."""
