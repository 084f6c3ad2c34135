"""Simulated days of one bank account: the cash node as it runs, a bank with its own books, random
customers.

A business day in New York: statement of the day before, what matures, payments due, then customers
in and out until five, each followed by a report. The node wakes itself. Orders are confirmed at
once; with faults some are refused, stay unknown for hours unless a booked entry proves them, or are
returned three days later. With waits some wait for people first, who sign minutes or hours later:
by then the node may have taken them back.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from random import Random
from typing import Any

from bench.cash_bank import Bank, Payment
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import (
    AttemptRecord,
    Calendar,
    CashInput,
    ControlCopy,
    DeskInput,
    IntentOutcome,
    PolicyCopy,
    Proposal,
    Withdrawal,
)
from schemas.sweep_params import SweepParams
from streams import bill, ladder
from streams.calendar import calendar
from streams.holidays import CALENDARS, FED, closed
from streams.newyork import at, day_number, day_of, year_of
from streams.node import fold, in_force
from streams.orders import FINAL, OUT, key_of
from streams.step import Emit, Event, Tick, Wake
from streams.topology import CASH
from tables.memory import OrderedStore

ACCOUNT = "bank:0123456789"
INBOX, BALANCES = "treasury.cash-inputs.v1", "balance_events"
E14 = 10**14
HOUR = 3_600


class Day:
    """What the judge keeps of one day, in hundredths of a cent."""

    def __init__(self, day: int) -> None:
        self.day = day
        self.at_cutoff: int | None = None
        """What would be on the account at the day's end if nothing more flowed."""
        self.recallable = 0
        self.end = 0
        self.faulty = False


