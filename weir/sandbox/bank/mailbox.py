"""The bank's mailbox: a prior-day statement for each day that is over, a report when something has
moved, and whatever was put there on command.

A statement covers each calendar day since the account was opened, closed days as well. An entry
that is booked on a day whose statement is out makes the bank state that day again.
"""

import base64
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import Days, local
from weir.sandbox.bank.records import Document
from weir.sandbox.bank.statements import Writer
from weir.sandbox.bank.told import Teller

__all__ = ["Mailbox"]

INTRADAY, PRIOR_DAY, FOREIGN = "camt.052", "camt.053", "foreign"


@dataclass
class Mailbox:
    """Documents in order. A report is made at most every `report_ms`, 0: never."""

    books: Books
    days: Days
    teller: Teller
    writer: Writer
    report_ms: int = 60_000
    _stated: dict[str, dict[str, int]] = field(default_factory=dict)
    _reported: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for document in self.books.documents:
            self._remember(document)

    def advance(self, now_ms: int) -> None:
        """State the days that are over, and report what is new."""
        today = local(now_ms).date()
        for account in [one for one in self.books.accounts.values() if one.kind == "dda"]:
            stated = self._stated.setdefault(account.number, {})
            day = local(account.at_ms).date()
            if stated:
                day = date.fromisoformat(max(stated)) + timedelta(days=1)
            while day < today:
                self.state(account.number, day, now_ms)
                day += timedelta(days=1)
            self._report(account.number, now_ms)

    def state(self, number: str, day: date, now_ms: int) -> None:
        """The statement of a day as the books have it now, all its pages."""
        text = day.isoformat()
        booked = sum(
            row.amount_cents if row.target == number else -row.amount_cents
            for row in self.books.entries(number)
            if row.day <= text
        )
        upto = len(self.books.movements)
        self._publish(
            Document(
                number=len(self.books.documents) + 1,
                at_ms=now_ms,
                kind=PRIOR_DAY,
                account=number,
                day=text,
                as_of_ms=now_ms,
                upto=upto,
                booked_cents=booked,
                available_cents=booked,
            )
        )

    def stated(self, number: str, day: date) -> bool:
        """Whether a day's statement is out."""
        return day.isoformat() in self._stated.get(number, {})

    def stated_days(self, number: str) -> list[str]:
        """The days of an account whose statements are out, in order."""
        return sorted(self._stated.get(number, {}))

    def put(self, raw: bytes, now_ms: int) -> Document:
        """A message as it is."""
        number = len(self.books.documents) + 1
        text = base64.b64encode(raw).decode()
        document = Document(number=number, at_ms=now_ms, kind=FOREIGN, raw=text)
        self.books.write(document)
        return document

    def again(self, number: int, now_ms: int) -> Document:
        """An earlier message once more, byte for byte. Raises KeyError."""
        if not 1 <= number <= len(self.books.documents):
            raise KeyError(number)
        earlier = self.books.documents[number - 1]
        original = earlier.copy_of or earlier.number
        new = replace(earlier, number=len(self.books.documents) + 1, at_ms=now_ms, copy_of=original)
        self.books.write(new)
        return new

    def xml(self, number: int) -> bytes:
        """The message of a document. Raises KeyError."""
        if not 1 <= number <= len(self.books.documents):
            raise KeyError(number)
        document = self.books.documents[number - 1]
        if document.copy_of:
            return self.xml(document.copy_of)
        return base64.b64decode(document.raw) if document.raw else self.writer.xml(document)

    def _report(self, number: str, now_ms: int) -> None:
        at_ms, last_ms = self._reported.get(number, (0, -1))
        if not self.report_ms or now_ms - at_ms < self.report_ms:
            return
        said = self.teller.said(number, now_ms)
        if said.as_of_ms == last_ms and said.as_of_ms != now_ms:
            self._reported[number] = (now_ms, last_ms)
            return
        document = Document(
            number=len(self.books.documents) + 1,
            at_ms=now_ms,
            kind=INTRADAY,
            account=number,
            day=local(said.as_of_ms).date().isoformat(),
            as_of_ms=said.as_of_ms,
            upto=said.upto,
            booked_cents=said.booked_cents,
            available_cents=said.available_cents,
            pending=said.pending,
        )
        self._publish(document)

    def _publish(self, document: Document) -> None:
        pages = self.writer.pages(document)
        rows = [
            replace(document, number=document.number + page, page=page + 1, pages=pages)
            for page in range(pages)
        ]
        self.books.write(*rows)
        for row in rows:
            self._remember(row)

    def _remember(self, document: Document) -> None:
        if document.kind == PRIOR_DAY and not document.copy_of:
            self._stated.setdefault(document.account, {})[document.day] = document.number
        elif document.kind == INTRADAY and not document.copy_of:
            self._reported[document.account] = (document.at_ms, document.as_of_ms)
