"""Why a decision of a bank account was made, worked out again from its record.

The record and the calendars of its partition hold all inputs, so the same step decides once more
and writes the same record again, byte for byte; then under the other rule, and with another balance
or cut-off until the action changes. A difference would be a defect; it is shown, never hidden.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import msgspec

from schemas.jsonform import iso_date
from schemas.money import text_e18
from schemas.policy import Policy
from streams import cash_body, sweep
from streams.canonical import canonical
from streams.cash_facts import Facts, figures
from tables.partition import CalendarYear
from weir.explain.arithmetic import Step
from weir.explain.flip import Flip
from weir.explain.sweep_arithmetic import steps
from weir.explain.sweep_flips import flips

Place = dict[str, Any]
"""Topic, partition and offset of a record."""


class Known(NamedTuple):
    """What the log holds besides the record: the calendars in force there, and where policy,
    forecast, value at risk and each year of a calendar stand (None: no longer on the log).
    """

    calendars: tuple[CalendarYear, ...]
    places: dict[str, Place | None]


@dataclass(frozen=True)
class Alternative:
    """What a rule would have done with the same inputs."""

    rule: str
    action: str
    reason: str
    product: str
    amount: str
    value_date: str | int | None
    matures_on: str | int | None


@dataclass(frozen=True)
class SweepReasons:
    """A decision of cash explained; every number is plain text."""

    decision_id: str
    place: Place
    said: dict[str, Any]
    places: dict[str, Place | None]
    reproduced: bool
    arithmetic: tuple[Step, ...]
    alternatives: tuple[Alternative, ...]
    flips: tuple[Flip, ...]
    later: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The same as one object."""
        return asdict(self)


def reasons(
    decision_id: str,
    place: Place,
    said: dict[str, Any],
    later: Iterable[dict[str, Any]],
    known: Known,
) -> SweepReasons:
    """The explanation of a decision's body."""
    policy, facts = cash_body.policy_of(said), cash_body.facts_of(said, known.calendars)
    if policy is None:
        none = (), (), ()
        return SweepReasons(decision_id, place, said, known.places, True, *none, tuple(later))
    other = policy.sweep.model_copy(update={"rule": cash_body.other_rule(policy)})
    rules = (policy, policy.model_copy(update={"sweep": other}))
    return SweepReasons(
        decision_id=decision_id,
        place=place,
        said=said,
        places=known.places,
        reproduced=again(said, policy, facts) == canonical(said),
        arithmetic=tuple(steps(policy, facts, sweep.decide(policy, facts))),
        alternatives=tuple(_alternative(one, facts) for one in rules),
        flips=flips(policy, facts),
        later=tuple(later),
    )


def again(said: dict[str, Any], policy: Policy, facts: Facts) -> str:
    """The body that the step writes from these facts, under the record's own terms."""
    trigger, order = said["inputs"]["trigger"], said["order"] or {}
    cause = cash_body.Cause(
        topic=trigger["topic"],
        partition=trigger["partition"],
        offset=trigger["offset"],
        version=said["policy"],
        policy_hash=said["policy_hash"],
        terms=msgspec.Raw(canonical(said["terms"]).encode()),
    )
    sums = None if facts.balance is None else figures(policy, facts, facts.balance)
    decided = sweep.decide(policy, facts)
    return canonical(cash_body.body(cause, policy, facts, decided, sums, order.get("order_id", "")))


def _alternative(policy: Policy, facts: Facts) -> Alternative:
    decided = sweep.decide(policy, facts)
    ordered = bool(decided.kind)
    return Alternative(
        rule=policy.sweep.rule,
        action=decided.kind or ("take back" if decided.because else "hold"),
        reason=decided.because or decided.reason,
        product=decided.product,
        amount=text_e18(decided.amount_e18),
        value_date=iso_date(decided.value_day) if ordered else None,
        matures_on=None if decided.matures_day is None else iso_date(decided.matures_day),
    )
