"""A bank that keeps its own books, for simulated days: the judge of cash.

It knows nothing of our code's figures. It executes each payment once, on its value date, pays what
matures, books what customers do, and reports. Amounts are hundredths of a cent; days are counted
from 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.records import BalanceEvent, BankBalance, BankEntry


@dataclass
class Payment:
    """What we sent: OUT places money, BACK takes it from placements."""

    key: str
    direction: str
    product: str
    amount: int
    value_day: int
    matures_day: int | None
    face: int
    executed: bool = False
    returned: bool = False


@dataclass
class Bank:
    """One account. `placed` is what is left of each placement, at cost."""

    account_id: str
    balance: int
    payments: dict[str, Payment] = field(default_factory=dict)
    placed: dict[str, int] = field(default_factory=dict)
    entries: list[BankEntry] = field(default_factory=list)
    new: list[BankEntry] = field(default_factory=list)
    sent: int = 0

    def send(self, payment: Payment) -> None:
        """Takes a payment; the same id again is the same payment."""
        if payment.key not in self.payments:
            self.payments[payment.key] = payment

    def left(self) -> int:
        """What is on the account less what was sent and has not moved yet."""
        sent = [one for one in self.payments.values() if not one.executed]
        return self.balance - sum(one.amount for one in sent if one.direction == "OUT")

    def matures(self, day: int) -> int:
        """What comes back by itself until a day, at cost, of what has moved and of what will."""
        return sum(
            self.placed.get(one.key, 0) if one.executed else one.amount
            for one in self.payments.values()
            if one.matures_day is not None and one.matures_day <= day
        )

    def execute(self, payment: Payment, day: int) -> None:
        """Moves the money of a payment, once."""
        if payment.executed:
            return
        payment.executed = True
        if payment.direction == "OUT":
            self.placed[payment.key] = payment.amount
            self.book(-payment.amount, day, payment.key)
        else:
            self.take(payment)
            self.book(payment.amount, day, payment.key)

    def take(self, payment: Payment) -> None:
        """Sells placements of the product, the one that matures first before the others."""
        left = payment.amount
        held = [
            one
            for one in self.payments.values()
            if one.product == payment.product and self.placed.get(one.key, 0) > 0
        ]
        for one in sorted(held, key=lambda one: one.matures_day or 10**9):
            part = min(left, self.placed[one.key])
            self.placed[one.key] -= part
            left -= part
        if left:
            raise ValueError(f"{payment.key} sells {left} more than is placed")

    def mature(self, day: int) -> bool:
        """Pays what comes back by itself today; whether anything did."""
        paid = False
        for one in self.payments.values():
            left = self.placed.get(one.key, 0)
            if left and one.matures_day is not None and one.matures_day <= day:
                self.placed[one.key] = 0
                self.book(left + (one.face - one.amount) * left // one.amount, day, one.key)
                paid = True
        return paid

    def give_back(self, payment: Payment, day: int) -> None:
        """Returns a placement's payment: the other side would not have it."""
        left = self.placed.get(payment.key, 0)
        if left == payment.amount and not payment.returned:
            payment.returned = True
            self.placed[payment.key] = 0
            self.book(left, day, payment.key)

    def book(self, amount: int, day: int, end_to_end_id: str | None = None) -> None:
        """One booked entry."""
        if amount == 0:
            return
        self.sent += 1
        self.balance += amount
        entry = BankEntry(f"R{self.sent}", amount, "USD", "BOOK", False, day, None, end_to_end_id)
        self.entries.append(entry)
        self.new.append(entry)

    def recallable(self, day: int) -> int:
        """What could still be taken back on this day: overnight money that stays until later."""
        total = 0
        for one in self.payments.values():
            if one.product == "FED_RRP" and one.direction == "OUT" and one.value_day <= day:
                total += self.placed.get(one.key, 0)
        asked = sum(
            one.amount
            for one in self.payments.values()
            if one.direction == "BACK" and one.product == "FED_RRP" and not one.executed
        )
        return total - asked

    def report(self, at_ms: int) -> BalanceEvent:
        """What happened since the last report, and the balance now."""
        entries, self.new = tuple(self.new), []
        now = BankBalance("ITAV", self.balance, "USD", at_ms)
        return BalanceEvent(
            self.account_id, "camt052", f"I{at_ms}-{self.sent}", (now,), entries, at_ms
        )

    def statement(self, day: int, at_ms: int) -> BalanceEvent:
        """All entries since the last statement, booked on this day or the weekend before."""
        entries, self.entries = tuple(self.entries), []
        closing = BankBalance("CLBD", self.balance, "USD", at_ms)
        return BalanceEvent(self.account_id, "camt053", f"S{day}", (closing,), entries, at_ms, day)
