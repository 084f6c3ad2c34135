"""How a fault is planted: a bug is a function from the right build to a wrong one, entered into a
table by its name. Steps are wrapped, never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from bench.simulation.world import Build
from streams.node import Step
from streams.step import Entries, Event, InForce
from tables.intents import IntentEntry, LaneEntry

Plant = Callable[[Build], Build]


class Bug(NamedTuple):
    """A mistake, and the kinds of fault of which the judge must find one."""

    plant: Plant
    kinds: tuple[str, ...]


BUGS: dict[str, Bug] = {}


def bug(*kinds: str) -> Callable[[Plant], Plant]:
    """Enters a bug into the table under the name of its function."""

    def enter(plant: Plant) -> Plant:
        BUGS[plant.__name__] = Bug(plant, kinds)
        return plant

    return enter


def before(change: Callable[[Entries, Event], Event]) -> Callable[[Step], Step]:
    """Something is done to the entries, or to the event, before the step."""

    def wrap(step: Step) -> Step:
        def wrong(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
            return step(entries, change(entries, event), in_force)

        return wrong

    return wrap


def outputs(change: Callable[[Any], Any]) -> Callable[[Step], Step]:
    """Something is done to each output."""

    def wrap(step: Step) -> Step:
        def wrong(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
            return [change(output) for output in step(entries, event, in_force)]

        return wrong

    return wrap


def policy(**sections: Mapping[str, Any]) -> Callable[[Step], Step]:
    """The step goes by another policy than the one in force: sections, and fields in them."""

    def wrap(step: Step) -> Step:
        def wrong(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
            policy = in_force.policy
            if policy is not None:
                changed = {
                    name: getattr(policy, name).model_copy(update=fields)
                    for name, fields in sections.items()
                }
                in_force = replace(in_force, policy=policy.model_copy(update=changed))
            return step(entries, event, in_force)

        return wrong

    return wrap


def saying(event: Event, value: Any) -> Event:
    """The event with another record in it."""
    return replace(event, value=value)


def first(entries: Entries) -> IntentEntry | None:
    """The intent whose turn it is in a lane."""
    lane: LaneEntry | None = entries.get("lanes")
    if lane is None or not lane.queue:
        return None
    found: IntentEntry = entries.get("intents", lane.queue[0])
    return found
