"""`weir policy simulate`: a proposed policy over the last days of the log, beside the one in force.

Both run in memory over the same records (`weir.backtest`); what counts is how many orders would
have gone out. A threshold that is wrong by a factor shows as orders, long before it shows as money.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from agents.wiring import CODE_VERSION
from schemas.jsonform import iso
from schemas.policy import Policy, canonical, policy_hash
from schemas.wire import Wire
from streams.canonical import hash_of
from weir.backtest import Comparison, Course, Ruling, Span, compare
from weir.backtest.course import plain
from weir.backtest.running import Tell, silent
from weir.backtest.sources import BALANCES, EXECUTIONS, LOANS, SNAPSHOTS, Sources
from weir.errors import WeirError
from weir.replay.log import At, Log

OUTSIDE = (EXECUTIONS, LOANS, SNAPSHOTS, BALANCES)
DAY_MS = 86_400_000
TAIL = 100
"""Offsets at a partition's end among which its newest records are looked for first."""


class Simulation(NamedTuple):
    """Both courses, and how many orders more the proposed policy may fire."""

    in_force: Ruling
    proposed: Ruling
    comparison: Comparison

    @property
    def allowed(self) -> int:
        """How many orders more the policy in force allows."""
        return self.in_force.policy.activation.extra_orders_max

    @property
    def extra(self) -> int:
        """Orders beyond those of the policy in force, account by account: fewer on one account make
        no room for more on another.
        """
        return sum(max(0, one.orders) for one in self.comparison.difference)

    @property
    def objection(self) -> str | None:
        """Why the policy is refused; None: it is not."""
        if self.extra <= self.allowed:
            return None
        left, right = self.comparison.left, self.comparison.right
        return (
            f"{right.policy} would have fired {self.extra} orders more than {left.policy} from"
            f" {iso(right.from_ms)} to {iso(right.to_ms)} ({orders(right)} against"
            f" {orders(left)}): at most {self.allowed} more are allowed"
            " (activation.extra_orders_max of the policy in force)"
        )

    def as_json(self) -> dict[str, Any]:
        """What the record of an activation carries: ranges, counts, money and hashes."""
        left, right = self.comparison.left, self.comparison.right
        return {
            "from": iso(right.from_ms),
            "to": iso(right.to_ms),
            "orders": {
                "in_force": orders(left),
                "proposed": orders(right),
                "extra": self.extra,
                "allowed": self.allowed,
            },
            "decisions_that_differ": len(self.comparison.pairs),
            "difference": [_changed(one) for one in self.comparison.difference],
            "in_force": _side(self.in_force, left),
            "proposed": _side(self.proposed, right),
            "code": CODE_VERSION,
        }


def simulate(
    log: Log,
    wire: Wire,
    in_force: Ruling,
    proposed: Policy,
    span: Span | None = None,
    tell: Tell = silent,
) -> Simulation:
    """Runs both. Without a span it is the last `activation.days` of the log. WeirError when there
    is nothing to run, or what is there cannot give a whole result.
    """
    span = span or last_days(log, wire, in_force.policy.activation.days)
    version = in_force.version + 1
    ruling = Ruling(f"{proposed.name}@{version} (proposed)", version, proposed)
    comparison = compare(log, wire, in_force, ruling, span, tell=tell)
    return Simulation(in_force, ruling, comparison)


def last_days(log: Log, wire: Wire, days: int) -> Span:
    """The last days before the newest record of the outside, to the end. WeirError without one."""
    newest_ms = newest(log, wire)
    if newest_ms is None:
        raise WeirError("there is nothing to simulate: the log holds no record of the outside")
    return Span(max(0, newest_ms - days * DAY_MS), None)


def newest(log: Log, wire: Wire) -> int | None:
    """The time of the newest record of the outside; None when there is none."""
    sources = Sources(log, wire)
    places = [(topic, number) for topic in OUTSIDE for number in range(sources.count(topic))]
    starts = {at: max(start, end - TAIL) for at, (start, end) in log.bounds(places).items()}
    for since in (starts, dict.fromkeys(starts, 0)):
        newest_ms = max(_last(log, since), default=None)
        if newest_ms is not None:
            return newest_ms
    return None


def _last(log: Log, starts: dict[At, int]) -> Iterator[int]:
    """The times of all records from there on."""
    with closing(log.read({topic for topic, _ in starts}, starts)) as reader:
        for topic, number in starts:
            while (record := reader.next(topic, number)) is not None:
                yield record.timestamp_ms


def orders(course: Course) -> int:
    """Intents that the gate handed over."""
    return sum(one.orders for one in course.totals)


def lines(simulation: Simulation) -> Iterator[str]:
    """What a person reads; the objection is not among it."""
    left, right = simulation.comparison.left, simulation.comparison.right
    yield f"{iso(right.from_ms)} to {iso(right.to_ms)}"
    yield f"orders under {left.policy}: {orders(left)}"
    yield f"orders under {right.policy}: {orders(right)}"
    yield f"extra orders: {simulation.extra}, allowed {simulation.allowed}"
    yield f"decisions that differ: {len(simulation.comparison.pairs)}"
    for one in simulation.comparison.difference:
        figures = _changed(one)
        account_id = figures.pop("account_id")
        told = ", ".join(f"{name} {_with_sign(value)}" for name, value in figures.items())
        yield f"difference on {account_id}: {told or 'none'}"


def _with_sign(value: Any) -> str:
    text = str(value)
    return text if text.startswith("-") else f"+{text}"


def _changed(one: Any) -> dict[str, Any]:
    """The figures of an account that differ, proposed less in force."""
    return {name: value for name, value in plain(one).items() if value not in (None, "0", 0)}


def _side(ruling: Ruling, course: Course) -> dict[str, str]:
    return {
        "policy": ruling.shown,
        "policy_hash": policy_hash(canonical(ruling.policy)),
        "course_hash": hash_of(course.text()),
    }
