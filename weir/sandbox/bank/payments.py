"""What the bank does with payments: takes or refuses, executes, settles, rejects, returns.

Every decision is a row in the books; `advance` carries on whatever time has made due. A payment is
refused for the first reason that holds, in the order of `CHECKS`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from random import Random

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import Days, local
from weir.sandbox.bank.money import cents
from weir.sandbox.bank.pain import Request
from weir.sandbox.bank.placements import placements
from weir.sandbox.bank.records import (
    ACCEPTED,
    OUTSIDE,
    REJECTED,
    SETTLED,
    SETTLING,
    Change,
    Order,
    Payment,
    Plan,
)

__all__ = ["Desk", "Terms"]

LATE_REASONS = ("AC04", "AG01", "MS03")
"""Closed account, forbidden transaction, no reason given."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The bank's ways. Rates are shares of payments, drawn by the seed when one is accepted.

    `at_once`: a payment for a day to come is booked when it comes, and valued on its day.
    """

    settle_ms: int = 200
    return_ms: int = 1000
    reject_rate: float = 0.0
    return_rate: float = 0.0
    seed: int = 0
    limit_cents: int = 10**13
    at_once: bool = False


@dataclass
class Desk:
    """The payment desk. `planned`: outcomes for the next payments, on command."""

    books: Books
    days: Days
    terms: Terms = field(default_factory=Terms)
    planned: list[tuple[str, str]] = field(default_factory=list)

    def receive(self, request: Request, now_ms: int) -> list[tuple[Payment, Change]]:
        """Take or refuse each transaction of a message; all rows are written at once."""
        repeated = bool(self.books.message(request.msg_id))
        first = len(self.books.payments) + 1
        message = self.books.payments[-1].message + 1 if self.books.payments else 1
        rows: list[tuple[Payment, Change]] = []
        free = {name: self.books.available_cents(name) for name in self.books.accounts}
        for number, order in enumerate(request.orders, first):
            payment = _payment(number, message, now_ms, request.msg_id, order)
            again = any(payment.end_to_end_id == other.end_to_end_id for other, _ in rows)
            reason = "DU01" if repeated else request.wrong or ("DU04" if again else "")
            reason = reason or self._refusal(payment, now_ms, free)
            if not reason:
                free[payment.debtor] -= cents(payment.amount)
            state = REJECTED if reason else ACCEPTED
            rows.append((payment, Change(number, now_ms, state, reason)))
        plans = [self._plan(change) for _, change in rows if change.state == ACCEPTED]
        written = [*(row for pair in rows for row in pair), *(plan for plan in plans if plan)]
        self.books.write(*written)
        return rows

    def advance(self, now_ms: int) -> None:
        """Execute, settle, reject and return what is due, and give back what has matured."""
        today = local(now_ms).date()
        for payment in self.books.open_payments():
            if today < self.executed_on(payment) and not self.terms.at_once:
                continue
            since_ms = self.books.state(payment).at_ms
            if self.books.state(payment).state == ACCEPTED:
                since_ms = now_ms
                self._execute(payment, now_ms)
            is_settling = self.books.state(payment).state == SETTLING
            if is_settling and now_ms - since_ms >= self.terms.settle_ms:
                self._settle(payment, now_ms, today)
        for plan in [plan for plan in self.books.plans.values() if plan.outcome == "return"]:
            payment = self.books.payments[plan.payment - 1]
            change = self.books.state(payment)
            if change.state == SETTLED and now_ms - change.at_ms >= self.terms.return_ms:
                self.give_back(payment, plan.reason, now_ms)
        self._mature(now_ms, today)

    def executed_on(self, payment: Payment) -> date:
        """The day on which the bank makes a payment."""
        return self.days.on_or_after(date.fromisoformat(payment.day))

    def reject(self, payment: Payment, reason: str, now_ms: int) -> bool:
        """Reject a payment that is under way; False where it is not any more."""
        if self.books.state(payment).state not in (ACCEPTED, SETTLING):
            return False
        self.books.write(Change(payment.number, now_ms, REJECTED, reason))
        return True

    def give_back(self, payment: Payment, reason: str, now_ms: int) -> bool:
        """Return a settled payment, once: its money comes back as a credit."""
        if self.books.state(payment).state != SETTLED or self.returned(payment):
            return False
        source = payment.creditor if payment.creditor in self.books.accounts else OUTSIDE
        self.books.write(
            self.books.movement(
                now_ms,
                source,
                payment.debtor,
                cents(payment.amount),
                local(now_ms).date().isoformat(),
                end_to_end_id=payment.end_to_end_id,
                code="RRTN",
                text=f"RETURN {payment.text}".strip(),
                payment=payment.number,
                reversal=True,
                reason=reason,
            )
        )
        return True

    def returned(self, payment: Payment) -> bool:
        """Whether a payment's money came back as a return."""
        return any(
            row.payment == payment.number and row.reversal
            for row in self.books.entries(payment.debtor)
        )

    def _refusal(self, payment: Payment, now_ms: int, free: dict[str, int]) -> str:
        for reason, holds in CHECKS:
            if holds(self, payment, now_ms, free):
                return reason
        return ""

    def _plan(self, change: Change) -> Plan | None:
        if self.planned:
            outcome, reason = self.planned.pop(0)
            return Plan(change.payment, change.at_ms, outcome, reason)
        random = Random(f"{self.terms.seed}|{change.payment}|plan")
        drawn, reason = random.random(), random.choice(LATE_REASONS)
        if drawn < self.terms.reject_rate:
            return Plan(change.payment, change.at_ms, "reject", reason)
        if drawn < self.terms.reject_rate + self.terms.return_rate:
            return Plan(change.payment, change.at_ms, "return", reason)
        return None

    def _execute(self, payment: Payment, now_ms: int) -> None:
        plan = self.books.plans.get(payment.number)
        if plan is not None and plan.outcome == "reject":
            self.reject(payment, plan.reason, now_ms)
        else:
            self.books.write(Change(payment.number, now_ms, SETTLING))

    def _settle(self, payment: Payment, now_ms: int, today: date) -> None:
        amount_cents = cents(payment.amount)
        if self.books.booked_cents(payment.debtor) < amount_cents:
            self.reject(payment, "AM04", now_ms)
            return
        target = payment.creditor if payment.creditor in self.books.accounts else OUTSIDE
        moved = self.books.movement(
            now_ms,
            payment.debtor,
            target,
            amount_cents,
            today.isoformat(),
            end_to_end_id=payment.end_to_end_id,
            text=payment.text,
            payment=payment.number,
            value_day=max(today, self.executed_on(payment)).isoformat(),
        )
        self.books.write(moved, Change(payment.number, now_ms, SETTLED))

    def _mature(self, now_ms: int, today: date) -> None:
        """Give back what was placed in a fund with a term; taken-out money came from the oldest."""
        for fund in [one for one in self.books.accounts.values() if one.term_days]:
            for placed, left_cents in placements(self.books, fund.number):
                due = self.days.after(date.fromisoformat(placed.valued), fund.term_days)
                if today >= due and left_cents:
                    self.books.write(
                        self.books.movement(
                            now_ms,
                            fund.number,
                            placed.source,
                            left_cents,
                            today.isoformat(),
                            end_to_end_id=placed.end_to_end_id,
                            code="MATU",
                            text=f"MATURITY {placed.text}".strip(),
                        )
                    )


