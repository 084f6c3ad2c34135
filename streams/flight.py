"""When an account decides: one decision open at a time, and a wait after each hold or refusal.

A decision is made while enough profit is available and an execution, a confirmed operation, a loan
state of another band or the wake-up asks for it. Profit that arrives while a decision is open is
taken by the next one. A wait ends with the next loan state, the retry time or another policy; after
the day's limit, with the next UTC day or policy.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.records import HedgeExecution, IntentOutcome, LoanState
from streams import actions, alerts, freeze, loan, post_check, wallet
from streams.allocation import HOLD, Decided, Facts, decide, hold
from streams.available import PER_TRADE, available_e18, by_rule, ended, reserve, settle
from streams.proposal import Said, decision, proposals
from streams.step import Entries, Event, InForce, InvariantBroken, Refused, Wake, meta
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
    book = _book(entries, policy)
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
        frozen=freeze.marks(entries),
        yielded=entries.get("yields", policy.allocation.settle_ccy),
        settle_ccy=policy.allocation.settle_ccy,
    )
    decided = decide(policy, facts)
    said = Said(event, in_force, trigger, decided)
    outputs = decision(said, facts, decided) + _mismatch(entries, event, facts, decided)
    if decided.action == HOLD:
        until_ms = event.at_ms + policy.allocation.retry_s * 1000
        return outputs + _wait(entries, in_force, decided.reason, until_ms)
    operation = _operation(policy, event, facts, decided, said)
    entries.put("pnl_book", reserve(book, operation), operation.ccy)
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
    entries.put("pnl_book", new_book, operation.ccy)
    trigger, outputs = f"outcome:{value.intent_id}#{value.state}", []
    stamp = meta(event, in_force, trigger)
    if value.final and value.state == "CONFIRMED":
        new = replace(new, read=loan.confirmed(entries, event, in_force) or new.read)
        wallet.confirmed(entries, value)
        outputs += post_check.step(entries, event, new, stamp)
    state: Allocating = entries.get("allocating") or _FREE
    if state.open_id != value.decision_id or not ended(new):
        entries.put("operations", new, value.decision_id)
        return outputs
    outputs += actions.ended(new, event, entries.get("loans"), stamp)
    entries.put("operations", replace(new, before=None), value.decision_id)
    refusal = _refusal(new)
    if refusal:
        until_ms = _retry_ms(new, refusal, event, in_force)
        return outputs + _wait(entries, in_force, refusal, until_ms)
    entries.put("allocating", _FREE)
    return outputs + step(entries, event, in_force, trigger)


def count_gains(entries: Entries, in_force: InForce, ccy: str) -> None:
    """Before a row is folded: under per-trade-v1 its gain counts, the first row's too."""
    if in_force.policy is None or in_force.policy.pnl.available_rule != PER_TRADE:
        return
    old: PnlBook = entries.get("pnl_book", ccy) or PnlBook()
    if old.gains_e18 is None:
        entries.put("pnl_book", by_rule(old, PER_TRADE), ccy)


def _book(entries: Entries, policy: Policy) -> PnlBook | None:
    """The profit of the settlement currency, counted by the policy's rule."""
    ccy = policy.allocation.settle_ccy
    old: PnlBook | None = entries.get("pnl_book", ccy)
    if old is None:
        return None
    new = by_rule(old, policy.pnl.available_rule)
    if new is not old:
        entries.put("pnl_book", new, ccy)
    return new


def _operation(
    policy: Policy, event: Event, facts: Facts, decided: Decided, said: Said
) -> Operation:
    return Operation(
        ccy=policy.allocation.settle_ccy,
        factor_e18=decided.factor_e18,
        kept_e18=decided.kept_e18,
        trigger_ms=event.timestamp_ms,
        legs=tuple(
            Leg(intent_id, part.kind, part.asked_e18)
            for part, intent_id in zip(decided.parts, said.intent_ids, strict=True)
        ),
        action=decided.action,
        floor_e18=decided.floor_e18,
        before=facts.loan,
    )


def _mismatch(entries: Entries, event: Event, facts: Facts, decided: Decided) -> list[Any]:
    """The alert that a person must convert before anything can be repaid, and its end."""
    name = Outcome.currency_mismatch.value
    if facts.loan is None:
        return []
    if decided.reason == name:
        text = f"the loan is in {facts.loan.coin}: profit cannot repay it before it is converted"
        return alerts.fire(entries, event, name, text)
    if facts.loan.coin != facts.settle_ccy:
        return []
    return alerts.resolve(entries, event, name, "profit can repay the loan as it is")


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
