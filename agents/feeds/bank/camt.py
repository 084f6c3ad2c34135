"""camt.052 and camt.053 of any version whose schema is kept, as Statements.

Amounts have no sign: CdtDbtInd gives it, for reversals as well. Only dates are given for most
balances: a closing one then counts at the end of its day in New York, an opening one at the start,
and none later than the statement was made. An available balance that holds a credit line is told
without it. Of an entry with several transactions each is told where they make up the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from agents.connectors.bank.iso20022 import Part, message
from agents.feeds.bank.statement import OPENS, Kind, Statement, numbered
from agents.feeds.bank.when import instant_ms, the_day
from schemas.money import parse_scaled
from schemas.records import BankBalance, BankEntry
from streams import newyork
from streams.balances import DERIVED
from streams.step import Refused

KINDS = ("camt.052", "camt.053")
PLACES = 4
AMOUNT_E4_MAX = 10**20 - 1
_SHAPES: dict[str, tuple[Kind, str, str]] = {
    "camt.052": ("camt052", "Rpt", "RptPgntn"),
    "camt.053": ("camt053", "Stmt", "StmtPgntn"),
}
_CREDIT_INCLUDED = "WITH-CREDIT-LINE"


def statements(data: bytes) -> list[Statement]:
    """Every statement or report of a message, in its order. Raises Refused."""
    read = message(data, KINDS)
    kind, name, paging = _SHAPES[read.name.rpartition(".001.")[0]]
    parts = read.body.parts(name)
    header = read.body.part("GrpHdr")
    if header is None:
        raise Refused("missing", "GrpHdr", None, "the message has no header")
    return [_statement(kind, part, header, paging, len(parts)) for part in parts]


def _statement(kind: Kind, part: Part, header: Part, paging: str, count: int) -> Statement:
    created_ms = instant_ms(part.text("CreDtTm") or header.text("CreDtTm"), "CreDtTm")
    page, is_last = _page(part, header, paging, count)
    account = part.text("Acct/Id/IBAN") or part.text("Acct/Id/Othr/Id")
    if account is None:
        raise Refused("missing", "Acct", None, "the statement names no account")
    return Statement(
        kind=kind,
        account=account,
        msg_id=header.text("MsgId") or "",
        statement_id=part.text("Id") or "",
        created_ms=created_ms,
        balances=tuple(_balance(one, created_ms) for one in part.parts("Bal")),
        entries=numbered(entry for one in part.parts("Ntry") for entry in _entries(one, account)),
        day=_closes(part) if kind == "camt053" else None,
        page=page,
        is_last=is_last,
    )


def _page(part: Part, header: Part, paging: str, count: int) -> tuple[int, bool]:
    """Which page of the statement this is. The header tells it only where it holds one statement
    and the statement does not say itself.
    """
    where = part.part(paging) or (header.part("MsgPgntn") if count == 1 else None)
    if where is None:
        return 1, True
    number = int(where.text("PgNb") or "1")
    if number < 1:
        raise Refused("range", "PgNb", number, "pages are counted from 1")
    return number, where.text("LastPgInd") in ("true", "1")


def _closes(part: Part) -> int | None:
    """The day a statement closes: that of its closing balance, else the end of its span."""
    for balance in part.parts("Bal"):
        if balance.text("Tp/CdOrPrtry/Cd") == "CLBD":
            day = balance.text("Dt/Dt")
            return the_day(day, "Dt") if day else _day_shown(balance.text("Dt/DtTm"), "DtTm")
    ends = part.text("FrToDt/ToDtTm")
    return None if ends is None else newyork.day_of(instant_ms(ends, "ToDtTm") - 1)


def _balance(part: Part, created_ms: int) -> BankBalance:
    code = part.text("Tp/CdOrPrtry/Cd") or part.text("Tp/CdOrPrtry/Prtry") or ""
    amount_e4, ccy = _signed(part)
    at = part.text("Dt/DtTm")
    if at is not None:
        as_of_ms = instant_ms(at, "DtTm")
    else:
        day = the_day(part.text("Dt/Dt"), "Dt")
        starts = code in OPENS and code != "PRCD"
        as_of_ms = min(newyork.at(day, 0) if starts else newyork.at(day + 1, 0) - 1, created_ms)
    for line in part.parts("CdtLine"):
        if line.text("Incl") in ("true", "1"):
            lent = line.part("Amt")
            if lent is None or lent.attribute("Ccy") != ccy:
                return BankBalance(f"{code}-{_CREDIT_INCLUDED}", amount_e4, ccy, as_of_ms)
            amount_e4 -= _e4(lent.element.text, "CdtLine")
            if amount_e4 < -AMOUNT_E4_MAX:
                raise Refused("overflow", "CdtLine", lent.element.text, "is more than fits")
    return BankBalance(code, amount_e4, ccy, as_of_ms)


def _entries(part: Part, account: str) -> Iterator[BankEntry]:
    """The entry, or its transactions where each has an amount and together they are the entry."""
    amount_e4, ccy = _signed(part)
    ref = part.text("AcctSvcrRef")
    details = part.parts("NtryDtls/TxDtls")
    told = [_transaction(one, ccy) for one in details] if len(details) > 1 else []
    known = [amount for amount, _ in told if amount is not None]
    if told and len(known) == len(told) and sum(known) == amount_e4:
        for number, (each_e4, end_to_end_id) in enumerate(told, 1):
            yield _entry(part, account, ref, each_e4 or 0, ccy, end_to_end_id, f"/{number}")
        return
    only = details[0] if len(details) == 1 else None
    if ref is None and only is not None:
        ref = only.text("Refs/AcctSvcrRef")
    yield _entry(part, account, ref, amount_e4, ccy, _end_to_end(only))


def _entry(
    part: Part,
    account: str,
    ref: str | None,
    amount_e4: int,
    ccy: str,
    end_to_end_id: str | None,
    nth: str = "",
) -> BankEntry:
    status = part.text("Sts/Cd") or part.text("Sts/Prtry") or part.text("Sts") or ""
    booked, valued = _maybe_day(part, "BookgDt"), _maybe_day(part, "ValDt")
    if ref is None:
        said = (account, part.text("NtryRef"), amount_e4, ccy, booked, valued, end_to_end_id)
        ref = DERIVED + sha256(repr(said).encode()).hexdigest()[:24]
    return BankEntry(
        ref=ref.replace("#", "_") + nth,
        amount_e4=amount_e4,
        ccy=ccy,
        status=status,
        booking_date=booked,
        value_date=valued,
        end_to_end_id=end_to_end_id,
        reversal=part.text("RvslInd") in ("true", "1"),
    )


def _transaction(part: Part, ccy: str) -> tuple[int | None, str | None]:
    """Signed amount (None: not told, or in another currency) and end-to-end id."""
    amount, mark = part.part("Amt"), part.text("CdtDbtInd")
    if amount is None or mark is None or amount.attribute("Ccy") != ccy:
        return None, _end_to_end(part)
    return _marked(_e4(amount.element.text, "Amt"), mark), _end_to_end(part)


def _end_to_end(part: Part | None) -> str | None:
    found = None if part is None else part.text("Refs/EndToEndId")
    return None if found == "NOTPROVIDED" else found


def _signed(part: Part) -> tuple[int, str]:
    """The amount with the sign of its mark, and its currency."""
    amount = part.part("Amt")
    if amount is None:
        raise Refused("missing", "Amt", None, "no amount")
    value_e4 = _e4(amount.element.text, "Amt")
    return _marked(value_e4, part.text("CdtDbtInd")), amount.attribute("Ccy") or ""


def _marked(value_e4: int, mark: str | None) -> int:
    if mark not in ("CRDT", "DBIT"):
        raise Refused("sign", "CdtDbtInd", mark, "CRDT or DBIT was expected")
    return value_e4 if mark == "CRDT" else -value_e4


def _e4(value: str | None, field: str) -> int:
    try:
        found = parse_scaled(value or "", PLACES)
    except ValueError as why:
        raise Refused("scale", field, value, str(why)) from why
    if not 0 <= found <= AMOUNT_E4_MAX:
        raise Refused("overflow" if found > 0 else "sign", field, value, "is no amount here")
    return found


def _maybe_day(part: Part, name: str) -> int | None:
    day, at = part.text(f"{name}/Dt"), part.text(f"{name}/DtTm")
    if day is not None:
        return the_day(day, name)
    return None if at is None else _day_shown(at, name)


def _day_shown(value: str | None, field: str) -> int:
    """The day of an instant as whoever wrote it sees it; written in UTC, as New York sees it."""
    if value is not None and value.endswith("Z"):
        return newyork.day_of(instant_ms(value, field))
    return the_day(value, field)
