"""What the bank says about an account, which is what its books hold unless it is told otherwise.

fresh           the books as they are now
stale           the books as they were when this was asked for, with the as-of of that moment
backwards       the books as they were a minute before the last answer
contradicting   the as-of stays, the amounts grow by a cent with each answer
"""

from dataclasses import dataclass, field

from weir.sandbox.bank.books import Books

__all__ = ["WAYS", "Said", "Teller"]

WAYS = ("fresh", "stale", "backwards", "contradicting")
BACK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Said:
    """Balances at a moment; `upto` is the number of the last movement they contain."""

    as_of_ms: int
    upto: int
    booked_cents: int
    available_cents: int
    pending: tuple[int, ...]


@dataclass
class Teller:
    """Answers about balances."""

    books: Books
    _ways: dict[str, str] = field(default_factory=dict)
    _last: dict[str, Said] = field(default_factory=dict)

    def tell(self, number: str, way: str, now_ms: int) -> None:
        """From now on the account is spoken of in this way. Raises ValueError."""
        if way not in WAYS:
            raise ValueError(f"told must be one of {', '.join(WAYS)}, not {way!r}")
        if number not in self.books.accounts:
            raise ValueError(f"no account {number!r}")
        self._last[number] = self._now(number, now_ms)
        self._ways[number] = way

    def said(self, number: str, now_ms: int) -> Said:
        """What is said now."""
        way, last = self._ways.get(number, "fresh"), self._last.get(number)
        if way == "fresh" or last is None:
            said = self._now(number, now_ms)
        elif way == "stale":
            said = last
        elif way == "backwards":
            said = self._at(number, last.as_of_ms - BACK_MS)
        else:
            more = last.booked_cents + 1, last.available_cents + 1
            said = Said(last.as_of_ms, last.upto, *more, last.pending)
        self._last[number] = said
        return said

    def shows(self, number: str, now_ms: int) -> int:
        """The last movement that is shown; unlike an answer about balances this changes nothing."""
        last = self._last.get(number)
        if last is None or self._ways.get(number, "fresh") == "fresh":
            return self._now(number, now_ms).upto
        return last.upto

    def _now(self, number: str, now_ms: int) -> Said:
        return Said(
            now_ms,
            len(self.books.movements),
            self.books.booked_cents(number),
            self.books.available_cents(number),
            tuple(payment.number for payment in self.books.pending(number)),
        )

    def _at(self, number: str, at_ms: int) -> Said:
        """As the books were; what was held then is not told."""
        rows = [row for row in self.books.entries(number) if row.at_ms <= at_ms]
        booked = sum(r.amount_cents if r.target == number else -r.amount_cents for r in rows)
        return Said(at_ms, rows[-1].number if rows else 0, booked, booked, ())
