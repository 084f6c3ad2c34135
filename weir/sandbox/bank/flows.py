"""The customers of the account holder: money that comes in and goes out, drawn by a seed.

A day has some payments in and out, more at the start of the week; amounts are skewed, as real ones
are. The same seed gives the same days, wherever they lie.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from random import Random

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import Days, instant_ms, local
from weir.sandbox.bank.records import OUTSIDE, Account, Movement

__all__ = ["Customers", "open_books"]

BUSY = (1.4, 1.1, 1.0, 1.0, 1.2, 0.5, 0.5)
"""By weekday, Monday first."""


@dataclass(frozen=True, slots=True)
class Customers:
    """How much moves: payments a day, and the middle one's size in dollars."""

    seed: int = 1
    per_day: int = 6
    typical_usd: int = 20_000

    def of_day(self, number: str, day: date) -> Iterator[tuple[time, int, str]]:
        """The flows of a day in order: time in New York, signed cents, the customer's reference."""
        random = Random(f"{self.seed}|{number}|{day}")
        count = round(self.per_day * BUSY[day.weekday()] * random.uniform(0.7, 1.3))
        at = sorted(random.randrange(8 * 3600, 18 * 3600) for _ in range(count))
        for n, second in enumerate(at, 1):
            amount = round(100 * self.typical_usd * random.lognormvariate(0, 0.8))
            signed = amount if random.random() < 0.5 else -amount
            clock = time(second // 3600, second // 60 % 60, second % 60)
            yield clock, signed, f"CUST-{day:%y%m%d}-{n}"

    def nth(self, number: str, n: int) -> tuple[int, str]:
        """The n-th flow of an account where they come without regard to the day."""
        random = Random(f"{self.seed}|{number}|flow {n}")
        amount = round(100 * self.typical_usd * random.lognormvariate(0, 0.8))
        return amount if random.random() < 0.5 else -amount, f"CUST-N-{n}"

    def between(self, number: str, after_ms: int, to_ms: int) -> Iterator[tuple[int, int, str]]:
        """The flows after one moment up to another: when, signed cents, reference."""
        day, last = local(after_ms).date(), local(to_ms).date()
        while day <= last:
            for clock, signed, reference in self.of_day(number, day):
                at_ms = instant_ms(day, clock)
                if after_ms < at_ms <= to_ms:
                    yield at_ms, signed, reference
            day += timedelta(days=1)


def open_books(
    books: Books,
    accounts: list[Account],
    opening_cents: int,
    customers: Customers | None,
    days: Days,
    now_ms: int,
    history_days: int,
) -> None:
    """Open the accounts at the start of the day `history_days` before now, all in one; each has the
    opening balance now, after the flows of its history.
    """
    start = local(now_ms).date() - timedelta(days=history_days)
    start_ms = instant_ms(start, time(0))
    rows: list[Account | Movement] = []
    number = len(books.movements)
    for account in accounts:
        rows.append(replace(account, at_ms=start_ms))
        if account.kind != "dda":
            continue
        flows = list(customers.between(account.number, start_ms, now_ms)) if customers else []
        flows = [flow for flow in flows if days.is_open(local(flow[0]).date())]
        first = opening_cents - sum(signed for _, signed, _ in flows)
        opening = _flow(books, account.number, start_ms - 1, first, "OPENING", "opening balance")
        for flow in (opening, *(_flow(books, account.number, *one, "customer") for one in flows)):
            number += 1
            rows.append(replace(flow, number=number))
    books.write(*rows)


def book(books: Books, number: str, at_ms: int, signed: int, reference: str) -> None:
    """One flow of a customer."""
    books.write(_flow(books, number, at_ms, signed, reference, "customer"))


def _flow(
    books: Books, number: str, at_ms: int, signed: int, reference: str, text: str
) -> Movement:
    day = local(at_ms).date().isoformat()
    return books.movement(
        at_ms, OUTSIDE, number, signed, day, end_to_end_id=reference, code="CUST", text=text
    )
