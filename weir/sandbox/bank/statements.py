"""camt.052 and camt.053 as the bank writes them, in any version from 02 to 14.

Amounts carry no sign, the mark does. Versions differ in what is written here only in the status of
an entry (text until 06, a code below `Cd` from 07 on), in the amounts of a transaction (none in
02), and in where a page says which it is (in the header in 02, in the statement from 03 on).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import instant_ms, utc_text
from weir.sandbox.bank.money import cents, text
from weir.sandbox.bank.pain import tree
from weir.sandbox.bank.records import Document, Movement, Payment

__all__ = ["PAGE", "Writer"]

PAGE = 1000
ROOTS = {"camt.052": ("BkToCstmrAcctRpt", "Rpt"), "camt.053": ("BkToCstmrStmt", "Stmt")}
Branch = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry from the account's point of view."""

    ref: str
    signed_cents: int
    status: str
    day: str
    end_to_end_id: str
    code: str
    text: str
    reversal: bool = False
    reason: str = ""
    value_day: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes documents of the mailbox; `aba` is the bank's own number."""

    books: Books
    version: int = 8
    aba: str = "021000021"
    page: int = PAGE

    def __post_init__(self) -> None:
        if not 2 <= self.version <= 14:
            raise ValueError(f"camt versions are 2 to 14, not {self.version}")

    def pages(self, document: Document) -> int:
        """How many pages a statement of these entries has."""
        return max(1, -(-len(self._lines(document)) // self.page))

    def xml(self, document: Document) -> bytes:
        """The message of a document."""
        root, part = ROOTS[document.kind]
        name = f"{document.kind}.001.{self.version:02d}"
        lines = self._lines(document)[(document.page - 1) * self.page : document.page * self.page]
        is_late = self.version >= 3
        paging = [
            ("PgNb", str(document.page)),
            ("LastPgInd", "true" if document.page == document.pages else "false"),
        ]
        header = [
            ("MsgId", f"MSG-{document.kind[-3:]}-{document.number:08d}"),
            ("CreDtTm", utc_text(document.at_ms)),
            None if is_late else ("MsgPgntn", paging),
        ]
        first = document.number - document.page + 1
        body = [
            ("Id", f"{document.kind[-3:]}-{document.account}-{first}"[-35:]),
            (f"{part}Pgntn", paging) if is_late else None,
            ("ElctrncSeqNb", str(first)),
            ("CreDtTm", utc_text(document.at_ms)),
            ("FrToDt", self._span(document)),
            ("Acct", self._account(document.account)),
            *(branch for branch in self._balances(document)),
            *(self._entry(line) for line in lines),
        ]
        return tree(name, [(root, [("GrpHdr", header), (part, body)])])

    def _account(self, number: str) -> list[Branch]:
        agent = ("ClrSysMmbId", [("ClrSysId", [("Cd", "USABA")]), ("MmbId", self.aba)])
        return [
            ("Id", [("Othr", [("Id", number)])]),
            ("Ccy", "USD"),
            ("Ownr", [("Nm", self.books.accounts[number].name)]),
            ("Svcr", [("FinInstnId", [agent])]),
        ]

    def _span(self, document: Document) -> list[Branch]:
        day = date.fromisoformat(document.day)
        starts_ms = instant_ms(day, time(0))
        ends_ms = document.as_of_ms
        if document.kind == "camt.053":
            ends_ms = instant_ms(day + timedelta(days=1), time(0)) - 1
        return [("FrDtTm", utc_text(starts_ms)), ("ToDtTm", utc_text(ends_ms))]

    def _balances(self, document: Document) -> Iterator[Branch]:
        booked, available = document.booked_cents, document.available_cents
        if document.kind == "camt.052":
            at = [("DtTm", utc_text(document.as_of_ms))]
            yield _balance("ITBD", booked, at)
            yield _balance("ITAV", available, at)
            return
        lines = self._lines(document)
        opening = booked - sum(line.signed_cents for line in lines if line.status == "BOOK")
        if document.page == 1:
            yield _balance("OPBD", opening, [("Dt", document.day)])
        else:
            yield _balance("ITBD", self._until(opening, lines, document.page - 1), _day(document))
        if document.page == document.pages:
            yield _balance("CLBD", booked, _day(document))
            yield _balance("CLAV", available, _day(document))
        else:
            yield _balance("ITBD", self._until(opening, lines, document.page), _day(document))

    def _until(self, opening: int, lines: Sequence[_Line], page: int) -> int:
        return opening + sum(line.signed_cents for line in lines[: page * self.page])

    def _lines(self, document: Document) -> list[_Line]:
        """The entries of a document: of a day as booked, of a report also what is pending."""
        number = document.account
        booked = [
            _booked(row, number)
            for row in self.books.entries(number)
            if row.number <= document.upto and row.day == document.day
        ]
        if document.kind == "camt.053":
            return booked
        return booked + [_pending(self.books.payments[one - 1]) for one in document.pending]

    def _entry(self, line: _Line) -> Branch:
        amount = ("Amt", text(abs(line.signed_cents)), {"Ccy": "USD"})
        mark = ("CdtDbtInd", "CRDT" if line.signed_cents >= 0 else "DBIT")
        refs = [("EndToEndId", line.end_to_end_id or "NOTPROVIDED")]
        details = [
            ("Refs", refs),
            *([amount, mark] if self.version >= 3 else []),
            ("RmtInf", [("Ustrd", line.text)]) if line.text else None,
            ("RtrInf", [("Rsn", [("Cd", line.reason)])]) if line.reason else None,
        ]
        status = [("Cd", line.status)] if self.version >= 7 else line.status
        return (
            "Ntry",
            [
                amount,
                mark,
                ("RvslInd", "true") if line.reversal else None,
                ("Sts", status),
                ("BookgDt", [("Dt", line.day)]) if line.status == "BOOK" else None,
                ("ValDt", [("Dt", line.value_day or line.day)]),
                ("AcctSvcrRef", line.ref),
                ("BkTxCd", [("Prtry", [("Cd", line.code)])]),
                ("NtryDtls", [("TxDtls", details)]),
            ],
        )


def _day(document: Document) -> list[Branch]:
    return [("Dt", document.day)]


def _balance(code: str, signed_cents: int, at: list[Branch]) -> Branch:
    return (
        "Bal",
        [
            ("Tp", [("CdOrPrtry", [("Cd", code)])]),
            ("Amt", text(abs(signed_cents)), {"Ccy": "USD"}),
            ("CdtDbtInd", "CRDT" if signed_cents >= 0 else "DBIT"),
            ("Dt", at),
        ],
    )


def _booked(row: Movement, number: str) -> _Line:
    return _Line(
        ref=f"B{row.number:09d}",
        signed_cents=row.amount_cents if row.target == number else -row.amount_cents,
        status="BOOK",
        day=row.day,
        end_to_end_id=row.end_to_end_id,
        code=row.code,
        text=row.text,
        reversal=row.reversal,
        reason=row.reason,
        value_day=row.value_day,
    )


def _pending(payment: Payment) -> _Line:
    return _Line(
        ref=f"P{payment.number:09d}",
        signed_cents=-cents(payment.amount),
        status="PDNG",
        day=payment.day,
        end_to_end_id=payment.end_to_end_id,
        code="TRF",
        text=payment.text,
    )
