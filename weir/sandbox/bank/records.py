"""What the bank writes down, as flat rows: each is one line of its journal."""

from dataclasses import dataclass

__all__ = [
    "ACCEPTED",
    "OPEN",
    "OUTSIDE",
    "REJECTED",
    "SETTLED",
    "SETTLING",
    "Account",
    "Change",
    "Clock",
    "Document",
    "Movement",
    "Order",
    "Payment",
    "Plan",
]

OUTSIDE = "OUTSIDE"
"""The rest of the world, as an account."""
ACCEPTED, SETTLING, SETTLED, REJECTED = "ACCP", "ACSP", "ACSC", "RJCT"
OPEN = (ACCEPTED, SETTLING)
"""The money is held."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account, or a fund that takes placements and gives them back after `term_days`
    open days (0: only when asked).
    """

    number: str
    name: str
    kind: str
    at_ms: int
    term_days: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """Money from one account to another; always positive. An entry in each account of the bank,
    booked on `day`; `value_day` where it is valued on another.
    """

    number: int
    at_ms: int
    source: str
    target: str
    amount_cents: int
    day: str
    end_to_end_id: str
    code: str
    text: str
    payment: int = 0
    reversal: bool = False
    reason: str = ""
    value_day: str = ""

    @property
    def valued(self) -> str:
        """The day from which on the money counts."""
        return self.value_day or self.day


@dataclass(frozen=True, slots=True)
class Order:
    """One transaction as it was asked for."""

    pmt_inf_id: str
    instr_id: str
    end_to_end_id: str
    uetr: str
    debtor: str
    creditor: str
    creditor_name: str
    amount: str
    ccy: str
    day: str
    text: str


@dataclass(frozen=True, slots=True)
class Payment(Order):
    """One transaction of the message with this number, as received; kept also when refused."""

    number: int
    message: int
    at_ms: int
    msg_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of a payment, and why."""

    payment: int
    at_ms: int
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will go wrong with a payment: `reject` before it is settled, `return` after it."""

    payment: int
    at_ms: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """One message of the mailbox. What it says is rendered from the books as they were: the first
    `upto` movements, the payments that were pending, what was available.

    `raw` (base64) is a message that was put there as it is, `copy_of` the number of an earlier one.
    """

    number: int
    at_ms: int
    kind: str
    account: str = ""
    day: str = ""
    as_of_ms: int = 0
    upto: int = 0
    booked_cents: int = 0
    available_cents: int = 0
    pending: tuple[int, ...] = ()
    page: int = 1
    pages: int = 1
    raw: str = ""
    copy_of: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """How far the bank's clock is ahead of the machine's."""

    at_ms: int
    ahead_ms: int
