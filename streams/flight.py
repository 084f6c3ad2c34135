"""When an account decides: one decision open at a time, and a wait after each hold or refusal.

A decision is made while enough profit is available and an execution, a confirmed operation, a loan
state of another band or the wake-up asks for it. Profit that arrives while a decision is open is
taken by the next one. A wait ends with the next loan state, the retry time or another policy; after
the day's limit, with the next UTC day or policy.
"""

from __future__ import annotations

from typing import Any

from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.records import HedgeExecution, IntentOutcome, LoanState
from streams import loan, wallet
from streams.allocation import HOLD, Facts, decide, hold
from streams.available import available_e18, ended, reserve, settle
from streams.proposal import Said, decision, proposals
from streams.step import Entries, Event, InForce, InvariantBroken, Refused, Wake
from tables.allocation import Allocating, Leg, Operation
from tables.book import PnlBook

CLASS = "loan"
DAY_MS = 86_400_000
_FREE = Allocating()


def step(
    entries: Entries, event: Event, in_force: InForce, trigger: str, only_waiting: bool = False
) -> list[Any]:
    """The records of a decision, if one is due; `trigger` is the natural key of the cause."""
    policy = in_force.policy
    if policy is None:
        return _without_policy(entries, event, in_force, trigger)
    book: PnlBook | None = entries.get("pnl_book", policy.allocation.settle_ccy)
    if book is None:
        return []
    available = available_e18(book)
    if available == 0 or available < policy.limits.loan.min_usd_e18:
        return []
    state: Allocating = entries.get("allocating") or _FREE
    if state.open_id or _waits(state, event, in_force) or (only_waiting and not state.waits_for):
        return []
    facts = Facts(
        account_id=event.key,
        mode=in_force.mode(CLASS, event.key),
        at_ms=event.at_ms,
        available_e18=available,
        loan=entries.get("loans"),
        wallets=entries.get("wallets"),
    )
    decided = decide(policy, facts)
    said = Said(event, in_force, trigger, decided)
    outputs = decision(said, facts, decided)
    if decided.action == HOLD:
        until_ms = event.at_ms + policy.allocation.retry_s * 1000
        return outputs + _wait(entries, in_force, decided.reason, until_ms)
    ccy = policy.allocation.settle_ccy
    legs = tuple(
        Leg(intent_id, part.kind, part.asked_e18)
        for part, intent_id in zip(decided.parts, said.intent_ids, strict=True)
    )
    operation = Operation(ccy, decided.factor_e18, decided.kept_e18, event.timestamp_ms, legs)
    entries.put("pnl_book", reserve(book, operation), ccy)
    entries.put("operations", operation, said.decision_id)
    entries.put("allocating", Allocating(open_id=said.decision_id))
    outputs += proposals(said, policy, facts, decided)
    if state.wait_until_ms > event.at_ms:
        outputs.append(Wake(None))
    return outputs


def outcome(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Moves the pair of an operation; a decision's last outcome lets the account go on or wait."""
    value: IntentOutcome = event.value
    operation: Operation | None = entries.get("operations", value.decision_id)
    if operation is None:
        raise Refused("unknown_intent", "decision_id", value.decision_id, "no such decision here")
    if not any(leg.intent_id == value.intent_id for leg in operation.legs):
        raise Refused("unknown_intent", "intent_id", value.intent_id, "not of this decision")
    book: PnlBook = entries.get("pnl_book", operation.ccy) or PnlBook()
    new_book, new = settle(book, operation, value)
    if new is operation:
        return []
    entries.put("operations", new, value.decision_id)
    entries.put("pnl_book", new_book, operation.ccy)
    if value.final and value.state == "CONFIRMED":
        loan.confirmed(entries, event)
        wallet.confirmed(entries, value)
    state: Allocating = entries.get("allocating") or _FREE
    if state.open_id != value.decision_id or not ended(new):
        return []
    refusal = _refusal(new)
    if refusal:
        until_ms = _retry_ms(new, refusal, event, in_force)
        return _wait(entries, in_force, refusal, until_ms)
    entries.put("allocating", _FREE)
    return step(entries, event, in_force, f"outcome:{value.intent_id}#{value.state}")


def _waits(state: Allocating, event: Event, in_force: InForce) -> bool:
    if not state.waits_for or in_force.version != state.wait_policy:
        return False
    if 0 < state.wait_until_ms <= event.at_ms:
        return False
    return (
        not isinstance(event.value, LoanState) or state.waits_for == Outcome.over_daily_limit.value
    )


def _wait(entries: Entries, in_force: InForce, reason: str, until_ms: int) -> list[Any]:
    entries.put("allocating", Allocating("", reason, until_ms, in_force.version))
    return [Wake(until_ms)]


def _without_policy(entries: Entries, event: Event, in_force: InForce, trigger: str) -> list[Any]:
    """Profit folds without a policy; that nothing can be done with it is said once."""
    row = event.value
    book = entries.get("pnl_book", row.settle_ccy) if isinstance(row, HedgeExecution) else None
    available = 0 if book is None else available_e18(book)
    if available == 0 or (entries.get("allocating") or _FREE).waits_for:
        return []
    decided = hold(Outcome.no_policy)
    entries.put("allocating", Allocating("", decided.reason, 0, in_force.version))
    mode = in_force.mode(CLASS, event.key)
    facts = Facts(event.key, mode, event.at_ms, available, entries.get("loans"), None)
    return decision(Said(event, in_force, trigger, decided), facts, decided)


def _refusal(operation: Operation) -> str:
    """Why the account must wait: the day's limit first, then any other end without effect."""
    reasons = [
        leg.reason or leg.state.lower() for leg in operation.legs if leg.state != "CONFIRMED"
    ]
    daily = Outcome.over_daily_limit.value
    return daily if daily in reasons else next(iter(reasons), "")


def _retry_ms(operation: Operation, refusal: str, event: Event, in_force: InForce) -> int:
    next_day_ms = (operation.trigger_ms // DAY_MS + 1) * DAY_MS
    if refusal == Outcome.over_daily_limit.value and next_day_ms > event.at_ms:
        return next_day_ms
    return event.at_ms + _policy(in_force).allocation.retry_s * 1000


def _policy(in_force: InForce) -> Policy:
    if in_force.policy is None:
        raise InvariantBroken("an operation is open, but no policy is in force")
    return in_force.policy
