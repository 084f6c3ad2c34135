"""What flowed through an account on each business day, as prior-day statements book it.

Of a statement only booked entries count, our own movements left out. An entry belongs to the day it
was booked, else to the day the statement closes; weekends and holidays join the next business day
of the FED calendar. A day is observed when a statement closes it: a missing statement is a missing
observation, never a zero. A restatement replaces its day; an entry that two statements list counts
once, with the first of them that still lists it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from schemas.policy import Policy
from schemas.records import BalanceEvent, BankEntry
from streams import orders
from streams.balances import BOOK, E4_TO_E18
from streams.calendar import Calendar
from streams.newyork import DAY_MS, SATURDAY, at, weekday
from streams.step import Entries, Refused
from tables.cash import DayFlow, Listed, Scheduled, Statement

KEEP_DAYS = 35
"""How long a second listing of an entry, or a payment that was due, is remembered."""
REPLACED = 8
"""Restatements of a day that are remembered."""
KEEP_MORE = 60
"""Statements kept beyond those that VaR and forecast look at, of Mondays to Fridays."""


class Observed(NamedTuple):
    """One observed business day: net flow, gross outflow, and the outflow that was known before."""

    day: int
    net_e18: int
    out_e18: int
    known_out_e18: int


def take(entries: Entries, value: BalanceEvent, said: str, policy: Policy | None) -> bool:
    """Folds a prior-day statement; whether the flows changed."""
    day = value.statement_date
    if day is None:
        return False
    key = key_of(day)
    old: Statement | None = entries.get("statements", key)
    if old is not None:
        if old.msg_id == value.msg_id and old.hash == said:
            return False
        if old.msg_id == value.msg_id:
            raise Refused("exists_different", "msg_id", value.msg_id, "said something else before")
        if value.as_of_ms < old.as_of_ms:
            return False
    passed_on = _forget(entries, day)
    _forget_payments(entries, day)
    flows = _by_day(entries, value, day)
    replaced = () if old is None else (*old.replaced, old.hash)[-REPLACED:]
    new = Statement(value.msg_id, said, value.as_of_ms, flows, replaced)
    entries.put("statements", new, key)
    _prune(entries, policy)
    return old is None or old.flows != flows or passed_on


def is_replaced(entries: Entries, value: BalanceEvent, said: str) -> bool:
    """Whether this is a statement that came before and was restated since."""
    day = value.statement_date
    known: Statement | None = None if day is None else entries.get("statements", key_of(day))
    return known is not None and said in known.replaced


def observed(entries: Entries, fed: Calendar) -> list[Observed]:
    """The observed business days, oldest first; what lies before all calendars, or may join the day
    on which they begin, is none. Raises NoCalendar.
    """
    begins = fed.begins()
    sums: dict[int, list[int]] = {}
    closed: set[int] = set()
    for key, value in entries.range("statements"):
        statement: Statement = value
        day = int(key)
        if day > begins and fed.is_open(day):
            closed.add(day)
        for flow in statement.flows:
            if flow.day <= begins:
                continue
            total = sums.setdefault(fed.on_or_after(flow.day), [0, 0, 0])
            total[0] += flow.net_e18
            total[1] += flow.out_e18
            total[2] += flow.known_out_e18
    return [Observed(day, *sums.get(day, (0, 0, 0))) for day in sorted(closed)]


def key_of(day: int) -> str:
    """A day as part of a table key, in the order of days."""
    return f"{day:06d}"


def booked(value: BalanceEvent) -> Iterable[BankEntry]:
    """The entries that moved money."""
    return (entry for entry in value.entries if entry.status == BOOK)


def _by_day(entries: Entries, value: BalanceEvent, statement_day: int) -> tuple[DayFlow, ...]:
    flows: tuple[DayFlow, ...] = ()
    for entry in booked(value):
        day = statement_day if entry.booking_date is None else entry.booking_date
        listed = f"{entry.ref}|{day}|{entry.amount_e4}"
        first: Listed | None = entries.get("listed", listed)
        if first is None:
            ours = orders.find(entries, entry.end_to_end_id) is not None
            one = Listed(statement_day, (), ours, _was_known(entries, entry))
            entries.put("listed", one, listed)
            flows = _counted(flows, day, entry.amount_e4, one)
        elif statement_day not in (first.day, *first.also):
            also = tuple(sorted((*first.also, statement_day)))
            entries.put("listed", replace(first, also=also), listed)
    return flows


def _counted(
    flows: tuple[DayFlow, ...], day: int, amount_e4: int, one: Listed
) -> tuple[DayFlow, ...]:
    """The flows of a statement with one more entry."""
    if one.ours:
        return flows
    days = {flow.day: flow for flow in flows}
    old, amount_e18 = days.get(day, DayFlow(day, 0, 0, 0)), amount_e4 * E4_TO_E18
    gone_e18 = max(0, -amount_e18)
    days[day] = DayFlow(
        day,
        old.net_e18 + amount_e18,
        old.out_e18 + (0 if one.known else gone_e18),
        old.known_out_e18 + (gone_e18 if one.known else 0),
    )
    return tuple(days[day] for day in sorted(days))


def _was_known(entries: Entries, entry: BankEntry) -> bool:
    ref = entry.end_to_end_id
    return ref is not None and entries.get("scheduled", ref) is not None


def _forget(entries: Entries, statement_day: int) -> bool:
    """What the statement listed before, and what is too old to be listed twice; whether another
    statement counts now what this one did.
    """
    passed_on = False
    for listed, value in list(entries.range("listed")):
        one: Listed = value
        also = tuple(day for day in one.also if day != statement_day)
        if one.day == statement_day and also:
            one = replace(one, day=also[0], also=also[1:])
            entries.put("listed", one, listed)
            _pass_on(entries, listed, one)
            passed_on = True
        elif one.day == statement_day or one.day < statement_day - KEEP_DAYS:
            entries.delete("listed", listed)
        elif also != one.also:
            entries.put("listed", replace(one, also=also), listed)
    return passed_on


def _forget_payments(entries: Entries, statement_day: int) -> None:
    """Payments that were due long before the day a statement closes: seen, or given up."""
    long_ago_ms = at(statement_day, 0) - KEEP_DAYS * DAY_MS
    for flow_id, value in list(entries.range("scheduled")):
        payment: Scheduled = value
        if payment.due_ms < long_ago_ms:
            entries.delete("scheduled", flow_id)


def _pass_on(entries: Entries, listed: str, one: Listed) -> None:
    """The statement that counts an entry from now on."""
    _, day, amount_e4 = listed.rsplit("|", 2)
    key = key_of(one.day)
    statement: Statement | None = entries.get("statements", key)
    if statement is not None:
        flows = _counted(statement.flows, int(day), int(amount_e4), one)
        entries.put("statements", replace(statement, flows=flows), key)


def _prune(entries: Entries, policy: Policy | None) -> None:
    """Lets old statements go. Only weekdays are counted: a bank that states weekends too would push
    business days out of the window.
    """
    kept = KEEP_MORE + (250 if policy is None else policy.var.window)
    keys = [key for key, _ in entries.range("statements")]
    weekdays = [key for key in keys if weekday(int(key)) < SATURDAY]
    if len(weekdays) <= kept:
        return
    for key in keys:
        if key < weekdays[-kept]:
            entries.delete("statements", key)
