"""Cash: what one bank account holds, what it will need, what it risks, and what is placed.

One step for each kind of record, always in the order cash, forecast, var, sweep: what an event
changes is known and published before anything is decided from it. Nothing else about an account is
decided anywhere else.
"""

from __future__ import annotations

from typing import Any

from schemas.jsonform import iso
from schemas.records import BalanceEvent, Freeze, IntentOutcome, Request, ScheduledFlow
from streams import (
    alerts,
    balances,
    cash_view,
    deciding,
    flows,
    forecast,
    freeze,
    orders,
    outlook,
    sightings,
)
from streams.step import Entries, Event, InForce, Refused, Started, Tick, meta


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The outputs of one event of one account."""
    value = event.value
    if isinstance(value, BalanceEvent):
        return _told(entries, event, in_force)
    if isinstance(value, IntentOutcome):
        return _outcome(entries, event, in_force)
    if isinstance(value, ScheduledFlow):
        changed = forecast.schedule(entries, event)
        return _known(entries, event, in_force, f"flow:{value.flow_id}") if changed else []
    if isinstance(value, Tick):
        return _known(entries, event, in_force, f"tick:{event.at_ms}")
    if isinstance(value, Freeze | Request):
        freeze.step(entries, event)
        return []
    if isinstance(value, Started):
        return []
    raise Refused("unsupported", "body", type(value).__name__, "cash does not take it")


def _told(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """What the bank says."""
    value: BalanceEvent = event.value
    balances.check(event, in_force)
    said = balances.hash_of(value)
    if balances.is_repeat(entries, value, said) or flows.is_replaced(entries, value, said):
        return []
    trigger = f"as_of:{iso(value.as_of_ms)}"
    stamp = meta(event, in_force, trigger)
    changed = balances.take(entries, event)
    flowed = flows.take(entries, value, said, in_force.policy)
    sighted = sightings.take(entries, event, stamp)
    if not changed and not flowed and sighted is None:
        return []
    return [*(sighted or []), *_known(entries, event, in_force, trigger, flowed)]


def _outcome(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """What became of an order."""
    value: IntentOutcome = event.value
    order = orders.outcome(entries, event)
    if order is None:
        return []
    deciding.ended(entries, event, in_force, order)
    outputs: list[Any] = []
    if order.state == orders.REVERSED:
        name = f"{sightings.RETURNED}:{order.intent_id}"
        text, labels = orders.told(order, event.key), orders.labels(order, event.key)
        outputs = alerts.resolve(entries, event, name, f"{text} is reversed", labels)
    trigger = f"outcome:{value.intent_id}#{value.state}"
    return outputs + _known(entries, event, in_force, trigger)


def _known(
    entries: Entries, event: Event, in_force: InForce, trigger: str, flowed: bool = False
) -> list[Any]:
    """Publishes what is known now, and decides."""
    stamp = meta(event, in_force, trigger)
    view = outlook.look(entries, event, in_force, stamp, flowed)
    outputs = [*view.outputs, *cash_view.position(view.facts, in_force.policy, stamp)]
    return outputs + deciding.step(entries, event, in_force, trigger, view, stamp)
