"""What became of a decision: one TreasuryAction when the last of its intents is final.

Amounts are what the venue confirmed, never what was asked; the loan afterwards is what was read
from the venue.
"""

from __future__ import annotations

from typing import Any

from schemas.records import IntentOutcome, Meta, TreasuryAction
from streams.debts import as_record
from streams.step import Emit, Event
from tables.allocation import Loan, Operation

DONE, PARTIAL, FAILED = "DONE", "PARTIAL", "FAILED"


def ended(operation: Operation, event: Event, after: Loan | None, stamp: Meta) -> list[Any]:
    """The record of an operation that has ended, with the loan as it is known now; nothing for one
    whose loan was not kept, which is one that was proposed before actions were recorded.
    """
    outcome: IntentOutcome = event.value
    if operation.before is None:
        return []
    action = TreasuryAction(
        meta=stamp,
        decision_id=outcome.decision_id,
        account_id=event.key,
        action_type=operation.action,
        amounts_e18={leg.kind: leg.claim_e18 for leg in operation.legs},
        ccy=operation.ccy,
        loan_state_before=as_record(operation.before, event.key),
        loan_state_after=as_record(after, event.key) if operation.read and after else None,
        transaction_ids=tuple(ref for leg in operation.legs for ref in leg.refs),
        result=result(operation),
        timestamp_ms=event.timestamp_ms,
    )
    return [Emit("treasury.actions.v1", action)]


def result(operation: Operation) -> str:
    """DONE when every part was confirmed, FAILED when none was, else PARTIAL."""
    done = [leg.state == "CONFIRMED" for leg in operation.legs]
    if all(done):
        return DONE
    return PARTIAL if any(done) else FAILED
