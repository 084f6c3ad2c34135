"""One bank account's cash in memory, driven by the rows of a scenario.

Every row becomes the record that the topic would carry and goes through the same fold as live; what
is refused leaves no trace, as in the engine. Times are UTC. Rows `entry` and `more` belong to the
next `report` or `statement`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.jsonform import iso, parse_date, parse_time
from schemas.money import parse_e18, parse_scaled
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import (
    BalanceEvent,
    BankBalance,
    BankEntry,
    Calendar,
    CashInput,
    ControlCopy,
    Freeze,
    IntentOutcome,
    PolicyCopy,
    Proposal,
    Request,
    ScheduledFlow,
)
from streams.calendar import calendar
from streams.holidays import CALENDARS, FED, closed
from streams.newyork import DAY_MS, day_of, weekday
from streams.node import fold, in_force
from streams.orders import FINAL, key_of
from streams.step import Emit, Event, Refused, Started, Tick, Wake
from streams.topology import CASH
from tables.memory import MemoryStore
from tests.streams.desk_world import assert_storable, span_ms
from tests.table import Row, matches, run

ACCOUNT = "bank:0123456789"
INBOX, BALANCES = "treasury.cash-inputs.v1", "balance_events"
TOPICS = {
    "position": "cash_positions",
    "forecast": "treasury.forecasts.v1",
    "var": "treasury.var.v1",
    "evidence": "treasury.attempts.v1",
    "alert": "treasury.alerts.v1",
    "proposal": "treasury.proposals.v1",
    "decision": "treasury.decisions.v1",
    "withdrawal": "treasury.desk-inputs.v1",
}
PAYEES = {"FED_RRP": "021000021/111", "TBILL_4W": "021000021/222", "CARBON_NOTE": "021000021/333"}
T0 = "2026-07-09T13:00:00Z"
_LIVED: dict[str, tuple[dict[str, Any], int, int | None, list[Any]]] = {}
"""A year of statements that a world with the same entries has lived through already."""


def settings(**changes: Any) -> dict[str, Any]:
    """The shipped policy with our account, and a beneficiary for each product."""
    found: dict[str, Any] = json.loads(canonical(Policy()))
    found["accounts"] = [{"account_id": ACCOUNT, "kind": "bank"}]
    for row in found["sweep"]["products"]:
        row["beneficiary"] = PAYEES[row["product"]]
    return {**found, **changes}


class CashWorld:
    """The verbs of a scenario; `out` is what the last row put out."""

    def __init__(self, at: str = T0, **changes: Any) -> None:
        self.store = MemoryStore()
        self.now_ms, self.offset, self.version = parse_time(at), 0, 0
        self.out: list[Any] = []
        self.due_ms: int | None = None
        self.orders: list[Proposal] = []
        self.entries: list[BankEntry] = []
        self.balances: list[BankBalance] = []
        self.settings = settings(**changes)
        self.put_policy()
        self.copy(ControlCopy("all", "ACTIVE", 1, "test", self.now_ms))
        for name in CALENDARS:
            for year in range(2024, 2029):
                self.copy(Calendar(name, year, closed(name, year)))

    def play(self, text: str) -> CashWorld:
        """Runs the rows of a scenario."""
        run(self, text)
        assert_storable(CASH, self.store)
        return self

    # What happens outside

    def at(self, row: Row) -> None:
        """`at 2026-07-10T15:25:00Z`, or `at +1h` from now."""
        word = row.words[0]
        self.now_ms = self.now_ms + span_ms(word) if word[0] == "+" else parse_time(word)

    def policy(self, row: Row) -> None:
        for path, value in row.fields.items():
            *sections, name = path.split(".")
            place = self.settings
            for part in sections:
                place = place[part]
            place[name] = json.loads(value) if value[0] in "[{tfn" else value
            if name.endswith(("_s", "_obs", "_days", "window", "weeks")):
                place[name] = int(value)
        self.put_policy()

    def product(self, row: Row) -> None:
        """`product TBILL_4W discount_rate=0.042 enabled=false`"""
        rows = self.settings["sweep"]["products"]
        found = next(one for one in rows if one["product"] == row.words[0])
        for name, value in row.fields.items():
            found[name] = json.loads(value) if value in ("true", "false", "null") else value
        self.put_policy()

    def control(self, row: Row) -> None:
        self.copy(ControlCopy(row.fields.get("scope", "all"), row.words[0], 9, "t", self.now_ms))

    def closes(self, row: Row) -> None:
        """`closes SIFMA 2026 2026-07-03`: a calendar record with these days alone."""
        days = tuple(parse_date(word) for word in row.words[2:])
        self.copy(Calendar(row.words[0], int(row.words[1]), days))

    def entry(self, row: Row) -> None:
        """`entry E1 -1000 booked=2026-07-08 status=PDNG order=1`: of the next message."""
        ref, amount = row.words
        fields = row.fields
        end_to_end = fields.get("id")
        if "order" in fields:
            end_to_end = key_of(self.orders[int(fields["order"]) - 1].intent_id)
        self.entries.append(
            BankEntry(
                ref="" if ref == "-" else ref,
                amount_e4=parse_scaled(amount, 4),
                ccy=fields.get("ccy", "USD"),
                status=fields.get("status", "BOOK"),
                reversal=fields.get("reversal") == "true",
                booking_date=parse_date(fields["booked"]) if "booked" in fields else None,
                value_date=parse_date(fields["valued"]) if "valued" in fields else None,
                end_to_end_id=end_to_end,
            )
        )

    def more(self, row: Row) -> None:
        """`more CLAV 1000 as_of=...`: another balance of the next message."""
        self.balances.append(self.one_balance(row.words[0], row.words[1], row))

    def report(self, row: Row) -> None:
        """`report ITAV 2500000 by=api`: an intraday message; `report` alone has entries only."""
        self.say(row, row.fields.get("by", "camt052"), None)

    def statement(self, row: Row) -> None:
        """`statement 2026-07-08 CLAV 2500000`: a prior-day statement."""
        day, *rest = row.words
        source = row.fields.get("by", "camt053")
        self.say(Row(row.line, row.verb, tuple(rest), row.fields), source, parse_date(day))

    def say(self, row: Row, source: str, day: int | None) -> None:
        balances, self.balances = self.balances, []
        entries, self.entries = tuple(self.entries), []
        if row.words:
            balances = [self.one_balance(row.words[0], row.words[1], row), *balances]
        avail = row.fields.get("avail")
        event = BalanceEvent(
            account_id=row.fields.get("account", ACCOUNT),
            source=source,
            msg_id=row.fields.get("msg", f"M{self.offset}"),
            balances=tuple(balances),
            entries=entries,
            as_of_ms=self.time(row, "as_of"),
            statement_date=day,
            avail_usd_e4=None if avail is None else parse_scaled(avail, 4),
        )
        self.send(BALANCES, event, event.account_id, event.as_of_ms)

    def one_balance(self, code: str, amount: str, row: Row) -> BankBalance:
        ccy = row.fields.get("ccy", "USD")
        return BankBalance(code, parse_scaled(amount, 4), ccy, self.time(row, "as_of"))

    def days(self, row: Row) -> None:
        """`days 60 out=1000000 in=1000000`: statements of as many business days before today."""
        lived = repr((sorted(self.store.entries.items()), self.now_ms, self.offset, row[2:]))
        if lived not in _LIVED:
            for day in self.business_days(int(row.words[0])):
                self.close_day(day, row.fields.get("in", "0"), row.fields.get("out", "0"))
            _LIVED[lived] = (dict(self.store.entries), self.offset, self.due_ms, self.out)
        entries, self.offset, self.due_ms, self.out = _LIVED[lived]
        self.store.entries = dict(entries)

    def outs(self, row: Row) -> None:
        """`outs 900 1000 1100`: outflows of today's weekday in the weeks before, oldest first; on
        the days between there are none.
        """
        today = weekday(day_of(self.now_ms))
        days = self.business_days(7 * (len(row.words) + 2))
        same = [day for day in days if weekday(day) == today][-len(row.words) :]
        flows = dict(zip(same, row.words, strict=True))
        for day in days:
            if day >= same[0]:
                self.close_day(day, "0", flows.get(day, "0"))

    def close_day(self, day: int, inflow: str, outflow: str, msg_id: str = "") -> None:
        entries = [
            BankEntry(f"{day}{sign}", sign * parse_scaled(amount, 4), "USD", "BOOK", False, day)
            for sign, amount in ((1, inflow), (-1, outflow))
            if amount != "0"
        ]
        value = BalanceEvent(
            account_id=ACCOUNT,
            source="camt053",
            msg_id=msg_id or f"S{day}",
            balances=(),
            entries=tuple(entries),
            as_of_ms=(day + 1) * DAY_MS,
            statement_date=day,
        )
        self.send(BALANCES, value, ACCOUNT, value.as_of_ms)

    def business_days(self, count: int) -> list[int]:
        """The last business days before today in New York, oldest first."""
        fed = calendar(FED, in_force(self.store).calendars)
        found: list[int] = []
        day = day_of(self.now_ms)
        while len(found) < count:
            day -= 1
            if fed.is_open(day):
                found.append(day)
        return found[::-1]

    def scheduled(self, row: Row) -> None:
        """`scheduled F1 -250000 due=+3h`"""
        body = ScheduledFlow(
            flow_id="" if row.words[0] == "-" else row.words[0],
            account_id=ACCOUNT,
            amount_e4=parse_scaled(row.words[1], 4),
            due_ms=self.time(row, "due"),
            cancelled=row.fields.get("cancelled") == "true",
        )
        self.send(INBOX, CashInput(body=body))

    def freeze(self, row: Row) -> None:
        """`freeze b1 on`"""
        break_id, state = row.words
        self.send(INBOX, CashInput(body=Freeze(break_id, state == "on", "test")))

    def request(self, row: Row) -> None:
        self.send(INBOX, CashInput(body=Request("q1", row.words[0], row.fields, ("ann",), "t")))

    def outcome(self, row: Row) -> None:
        """`outcome CONFIRMED done=99 of=1`: of the last order, unless another is named."""
        state = row.words[0]
        order = self.orders[int(row.fields.get("of", "0")) - 1]
        granted = parse_e18(row.fields["granted"]) if "granted" in row.fields else order.asked_e18
        done = granted if state == "CONFIRMED" else 0
        body = IntentOutcome(
            intent_id=row.fields.get("intent", order.intent_id),
            decision_id=order.decision_id,
            kind=order.kind,
            class_="sweep",
            origin="cash",
            account_id=ACCOUNT,
            lane=order.lane,
            state=state,
            asked_e18=order.asked_e18,
            granted_e18=0 if state == "REFUSED" else granted,
            amount_done_e18=parse_e18(row.fields["done"]) if "done" in row.fields else done,
            ccy="USD",
            venue_refs=(),
            facts={},
            final=state in FINAL,
            at_ms=self.now_ms,
            reason=row.fields.get("reason"),
        )
        self.send(INBOX, CashInput(body=body))

    def tick(self, row: Row) -> None:
        """Wakes the account at the time it asked for."""
        assert self.due_ms is not None, "it asked for no wake-up"
        self.now_ms, self.due_ms = self.due_ms, None
        self.send("@tick", Tick())

    def started(self, row: Row) -> None:
        self.send("@started", Started(1))

    def again(self, row: Row) -> None:
        """The last record once more, at a later offset."""
        topic, value, key, time_ms = self.last
        self.send(topic, value, key, time_ms)

    def refused(self, row: Row) -> None:
        """`refused currency ccy report ITAV 5 ccy=EUR`: the row is refused so, without a trace."""
        verb, *words = row.words[2:]
        before = dict(self.store.entries)
        with pytest.raises(Refused) as caught:
            getattr(self, verb)(Row(row.line, verb, tuple(words), row.fields))
        assert (caught.value.cause, caught.value.field) == row.words[:2], str(caught.value)
        self.store.entries = before

    # What must hold

    def expect(self, row: Row) -> None:
        what, *rest = row.words
        if what == "nothing":
            assert self.out == [], [type(getattr(one, "value", one)).__name__ for one in self.out]
        elif what == "no":
            assert not self.said(rest[0]), self.said(rest[0])
        elif what == "hold":
            (decision,) = self.said("decision")
            assert decision.outcome == rest[0], decision.outcome
            assert not self.said("proposal")
        elif what == "order":
            self.expect_order(row.fields)
        elif what == "wake":
            assert self.due_ms == parse_time(rest[0]), iso(self.due_ms or 0)
        elif what == "alert":
            found = [(one.key.split("|")[0].split(":")[0], one.state) for one in self.said("alert")]
            assert (rest[0], rest[1]) in found, found
        else:
            found = self.said(what)
            assert found, f"no {what}"
            differences = [matches(record, row.fields) for record in found]
            assert [] in differences, differences

    def expect_order(self, fields: dict[str, str]) -> None:
        (order,) = self.said("proposal")
        named = {name: value for name, value in fields.items() if name in order.params}
        assert {name: order.params[name] for name in named} == named, order.params
        rest = {name: value for name, value in fields.items() if name not in named}
        assert matches(order, rest) == [], (matches(order, rest), order.params)

    def table(self, row: Row) -> None:
        """`table balances avail amount=5`: an entry of the account's state."""
        part, *rest = row.words
        entry = self.store.get("|".join((part, ACCOUNT, *rest)))
        if row.fields:
            assert matches(entry, row.fields) == [], entry
        else:
            assert entry is None, entry

    def forecasts(self, row: Row) -> None:
        """`forecasts 2026-07-09 p50=5`: what is forecast for a day."""
        words = ("forecasts", f"{parse_date(row.words[0]):06d}")
        self.table(Row(row.line, "table", words, row.fields))

    def order(self, row: Row) -> None:
        """`order 1 state=CONFIRMED left=5`: what is kept of an order."""
        key = key_of(self.orders[int(row.words[0]) - 1].intent_id)
        entry = self.store.get(f"orders|{ACCOUNT}|{key}")
        assert matches(entry, row.fields) == [], entry

    # How it happens

    def said(self, what: str) -> list[Any]:
        topic = TOPICS[what]
        found = [one.value for one in self.out if isinstance(one, Emit) and one.topic == topic]
        return [one.body for one in found] if what == "withdrawal" else found

    def decision(self) -> dict[str, Any]:
        """The body of the last decision."""
        found: dict[str, Any] = json.loads(self.said("decision")[-1].body)
        return found

    def time(self, row: Row, field: str) -> int:
        """A time of a row: an instant, or a span from now; now when the row has none."""
        text = row.fields.get(field)
        if text is None:
            return self.now_ms
        if text[0] == "-":
            return self.now_ms - span_ms(text[1:])
        return self.now_ms + span_ms(text) if text[0] == "+" else parse_time(text)

    def put_policy(self) -> None:
        self.version += 1
        body = canonical(Policy.model_validate(json.loads(json.dumps(self.settings))))
        self.copy(PolicyCopy("weir-default", self.version, policy_hash(body), body))

    def copy(self, body: Any) -> None:
        self.send(INBOX, CashInput(body=body), "@partition")

    def send(self, topic: str, value: Any, key: str = ACCOUNT, time_ms: int | None = None) -> None:
        self.last = (topic, value, key, time_ms)
        self.offset += 1
        at_ms = self.now_ms if time_ms is None else time_ms
        event = Event(topic, 0, self.offset, key, value, at_ms, self.now_ms)
        self.out = fold(CASH, self.store, event)
        for item in self.out:
            if isinstance(item, Wake):
                self.due_ms = item.at_ms
            elif isinstance(item.value, Proposal):
                self.orders.append(item.value)
