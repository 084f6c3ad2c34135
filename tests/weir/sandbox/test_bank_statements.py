"""What the bank tells about its accounts: valid ISO in every version, and what its books hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from agents.feeds.bank.camt import statements
from agents.feeds.bank.statement import Statement, event_of
from agents.feeds.bank.taking import Pages
from schemas.money import text_scaled
from tests.weir.sandbox.bank_served import (
    ACCOUNT,
    ServedBank,
    at,
    pain001,
    transaction,
    valid_by_iso,
)
from weir.sandbox.bank.assembly import Opening, make_bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import local
from weir.sandbox.bank.flows import Customers
from weir.sandbox.bank.money import cents, grouped, text
from weir.sandbox.bank.payments import Terms
from weir.sandbox.bank.statements import Writer

Serve = Callable[..., ServedBank]
BASE = "/corporate/channels/accounts/me/v1/accounts"
_EPOCH = date(1970, 1, 1)


def listed(bank: ServedBank) -> list[dict[str, str]]:
    found: list[dict[str, str]] = bank.http.get("/statements/v1/documents?limit=200").json()[
        "items"
    ]
    return found


def newest(bank: ServedBank, kind: str) -> Statement:
    number = [one["id"] for one in listed(bank) if one["type"] == kind][-1]
    (found,) = statements(bank.document(int(number)))
    return found


@pytest.mark.parametrize("version", range(2, 15))
def test_every_version_is_valid_and_says_the_same(serve_bank: Serve, version: int) -> None:
    bank = serve_bank(version=version, report_ms=1)
    bank.stage("entries", account=ACCOUNT, amount="-1234.56", end_to_end_id="CUST-1")
    bank.pay(pain001("m1", transaction("e1", "1000000.00"), transaction("e2", "500.00")))
    bank.status("e1")
    bank.passes(200)
    bank.status("e1")
    bank.stage("payments/e1/return", reason="AC04")
    bank.pay(pain001("m2", transaction("e3", "7.00")))
    bank.passes(10)
    report = newest(bank, "camt.052")
    assert [(one.code, one.amount_e4) for one in report.balances] == [
        ("ITBD", 24_982_654_400),
        ("ITAV", 24_982_584_400),
    ]
    assert [(e.amount_e4, e.status, e.end_to_end_id, e.reversal) for e in report.entries] == [
        (-12_345_600, "BOOK", "CUST-1", False),
        (-10_000_000_000, "BOOK", "e1", False),
        (-5_000_000, "BOOK", "e2", False),
        (10_000_000_000, "BOOK", "e1", True),
        (-70_000, "PDNG", "e3", False),
    ]
    bank.passes(86_400_000)
    closing = newest(bank, "camt.053")
    event = event_of(f"bank:{ACCOUNT}", closing)
    assert event.statement_date == (date(2026, 7, 7) - _EPOCH).days
    assert (event.balances[0].code, event.balances[0].amount_e4) == ("OPBD", 25_000_000_000)
    assert [e.ref for e in event.entries][:4] == [e.ref for e in report.entries][:4]
    for document in listed(bank):
        valid_by_iso(etree.fromstring(bank.document(int(document["id"]))))


@settings(max_examples=25, deadline=None)
@given(
    flows=st.lists(st.integers(-(10**11), 10**11), max_size=12),
    page=st.integers(1, 5),
    version=st.sampled_from([2, 4, 6, 8, 14]),
)
def test_what_is_read_is_what_the_books_hold(flows: list[int], page: int, version: int) -> None:
    clock = [at("2026-07-07T14:00:00+00:00")]
    bank = make_bank(Opening(), Terms(), Books(), lambda: clock[0])
    bank.mailbox.writer = Writer(bank.books, version, page=page)
    for flow in flows:
        bank.enter(ACCOUNT, flow, "", "customer", None)
    clock[0] += 86_400_000
    bank.advance()
    pages, whole = Pages(), []
    for document in bank.books.documents:
        if document.kind == "camt.053" and document.day == "2026-07-07":
            (one,) = statements(bank.mailbox.xml(document.number))
            whole += [one] if one.is_whole else filter(None, [pages.add("", one)])
    (found,) = whole
    event = event_of(f"bank:{ACCOUNT}", found)
    assert [one.amount_e4 for one in event.entries] == [flow * 100 for flow in flows]
    closing = {one.code: one.amount_e4 for one in event.balances}
    assert closing == dict.fromkeys(("CLBD", "CLAV"), 100 * bank.books.booked_cents(ACCOUNT)) | {
        "OPBD": 25_000_000_000
    }
    assert len({one.ref for one in event.entries}) == len(flows)


def test_history_is_stated_day_by_day(serve_bank: Serve) -> None:
    opening = Opening(customers=Customers(seed=7), history_days=60)
    bank = serve_bank(opening)
    days = [one for one in listed(bank) if one["type"] == "camt.053"]
    assert len(days) == 60
    last = None
    for document in days:
        (one,) = statements(bank.document(int(document["id"])))
        event = event_of(f"bank:{ACCOUNT}", one)
        amounts = {balance.code: balance.amount_e4 for balance in event.balances}
        assert last is None or amounts["OPBD"] == last
        last = amounts["CLBD"]
    assert bank.books()["accounts"][ACCOUNT]["booked"] == "2500000.00"
    weekend = [row for row in bank.bank.books.movements if local(row.at_ms).weekday() > 4]
    assert weekend == []
    again = serve_bank(opening)
    assert again.bank.books.movements == bank.bank.books.movements


def test_a_late_booking_states_its_day_and_those_after_it_again(serve_bank: Serve) -> None:
    bank = serve_bank(now="2026-07-06T14:00:00+00:00")
    bank.passes(2 * 86_400_000)
    before = len(listed(bank))
    bank.stage("entries", account=ACCOUNT, amount="5.00", day="2026-07-06")
    added = listed(bank)[before:]
    found = [statements(bank.document(int(one["id"])))[0] for one in added]
    assert [(_EPOCH + timedelta(one.day or 0)).isoformat() for one in found] == [
        "2026-07-06",
        "2026-07-07",
    ]
    sums = [event_of("bank:1", one).balances[-1].amount_e4 for one in found]
    assert [text_scaled(one, 4) for one in sums] == ["2500005", "2500005"]
    answer = bank.http.post(
        "/sandbox/entries", json={"account": ACCOUNT, "amount": "1", "day": "2026-07-09"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("told", "as_of_moves", "amounts"),
    [
        ("fresh", 60_000, ["2,500,007.00", "2,500,007.00"]),
        ("stale", 0, ["2,500,000.00", "2,500,000.00"]),
        ("contradicting", 0, ["2,500,000.01", "2,500,000.02"]),
        ("backwards", -60_000, ["2,500,000.00", "2,500,000.00"]),
    ],
)
def test_balances_lie_on_command(
    serve_bank: Serve, told: str, as_of_moves: int, amounts: list[str]
) -> None:
    bank = serve_bank(report_ms=0)
    bank.stage("balances", account=ACCOUNT, told=told)
    bank.stage("entries", account=ACCOUNT, amount="7.00")
    said = []
    for _ in range(2):
        said.append(bank.http.get(f"{BASE}/acc-{ACCOUNT}/balances").json())
        bank.passes(60_000)
    assert [one["availableBalance"] for one in said] == amounts
    times = [at(one["balanceAsOn"]) for one in said]
    assert times[1] - times[0] == as_of_moves
    bank.stage("balances", account=ACCOUNT, told="fresh")
    now = bank.http.get(f"{BASE}/acc-{ACCOUNT}/balances").json()
    assert now["availableBalance"] == "2,500,007.00"


def test_a_message_is_put_into_the_mailbox_and_comes_twice(bank: ServedBank) -> None:
    answer = bank.http.post("/sandbox/documents", content=b"<a/>")
    number = int(answer.json()["id"])
    again = bank.stage(f"documents/{number}/again")
    assert bank.document(number) == bank.document(int(again["id"])) == b"<a/>"
    assert bank.http.get("/statements/v1/documents/99").status_code == 404
    assert bank.http.post("/sandbox/documents/99/again").status_code == 404


@pytest.mark.req("004-05")
def test_json_amounts_have_commas_and_lists_have_pages(bank: ServedBank) -> None:
    for n in range(5):
        bank.stage("entries", account=ACCOUNT, amount=f"-{n + 1}000.50", end_to_end_id=f"c{n}")
    query = {"fromDate": "2026-07-07", "toDate": "2026-07-07", "limit": 2, "offset": 2}
    shown = bank.http.get(f"{BASE}/acc-{ACCOUNT}/statement", params=query).json()
    assert shown["_meta"] == {"limit": 2, "pageCount": 3, "itemCount": 5, "page": 1}
    assert [(row["amount"], row["transactionType"], row["ref1"]) for row in shown["items"]] == [
        ("3,000.50", "DEBIT", "c2"),
        ("4,000.50", "DEBIT", "c3"),
    ]
    assert shown["items"][1]["balance"] == "2,489,998.00"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{BASE}/acc-999/balances", 404),
        (f"{BASE}/acc-{ACCOUNT}/statement", 400),
        (f"{BASE}/acc-{ACCOUNT}/statement?fromDate=2026-07-07&toDate=x", 400),
        (f"{BASE}?limit=many", 400),
    ],
)
def test_a_question_that_is_none_is_refused(bank: ServedBank, path: str, status: int) -> None:
    assert bank.http.get(path).status_code == status


def test_tokens(bank: ServedBank) -> None:
    def status(**headers: str) -> int:
        return httpx.get(f"{bank.url}{BASE}", headers=headers).status_code

    token = bank.http.headers["Authorization"]
    assert status() == 401
    assert status(Authorization="Bearer x") == 401
    assert status(Authorization=token.replace("Bearer", "Basic")) == 401
    assert status(Authorization=token) == 200
    bank.clock[0] += 300_000
    assert status(Authorization=token) == 401
    bank.login()
    bank.stage("tokens/forget")
    assert bank.http.get(BASE).status_code == 401
    path = "/login/v1/sandbox/oidc/token"
    form: dict[str, Any] = {"grant_type": "client_credentials"}
    assert bank.http.post(path, data=form, auth=("sandbox-client", "x")).status_code == 401
    assert bank.http.post(path, data={"grant_type": "password"}).status_code == 400
    form |= {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    headers = {"Authorization": ""}
    assert bank.http.post(path, data=form, headers=headers).status_code == 200


def test_who_asks_too_often_is_told_to_wait(bank: ServedBank) -> None:
    bank.bank.gate.limit_per_s = 2
    answers = [bank.http.get(BASE) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"
    bank.passes(1000)
    assert bank.http.get(BASE).status_code == 200


@pytest.mark.parametrize("value", ["0.00", "-0.01", "1234567.89", "-1000000.00", "999.90"])
def test_money_is_read_as_it_is_written(value: str) -> None:
    written = "0.00" if value == "-0.00" else value
    assert text(cents(value)) == written
    assert grouped(cents(value)).replace(",", "") == written


@pytest.mark.parametrize("value", ["", "1.001", "1,000", "1e3", "abc", "--1"])
def test_money_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        cents(value)


def test_a_flow_of_a_reference_is_entered_once(bank: ServedBank) -> None:
    for _ in range(2):
        bank.stage("entries", account=ACCOUNT, amount="-10.00", end_to_end_id="CUST-9")
    assert bank.books()["accounts"][ACCOUNT]["booked"] == "2499990.00"


def test_flows_are_told_for_each_open_day_that_is_stated(serve_bank: Serve) -> None:
    customers = Customers(seed=3, per_day=4)
    bank = serve_bank(Opening(customers=customers, history_days=10))
    told = bank.http.get(f"/sandbox/flows/{ACCOUNT}").json()
    stated = bank.books()["accounts"][ACCOUNT]["statements"]
    assert (stated, len(told)) == (10, 6), "of ten days two weekends, all of them stated"
    assert "2026-07-03" in told, "Independence Day on a Saturday is not moved"
    for day, net in told.items():
        moved = sum(cents for _, cents, _ in customers.of_day(ACCOUNT, date.fromisoformat(day)))
        assert net == text(moved)
