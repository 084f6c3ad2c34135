"""Whether a confirmed operation did what it was for: the loan to value before and after it, as the
venue said, both as ratios times 10^18.

After must not be above before, and not below the floor the decision had. Prices move meanwhile: of
a repayment the debt itself says whether it lowered the ratio at the same prices. A violation is a
risk event, an alert, and a mark that freezes the account until people have looked.
"""

from __future__ import annotations

from typing import Any

from schemas.money import parse_e18, text_e18
from schemas.records import IntentOutcome, Meta, RiskEvent
from streams import alerts, freeze
from streams.step import Emit, Entries, Event
from tables.allocation import Operation

NAME = "post_check_failed"


def step(entries: Entries, event: Event, operation: Operation, stamp: Meta) -> list[Any]:
    """What a violation writes; nothing when all is well or nothing was read."""
    outcome: IntentOutcome = event.value
    bound, after = violated(operation, outcome)
    if after is None:
        return []
    if bound is None:
        return alerts.resolve(entries, event, NAME, "the last operation kept its bounds")
    freeze.put(entries, f"{NAME}:{outcome.decision_id}")
    risk = RiskEvent(
        meta=stamp,
        type="POST_CHECK_FAILED",
        account_id=event.key,
        timestamp_ms=event.timestamp_ms,
        level_e18=bound,
        value_e18=after,
    )
    text = (
        f"{outcome.kind} {outcome.intent_id}: ltv_after={text_e18(after)}, bound {text_e18(bound)}"
    )
    fired = alerts.fire(entries, event, NAME, text, "critical")
    return [Emit("treasury.risk-events.v1", risk), *fired]


def violated(operation: Operation, outcome: IntentOutcome) -> tuple[int | None, int | None]:
    """The bound that was broken, if one was, and the loan to value afterwards, if it was read."""
    before, after = _fact(outcome, "ltv_before"), _fact(outcome, "ltv_after")
    if after is None:
        return None, None
    if before is not None and after > before and not _less_owed(outcome):
        return before, after
    floor = operation.floor_e18
    if floor is not None and after < floor and (before is None or before >= floor):
        return floor, after
    return None, after


def _less_owed(outcome: IntentOutcome) -> bool:
    before, after = _fact(outcome, "debt_before"), _fact(outcome, "debt_after")
    return before is not None and after is not None and after < before


def _fact(outcome: IntentOutcome, name: str) -> int | None:
    text = outcome.facts.get(name)
    return parse_e18(text) if text else None
