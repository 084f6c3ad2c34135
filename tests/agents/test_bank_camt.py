"""camt messages become balances and entries as the standard means them, or are refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from agents.feeds.bank.camt import statements
from agents.feeds.bank.statement import Statement, by_day, event_of, together
from agents.feeds.bank.taking import Pages
from schemas.money import text_scaled
from schemas.records import BalanceEvent, BankEntry
from schemas.wire import SchemaIds, Wire
from streams.step import Refused
from tests.agents.bank_files import (
    FOLDER,
    NAMES,
    balance,
    camt053,
    entry,
    page,
    statement,
)

WRONG = "camt053.v2.wrong.xml"

# Worked out by hand from the files: the sign is that of the mark beside the amount. For each
# statement: account, balances, entries with their status.
BALANCES: dict[str, list[tuple[str, str, str]]] = {
    "camt052.v2.xml": [("CH2801234000123456789", "", "-200000 SEK BOOK")],
    "camt052.v6.Amt-zero.xml": [("CH2801234000123456789", "ITBD 10022.15 CHF", "-200000 SEK PDNG")],
    "camt052.v8.xml": [("CH2801234000123456789", "", "-200000 SEK BOOK")],
    "camt053.v2.all-balance-types.xml": [
        (
            "CH2801234000123456789",
            "OPBD 1.01 EUR, PRCD 2.02 EUR, OPAV 3.03 EUR, CLBD 4.04 EUR, CLAV 5.05 EUR,"
            " FWAV 6.06 EUR, INFO 7.07 EUR, ITAV 8.08 EUR, ITBD 9.09 EUR, XPCD 10.1 EUR",
            "8.85 EUR BOOK",
        )
    ],
    "camt053.v2.minimal.xml": [
        (
            "NL26VAYB8060476890",
            "OPBD 18.15 EUR, CLBD -27 SEK, OPAV 35 CHF, CLAV -2700 JPY",
            "8.85 EUR BOOK",
        )
    ],
    "camt053.v2.multi.statement.xml": [
        ("NL26VAYB8060476890", "OPBD 18.15 EUR, CLBD 27 EUR", "8.85 EUR BOOK"),
        ("NL26VAYB8060476890", "OPBD 27 EUR, CLBD 20 EUR", "-7 EUR BOOK"),
    ],
    "camt053.v4.xml": [
        (
            "NL26VAYB8060476890",
            "OPBD 18.15 EUR, CLBD -27 SEK, OPAV 35 CHF, CLAV -2700 JPY",
            "8.85 EUR BOOK",
        )
    ],
}


def told(one: Statement) -> tuple[str, str, str]:
    balances = [f"{b.code} {text_scaled(b.amount_e4, 4)} {b.ccy}" for b in one.balances]
    entries = [f"{text_scaled(e.amount_e4, 4)} {e.ccy} {e.status}" for e in one.entries]
    return one.account, ", ".join(balances), ", ".join(entries)


@pytest.mark.req("004-01", "004-05")
@pytest.mark.parametrize("name", [name for name in NAMES if name != WRONG])
def test_statements_of_others_have_the_right_balances(name: str) -> None:
    assert [told(one) for one in statements((FOLDER / name).read_bytes())] == BALANCES[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name == WRONG])
def test_the_wrong_statement_of_others_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(Refused, match=r"invalid: line=3 .*Missing child element.*Stmt"):
        statements((FOLDER / name).read_bytes())


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def event(*parts: str, raw: bytes | None = None, **more: Any) -> BalanceEvent:
    (one,) = statements(camt053(statement(*parts, **more)))
    return event_of("bank:0123456789", one, raw)


OPENED, CLOSED = balance("OPBD", "1000.00"), balance("CLBD", "900.00")


def test_a_statement_is_a_record_that_can_be_written() -> None:
    found = event(OPENED, CLOSED, balance("CLAV", "650.5"), entry("100", "DBIT", "B1"))
    assert found.msg_id == "M1/S1"
    assert found.statement_date == day("2026-01-05")
    assert found.as_of_ms == ms("2026-01-06T04:59:59.999Z"), "the end of the day in New York"
    assert [(b.code, b.amount_e4, b.as_of_ms) for b in found.balances] == [
        ("OPBD", 10_000_000, ms("2026-01-05T05:00:00Z")),
        ("CLBD", 9_000_000, found.as_of_ms),
        ("CLAV", 6_505_000, found.as_of_ms),
    ]
    wire = Wire(SchemaIds.from_lock())
    assert wire.decode("balance_events", wire.encode("balance_events", found)) == found


@pytest.mark.parametrize(
    ("at", "as_of"),
    [
        ("<Dt>2026-01-05</Dt>", "2026-01-06T04:59:59.999Z"),
        ("<Dt>2026-07-06</Dt>", "2026-01-06T11:00:00Z"),  # not before the statement was made
        ("<DtTm>2026-01-05T17:30:00-05:00</DtTm>", "2026-01-05T22:30:00Z"),
        ("<DtTm>2026-01-05T17:30:00.250Z</DtTm>", "2026-01-05T17:30:00.250Z"),
        ("<DtTm>2026-01-05T17:30:00</DtTm>", "2026-01-05T22:30:00Z"),  # New York's
    ],
)
def test_when_the_bank_counted(at: str, as_of: str) -> None:
    (found,) = event(balance("CLAV", "1", at=at), CLOSED).balances[:1]
    assert found.as_of_ms == ms(as_of)


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        ("<Dt>2026-01-05</Dt>", "2026-01-05"),
        ("<Dt>2026-01-05-05:00</Dt>", "2026-01-05"),
        ("<DtTm>2026-01-05T23:59:59-05:00</DtTm>", "2026-01-05"),
        ("<DtTm>2026-01-06T04:59:59Z</DtTm>", "2026-01-05"),
        ("<DtTm>2026-01-05T23:59:59</DtTm>", "2026-01-05"),
    ],
)
def test_the_day_that_a_statement_closes(at: str, closes: str) -> None:
    assert event(balance("CLBD", "1", at=at)).statement_date == day(closes)


def test_a_statement_that_closes_no_day_is_refused() -> None:
    with pytest.raises(Refused, match="missing: statement_date"):
        event(balance("CLAV", "1"))


@pytest.mark.parametrize(
    ("part", "cause", "field"),
    [
        (balance("CLAV", "1.00001"), "scale", "Amt"),
        (entry("1.00001", "DBIT", "B1"), "scale", "Amt"),
        (entry("99999999999999999.9", "DBIT", "B1"), "overflow", "Amt"),
        (balance("CLAV", "-1"), "invalid", "line"),
        (balance("CLAV", "1", "PLUS"), "invalid", "line"),
        (balance("CLAV", "1,000.00"), "invalid", "line"),
        (balance("CLAV", "1", at="<DtTm>2026-01-05T24:00:00Z</DtTm>"), "range", "DtTm"),
        (balance("CLAV", "1", at="<DtTm>0001-01-01T00:00:00</DtTm>"), "range", "DtTm"),
        (balance("CLAV", "1", at="<DtTm>2006-12-31T23:59:59-05:00</DtTm>"), "range", "DtTm"),
        (balance("CLAV", "1", at="<DtTm>9999-12-31T23:59:59Z</DtTm>"), "range", "DtTm"),
        (balance("CLAV", "1", at="<Dt>0001-01-01</Dt>"), "range", "Dt"),
        (balance("CLAV", "1", at="<Dt>2006-12-31</Dt>"), "range", "Dt"),
        (balance("OPAV", "1", at="<Dt>9999-12-31</Dt>"), "range", "Dt"),
        (balance("CLBD", "1", at="<DtTm>0001-01-01T00:00:00Z</DtTm>"), "range", "DtTm"),
        (entry("1", "DBIT", "B1", booked="1900-01-01"), "range", "BookgDt"),
    ],
)
def test_an_amount_or_a_time_that_cannot_be_held_is_refused(
    part: str, cause: str, field: str
) -> None:
    parts = (part, CLOSED) if part.startswith("<Bal") else (CLOSED, part)
    with pytest.raises(Refused) as refused:
        event(*parts)
    assert (refused.value.cause, refused.value.field) == (cause, field)


@pytest.mark.parametrize(
    ("entries", "made"),
    [
        ((entry("100", "CRDT", "B1"),), "1100"),  # the sign the wrong way round
        ((entry("100", "DBIT", "B1"), entry("1", "DBIT", "B2")), "899"),
        ((entry("100", "DBIT", "B1", status="PDNG"),), "1000"),
        ((), "1000"),
    ],
)
def test_a_statement_that_does_not_add_up_is_refused(entries: tuple[str, ...], made: str) -> None:
    with pytest.raises(Refused, match=f"unbalanced: CLBD='900' .*make {made}$"):
        event(OPENED, CLOSED, *entries)


def test_what_is_pending_counts_in_no_sum_and_is_told() -> None:
    found = event(OPENED, CLOSED, entry("100", "DBIT", "B1"), entry("7", "DBIT", status="PDNG"))
    assert [(one.amount_e4, one.status) for one in found.entries] == [
        (-1_000_000, "BOOK"),
        (-70_000, "PDNG"),
    ]


def test_a_reversal_has_the_sign_of_its_mark() -> None:
    returned = entry("100", "CRDT", "B2", reversal="true", end_to_end_id="e" * 32)
    found = event(OPENED, balance("CLBD", "1000"), entry("100", "DBIT", "B1"), returned)
    assert found.entries[1] == BankEntry(
        ref="B2",
        amount_e4=1_000_000,
        ccy="USD",
        status="BOOK",
        booking_date=day("2026-01-05"),
        value_date=None,
        end_to_end_id="e" * 32,
        reversal=True,
    )


def test_an_id_that_was_not_provided_is_none() -> None:
    (found,) = event(CLOSED, entry("1", "DBIT", "B1", end_to_end_id="NOTPROVIDED")).entries
    assert found.end_to_end_id is None


def test_entries_are_told_apart_also_without_the_banks_reference() -> None:
    alike = [entry("1", "DBIT"), entry("1", "DBIT"), entry("2", "DBIT")]
    found = event(CLOSED, *alike, entry("3", "DBIT", "B1"), entry("3", "DBIT", "B1")).entries
    refs = [one.ref for one in found]
    assert len(set(refs)) == 5
    assert refs[1] == f"{refs[0]}#2"
    assert refs[3:] == ["B1", "B1#2"]
    assert refs == [
        one.ref
        for one in event(CLOSED, *alike, entry("3", "DBIT", "B1"), entry("3", "DBIT", "B1")).entries
    ]


def transaction(amount: str, end_to_end_id: str, ccy: str = "USD") -> str:
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>"
        f'<Amt Ccy="{ccy}">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    )


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            transaction("60", "a") + transaction("40", "b"),
            [("B1/1", -600_000, "a"), ("B1/2", -400_000, "b")],
        ),
        (transaction("60", "a") + transaction("41", "b"), [("B1", -1_000_000, None)]),
        (transaction("60", "a") + transaction("40", "b", "EUR"), [("B1", -1_000_000, None)]),
        (transaction("60", "a"), [("B1", -1_000_000, "a")]),
    ],
)
def test_a_batch_is_told_by_its_transactions_where_they_make_it_up(
    details: str, expected: list[tuple[str, int, str | None]]
) -> None:
    found = event(CLOSED, entry("100", "DBIT", "B1", details=details)).entries
    assert [(one.ref, one.amount_e4, one.end_to_end_id) for one in found] == expected


def with_line(line: str) -> str:
    return balance("CLAV", "1000").replace("</Tp>", f"</Tp><CdtLine>{line}</CdtLine>")


@pytest.mark.parametrize(
    ("line", "code", "amount_e4"),
    [
        ('<Incl>true</Incl><Amt Ccy="USD">400</Amt>', "CLAV", 6_000_000),
        ('<Incl>false</Incl><Amt Ccy="USD">400</Amt>', "CLAV", 10_000_000),
        ("<Incl>true</Incl>", "CLAV-WITH-CREDIT-LINE", 10_000_000),
        ('<Incl>true</Incl><Amt Ccy="EUR">400</Amt>', "CLAV-WITH-CREDIT-LINE", 10_000_000),
    ],
)
def test_a_credit_line_is_no_money_of_ours(line: str, code: str, amount_e4: int) -> None:
    (found,) = event(with_line(line), CLOSED).balances[:1]
    assert (found.code, found.amount_e4) == (code, amount_e4)


def test_what_is_left_without_a_credit_line_must_fit_the_record() -> None:
    most = "9999999999999999"
    line = with_line(f'<Incl>true</Incl><Amt Ccy="USD">{most}</Amt>')
    overdrawn = line.replace(">1000<", f">{most}<").replace("CRDT", "DBIT")
    assert most in overdrawn.partition("</CdtLine>")[2]
    with pytest.raises(Refused) as refused:
        event(overdrawn, CLOSED)
    assert (refused.value.cause, refused.value.field) == ("overflow", "CdtLine")


def both(*, second_opens: str) -> list[Statement | Refused]:
    first = statement(OPENED, CLOSED, entry("100", "DBIT", "B1"))
    later = statement(
        balance("OPBD", second_opens),
        balance("CLBD", "950"),
        entry("50", "CRDT", "B2"),
        statement_id="S2",
    )
    return by_day(statements(camt053(first, later)))


def test_two_statements_of_one_day_are_one_where_they_join() -> None:
    (one,) = both(second_opens="900")
    assert isinstance(one, Statement)
    found = event_of("bank:0123456789", one)
    assert found.msg_id == "M1/S1"
    assert [(b.code, b.amount_e4) for b in found.balances] == [
        ("OPBD", 10_000_000),
        ("CLBD", 9_500_000),
    ]
    assert [one.amount_e4 for one in found.entries] == [-1_000_000, 500_000]


def test_two_statements_of_one_day_that_do_not_join_are_refused() -> None:
    (one,) = both(second_opens="901")
    assert isinstance(one, Refused)
    assert one.cause == "two_statements"


def pages_of(count: int) -> list[bytes]:
    """A statement whose money comes in one entry a page; each page counts its own part."""
    return [
        camt053(
            statement(
                balance("OPBD", "0") if n == 1 else balance("ITBD", str(n - 1)),
                balance("CLBD", str(count)) if n == count else balance("ITBD", str(n)),
                entry("1", "CRDT", f"B{n}"),
                paging=page(n, last=n == count),
            ),
            msg_id=f"M{n}",
        )
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0, 2)])
def test_pages_are_one_statement_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    pages, whole = Pages(), []
    for n in order:
        (one,) = statements(pages_of(3)[n])
        done = pages.add(str(n), one)
        whole += [done] if done else []
    (found,) = whole
    assert pages.origins() == []
    made = event_of("bank:0123456789", found)
    assert made.msg_id == "M1/S1"
    assert [(b.code, b.amount_e4) for b in made.balances] == [("OPBD", 0), ("CLBD", 30_000)]
    assert [one.ref for one in made.entries] == ["B1", "B2", "B3"]


def test_pages_are_counted_from_one() -> None:
    """Page 0 of a bank that counts from there would be neither the first nor missing."""
    with pytest.raises(Refused) as refused:
        statements(camt053(statement(CLOSED, paging=page(0, last=True))))
    assert (refused.value.cause, refused.value.field) == ("range", "PgNb")


def test_a_page_alone_is_no_statement() -> None:
    (second,) = statements(pages_of(2)[1])
    pages = Pages()
    assert pages.add("doc", second) is None
    assert pages.origins() == ["doc"]
    with pytest.raises(Refused, match="page: page=2"):
        event_of("bank:0123456789", second)
    assert together([second]) == second


def test_a_report_that_is_too_large_for_a_record_is_refused() -> None:
    many = [entry("1", "DBIT", f"B{n:029d}") for n in range(15_001)]
    with pytest.raises(Refused, match="too_large"):
        event(balance("CLBD", "1"), *many)


def test_the_message_is_kept_where_it_is_not_large() -> None:
    assert event(CLOSED, raw=b"x" * 1000).raw == b"x" * 1000
    assert event(CLOSED, raw=b"x" * 300_000).raw is None
