"""One running bank: its clock, its books, and everyone who works on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import Days, local, utc_text
from weir.sandbox.bank.flows import Customers, book
from weir.sandbox.bank.login import Gate
from weir.sandbox.bank.mailbox import Mailbox
from weir.sandbox.bank.money import text
from weir.sandbox.bank.payments import Desk
from weir.sandbox.bank.placements import placements
from weir.sandbox.bank.records import Change, Clock, Payment
from weir.sandbox.bank.told import Teller
from weir.sandbox.faults import Faults

__all__ = ["MONEY_PATHS", "Bank"]

INITIATIONS = "/payments/v1/initiations"
MONEY_PATHS = frozenset({INITIATIONS})


@dataclass
class Bank:
    """Everything in one place. `machine_ms` is the machine's clock; the bank's may be ahead."""

    books: Books
    days: Days
    desk: Desk
    teller: Teller
    mailbox: Mailbox
    gate: Gate
    machine_ms: Callable[[], int]
    faults: Faults = field(default_factory=lambda: Faults(money_paths=MONEY_PATHS))
    customers: Customers | None = None
    flow_ms: int = 0
    """Between two flows of customers; 0: at the times of the day they are drawn for."""

    def now_ms(self) -> int:
        """The bank's clock."""
        return self.machine_ms() + self.books.ahead_ms

    def advance(self) -> None:
        """Carry on whatever is due: customers, payments, documents."""
        now_ms = self.now_ms()
        if self.customers is not None:
            for number, account in self.books.accounts.items():
                if account.kind == "dda":
                    self._flow(self.customers, number, now_ms)
        self.desk.advance(now_ms)
        self.mailbox.advance(now_ms)

    def pass_time(self, by_ms: int) -> None:
        """The clock goes on; what comes due on the way happens at the end of it."""
        self.books.write(Clock(self.now_ms(), self.books.ahead_ms + by_ms))
        self.advance()

    def enter(
        self, number: str, signed_cents: int, reference: str, said: str, day: date | None
    ) -> None:
        """A flow of a customer, on command; on a day that is stated, the day is stated again."""
        now_ms = self.now_ms()
        today = local(now_ms).date()
        if number not in self.books.accounts:
            raise ValueError(f"no account {number!r}")
        if day is not None and day > today:
            raise ValueError(f"{day} is still to come")
        moved = self.books.movement(
            now_ms,
            "OUTSIDE",
            number,
            signed_cents,
            (day or today).isoformat(),
            end_to_end_id=reference,
            code="CUST",
            text=said,
        )
        self.books.write(moved)
        stated = day or today
        while stated < today and self.mailbox.stated(number, stated):
            self.mailbox.state(number, stated, now_ms)
            stated = date.fromordinal(stated.toordinal() + 1)

    def shown(self) -> dict[str, Any]:
        """The whole book, for whoever judges."""
        now_ms = self.now_ms()
        return {
            "bank": "sandbox",
            "now": utc_text(now_ms),
            "now_ms": now_ms,
            "accounts": {number: self._account(number) for number in self.books.accounts},
            "payments": [self._payment(payment) for payment in self.books.payments],
            "movements": len(self.books.movements),
            "documents": len(self.books.documents),
            "conserved": self.books.conserved(),
            "faults": self.faults.snapshot(),
            "login": {"given": self.gate.given, "refused": self.gate.refused},
        }

    def has_flow(self, number: str, reference: str) -> bool:
        """Whether a flow of a customer with this reference is booked."""
        flows = (row for row in self.books.entries(number) if row.code == "CUST")
        return any(row.end_to_end_id == reference for row in flows)

    def flows(self, number: str) -> dict[str, str]:
        """What customers moved on each open day that is stated, net."""
        sums = {day: 0 for day in self.mailbox.stated_days(number) if self._is_open(day)}
        for row in self.books.entries(number):
            if row.code == "CUST" and row.day in sums:
                sums[row.day] += row.amount_cents if row.target == number else -row.amount_cents
        return {day: text(signed) for day, signed in sums.items()}

    def _is_open(self, day: str) -> bool:
        return self.days.is_open(date.fromisoformat(day))

    def _flow(self, customers: Customers, number: str, now_ms: int) -> None:
        flows = [row.at_ms for row in self.books.entries(number) if row.code == "CUST"]
        after_ms = max([self.books.accounts[number].at_ms, *flows[-1:]])
        if self.flow_ms:
            due = (now_ms - after_ms) // self.flow_ms
            for n in range(min(due, 100)):
                signed, reference = customers.nth(number, len(flows) + n)
                book(self.books, number, now_ms, signed, reference)
            return
        for at_ms, signed, reference in customers.between(number, after_ms, now_ms):
            if self.days.is_open(local(at_ms).date()):
                book(self.books, number, at_ms, signed, reference)

    def _account(self, number: str) -> dict[str, Any]:
        account, entries = self.books.accounts[number], self.books.entries(number)
        shown: dict[str, Any] = {
            "name": account.name,
            "kind": account.kind,
            "booked": text(self.books.booked_cents(number)),
            "available": text(self.books.available_cents(number)),
            "entries": len(entries),
            "statements": len(self.mailbox.stated_days(number)),
            "pending": [payment.end_to_end_id for payment in self.books.pending(number)],
        }
        if account.kind == "fund":
            shown["placements"] = [
                {
                    "account": row.source,
                    "end_to_end_id": row.end_to_end_id,
                    "day": row.valued,
                    "left": text(left),
                }
                for row, left in placements(self.books, number)
            ]
        return shown

    def _payment(self, payment: Payment) -> dict[str, Any]:
        changes = self.books.changes(payment)
        entries = [
            row
            for row in self.books.entries(payment.debtor)
            if row.payment == payment.number and not row.reversal
        ]
        return {
            "number": payment.number,
            "msg_id": payment.msg_id,
            "end_to_end_id": payment.end_to_end_id,
            "debtor": payment.debtor,
            "creditor": payment.creditor,
            "amount": payment.amount,
            "ccy": payment.ccy,
            "day": payment.day,
            "received_ms": payment.at_ms,
            "state": changes[-1].state,
            "reason": changes[-1].reason,
            "states": [_state(change) for change in changes],
            "booked": len(entries),
            "returned": self.desk.returned(payment),
        }


def _state(change: Change) -> dict[str, Any]:
    return {"state": change.state, "at_ms": change.at_ms, "reason": change.reason}
