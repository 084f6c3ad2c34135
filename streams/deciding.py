"""When an account decides: at every balance, payment, outcome and wake-up, one order at a time.

An order that the decision takes back is told to the gate once; it stays open until the answer says
whether it was in time.
After a refusal the same direction waits: until the next UTC day when the day's limit was used up, a
minute where the same request may pass later, else (people, the bank or a rule said no) until the
next cut-off; another policy ends the wait. A cut-off that has passed, and an order that we took
back, begin none. The
account asks to be woken when something changes by time alone: a cut-off, a balance that grows old,
the day in New York, a payment that comes near, an entry that should have been booked.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from schemas.jsonform import iso_date
from schemas.money import text_e18
from schemas.outcome import Outcome
from schemas.policy import Policy
from schemas.records import Meta
from streams import alerts, cash_said, cutoff, orders, sweep
from streams.cash_facts import Decided, Facts, figures
from streams.newyork import DAY_MS, at
from streams.outlook import Outlook
from streams.step import Entries, Event, InForce, InvariantBroken, Tick, Wake
from tables.cash import Deciding, Order

RETRY_MS = 60_000
SHORT = "cash_short"
OPEN = frozenset({Outcome.in_flight.value, Outcome.withdrawn.value})
"""An order is open, so that nothing is said of what lacks."""
AT_ONCE = frozenset({Outcome.past_cutoff.value, Outcome.withdrawn.value})
"""Reasons of our own, after which nothing is to be waited for."""
TRANSIENT = frozenset(outcome.value for outcome in Outcome if outcome.transient)


def step(
    entries: Entries, event: Event, in_force: InForce, trigger: str, view: Outlook, stamp: Meta
) -> list[Any]:
    """The records of a decision, its order if one follows, and the next wake-up."""
    policy, facts = in_force.policy, view.facts
    said = cash_said.Said(entries, event, in_force, trigger, stamp)
    if policy is None:
        decided = Decided(reason=Outcome.no_policy.value)
        return [cash_said.decision(said, facts, decided, None)]
    decided = sweep.decide(policy, facts)
    sums = None if facts.balance is None else figures(policy, facts, facts.balance)
    outputs: list[Any] = [cash_said.decision(said, facts, decided, sums)]
    if decided.kind:
        order = cash_said.order(said, facts, decided, policy)
        orders.add(entries, order)
        _remember(entries, order)
        outputs.append(cash_said.proposal(said, facts, decided, policy))
    if decided.because and facts.unsent is not None:
        orders.take_back(entries, facts.unsent.order, event.at_ms)
        outputs.append(cash_said.withdrawal(said, facts.unsent, decided))
    outputs += _alert(entries, event, facts, decided)
    return outputs + _wake(entries, event, policy, view)


def ended(entries: Entries, event: Event, in_force: InForce, order: Order) -> None:
    """After an order that ended without effect the direction waits."""
    if order.state not in orders.WITHOUT_EFFECT or order.state == orders.REVERSED:
        return
    old: Deciding = entries.get("deciding") or Deciding()
    new = replace(
        old,
        wait_until_ms=_until_ms(event.at_ms, in_force, order),
        wait_version=in_force.version,
        wait_reason=order.reason or order.state.lower(),
        wait_kind=order.kind,
    )
    entries.put("deciding", new)


def _until_ms(at_ms: int, in_force: InForce, order: Order) -> int:
    if in_force.policy is None:
        raise InvariantBroken("an order is open, but no policy is in force")
    if order.state == "EXPIRED" or order.reason in AT_ONCE:
        return at_ms
    if order.reason == Outcome.over_daily_limit.value:
        return (at_ms // DAY_MS + 1) * DAY_MS
    if order.reason in TRANSIENT:
        return at_ms + RETRY_MS
    sweep = in_force.policy.sweep
    return cutoff.next_ms(at_ms, sweep) - sweep.lead_s * 1000


def _remember(entries: Entries, order: Order) -> None:
    old: Deciding = entries.get("deciding") or Deciding()
    key, old = orders.key_of(order.intent_id), replace(old, wait_until_ms=0)
    if order.kind == orders.OUT:
        prior = old.last_out if orders.with_effect(entries, old.last_out) else old.prior_out
        new = replace(old, last_out=key, prior_out=prior)
    else:
        prior = old.last_back if orders.with_effect(entries, old.last_back) else old.prior_back
        new = replace(old, last_back=key, prior_back=prior)
    entries.put("deciding", new)


def _alert(entries: Entries, event: Event, facts: Facts, decided: Decided) -> list[Any]:
    """What people must know: too little can be brought back; the bank shows no entry of ours."""
    outputs: list[Any] = []
    if decided.short_e18 > 0:
        short = f"{text_e18(decided.short_e18)} USD are missing on {event.key}"
        text = f"{short} although all that can be brought back is: less is placed than is needed"
        outputs += alerts.fire(entries, event, SHORT, text, "critical")
    elif decided.reason not in OPEN:
        text = f"enough is on {event.key} again, or can be brought back"
        outputs += alerts.resolve(entries, event, SHORT, text)
    for order in orders.active(entries):
        late_ms = orders.overdue_ms(order, facts.today)
        if late_ms is not None and event.at_ms >= late_ms:
            text = f"{orders.told(order, event.key)}: {_missing(order)}"
            name, labels = f"{orders.MISSING}:{order.intent_id}", orders.labels(order, event.key)
            outputs += alerts.fire(entries, event, name, text, labels=labels)
    return outputs


def _missing(order: Order) -> str:
    """What the bank should show of an order, and does not."""
    if order.seen_ms == 0 or order.matures_day is None:
        amount, day = text_e18(order.amount_e18), iso_date(order.value_day)
        return f"{amount} USD were to move on {day}, but the bank shows no entry of them"
    amount, day = text_e18(order.left_e18 - order.taken_e18), iso_date(order.matures_day)
    return f"{amount} USD were to come back on {day}, but the bank shows no entry of them"


def _wake(entries: Entries, event: Event, policy: Policy, view: Outlook) -> list[Any]:
    old: Deciding = entries.get("deciding") or Deciding()
    facts = view.facts
    lead_ms = policy.sweep.lead_s * 1000
    times = [
        cutoff.next_ms(event.at_ms, policy.sweep) - lead_ms,
        at(facts.today + 1, 0),
        old.wait_until_ms,
        view.known.changes_ms or 0,
    ]
    if facts.balance is not None:
        times.append(facts.balance.as_of_ms + policy.guards.balance_age_max_s * 1000 + 1)
    times += [orders.overdue_ms(one, facts.today) or 0 for one in orders.active(entries)]
    due_ms = min(time_ms for time_ms in times if time_ms > event.at_ms)
    was_ms = 0 if isinstance(event.value, Tick) else old.wake_ms
    if due_ms != old.wake_ms:
        entries.put("deciding", replace(old, wake_ms=due_ms))
    return [] if due_ms == was_ms else [Wake(due_ms)]
