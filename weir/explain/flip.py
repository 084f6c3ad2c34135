"""The smallest change of one figure that leads to another action, found by deciding again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schemas.money import text_e18


@dataclass(frozen=True)
class Flip:
    """The smallest change of one figure that leads to another action."""

    figure: str
    now: str
    to: str
    change: str
    action: str


def nearest(
    now: int, action_at: Callable[[int], str], points: Iterable[int], unit: int
) -> int | None:
    """The value nearest to `now`, to one unit, that leads to another action than `now` does.

    The points are where an action may change, and some between: what begins and ends between two of
    them is not seen.
    """
    action, found = action_at(now), list[int]()
    asked = sorted(set(points) - {now})
    for side in ([p for p in reversed(asked) if p < now], [p for p in asked if p > now]):
        same = now
        for point in side:
            if action_at(point) != action:
                found.append(_edge(same, point, unit, lambda at: action_at(at) != action))
                break
            same = point
    return min(found, key=lambda point: abs(point - now), default=None)


def around(edges: Iterable[int], unit: int) -> set[int]:
    """Each edge, and the values on both sides of it."""
    return {at for edge in edges for at in (edge - unit, edge, edge + unit)}


def signed(change_e18: int) -> str:
    """A change with its sign."""
    return text_e18(change_e18) if change_e18 < 0 else f"+{text_e18(change_e18)}"


def _edge(same: int, other: int, unit: int, differs: Callable[[int], bool]) -> int:
    """Between two values of which only the second differs: the nearest to the first that does."""
    while abs(other - same) > unit:
        middle = (same + other) // 2 // unit * unit
        if not min(same, other) < middle < max(same, other):
            break
        if differs(middle):
            other = middle
        else:
            same = middle
    whole = other // unit * unit
    for rounded in (whole, whole + unit):
        if min(same, other) <= rounded <= max(same, other) and differs(rounded):
            return rounded
    return other
