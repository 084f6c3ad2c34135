"""The accounts as Finastra's corporate accounts API shows them: amounts are text with commas."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import utc_text
from weir.sandbox.bank.money import grouped
from weir.sandbox.bank.records import Account
from weir.sandbox.bank.told import Said

__all__ = ["BadQuery", "account_id", "accounts", "balances", "number_of", "statement"]

LIMIT, LIMIT_MAX = 10, 100


class BadQuery(ValueError):
    """A parameter that is no such value."""


def account_id(number: str) -> str:
    """The API's own id of an account."""
    return f"acc-{number}"


def number_of(books: Books, named: str) -> str | None:
    """The account of an id, or of a bare number."""
    number = named.removeprefix("acc-")
    account = books.accounts.get(number)
    return number if account is not None and account.kind == "dda" else None


def accounts(books: Books, query: Mapping[str, str]) -> dict[str, Any]:
    """The customer's accounts, one page."""
    found = [one for one in books.accounts.values() if one.kind == "dda"]
    return _page([_account(one) for one in found], query)


def balances(account: Account, said: Said) -> dict[str, Any]:
    """What an account holds."""
    return {
        "id": account_id(account.number),
        "currency": "USD",
        "type": "CURRENT",
        "ledgerBalance": grouped(said.booked_cents),
        "availableBalance": grouped(said.available_cents),
        "balanceAsOn": utc_text(said.as_of_ms),
    }


def statement(books: Books, number: str, upto: int, query: Mapping[str, str]) -> dict[str, Any]:
    """The entries booked between two days, oldest first, one page."""
    first, last = _day(query, "fromDate"), _day(query, "toDate")
    rows, balance_cents = [], 0
    for row in books.entries(number):
        signed = row.amount_cents if row.target == number else -row.amount_cents
        balance_cents += signed
        if row.number > upto or not first <= date.fromisoformat(row.day) <= last:
            continue
        rows.append(
            {
                "postingDate": row.day,
                "valueDate": row.valued,
                "currency": "USD",
                "amount": grouped(abs(signed)),
                "transactionType": "CREDIT" if signed >= 0 else "DEBIT",
                "balance": grouped(balance_cents),
                "backOfficeReference": f"B{row.number:09d}",
                "ref1": row.end_to_end_id,
                "ref2": row.text,
            }
        )
    return _page(rows, query)


def _account(one: Account) -> dict[str, Any]:
    return {
        "id": account_id(one.number),
        "number": one.number,
        "currency": "USD",
        "type": "CURRENT",
        "accountContext": "ViewAccount",
    }


def _page(rows: Sequence[Any], query: Mapping[str, str]) -> dict[str, Any]:
    limit = min(max(_number(query, "limit", LIMIT), 1), LIMIT_MAX)
    offset = _number(query, "offset", 0)
    meta = {
        "limit": limit,
        "pageCount": -(-len(rows) // limit),
        "itemCount": len(rows),
        "page": offset // limit,
    }
    return {"items": list(rows[offset : offset + limit]), "_meta": meta}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "") or str(default)
    if not (value.isascii() and value.isdigit()):
        raise BadQuery(f"{name}={value!r} is no whole number")
    return int(value)


def _day(query: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(query.get(name, ""))
    except ValueError as why:
        raise BadQuery(f"{name}={query.get(name, '')!r} is no date") from why
