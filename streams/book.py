"""The book: what one exchange account earned, owes and may allocate.

One step for each kind of record, in the order loan, profit, available, allocation: what an event
changes is known before anything is decided from it. Nothing else about an account is decided
anywhere else.
"""

from __future__ import annotations

from typing import Any

from schemas.records import (
    AccountSnapshot,
    BreakAccept,
    Correction,
    Freeze,
    HedgeExecution,
    IntentOutcome,
    LoanState,
    Request,
    Yield,
)
from streams import (
    adjustment,
    executions,
    flight,
    freeze,
    loan,
    opening,
    rows,
    wallet,
    wishes,
    yields,
)
from streams.step import DeadLetter, Entries, Event, InForce, Refused, Started, Tick


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """The outputs of one event of one account."""
    value = event.value
    if isinstance(value, HedgeExecution):
        flight.count_gains(entries, in_force, value.settle_ccy)
        outputs = executions.step(entries, event, in_force)
        if outputs and not isinstance(outputs[0], DeadLetter):
            outputs += flight.step(entries, event, in_force, rows.trigger(value))
        return outputs
    if isinstance(value, LoanState):
        taken = loan.step(entries, event, in_force)
        if taken is None:
            return []
        trigger, same = f"as_of:{value.as_of_ms}", not taken.other_band
        return taken.outputs + flight.step(entries, event, in_force, trigger, only_waiting=same)
    if isinstance(value, AccountSnapshot):
        wallet.step(entries, event)
        opening.compare(entries, event)
        return []
    if isinstance(value, IntentOutcome):
        if value.class_ == wishes.CLASS:
            return wishes.outcome(entries, event, in_force)
        return flight.outcome(entries, event, in_force)
    if isinstance(value, Correction):
        return _corrected(entries, event, in_force)
    if isinstance(value, BreakAccept):
        freeze.step(entries, event)
        outputs = adjustment.accept(entries, event, in_force)
        if outputs:
            outputs += flight.step(entries, event, in_force, f"accept:{value.break_id}")
        return outputs
    if isinstance(value, Yield):
        yields.step(entries, event)
        return []
    if isinstance(value, Request) and value.verb in wishes.VERBS:
        return wishes.step(entries, event, in_force)
    if isinstance(value, Freeze | Request):
        freeze.step(entries, event)
        return []
    if isinstance(value, Tick):
        return flight.step(entries, event, in_force, f"tick:{event.at_ms}")
    if isinstance(value, Started):
        return []
    raise Refused("unsupported", "body", type(value).__name__, "the book does not take it yet")


def _corrected(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    kind = event.value.kind
    if kind == "OPENING":
        return opening.step(entries, event, in_force)
    if kind == "RECON_ADJUST":
        return adjustment.step(entries, event, in_force)
    if kind in (executions.LATE, executions.RESTATE):
        outputs = executions.correct(entries, event, in_force)
        if outputs and not isinstance(outputs[0], DeadLetter):
            trigger = f"correction:{event.value.correction_id}"
            outputs += flight.step(entries, event, in_force, trigger)
        return outputs
    raise Refused("unsupported", "kind", kind, "the book does not take it yet")
