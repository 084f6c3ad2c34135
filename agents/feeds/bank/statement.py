"""A statement or report as a bank gave it, and the BalanceEvent that is made of it.

What is made is whole: all pages of a statement, all statements of one account and day that a
message holds. Nothing is made of one that does not add up, or whose pages are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.money import text_scaled
from schemas.records import BalanceEvent, BankBalance, BankEntry
from streams.step import Refused

Kind = Literal["camt052", "camt053"]
BOOK = "BOOK"
OPENING = ("OPBD", "PRCD")
OPENS = (*OPENING, "OPAV")
COUNTED = ("ITAV", "ITBD", "CLAV", "CLBD")
"""Balances that say when the bank counted."""
RAW_BYTES_MAX = 256 * 1024
ENTRY_BYTES_MAX = 900_000
"""What the entries of one event may take: a record must fit into a message of the broker."""


@dataclass(frozen=True)
class Statement:
    """One page of one statement. Days are counted from 1970-01-01; `day` is the one it closes,
    of a report None. `msg_id` names the message, `statement_id` the statement in it.
    """

    kind: Kind
    account: str
    msg_id: str
    statement_id: str
    created_ms: int
    balances: tuple[BankBalance, ...]
    entries: tuple[BankEntry, ...]
    day: int | None = None
    page: int = 1
    is_last: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the statement."""
        return self.page == 1 and self.is_last


def together(pages: Sequence[Statement]) -> Statement:
    """The statement of all its pages, in order: opening balances of the first that has them, the
    others of the last. What a page says of its own beginning and end (ITBD) is none of the whole.
    """
    first, last = pages[0], pages[-1]
    if len(pages) == 1:
        return first
    opens = next(
        (kept for page in pages if (kept := _of(page.balances, OPENS))),
        (),
    )
    ends = tuple(b for b in last.balances if b.code not in (*OPENS, "ITBD"))
    return replace(
        first,
        created_ms=last.created_ms,
        balances=(*opens, *ends),
        entries=numbered(entry for page in pages for entry in page.entries),
        day=next((page.day for page in reversed(pages) if page.day is not None), None),
        is_last=True,
    )


def by_day(statements: Iterable[Statement]) -> list[Statement | Refused]:
    """Statements of one message, those of one account and day joined where each opens with what
    the one before closed; where they do not join, neither counts.
    """
    found: dict[tuple[str, int | None, str], Statement | Refused] = {}
    for statement in statements:
        same = (statement.account, statement.day, "" if statement.day else statement.statement_id)
        earlier = found.get(same)
        if isinstance(earlier, Statement):
            found[same] = _joined(earlier, statement)
        elif earlier is None:
            found[same] = statement
    return list(found.values())


def event_of(account_id: str, statement: Statement, raw: bytes | None = None) -> BalanceEvent:
    """The record of a whole statement. Raises Refused: page, missing, unbalanced or too_large."""
    if not statement.is_whole:
        raise Refused("page", "page", statement.page, "the other pages are not there")
    if statement.kind == "camt053":
        if statement.day is None:
            raise Refused("missing", "statement_date", None, "no day that the statement closes")
        check_sum(statement.balances, statement.entries)
    check_size(statement.entries)
    counted = [one.as_of_ms for one in statement.balances if one.code in COUNTED]
    return BalanceEvent(
        account_id=account_id,
        source=statement.kind,
        msg_id=f"{statement.msg_id}/{statement.statement_id}",
        statement_date=statement.day,
        balances=statement.balances,
        entries=statement.entries,
        as_of_ms=max(counted, default=statement.created_ms),
        raw=raw if raw is not None and len(raw) <= RAW_BYTES_MAX else None,
    )


def check_size(entries: Sequence[BankEntry]) -> None:
    """An event must fit into a message of the broker. Raises Refused: too_large."""
    size = sum(len(one.ref) + len(one.end_to_end_id or "") + 30 for one in entries)
    if size > ENTRY_BYTES_MAX:
        raise Refused("too_large", "entries", len(entries), "more than one record holds")


def numbered(entries: Iterable[BankEntry]) -> tuple[BankEntry, ...]:
    """Entries that are alike in reference, day and amount are told apart by their number."""
    seen: dict[tuple[str, int | None, int], int] = {}
    told: list[BankEntry] = []
    for entry in entries:
        ref = entry.ref.partition("#")[0]
        same = (ref, entry.booking_date, entry.amount_e4)
        seen[same] = n = seen.get(same, 0) + 1
        told.append(_with_ref(entry, ref if n == 1 else f"{ref}#{n}"))
    return tuple(told)


def _with_ref(entry: BankEntry, ref: str) -> BankEntry:
    if entry.ref == ref:
        return entry
    return BankEntry(
        ref=ref,
        amount_e4=entry.amount_e4,
        ccy=entry.ccy,
        status=entry.status,
        booking_date=entry.booking_date,
        value_date=entry.value_date,
        end_to_end_id=entry.end_to_end_id,
        reversal=entry.reversal,
    )


def _joined(earlier: Statement, later: Statement) -> Statement | Refused:
    closed, opened = _amount(earlier.balances, ("CLBD",)), _amount(later.balances, OPENING)
    if closed is None or closed != opened:
        why = f"does not open with what {earlier.statement_id} closed on the same day"
        return Refused("two_statements", "statement_id", later.statement_id, why)
    return replace(
        later,
        msg_id=earlier.msg_id,
        statement_id=earlier.statement_id,
        balances=(
            *_of(earlier.balances, OPENS),
            *(one for one in later.balances if one.code not in OPENS),
        ),
        entries=numbered((*earlier.entries, *later.entries)),
    )


def check_sum(balances: Sequence[BankBalance], entries: Sequence[BankEntry]) -> None:
    """Opening balance and booked entries make the closing balance, where the bank names both.
    Raises Refused: unbalanced.
    """
    opened, closed = _amount(balances, OPENING), _amount(balances, ("CLBD",))
    if opened is None or closed is None or opened[1] != closed[1]:
        return
    booked = [one for one in entries if one.status == BOOK]
    if any(one.ccy != opened[1] for one in booked):
        return  # of another currency: refused as such where it is decided on
    made = opened[0] + sum(one.amount_e4 for one in booked)
    if made != closed[0]:
        said, sums = text_scaled(closed[0], 4), text_scaled(made, 4)
        raise Refused("unbalanced", "CLBD", said, f"opening balance and entries make {sums}")


def _amount(balances: Sequence[BankBalance], codes: tuple[str, ...]) -> tuple[int, str] | None:
    """Amount and currency of the first balance of these codes, the best code first."""
    for code in codes:
        for one in balances:
            if one.code == code:
                return one.amount_e4, one.ccy
    return None


def _of(balances: Iterable[BankBalance], codes: tuple[str, ...]) -> tuple[BankBalance, ...]:
    return tuple(one for one in balances if one.code in codes)
