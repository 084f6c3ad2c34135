"""What an account will need and what it risks, from the statements and payments known so far, put
together with balances and orders into the facts of a decision.

Past days are looked through only when a statement, the day or the policy has changed; between those
a balance costs no more than a balance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas.policy import Policy
from schemas.records import Meta
from streams import cash_view, cutoff, doubt, flows, forecast, freeze, orders, var
from streams.calendar import Calendar, NoCalendar, calendar
from streams.cash_facts import Facts, Placement
from streams.holidays import FED
from streams.newyork import day_of
from streams.step import Entries, Event, InForce
from tables.cash import Balance, Deciding, Expected, Order, Risk, Usual

CLASS = "sweep"


class _Past:
    """The observed days, looked through once for an event, and only if they are asked for."""

    def __init__(self, entries: Entries, fed: Calendar) -> None:
        self._entries, self._fed = entries, fed
        self._days: list[flows.Observed] | None = None

    def days(self) -> list[flows.Observed]:
        """Raises NoCalendar."""
        if self._days is None:
            self._days = flows.observed(self._entries, self._fed)
        return self._days


class Terms(NamedTuple):
    """By what past days are looked at, whether a statement has just come, and what is known of the
    days to come.
    """

    policy: Policy
    version: str
    fed: Calendar
    past: _Past
    flowed: bool
    known: forecast.Known


class Outlook(NamedTuple):
    """The facts, the records that say what is new in them, and the payments known before."""

    facts: Facts
    outputs: list[Any]
    known: forecast.Known


def look(entries: Entries, event: Event, in_force: InForce, stamp: Meta, flowed: bool) -> Outlook:
    """All that is known of the account at this event; `flowed` tells that a statement came."""
    balance: Balance | None = entries.get("balances", "avail")
    today = day_of(event.at_ms)
    active = doubt.mark(entries, orders.settle(entries, balance), balance, today)
    known = forecast.known(entries, event.at_ms)
    waiting: Deciding = entries.get("deciding") or Deciding()
    waits = waiting.wait_until_ms > event.at_ms and waiting.wait_version == in_force.version
    risk, expected, for_day, outputs = None, None, None, list[Any]()
    fed = calendar(FED, in_force.calendars)
    business_day = _business_day(fed, event.at_ms)
    if in_force.policy is not None:
        past = _Past(entries, fed)
        terms = Terms(in_force.policy, in_force.version, fed, past, flowed, known)
        risk, said = _risk(entries, event, terms, stamp, balance)
        outputs += said
        for_day, expected, said = _expected(entries, event, terms, stamp)
        outputs += said
    unended = next((one for one in active if not one.final), None)
    facts = Facts(
        account_id=event.key,
        at_ms=event.at_ms,
        mode=in_force.mode(CLASS, event.key),
        frozen=freeze.marks(entries),
        balance=balance,
        booked=entries.get("balances", "booked"),
        pending=orders.pending(active, balance, today),
        expected=expected,
        for_day=for_day,
        risk=risk,
        placements=tuple(_placement(one) for one in active if _can_come_back(one, today)),
        open_id="" if unended is None else unended.intent_id,
        unsent=orders.unsent(unended, event.at_ms),
        waits_kind=waiting.wait_kind if waits else "",
        waits_for=waiting.wait_reason if waits else "",
        business_day=business_day,
        out_today=_made_on(entries, (waiting.last_out, waiting.prior_out), business_day),
        back_today=_made_on(entries, (waiting.last_back, waiting.prior_back), business_day),
        calendars=in_force.calendars,
    )
    return Outlook(facts, outputs, known)


def _risk(
    entries: Entries, event: Event, terms: Terms, stamp: Meta, balance: Balance | None
) -> tuple[Risk | None, list[Any]]:
    old: Risk | None = entries.get("risk")
    fresh = terms.flowed or old is None or old.version != terms.version
    risk = _measured(event, terms) if fresh else old
    if risk is None or (old is None and risk.n == 0):
        return risk, []
    return cash_view.var(entries, event, risk, terms.policy.var, balance, stamp, fresh)


def _measured(event: Event, terms: Terms) -> Risk | None:
    try:
        days = terms.past.days()
    except NoCalendar:
        return None
    found = var.measure([day.net_e18 for day in days], terms.policy.var)
    return Risk(
        n=found.n,
        status=found.status,
        var_e18=found.var_e18,
        es_e18=found.es_e18,
        band_low_e18=found.band_low_e18,
        band_high_e18=found.band_high_e18,
        as_of_ms=event.timestamp_ms,
        version=terms.version,
        last_day=days[-1].day if days else None,
        last_net_e18=days[-1].net_e18 if days else None,
    )


def _expected(
    entries: Entries, event: Event, terms: Terms, stamp: Meta
) -> tuple[int | None, Expected | None, list[Any]]:
    """The forecast for the day on which money sent at the next cut-off moves."""
    outputs: list[Any] = []
    try:
        for_day = cutoff.wire_day(cutoff.next_ms(event.at_ms, terms.policy.sweep), terms.fed)
        usual = _usual(entries, for_day, terms)
        if terms.flowed:
            outputs += forecast.score(entries, event, stamp, terms.past.days())
    except NoCalendar:
        return None, None, []
    if usual is None:
        return for_day, None, outputs
    expected, said = forecast.say(entries, event, stamp, for_day, usual, terms.known.out_e18)
    return for_day, expected, outputs + said


def _usual(entries: Entries, for_day: int, terms: Terms) -> Usual | None:
    """What usually goes out on such a day, remembered until a statement comes."""
    key = flows.key_of(for_day)
    known: Usual | None = entries.get("usual", key)
    if known is not None and not terms.flowed and known.version == terms.version:
        return known
    for old, _ in list(entries.range("usual")):
        entries.delete("usual", old)
    new = forecast.usual(terms.past.days(), for_day, terms.policy.forecast, terms.version)
    if new is not None:
        entries.put("usual", new, key)
    return new


def _can_come_back(order: Order, today: int) -> bool:
    placed = order.kind == orders.OUT and order.state == orders.CONFIRMED and order.back_ms == 0
    free = order.left_e18 - order.taken_e18 > 0
    return placed and free and not orders.has_matured(order, today)


def _placement(order: Order) -> Placement:
    return Placement(
        key=orders.key_of(order.intent_id),
        product=order.product,
        amount_e18=order.left_e18 - order.taken_e18,
        value_day=order.value_day,
        matures_day=order.matures_day,
    )


def _made_on(entries: Entries, keys: tuple[str, ...], business_day: int | None) -> bool:
    """Whether one of these orders was made on this business day and not in vain."""
    found = [orders.with_effect(entries, key) for key in keys]
    return any(order is not None and order.day == business_day for order in found)


def _business_day(fed: Calendar, at_ms: int) -> int | None:
    """The business day this moment belongs to: after wires have closed, the next; None where no
    calendar tells.
    """
    try:
        return cutoff.wire_day(at_ms, fed)
    except NoCalendar:
        return None
