"""The bank as we model it: what our orders do to a recorded account.

A recorded statement loses the entries of the recorded policy's own orders and gets those of the
orders under test; its balances are moved by the difference. An order out leaves the account on its
value date and comes back on the day it matures, a bill for its face, a fund with the yield that is
supplied; an order back is paid on its value date out of what is placed. US dollars times 10^4, as
the bank counts them; days are New York's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from schemas.money import E18, divide_half_even, text_e18
from schemas.records import AttemptRecord, BalanceEvent, BankEntry
from schemas.sweep_params import SweepParams
from streams import bill
from streams.balances import E4_TO_E18
from streams.effects import Call, Effect, Look, Prepare
from streams.newyork import day_of
from streams.orders import key_of

BILL = "TBILL_4W"
YEAR_DAYS = 360


@dataclass
class Payment:
    """One order as the bank knows it; `left` is what of it is placed, at cost."""

    key: str
    out: bool
    product: str
    amount: int
    value_day: int
    matures_day: int | None
    face: int
    left: int = 0
    moved: bool = False


@dataclass
class Books:
    """One bank account: `moved` is by how much its balance differs from the recorded one."""

    account_id: str
    fund_rate_e18: int = 0
    moved: int = 0
    taken_out: set[tuple[str, int]] = field(default_factory=set)
    payments: dict[str, Payment] = field(default_factory=dict)
    new: list[BankEntry] = field(default_factory=list)
    serial: int = 0
    out: int = 0
    back: int = 0
    earned: int = 0

    @property
    def placed(self) -> int:
        """What lies outside, at cost."""
        return sum(payment.left for payment in self.payments.values())

    def take_out(self, key: str, amount: int) -> None:
        """Undoes a movement of the recorded policy, which a bank tells in each report of its day
        and in the statement.
        """
        if (key, amount) not in self.taken_out:
            self.taken_out.add((key, amount))
            self.moved -= amount

    def send(self, payment: Payment) -> None:
        """Takes an order; the same one again is the same one."""
        self.payments.setdefault(payment.key, payment)

    def advance(self, day: int) -> None:
        """Executes what is due by a day, and pays what matures."""
        for payment in list(self.payments.values()):
            if not payment.moved and payment.value_day <= day:
                payment.moved = True
                self._execute(payment)
            if payment.left and payment.matures_day is not None and payment.matures_day <= day:
                self._mature(payment)
        self.payments = {
            key: one for key, one in self.payments.items() if one.left or not one.moved
        }

    def _execute(self, payment: Payment) -> None:
        if payment.out:
            payment.left = payment.amount
            self.out += payment.amount
            self._book(-payment.amount, payment.value_day, payment.key)
            return
        left = payment.amount
        same = [one for one in self.payments.values() if one.product == payment.product]
        for one in sorted(same, key=lambda one: (one.matures_day or 1 << 31, one.value_day)):
            part = min(left, one.left)
            one.left -= part
            left -= part
        self.back += payment.amount - left
        self._book(payment.amount - left, payment.value_day, payment.key)

    def _mature(self, payment: Payment) -> None:
        gain = divide_half_even((payment.face - payment.amount) * payment.left, payment.amount)
        paid, payment.left = payment.left + gain, 0
        self.back += paid - gain
        self.earned += gain
        self._book(paid, payment.matures_day or 0, payment.key)

    def _book(self, amount: int, day: int, key: str) -> None:
        if amount == 0:
            return
        self.moved += amount
        self.serial += 1
        ref = f"model-{self.serial}"
        self.new.append(BankEntry(ref, amount, "USD", "BOOK", False, day, day, key))


@dataclass
class Bank:
    """All bank accounts by id; `foreign` are the ids of the recorded policy's orders."""

    answer_ms: int = 1_000
    fund_rate_e18: int = 0
    accounts: dict[str, Books] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    def books(self, account_id: str) -> Books:
        """An account, untouched when it is new."""
        if account_id not in self.accounts:
            self.accounts[account_id] = Books(account_id, self.fund_rate_e18)
        return self.accounts[account_id]

    def shown(self, event: BalanceEvent) -> BalanceEvent:
        """A recorded message as the bank would have sent it."""
        books = self.books(event.account_id)
        books.advance(day_of(event.as_of_ms))
        kept = []
        for entry in event.entries:
            if entry.end_to_end_id is None or key_of(entry.end_to_end_id) not in self.foreign:
                kept.append(entry)
            elif entry.status == "BOOK":
                books.take_out(key_of(entry.end_to_end_id), entry.amount_e4)
        ours, books.new = books.new, []
        moved = books.moved
        avail = event.avail_usd_e4
        return replace(
            event,
            balances=tuple(replace(one, amount_e4=one.amount_e4 + moved) for one in event.balances),
            entries=(*kept, *ours),
            avail_usd_e4=None if avail is None else avail + moved,
        )

    def answer(self, effect: Effect, at_ms: int) -> AttemptRecord:
        """What the bank says of an order: it takes it, and has executed it when it is asked."""
        said: dict[str, Any] = {"facts": {"server_ms": str(at_ms), "rows": "1"}}
        if isinstance(effect, Prepare):
            said = {"watermark": {"server_ms": str(at_ms)}}
        else:
            ref = key_of(effect.intent_id)
            if isinstance(effect, Call):
                self.books(effect.account_id).send(self._payment(effect))
                said = {}
            class_ = "done" if isinstance(effect, Look) else "accepted"
            said |= {"class_": class_, "venue_ref": ref, "amount_done_e18": effect.amount_e18}
        return AttemptRecord(
            attempt_id=effect.effect_id,
            intent_id=effect.intent_id,
            leg=effect.leg,
            n=effect.n,
            kind=_KINDS[type(effect).__name__],
            at_ms=at_ms,
            amount_e18=effect.amount_e18,
            request_hash=effect.request_hash if isinstance(effect, Call) else None,
            **said,
        )

    def _payment(self, call: Call) -> Payment:
        params = SweepParams.of(call.params)
        amount_e4 = call.amount_e18 // E4_TO_E18
        days = 0 if params.matures_day is None else params.matures_day - params.value_day
        face = self._face_e18(params, call.amount_e18, days) // E4_TO_E18
        out = params.direction == "OUT"
        key, product = key_of(call.intent_id), params.target_product
        return Payment(key, out, product, amount_e4, params.value_day, params.matures_day, face)

    def _face_e18(self, params: SweepParams, amount_e18: int, days: int) -> int:
        if params.target_product == BILL and params.discount_rate_e18 is not None:
            return bill.face_e18(amount_e18, params.discount_rate_e18, days)
        earned = amount_e18 * self.fund_rate_e18 * days
        return amount_e18 + divide_half_even(earned, YEAR_DAYS * E18)

    def sentences(self) -> tuple[str, ...]:
        """What is taken for granted of the bank, as a report prints it."""
        return (
            f"The bank takes an order within {self.answer_ms} ms and executes it on its value"
            " date; its entries stand in the next recorded message of the account.",
            "A bill comes back for its face on the day it matures; anything else with"
            f" {text_e18(self.fund_rate_e18)} a year on 360 days.",
            "Entries of the recorded policy's own orders are taken out of the statements.",
        )


_KINDS = {"Prepare": "PREPARED", "Call": "RESULT", "Look": "EVIDENCE"}
