"""What one life has to bear. Each class of fault is on or off and has a strength of its own, so
that lives differ in kind: some quiet, some with nothing but crashes, some with all at once.

The venue keeps a promise: whatever a call does shows in its rows or in its balances within
`promise_ms` of the call. A policy whose `absence_s` is shorter than that would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
MARGIN_MS = 60 * SECOND
"""How long a reading may lie before its call starts: it is counted from the reading."""

LOST = ("lost_before", "lost_after", "late", "error_before", "error_after", "reset")
PARKED_BY = {
    "unresolved": (
        *("unread", "row_lag_ms", "crash", "freeze", "jumps", "log_lag_ms", "processing"),
        "venue_jumps",
    ),
    "movement_without_row": ("manual", "row_lag_ms", "replica_lag_ms", "vanish", "venue_jumps"),
    "row_without_movement": ("manual", "replica_lag_ms"),
    "row_is_gone": ("vanish",),
    "returned": ("refused", "transient", "processing", "manual"),
}
"""What must be going on for an intent to be parked for a reason."""


@dataclass
class Swarm:
    """Rates are per occasion, `*_ms` the most that is drawn. `calm` ends all of it."""

    quiet: bool
    accounts: int = 1
    fills: int = 2
    ltv: str = "0.40"
    people: bool = False
    answering: bool = True
    rolling: bool = False
    tight: bool = False
    keep: bool = False
    absence_s: int = 900
    midnight: bool = False
    ambiguous: float = 0.0
    kinds: tuple[str, ...] = LOST
    refused: float = 0.0
    transient: float = 0.0
    unread: float = 0.0
    row_lag_ms: int = 0
    replica_lag_ms: int = 0
    page: int = 100
    processing: float = 0.0
    crash: float = 0.0
    pipeline_crash: float = 0.0
    freeze: float = 0.0
    slow_ms: int = 30
    log_lag_ms: int = 20
    twice: float = 0.0
    jumps: int = 0
    skew_ms: int = 0
    pauses: int = 0
    relay_lag_ms: int = 50
    policies: int = 0
    cancels: int = 0
    manual: int = 0
    webhooks: float = 0.0
    venue_jumps: int = 0
    vanish: float = 0.0
    hollow: float = 0.0
    races: bool = False
    long_pause: bool = False
    dual: bool = False
    calm: bool = False

    @property
    def promise_ms(self) -> int:
        """How long after its call an effect may stay invisible."""
        return self.absence_s * SECOND - MARGIN_MS

    def on(self, name: str) -> bool:
        """Whether a class of fault is part of this life."""
        return bool(getattr(self, name)) and (name != "log_lag_ms" or self.log_lag_ms > SECOND)

    def hits(self, chance: Random, rate: float) -> bool:
        """Whether a fault of this rate strikes now."""
        return rate > 0 and not self.calm and chance.random() < rate


def drawn(chance: Random) -> Swarm:
    """The swarm of one life."""
    pick = chance.choice
    shape = {
        "accounts": pick((1, 1, 1, 2)),
        "fills": pick((1, 1, 2, 2, 3)),
        "ltv": pick(("0.30", "0.30", "0.40", "0.40", "0.50")),
        "people": chance.random() < 0.2,
        "answering": chance.random() < 0.8,
        "rolling": chance.random() < 0.25,
        "tight": chance.random() < 0.3,
        "midnight": chance.random() < 0.2,
        "dual": chance.random() < 0.5,
    }
    if chance.random() < 0.1:
        return Swarm(quiet=True, **shape)
    absence_s = pick((120, 120, 300, 900))
    freeze = pick((0.0, 0.0, 0.015, 0.04))
    return Swarm(
        quiet=False,
        **shape,
        keep=chance.random() < 0.1,
        absence_s=absence_s,
        ambiguous=pick((0.3, 0.5, 0.7)),
        kinds=LOST if chance.random() < 0.6 else tuple(chance.sample(LOST, 2)),
        refused=pick((0.0, 0.0, 0.1, 0.3)),
        transient=pick((0.0, 0.0, 0.1, 0.3)),
        unread=pick((0.0, 0.0, 0.05, 0.2)),
        row_lag_ms=pick((0, 0, 5 * SECOND, 30 * SECOND, absence_s * 1_300)),
        replica_lag_ms=pick((0, 0, 0, 3 * SECOND)),
        page=pick((100, 100, 2, 1)),
        processing=pick((0.0, 0.0, 0.2, 0.6)),
        crash=pick((0.0, 0.0, 0.01, 0.04)),
        pipeline_crash=pick((0.0, 0.0, 0.01, 0.04)),
        freeze=freeze,
        slow_ms=pick((30, 30, 30, 30, 30, 800, 800, 3_000)),
        log_lag_ms=pick((20, 20, 500, 20 * SECOND)),
        twice=pick((0.0, 0.0, 0.1, 0.3)),
        jumps=pick((0, 0, 0, 1, 2)),
        skew_ms=pick((0, 0, 1_500, 15 * SECOND)),
        pauses=pick((0, 0, 0, 1, 1, 2)),
        relay_lag_ms=pick((50, 2 * SECOND, 40 * SECOND, 60 * SECOND)),
        policies=pick((0, 0, 0, 0, 1, 2)),
        cancels=pick((0, 0, 0, 1)),
        manual=pick((0, 0, 0, 1, 3)),
        webhooks=pick((0.0, 0.0, 0.0, 0.3)),
        venue_jumps=pick((0, 0, 1, 2)),
        vanish=pick((0.0, 0.0, 0.0, 0.3)),
        hollow=pick((0.0, 0.0, 0.1)),
        races=chance.random() < 0.5,
        long_pause=chance.random() < 0.05,
    )
