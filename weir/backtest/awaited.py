"""Which of the recorded policy's own operations a recorded state already shows.

A state and the records of an operation come by different ways: a poll reads the account in several
requests and carries the time of the first, so it may show what was called after that time; an
answer may be lost and its evidence come minutes later; two clocks differ. So an operation is known
some time ahead (`weir.backtest.sources`), and of those that may have happened the ones count that
explain a state best. What was seen as done by the venue's own time must have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

MOST = 8
"""So many open operations are tried in every combination, the oldest first."""


@dataclass(eq=False)
class Awaited:
    """An operation that was called; `done_ms` is when the venue was seen to have done it."""

    op: str
    coin: str
    amount_e18: int
    called_ms: int
    done_ms: int | None = None

    def is_due(self, at_ms: int) -> bool:
        """Whether a state of this time must show it."""
        return self.done_ms is not None and self.done_ms <= at_ms


def shown(
    awaited: Sequence[Awaited], gone_e18: int, bound_e18: int, at_ms: int
) -> tuple[Awaited, ...]:
    """Of the operations of one kind and coin those that a state shows by which so much is gone; of
    interest it may be off by a bound. One that was not yet called by the state's own time counts
    only where nothing else remains unexplained.
    """
    due = [one for one in awaited if one.is_due(at_ms)]
    rest_e18 = gone_e18 - sum(one.amount_e18 for one in due)
    may = [one for one in awaited if not one.is_due(at_ms)][:MOST]
    best: tuple[Awaited, ...] = ()
    left_e18 = abs(rest_e18)
    for some in chain.from_iterable(combinations(may, n) for n in range(1, len(may) + 1)):
        left = abs(rest_e18 - sum(one.amount_e18 for one in some))
        early = any(one.called_ms > at_ms for one in some)
        if left < left_e18 and (left <= bound_e18 or not early):
            best, left_e18 = some, left
    return (*due, *best)
