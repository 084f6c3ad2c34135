"""What is pushed to `POST /balances` in JSON, as a BalanceEvent.

Amounts are text (thousands commas are read) or numbers. With `credit_debit` an amount has no sign,
without it the sign stands before the amount; both at once that disagree are refused.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from agents.feeds.bank.amounts import E4, Iso
from agents.feeds.bank.finastra import read
from agents.feeds.bank.statement import check_size, check_sum, numbered
from agents.feeds.bank.when import of_instant
from schemas.records import BalanceEvent, BankBalance, BankEntry

_EPOCH = date(1970, 1, 1).toordinal()
Text = Annotated[str, Field(min_length=1, max_length=140)]
Day = Annotated[date, Iso]
Instant = Annotated[AwareDatetime, Iso]
Ccy = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class _Marked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: E4
    ccy: Ccy
    credit_debit: Literal["CRDT", "DBIT"] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> _Marked:
        if self.credit_debit is not None and self.amount < 0:
            raise ValueError(f"amount is below zero and credit_debit says {self.credit_debit}")
        return self

    @property
    def signed_e4(self) -> int:
        """Above zero is a credit."""
        return -self.amount if self.credit_debit == "DBIT" else self.amount


class PostedBalance(_Marked):
    """One balance; without `as_of` it was counted when the message says."""

    code: Annotated[str, Field(pattern="^[A-Z0-9-]{1,35}$")]
    as_of: Instant | None = None


class PostedEntry(_Marked):
    """One entry; the reference is the bank's own, unique in the account."""

    ref: Text
    status: Literal["BOOK", "PDNG", "INFO", "FUTR"] = "BOOK"
    booking_date: Day | None = None
    value_date: Day | None = None
    end_to_end_id: Text | None = None
    reversal: bool = False


class Posted(BaseModel):
    """The whole body. `statement_date`: the day that a prior-day statement closes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: Annotated[str, Field(pattern="^bank:[A-Za-z0-9]{1,34}$")]
    msg_id: Text
    as_of: Instant
    statement_date: Day | None = None
    avail_usd: E4 | None = None
    balances: Annotated[tuple[PostedBalance, ...], Field(max_length=100)] = ()
    entries: tuple[PostedEntry, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Posted:
        if self.avail_usd is None and not self.balances and not self.entries:
            raise ValueError("neither avail_usd nor balances nor entries are there")
        return self


def posted(body: Any) -> BalanceEvent:
    """The record of a body that was read from JSON. Raises Refused."""
    said = read(Posted, body)
    as_of_ms = of_instant(said.as_of, "as_of")
    balances = tuple(
        BankBalance(one.code, one.signed_e4, one.ccy, _counted_ms(one, as_of_ms))
        for one in said.balances
    )
    entries = numbered(_entry(one) for one in said.entries)
    check_size(entries)
    if said.statement_date is not None:
        check_sum(balances, entries)
    return BalanceEvent(
        account_id=said.account_id,
        source="webhook",
        msg_id=said.msg_id,
        statement_date=_day(said.statement_date),
        balances=balances,
        entries=entries,
        avail_usd_e4=said.avail_usd,
        as_of_ms=as_of_ms,
    )


def _counted_ms(one: PostedBalance, as_of_ms: int) -> int:
    return as_of_ms if one.as_of is None else of_instant(one.as_of, "balances.as_of")


def _entry(one: PostedEntry) -> BankEntry:
    return BankEntry(
        ref=one.ref.replace("#", "_"),
        amount_e4=one.signed_e4,
        ccy=one.ccy,
        status=one.status,
        booking_date=_day(one.booking_date),
        value_date=_day(one.value_date),
        end_to_end_id=one.end_to_end_id,
        reversal=one.reversal,
    )


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH
