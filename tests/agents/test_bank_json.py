"""Finastra's JSON and what is pushed to us: amounts exact, signs agreed, or refused by name."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.feeds.bank.amounts import e4, parsed
from agents.feeds.bank.camt import statements
from agents.feeds.bank.finastra import AccountBalance, Page, StatementRow, intraday, prior_day, read
from agents.feeds.bank.posted import posted
from schemas.money import text_scaled
from schemas.wire import SchemaIds, Wire
from streams.balances import DERIVED
from streams.step import Refused
from tests.agents.bank_files import balance, camt053, entry, statement

WIRE = Wire(SchemaIds.from_lock())
BALANCE = {
    "id": "acc-1",
    "currency": "USD",
    "type": "CURRENT",
    "ledgerBalance": "1,300,000.10",
    "availableBalance": "1,234,567.89",
    "balanceAsOn": "2026-01-05T17:30:00.250Z",
}
ROW = {
    "postingDate": "2026-01-05",
    "valueDate": "2026-01-06",
    "currency": "USD",
    "amount": "1,000.50",
    "transactionType": "DEBIT",
    "balance": "1,300,000.10",
    "backOfficeReference": "B1",
    "ref1": "e" * 32,
    "ref2": "SWEEP",
}
POSTED: dict[str, Any] = {
    "account_id": "bank:0123456789",
    "msg_id": "P1",
    "as_of": "2026-01-05T17:30:00.250Z",
    "avail_usd": "1,234,567.89",
    "balances": [{"code": "ITBD", "amount": "1300000.10", "ccy": "USD", "credit_debit": "CRDT"}],
    "entries": [
        {
            "ref": "B1",
            "amount": "1,000.50",
            "ccy": "USD",
            "credit_debit": "DBIT",
            "booking_date": "2026-01-05",
            "end_to_end_id": "e1",
        }
    ],
}


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.req("004-05")
@pytest.mark.parametrize(
    ("written", "units"),
    [
        ("1,234,567.89", 12_345_678_900),
        ("1234567.89", 12_345_678_900),
        ("-55,456.72", -554_567_200),
        ("0", 0),
        ("12.3456", 123_456),
        (12, 120_000),
    ],
)
def test_an_amount_is_read_exactly(written: object, units: int) -> None:
    assert e4(written) == units


UNCLEAR = ["12,34", "1,2345", ",123", "1,23,456", "1.234,56", "12.34567", "(5.00)", "", "1e3"]


@pytest.mark.parametrize("written", [*UNCLEAR, "NaN", True, None, 1.5, "1" * 17, "٣"])
def test_an_amount_that_could_be_read_in_two_ways_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"amount|decimal|larger"):
        e4(written)


@given(st.integers(-(10**19), 10**19))
def test_commas_change_nothing(units: int) -> None:
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), 10_000)
    assert e4(f"{sign}{whole:,}.{rest:04d}") == e4(text_scaled(units, 4)) == units


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"[NaN]", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b"\xff", "malformed"),
        (b'{"avail_usd": "1", "avail_usd": "2"}', "malformed"),
        (b" " * 101_000, "too_large"),
    ],
)
def test_a_body_that_is_no_json_is_refused(body: bytes, cause: str) -> None:
    with pytest.raises(Refused) as refused:
        parsed(body, 100_500)
    assert refused.value.cause == cause


def test_numbers_stay_exact() -> None:
    found = parsed(b'{"a": 9999999999999999.9999}', 100)
    assert e4(found["a"]) == 99_999_999_999_999_999_999


def test_balances_and_entries_of_today_are_one_event() -> None:
    rows = [read(StatementRow, ROW), read(StatementRow, {**ROW, "transactionType": "CREDIT"})]
    event = intraday("bank:1", read(AccountBalance, BALANCE), rows, 0)
    assert event.as_of_ms == ms("2026-01-05T17:30:00.250Z")
    assert [(one.code, one.amount_e4, one.ccy) for one in event.balances] == [
        ("ITAV", 12_345_678_900, "USD"),
        ("ITBD", 13_000_001_000, "USD"),
    ]
    assert [(one.ref, one.amount_e4, one.end_to_end_id) for one in event.entries] == [
        ("B1", -10_005_000, "e" * 32),
        ("B1", 10_005_000, "e" * 32),
    ]
    assert WIRE.decode("balance_events", WIRE.encode("balance_events", event)) == event


def test_json_and_camt_tell_a_movement_alike_but_for_a_derived_reference() -> None:
    row = read(StatementRow, {**ROW, "backOfficeReference": ""})
    (by_day,) = intraday("bank:0123456789", read(AccountBalance, BALANCE), [row], 0).entries
    said = entry("1000.50", "DBIT", valued="2026-01-06", end_to_end_id="e" * 32)
    (by_night,) = statements(camt053(statement(balance("CLBD", "1"), said)))[0].entries
    assert replace(by_day, ref="") == replace(by_night, ref="")
    assert by_day.ref != by_night.ref
    assert by_day.ref.startswith(DERIVED)
    assert by_night.ref.startswith(DERIVED)


@pytest.mark.parametrize(
    ("said", "as_of"),
    [
        ("2026-01-05", "2026-01-05T18:00:00Z"),
        ("2026-01-04", "2026-01-05T04:59:59.999Z"),  # old money is told as old
        ("2026-01-06", "2026-01-05T18:00:00Z"),
        ("", "2026-01-05T18:00:00Z"),
        ("2026-01-05T12:30:00-05:00", "2026-01-05T17:30:00Z"),
        ("2026-01-05T12:30:00", "2026-01-05T17:30:00Z"),
    ],
)
def test_a_balance_without_a_time_is_of_the_moment_of_the_answer(said: str, as_of: str) -> None:
    balance = read(AccountBalance, {**BALANCE, "balanceAsOn": said})
    assert intraday("bank:1", balance, [], ms("2026-01-05T18:00:00Z")).as_of_ms == ms(as_of)


@pytest.mark.parametrize(
    "said", ["0001-01-01T00:00:00", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59", "never"]
)
def test_a_balance_of_no_time_that_can_be_is_refused(said: str) -> None:
    """0001-01-01T00:00:00 is what some systems write for a time they do not have."""
    balance = read(AccountBalance, {**BALANCE, "balanceAsOn": said})
    with pytest.raises(Refused) as refused:
        intraday("bank:1", balance, [], ms("2026-01-05T18:00:00Z"))
    assert (refused.value.cause, refused.value.field) == ("range", "balanceAsOn")


def test_a_day_told_differently_has_another_message_id() -> None:
    row = read(StatementRow, ROW)
    first, again = prior_day("bank:1", 20_458, [row]), prior_day("bank:1", 20_458, [row])
    other = prior_day("bank:1", 20_458, [row, row])
    assert first == again
    assert first.msg_id != other.msg_id
    assert first.statement_date == 20_458
    assert first.as_of_ms == ms("2026-01-06T04:59:59.999Z")
    assert [one.ref for one in other.entries] == ["B1", "B1#2"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": "12,34"}, "amount"),
        ({"amount": "-1.00", "transactionType": "CREDIT"}, "amount"),
        ({"transactionType": "OTHER"}, "transactionType"),
        ({"postingDate": "yesterday"}, "postingDate"),
        ({"postingDate": 1760054400}, "postingDate"),
        ({"valueDate": "1760054400"}, "valueDate"),
        ({"currency": None}, "currency"),
        ({"ref1": "\ud800"}, "ref1"),  # no text at all: half of a pair
        ({"backOfficeReference": "x" * 141}, "backOfficeReference"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_name(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        prior_day("bank:1", 20_458, [read(StatementRow, {**ROW, **changed})])
    assert refused.value.field == field


def test_a_day_that_is_too_large_for_a_record_is_refused() -> None:
    rows = [read(StatementRow, {**ROW, "backOfficeReference": f"{n:064d}"}) for n in range(10_000)]
    with pytest.raises(Refused, match="too_large"):
        prior_day("bank:1", 20_458, rows)


@pytest.mark.parametrize("answer", [None, [], {}, {"items": {}}, {"items": [1], "_meta": {}}])
def test_a_page_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(Refused):
        Page.of(answer)


def test_a_page_tells_how_many_there_are() -> None:
    assert Page.of({"items": [], "_meta": {"itemCount": 3}}).count == 3
    with pytest.raises(Refused, match="itemCount"):
        _ = Page.of({"items": [], "_meta": {"itemCount": "3"}}).count


def test_what_is_pushed_is_an_event() -> None:
    event = posted(POSTED)
    assert (event.source, event.msg_id, event.avail_usd_e4) == ("webhook", "P1", 12_345_678_900)
    assert event.as_of_ms == ms(POSTED["as_of"])
    assert event.balances[0].amount_e4 == 13_000_001_000
    assert (event.entries[0].amount_e4, event.entries[0].status) == (-10_005_000, "BOOK")
    assert WIRE.decode("balance_events", WIRE.encode("balance_events", event)) == event


def changed(where: str, value: Any) -> dict[str, Any]:
    body = json.loads(json.dumps(POSTED))
    place: Any = body
    *path, last = where.split(".")
    for name in path:
        place = place[int(name)] if name.isdecimal() else place[name]
    place[last] = value
    return body


@pytest.mark.parametrize(
    ("where", "value", "cause", "field"),
    [
        ("entries.0.amount", "-1000.50", "invalid", "entries.0"),
        ("balances.0.amount", "-5", "invalid", "balances.0"),
        ("balances.0.amount", "1.00001", "invalid", "balances.0.amount"),
        ("balances.0.ccy", "usd", "invalid", "balances.0.ccy"),
        ("balances.0.sign", "-", "invalid", "balances.0.sign"),
        ("account_id", "0123456789", "invalid", "account_id"),
        ("account_id", "bybit:1", "invalid", "account_id"),
        ("msg_id", "", "invalid", "msg_id"),
        ("as_of", "2026-01-05T17:30:00", "invalid", "as_of"),
        ("as_of", 1767634200, "invalid", "as_of"),
        ("as_of", "1767634200250", "invalid", "as_of"),
        ("balances.0.as_of", 1767634200, "invalid", "balances.0.as_of"),
        ("entries.0.booking_date", 1767571200, "invalid", "entries.0.booking_date"),
        ("as_of", "1900-01-01T00:00:00Z", "range", "as_of"),
        ("balances.0.as_of", "9999-12-31T00:00:00Z", "range", "balances.as_of"),
        ("entries.0.status", "MAYBE", "invalid", "entries.0.status"),
        ("entries.0.ref", "", "invalid", "entries.0.ref"),
        ("statement_date", "2026-13-01", "invalid", "statement_date"),
    ],
)
def test_what_is_pushed_wrongly_is_refused_by_name(
    where: str, value: Any, cause: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        posted(changed(where, value))
    assert (refused.value.cause, refused.value.field) == (cause, field)


def test_a_pushed_statement_must_add_up() -> None:
    body = changed("statement_date", "2026-01-05")
    body["balances"] = [
        {"code": "OPBD", "amount": "5000", "ccy": "USD"},
        {"code": "CLBD", "amount": "6000.50", "ccy": "USD"},
    ]
    with pytest.raises(Refused, match="unbalanced"):
        posted(body)
    body["balances"][1]["amount"] = "3999.50"
    assert posted(body).statement_date is not None


def test_an_empty_push_is_refused() -> None:
    with pytest.raises(Refused, match="neither"):
        posted({name: POSTED[name] for name in ("account_id", "msg_id", "as_of")})