Check = Callable[[Desk, Payment, int, dict[str, int]], bool]


def _amount(payment: Payment) -> int | None:
    try:
        return cents(payment.amount)
    except ValueError:
        return None


def _no_date(desk: Desk, payment: Payment, now_ms: int, _free: dict[str, int]) -> bool:
    try:
        asked = date.fromisoformat(payment.day)
    except ValueError:
        return True
    today = local(now_ms).date()
    return asked < today or (asked - today).days > 365


def _other_bank(desk: Desk, payment: Payment) -> bool:
    return not payment.creditor or payment.creditor == payment.debtor


CHECKS: tuple[tuple[str, Check], ...] = (
    ("DU04", lambda desk, payment, _now, _free: _is_repeated(desk, payment)),
    ("AC02", lambda desk, payment, _now, _free: payment.debtor not in desk.books.accounts),
    ("AC03", lambda desk, payment, _now, _free: _other_bank(desk, payment)),
    ("AM03", lambda _desk, payment, _now, _free: payment.ccy != "USD"),
    ("AM12", lambda _desk, payment, _now, _free: _amount(payment) is None),
    ("AM01", lambda _desk, payment, _now, _free: _amount(payment) == 0),
    ("AM02", lambda desk, payment, _now, _free: cents(payment.amount) > desk.terms.limit_cents),
    ("DT01", _no_date),
    ("TM01", lambda desk, p, now, _free: not desk.days.takes_for(date.fromisoformat(p.day), now)),
    ("AM04", lambda _desk, payment, _now, free: cents(payment.amount) > free[payment.debtor]),
)


def _is_repeated(desk: Desk, payment: Payment) -> bool:
    earlier = desk.books.known(payment.end_to_end_id)
    return earlier is not None and desk.books.state(earlier).state != REJECTED


def _payment(number: int, message: int, now_ms: int, msg_id: str, order: Order) -> Payment:
    return Payment(
        number=number,
        message=message,
        at_ms=now_ms,
        msg_id=msg_id,
        **asdict(order),
    )
