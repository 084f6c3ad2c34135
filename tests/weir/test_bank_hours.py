"""The bank day of the demo works whenever it is started: at night, at weekends, around a cut-off,
when wires close, when clocks are set, on holidays and at the turn of the year.

The cash node's step and the sandbox bank in one process, on one clock that the test holds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.feeds.bank.camt import statements
from agents.feeds.bank.statement import event_of
from schemas.jsonform import iso
from schemas.policy import canonical
from streams.orders import key_of
from tests.streams.cash_world import BALANCES, CashWorld
from tests.table import Row
from tests.weir.sandbox.bank_served import at, pain001, transaction
from weir.demo import bank as demo
from weir.demo.stage import Day, demo_policy
from weir.sandbox.bank.assembly import Opening, make_bank
from weir.sandbox.bank.bank import Bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.flows import Customers
from weir.sandbox.bank.pain import read_request
from weir.sandbox.bank.payments import Terms

SPECIAL = (
    "2026-11-28T09:40:00Z",  # a Saturday
    "2026-11-26T15:00:00Z",  # Thanksgiving
    "2026-12-31T23:59:30Z",
    "2026-12-25T18:00:00Z",
    "2026-03-08T06:59:50Z",  # clocks go forward in New York
    "2026-11-01T05:59:50Z",  # and back
    "2026-07-09T20:44:30Z",  # the cut-off is 30 s before wires close
    "2026-07-09T20:45:30Z",  # and 30 s after
    "2026-07-09T22:44:59Z",  # wires close while it runs
    "2026-07-10T03:59:50Z",  # midnight in New York while it runs
    "2026-07-09T23:59:50Z",  # midnight UTC while it runs
    "2026-07-09T21:59:50Z",  # the cut-off is midnight UTC
)
WEEK = tuple(
    f"{datetime(2026, 6, 29, tzinfo=UTC) + timedelta(hours=hour):%Y-%m-%dT%H:%M:20Z}"
    for hour in range(0, 7 * 24, 11)
)
"""Every eleven hours of the week with the day before Independence Day in it."""


class BankDay:
    """A start of the demo: bank and node; `lives` lets some seconds pass and the node read."""

    def __init__(self, begins: str) -> None:
        self.clock = [at(begins.replace("Z", "+00:00"))]
        self.read = 0
        opening = Opening(
            opening=str(demo.OPENING_USD),
            funds=(f"{demo.FUND}:1",),
            customers=Customers(per_day=6),
            history_days=20,
        )
        terms = Terms(settle_ms=800, at_once=True)
        self.bank: Bank = make_bank(opening, terms, Books(), lambda: self.clock[0])
        self.bank.mailbox.report_ms = 500
        policy = demo_policy(Day(), datetime.fromtimestamp(self.clock[0] / 1000, UTC))
        content: dict[str, Any] = json.loads(canonical(policy))
        self.world = CashWorld(
            iso(self.clock[0]), sweep=content["sweep"], screening=content["screening"]
        )
        self.lives(1)

    def lives(self, seconds: float) -> None:
        """The clock goes on, and what the bank says is read."""
        self.clock[0] += int(seconds * 1000)
        self.world.now_ms = self.clock[0]
        self.bank.advance()
        while self.read < len(self.bank.books.documents):
            self.read += 1
            for statement in statements(self.bank.mailbox.xml(self.read)):
                event = event_of(demo.ACCOUNT_ID, statement)
                self.world.send(BALANCES, event, time_ms=event.as_of_ms)

    def pays(self) -> str:
        """The last order goes to the bank, is executed and confirmed; what kind it was."""
        order = self.world.orders[-1]
        out = order.params["direction"] == "OUT"
        debtor, creditor = (demo.NUMBER, demo.FUND) if out else (demo.FUND, demo.NUMBER)
        name, amount = key_of(order.intent_id), f"{order.asked_e18 / 10**18:.2f}"
        body = pain001(
            name,
            transaction(name, amount, creditor=creditor),
            day=order.params["value_date"],
            debtor=debtor,
        )
        assert order.deadline_ms - self.clock[0] > 3_600_000, "far from any cut-off"
        ((payment, change),) = self.bank.desk.receive(read_request(body), self.clock[0])
        assert (change.state, change.reason) == ("ACCP", "")
        self.lives(0.5)
        self.lives(1.5)
        assert self.bank.books.state(payment).state == "ACSC"
        self.world.outcome(Row(0, "outcome", ("CONFIRMED",), {}))
        self.lives(1)
        return order.kind


@pytest.mark.req("004-29")
@pytest.mark.parametrize("begins", [*SPECIAL, *WEEK])
def test_money_is_placed_drawn_and_brought_back_at_any_hour(begins: str) -> None:
    day = BankDay(begins)
    assert [one.kind for one in day.world.orders] == ["SWEEP"]
    assert day.pays() == "SWEEP"
    assert len(day.world.orders) == 1, "nothing comes back before anyone has drawn"
    day.bank.enter(demo.NUMBER, -100 * demo.DRAWN_USD, "DRAW", "a customer draws", None)
    day.lives(1)
    assert [one.kind for one in day.world.orders] == ["SWEEP", "REVERSE_SWEEP"]
    assert day.pays() == "REVERSE_SWEEP"
    books, table = day.bank.books, day.world.store
    balance = table.get(f"balances|{demo.ACCOUNT_ID}|avail")
    assert balance.amount_e18 // 10**16 == books.booked_cents(demo.NUMBER)
    assert len(day.world.orders) == 2
    assert books.conserved()