class Sim:
    """One account's life. `rule` and `more` are policy, `floors` the floor in usual days' flows;
    `faults` is the share of orders that go wrong, `waits` of those to place money that wait for a
    signature; `deaf`: who lets them out hears of no withdrawal, so that the judge has work.
    """

    def __init__(
        self,
        seed: int,
        rule: str,
        faults: float = 0.0,
        floors: int = 0,
        waits: float = 0.0,
        deaf: bool = False,
        **more: Any,
    ) -> None:
        self.random = Random(seed)
        self.faults, self.waits, self.deaf = faults, waits, deaf
        self.awaiting: dict[str, Proposal] = {}
        self.withdrawn = self.uncovered = 0
        self.store = OrderedStore()
        self.now_ms = at(day_number(2024, 1, 2), 6 * HOUR)
        self.offset = self.told_ms = 0
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.due_ms: int | None = None
        self.unknown: dict[str, Proposal] = {}
        self.scale = self.random.choice((20, 100, 500)) * 10**3 * 10**4
        self.bank = Bank(ACCOUNT, 30 * self.scale)
        self.days: list[Day] = []
        self.policy = self._policy(rule, floors, more)
        self.floor = self.policy.sweep.floor_usd_e18 // E14
        self._start()
        self.fed = calendar(FED, in_force(self.store).calendars)

    def run(self, days: int) -> None:
        """Lives through as many business days, a year of history before them."""
        day = self._history(260)
        for _ in range(days):
            day = self.fed.after(day)
            self._plan(day)
            self._until(at(day, 23 * HOUR + 3_599))
            self.days[-1].end = self.bank.balance

    # The day

    def _plan(self, day: int) -> None:
        if self.days:
            before = self.days[-1].day
            self._at(at(day, 8 * HOUR), lambda: self._tell_statement(before))
        self.days.append(Day(day))
        self._at(at(day, 8 * HOUR + 300), lambda: self._pay(day))
        utc = 1000 * (day * 86_400 + 15 * HOUR + 25 * 60)
        self._at(utc - 1, lambda: self._look(day))
        for at_s, amount in self._customers():
            self._at(at(day, at_s), lambda amount=amount: self._flow(day, amount))

    def _customers(self) -> list[tuple[int, int]]:
        """In and out over the day; now and then a large one."""
        flows = []
        for sign in (1, -1):
            for _ in range(self.random.randint(1, 4)):
                amount = int(self.scale * self.random.lognormvariate(0, 0.5))
                flows.append((self.random.randint(9 * HOUR, 17 * HOUR), sign * amount // 3))
        if self.random.random() < 0.03:
            sign = self.random.choice((1, -1))
            amount = sign * self.random.randint(2, 25) * self.scale
            flows.append((self.random.randint(9 * HOUR, 17 * HOUR), amount))
        wealth = self.bank.balance + sum(self.bank.placed.values())
        if wealth < 10 * self.scale:
            flows.append((9 * HOUR, 20 * self.scale))
        elif wealth > 60 * self.scale:
            flows.append((9 * HOUR, -10 * self.scale))
        return flows

    def _flow(self, day: int, amount: int) -> None:
        self.bank.book(amount // 100 * 100, day)
        self._report()

    def _pay(self, day: int) -> None:
        paid = self.bank.mature(day)
        for payment in list(self.bank.payments.values()):
            if payment.value_day <= day and not payment.executed:
                self.bank.execute(payment, day)
                paid = True
        if paid:
            self._report()

    def _look(self, day: int) -> None:
        """What the judge sees just before the last cut-off for this day."""
        due = [
            one.amount if one.direction == "BACK" else -one.amount
            for one in self.bank.payments.values()
            if not one.executed and one.value_day <= day
        ]
        self.days[-1].at_cutoff = self.bank.balance + sum(due)
        self.days[-1].recallable = self.bank.recallable(day)

    def _report(self) -> None:
        self.now_ms = max(self.now_ms, self.told_ms + 1)  # a bank counts one balance at a time
        self.told_ms = self.now_ms
        self._tell(BALANCES, self.bank.report(self.now_ms))

    def _tell_statement(self, day: int) -> None:
        closing_ms = at(day + 1, 0) - 1
        self._tell(BALANCES, self.bank.statement(day, closing_ms), closing_ms)
        self._report()

    # The node

    def _until(self, end_ms: int) -> None:
        """Everything until then, wake-ups at their time."""
        while True:
            next_ms = self.heap[0][0] if self.heap else end_ms + 1
            if self.due_ms is not None and self.due_ms <= min(next_ms - 1, end_ms):
                self.now_ms, self.due_ms = max(self.now_ms, self.due_ms), None
                self._tell("@tick", Tick())
            elif next_ms <= end_ms:
                at_ms, _, act = heapq.heappop(self.heap)
                self.now_ms = max(self.now_ms, at_ms)
                act()
            else:
                self.now_ms = max(self.now_ms, end_ms)
                return

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        self.offset += 1
        heapq.heappush(self.heap, (at_ms, self.offset, act))

    def _tell(self, topic: str, value: Any, time_ms: int | None = None, key: str = ACCOUNT) -> None:
        self.offset += 1
        stamp_ms = self.now_ms if time_ms is None else time_ms
        event = Event(topic, 0, self.offset, key, value, stamp_ms, self.now_ms)
        for item in fold(CASH, self.store, event):
            if isinstance(item, Wake):
                self.due_ms = item.at_ms
            elif isinstance(item, Emit):
                self.hear(item.value)

    def hear(self, record: Any) -> None:
        """Takes what the node puts out."""
        if isinstance(record, Proposal):
            waits = record.kind == OUT and self.random.random() < self.waits
            (self._await if waits else self._order)(record)
        elif isinstance(record, DeskInput):
            self._take_back(record.body)
        elif isinstance(record, AttemptRecord) and record.class_ == "done":
            order = self.unknown.pop(record.intent_id, None)
            if order is not None:  # as the intents node does: a booked entry proves it
                self._at(self.now_ms + 1000, lambda: self._answer(order, "CONFIRMED"))

    def _await(self, order: Proposal) -> None:
        """It waits for people until they sign or its deadline has come."""
        self.awaiting[order.intent_id] = order
        self._at(self.now_ms + 1000, lambda: self._answer(order, "AWAITING"))
        signed_ms = self.now_ms + self.random.randint(2, 240) * 60_000
        late = signed_ms >= order.deadline_ms
        self._at(min(signed_ms, order.deadline_ms), lambda: self._sign(order, late))

    def _sign(self, order: Proposal, late: bool) -> None:
        if self.awaiting.pop(order.intent_id, None) is None:
            return
        if late:
            self._answer(order, "EXPIRED")
            return
        self._answer(order, "READY")
        self._order(order)

    def _take_back(self, word: Withdrawal) -> None:
        self.withdrawn += 1
        order = None if self.deaf else self.awaiting.pop(word.intent_id, None)
        if order is not None:
            self._at(self.now_ms, lambda: self._answer(order, "VOID"))

    def _order(self, order: Proposal) -> None:
        """Carries an order out: now, never, or after hours of not knowing."""
        fate = self.random.random() / self.faults if self.faults else 9.0
        if fate < 0.4:
            self._fault()
            self._at(self.now_ms + 1000, lambda: self._answer(order, "REJECTED"))
            return
        self.uncovered += order.kind == OUT and self._left(order) < self.floor
        self._at(self.now_ms + 500, lambda: self._send(order))
        if fate < 0.7:
            self._fault()
            self.unknown[order.intent_id] = order
            self._at(self.now_ms + 1000, lambda: self._answer(order, "UNKNOWN"))
            hours = self.random.randint(1, 40)
            self._at(self.now_ms + hours * HOUR * 1000, lambda: self._answer(order, "CONFIRMED"))
            return
        self._at(self.now_ms + 1000, lambda: self._answer(order, "CONFIRMED"))
        if fate < 1.0 and order.kind == OUT:
            self._at(self.now_ms + 3 * 86_400_000, lambda: self._return(order))

    def _fault(self) -> None:
        if self.days:
            self.days[-1].faulty = True

    def _send(self, order: Proposal) -> None:
        params = SweepParams.of(order.params)
        amount = order.asked_e18 // E14
        face = amount
        if params.discount_rate_e18 is not None and params.matures_day is not None:
            days = params.matures_day - params.value_day
            face = bill.face_e18(order.asked_e18, params.discount_rate_e18, days) // E14
        payment = Payment(
            key_of(order.intent_id),
            params.direction,
            params.target_product,
            amount,
            params.value_day,
            params.matures_day,
            face,
        )
        self.bank.send(payment)
        today = day_of(self.now_ms)
        if params.value_day <= today and self.now_ms > at(today, 8 * HOUR + 300):
            self._at(self.now_ms + 300_000, lambda: self._execute(payment))

    def _left(self, order: Proposal) -> int:
        """What is left beside an order that is let out, whatever flows while it is on its way; a
        rung may be paid by what matures until then.
        """
        params = SweepParams.of(order.params)
        rung = self.policy.sweep.ladder == ladder.NAME and params.target_product == bill.PRODUCT
        comes = self.bank.matures(params.value_day) if rung else 0
        return self.bank.left() + comes - order.asked_e18 // E14

    def _execute(self, payment: Payment) -> None:
        self.bank.execute(payment, day_of(self.now_ms))
        self._report()

    def _return(self, order: Proposal) -> None:
        payment = self.bank.payments[key_of(order.intent_id)]
        if payment.executed and not payment.returned:
            self.bank.give_back(payment, day_of(self.now_ms))
        if payment.returned:
            self._fault()
            self._report()
            self._answer(order, "REVERSED")

    def _answer(self, order: Proposal, state: str) -> None:
        body = IntentOutcome(
            intent_id=order.intent_id,
            decision_id=order.decision_id,
            kind=order.kind,
            class_="sweep",
            origin="cash",
            account_id=ACCOUNT,
            lane=order.lane,
            state=state,
            asked_e18=order.asked_e18,
            granted_e18=order.asked_e18,
            amount_done_e18=order.asked_e18 if state == "CONFIRMED" else 0,
            ccy="USD",
            venue_refs=(),
            facts={},
            final=state in FINAL,
            at_ms=self.now_ms,
            reason={"REJECTED": "AC04", "VOID": "withdrawn"}.get(state),
        )
        self._tell(INBOX, CashInput(body=body))

    # The beginning

    def _policy(self, rule: str, floors: int, more: dict[str, Any]) -> Policy:
        found: dict[str, Any] = json.loads(canonical(Policy()))
        found["accounts"] = [{"account_id": ACCOUNT, "kind": "bank"}]
        found["guards"]["balance_age_max_s"] = 5 * 86_400
        floor = floors * self.scale // 10**4
        found["sweep"] |= {"rule": rule, "floor_usd": str(floor), **more}
        for row in found["sweep"]["products"]:
            row["beneficiary"] = "021000021/1"
        return Policy.model_validate(found)

    def _start(self) -> None:
        body = canonical(self.policy)
        copies: list[Any] = [
            PolicyCopy("sim", 1, policy_hash(body), body),
            ControlCopy("all", "PAUSED", 1, "history", self.now_ms),
        ]
        first = year_of(day_of(self.now_ms)) - 2
        for name in CALENDARS:
            copies += [Calendar(name, year, closed(name, year)) for year in range(first, first + 9)]
        for copy in copies:
            self._tell(INBOX, CashInput(body=copy), key="@partition")

    def _history(self, days: int) -> int:
        """Statements of a year of ordinary days, while everything is paused."""
        day = self.fed.after(day_of(self.now_ms))
        for _ in range(days):
            day = self.fed.after(day)
            for _, amount in self._customers():
                self.bank.book(amount // 100 * 100, day)
            self.now_ms = at(day + 1, 0)
            self._tell(BALANCES, self.bank.statement(day, self.now_ms - 1), self.now_ms - 1)
        self.bank.new = []
        self._tell(INBOX, CashInput(body=ControlCopy("all", "ACTIVE", 2, "", 0)), key="@partition")
        return day
