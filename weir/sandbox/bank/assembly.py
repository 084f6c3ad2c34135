"""Puts a bank together from what was asked for: accounts, funds, days, customers and a login."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

from weir.sandbox.bank.bank import Bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import Days
from weir.sandbox.bank.flows import Customers, open_books
from weir.sandbox.bank.login import Gate
from weir.sandbox.bank.mailbox import Mailbox
from weir.sandbox.bank.money import cents
from weir.sandbox.bank.payments import Desk, Terms
from weir.sandbox.bank.records import Account
from weir.sandbox.bank.statements import Writer
from weir.sandbox.bank.told import Teller

__all__ = ["ACCOUNTS", "CLIENT", "FUNDS", "Opening", "make_bank"]

ACCOUNTS = ("0123456789",)
FUNDS = ("987654321",)
CLIENT = "sandbox-client:sandbox-secret"


@dataclass(frozen=True, slots=True)
class Opening:
    """How the bank begins. A fund is NUMBER, or NUMBER:DAYS until it gives back by itself."""

    accounts: tuple[str, ...] = ACCOUNTS
    funds: tuple[str, ...] = FUNDS
    opening: str = "2500000"
    client: str = CLIENT
    cutoff: str = "18:45"
    round_the_clock: bool = False
    customers: Customers | None = None
    history_days: int = 0


def make_bank(opening: Opening, terms: Terms, books: Books, machine_ms: Callable[[], int]) -> Bank:
    """A bank on these books; its accounts are opened where the books are new. Raises ValueError."""
    days = Days(time.fromisoformat(opening.cutoff), round_the_clock=opening.round_the_clock)
    opening_cents = cents(opening.opening)
    name, _, secret = opening.client.partition(":")
    if not name or not secret:
        raise ValueError("a client is CLIENT:SECRET")
    accounts = [Account(one, "TREASURY LLC", "dda", 0) for one in opening.accounts]
    accounts += [_fund(one) for one in opening.funds]
    if not books.accounts:
        now_ms, customers = machine_ms(), opening.customers
        open_books(books, accounts, opening_cents, customers, days, now_ms, opening.history_days)
    teller = Teller(books)
    return Bank(
        books=books,
        days=days,
        desk=Desk(books, days, terms),
        teller=teller,
        mailbox=Mailbox(books, days, teller, Writer(books)),
        gate=Gate({name: secret}),
        machine_ms=machine_ms,
        customers=opening.customers,
    )


def _fund(text: str) -> Account:
    number, _, days = text.partition(":")
    return Account(number, "GOVERNMENT MONEY MARKET FUND", "fund", 0, int(days or "0"))
