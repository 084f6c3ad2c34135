"""Two courses beside each other: every decision in which they differ, and the difference of their
totals. A comparison is two runs and nothing else.
"""

from __future__ import annotations

from typing import Any

from schemas.wire import Wire
from weir.backtest.course import Comparison, Course, Decided, Pair, Totals
from weir.backtest.rulings import Ruling
from weir.backtest.running import WHOLE, Span, Tell, run, silent
from weir.backtest.venue import USUAL, Terms
from weir.replay.log import Log


def compare(
    log: Log,
    wire: Wire,
    left: Ruling | None,
    right: Ruling | None,
    span: Span = WHOLE,
    terms: Terms = USUAL,
    tell: Tell = silent,
) -> Comparison:
    """Both courses over the same input. WeirError as of `run`."""
    first = run(log, wire, left, span, terms, lambda done, of: tell(done, 2 * of))
    second = run(log, wire, right, span, terms, lambda done, of: tell(of + done, 2 * of))
    return paired(first, second)


def paired(left: Course, right: Course) -> Comparison:
    """Two courses that were run over the same input."""
    return Comparison(left, right, _pairs(left, right), _differences(left, right))


def _pairs(left: Course, right: Course) -> tuple[Pair, ...]:
    """Decisions of one account that were made at one time belong together."""
    ours, theirs = _by_place(left), _by_place(right)
    found = []
    for at in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(at), theirs.get(at)
        if one is None or other is None or one.same != other.same:
            found.append(Pair(at[0], at[1], one, other))
    return tuple(found)


def _by_place(course: Course) -> dict[tuple[int, str, str, int], Decided]:
    """By time, account and kind; several at one time in the order in which they were made."""
    found: dict[tuple[int, str, str, int], Decided] = {}
    for one in course.decisions:
        number = 0
        while (one.at_ms, one.account_id, one.what, number) in found:
            number += 1
        found[one.at_ms, one.account_id, one.what, number] = one
    return found


def _differences(left: Course, right: Course) -> tuple[Totals, ...]:
    ours = {one.account_id: one for one in left.totals}
    theirs = {one.account_id: one for one in right.totals}
    return tuple(
        _less(name, theirs.get(name, Totals(name)), ours.get(name, Totals(name)))
        for name in sorted(ours.keys() | theirs.keys())
    )


def _less(account_id: str, right: Totals, left: Totals) -> Totals:
    figures: dict[str, Any] = {}
    for name in Totals.__struct_fields__[1:]:
        more, less = getattr(right, name), getattr(left, name)
        figures[name] = None if more is None or less is None else more - less
    return Totals(account_id, **figures)
