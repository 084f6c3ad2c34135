"""What contradicts an account's book or mends it: marks that freeze, corrections, adjustments."""

from __future__ import annotations

import msgspec

from tables.state import State


class Frozen(State, frozen=True):
    """Why nothing is allocated: `cause:reference`, one for each cause that still holds."""

    marks: tuple[str, ...] = ()


class Released(State, frozen=True):
    """A mark that people have released, key `cause:reference`: the same row never sets it again."""

    request_id: str


class Adjustment(State, frozen=True):
    """What a break changed in a position, key `break_id|correction_id`: shown apart until people
    accept it.
    """

    symbol: str
    idx: int
    category: str
    ccy: str
    recon_pnl_e18: int


class Compared(State, frozen=True):
    """The last snapshot, to be compared when the next one comes: sizes by `symbol|idx`."""

    as_of_ms: int
    sizes_e18: dict[str, int] = msgspec.field(default_factory=dict)


class Corrected(State, frozen=True):
    """A correction that was taken, key its id."""

    at_ms: int


PARTS: dict[str, type[State]] = {
    "frozen": Frozen,
    "released": Released,
    "adjustments": Adjustment,
    "corrected": Corrected,
    "compared": Compared,
}
