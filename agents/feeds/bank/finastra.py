"""Finastra's corporate accounts in JSON, as BalanceEvents.

`/{id}/balances` gives the ledger and the available balance and since when they are so; where only
the day of the answer is given, its moment counts, and of an earlier day its end.
`/{id}/statement` gives the entries of days, signed by their transaction type. Entries are read
before the balance: so the balance holds every one of them, and a payment of ours that was seen is
in the balance that is told with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from agents.feeds.bank.amounts import E4, Iso
from agents.feeds.bank.statement import check_size, numbered
from agents.feeds.bank.when import instant_ms, the_day
from schemas.records import BalanceEvent, BankBalance, BankEntry
from streams import newyork
from streams.balances import DERIVED
from streams.step import Refused

Text = Annotated[str, Field(max_length=140)]
_EPOCH = date(1970, 1, 1).toordinal()


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


class AccountBalance(_Shape):
    """What an account holds."""

    currency: Text
    ledger_balance: E4 | None = None
    available_balance: E4
    balance_as_on: Text = ""


class StatementRow(_Shape):
    """One entry: the amount is not signed, or signed as its type says."""

    currency: Text
    amount: E4
    transaction_type: Literal["CREDIT", "DEBIT"]
    posting_date: Annotated[date, Iso] | None = None
    value_date: Annotated[date, Iso] | None = None
    back_office_reference: Text | None = None
    ref1: Text | None = None


class Page(_Shape):
    """One page of a list; `_meta` tells how many there are in all."""

    items: tuple[dict[str, Any], ...]
    meta: dict[str, Any]

    @classmethod
    def of(cls, value: Any) -> Page:
        """A page of an answer. Raises Refused."""
        named = value if isinstance(value, dict) else {}
        return read(cls, {"items": named.get("items"), "meta": named.get("_meta")})

    @property
    def count(self) -> int:
        """Of all pages together. Raises Refused."""
        found = self.meta.get("itemCount")
        if not isinstance(found, int) or found < 0:
            raise Refused("invalid", "itemCount", found, "a number of items was expected")
        return found


Row = TypeVar("Row", bound=BaseModel)


def read(shape: type[Row], value: Any) -> Row:
    """The value as its type. Raises Refused, naming field and value."""
    try:
        return shape.model_validate(value)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        given = None if first["type"] == "missing" else first["input"]
        raise Refused("invalid", field, given, first["msg"]) from wrong


def intraday(
    account_id: str, balance: AccountBalance, rows: Iterable[StatementRow], answered_ms: int
) -> BalanceEvent:
    """The balance now and the entries of today, which were read before it. What differs has another
    message id, also where the bank's as-of stays: new entries are news, another amount is refused
    where it is decided on.
    """
    as_of_ms = _as_of(balance.balance_as_on, answered_ms)
    booked = (
        (BankBalance("ITBD", balance.ledger_balance, balance.currency, as_of_ms),)
        if balance.ledger_balance is not None
        else ()
    )
    available = BankBalance("ITAV", balance.available_balance, balance.currency, as_of_ms)
    balances, entries = (available, *booked), _entries(account_id, rows)
    return BalanceEvent(
        account_id=account_id,
        source="api",
        msg_id=f"api/{as_of_ms}/{_digest((balances, entries))}",
        balances=balances,
        entries=entries,
        as_of_ms=as_of_ms,
    )


def prior_day(account_id: str, day: int, rows: Sequence[StatementRow]) -> BalanceEvent:
    """The entries of a day that is over; a day told differently has another message id."""
    entries = _entries(account_id, rows)
    return BalanceEvent(
        account_id=account_id,
        source="api",
        msg_id=f"api/{date.fromordinal(day + _EPOCH)}/{_digest(entries)}",
        balances=(),
        entries=entries,
        as_of_ms=newyork.at(day + 1, 0) - 1,
        statement_date=day,
    )


def news(event: BalanceEvent, told: str | None) -> BalanceEvent | None:
    """A day as it is to be told after the message id that it was told under last; None where it
    says the same. A restatement is numbered: a day may be told again as it was at first.
    """
    if told is None:
        return event
    if told.startswith(event.msg_id):
        return None
    before = int(told.split("/")[3]) if told.count("/") == 3 else 1
    return replace(event, msg_id=f"{event.msg_id}/{before + 1}")


def _digest(said: object) -> str:
    return sha256(repr(said).encode()).hexdigest()[:12]


def _entries(account_id: str, rows: Iterable[StatementRow]) -> tuple[BankEntry, ...]:
    entries = numbered(_entry(account_id, row) for row in rows)
    check_size(entries)
    return entries


def _entry(account_id: str, row: StatementRow) -> BankEntry:
    credit = row.transaction_type == "CREDIT"
    if row.amount < 0 and credit:
        raise Refused("sign", "amount", row.amount, "a credit that is below zero")
    amount_e4 = abs(row.amount) if credit else -abs(row.amount)
    booked, valued = _day(row.posting_date), _day(row.value_date)
    ref = row.back_office_reference
    if not ref:
        said = (account_id, amount_e4, row.currency, booked, valued, row.ref1)
        ref = DERIVED + sha256(repr(said).encode()).hexdigest()[:24]
    return BankEntry(
        ref=ref.replace("#", "_"),
        amount_e4=amount_e4,
        ccy=row.currency,
        status="BOOK",
        booking_date=booked,
        value_date=valued,
        end_to_end_id=row.ref1 or None,
        reversal=False,
    )


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH


def _as_of(text: str, answered_ms: int) -> int:
    """When the bank counted: the instant it names, the end of an earlier day that it names, else
    the moment of its answer.
    """
    if not text:
        return answered_ms
    if len(text) > 10:
        return instant_ms(text, "balanceAsOn")
    return min(answered_ms, newyork.at(the_day(text, "balanceAsOn") + 1, 0) - 1)
