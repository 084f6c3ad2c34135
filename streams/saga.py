"""The life of an intent as a table: (state, trigger) -> state. What is not in it does not happen.

From READY on the states speak of the current leg. REPAY and ADD_COLLATERAL have two legs, because
the venue's loan takes money from the funding wallet; a leg `return` brings the money back when the
main leg ends without effect. What moves no money between wallets has one leg, `only`. What another
side carries out is handed over: from then on it may happen at any moment, so it counts as
attempted.
"""

from __future__ import annotations

from streams.limits import lets
from streams.step import InvariantBroken

READY, HELD, ATTEMPTED, ACKED = "READY", "HELD", "ATTEMPTED", "ACKED"
UNKNOWN, PARKED, CONFIRMED = "UNKNOWN", "PARKED", "CONFIRMED"
REJECTED, VOID, EXPIRED, REVERSED = "REJECTED", "VOID", "EXPIRED", "REVERSED"

TABLE: dict[tuple[str, str], str] = {
    (READY, "prepared"): ATTEMPTED,
    (READY, "handed_over"): ATTEMPTED,
    (READY, "accepted"): ACKED,
    (READY, "paused"): HELD,
    (READY, "deadline"): EXPIRED,
    (READY, "revoked"): VOID,
    (READY, "impossible"): REJECTED,
    (READY, "late_row"): PARKED,
    (HELD, "resumed"): READY,
    (HELD, "deadline"): EXPIRED,
    (HELD, "revoked"): VOID,
    (ATTEMPTED, "accepted"): ACKED,
    (ATTEMPTED, "effect"): CONFIRMED,
    (ATTEMPTED, "refused"): REJECTED,
    (ATTEMPTED, "retry"): READY,
    (ATTEMPTED, "exhausted"): REJECTED,
    (ATTEMPTED, "unclear"): UNKNOWN,
    (ATTEMPTED, "disagreement"): PARKED,
    (ACKED, "effect"): CONFIRMED,
    (ACKED, "refused"): REJECTED,
    (ACKED, "disagreement"): PARKED,
    (UNKNOWN, "effect"): CONFIRMED,
    (UNKNOWN, "accepted"): ACKED,
    (UNKNOWN, "refused"): REJECTED,
    (UNKNOWN, "retry"): READY,
    (UNKNOWN, "exhausted"): REJECTED,
    (UNKNOWN, "absent"): READY,
    (UNKNOWN, "disagreement"): PARKED,
    (UNKNOWN, "horizon"): PARKED,
    (PARKED, "effect"): CONFIRMED,
    (PARKED, "refused"): REJECTED,
    (PARKED, "retry"): READY,
    (CONFIRMED, "returned"): REVERSED,
}
# A return that fails would strand the money: no ending of its own, people decide.
RETURN_TABLE = {
    at: PARKED if to == REJECTED and at[0] != PARKED else to for at, to in TABLE.items()
}

FINAL = frozenset({CONFIRMED, REJECTED, VOID, EXPIRED, REVERSED})
WAITING = frozenset({READY, HELD})

SEED_STATUS = {
    READY: "NEW",
    HELD: "NEW",
    ATTEMPTED: "SENT",
    UNKNOWN: "SENT",
    PARKED: "SENT",
    ACKED: "ACK",
    CONFIRMED: "ACK",
    REJECTED: "FAILED",
    VOID: "FAILED",
    EXPIRED: "FAILED",
    REVERSED: "FAILED",
}

RETURN, ONLY = "return", "only"
LEGS = {
    "TRANSFER": ("transfer",),
    "REPAY": ("transfer", "main"),
    "ADD_COLLATERAL": ("transfer", "main"),
    "SET_LEVERAGE": (ONLY,),
    "REDUCE_POSITION": (ONLY,),
    "CANCEL_ORDER": (ONLY,),
    "SWEEP": (ONLY,),
    "REVERSE_SWEEP": (ONLY,),
}
PAYMENTS = frozenset({"SWEEP", "REVERSE_SWEEP"})
"""Kinds whose one id, ours, all attempts share at the bank: a second call with it moves nothing,
what is found by it is found for all, and the money may come back after it was done.
"""


def after(leg: str, state: str, trigger: str) -> str:
    """The state a trigger leads to. Raises InvariantBroken for a pair the table does not know."""
    table = RETURN_TABLE if leg == RETURN else TABLE
    try:
        return table[state, trigger]
    except KeyError:
        raise InvariantBroken(f"leg {leg} in state {state} cannot take {trigger!r}") from None


def next_leg(kind: str, leg: str) -> str | None:
    """The leg that follows a confirmed one, or None when the intent is done."""
    legs = LEGS[kind]
    place = legs.index(leg) + 1
    return legs[place] if place < len(legs) else None


def allows(mode: str, kind: str, leg: str) -> bool:
    """Whether a mode lets a leg start. REDUCING lets pass what lowers risk, a return included."""
    return lets(mode, kind) or (mode == "REDUCING" and leg == RETURN)
