"""The feeds of a sandbox bank: every message once and whole, and a bank that is silent is seen."""

# ruff: noqa: F811 - fixtures of the sandbox bank are imported by name

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.feeds.bank.assembly import bank_feeds
from agents.feeds.bank.marks import MarksFile
from agents.outside import NotWritten
from agents.settings import BankAccount, WorkerSettings
from tests.agents.bank_files import balance, camt053, entry, page, statement
from tests.agents.bank_rig import ACCOUNT_ID, Rig, runs
from tests.weir.sandbox.bank_served import (
    ACCOUNT,
    ServedBank,
    at,
    pain001,
    transaction,
)
from tests.weir.sandbox.conftest import bank, bank_server, serve_bank  # noqa: F401
from weir.sandbox.bank.assembly import Opening
from weir.sandbox.bank.flows import Customers

Serve = Callable[..., ServedBank]
_EPOCH = date(1970, 1, 1)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def put(bank: ServedBank, xml: bytes) -> int:
    answer = bank.http.post("/sandbox/documents", content=xml)
    return int(answer.json()["id"])


def day(text: str) -> int:
    return (date.fromisoformat(text) - _EPOCH).days


@pytest.mark.req("004-01")
async def test_the_mailbox_is_read_to_its_end_and_on_from_there(
    rig: Rig,
    serve_bank: Serve,
) -> None:
    opening = Opening(customers=Customers(), history_days=70)
    bank = serve_bank(opening, report_ms=0)
    await runs(rig.mailbox(bank), lambda: len(rig.log.events) >= 70)
    assert [one.source for one in rig.log.events] == ["camt053"] * 70
    days = [one.statement_date for one in rig.log.events]
    assert days == list(range(day("2026-04-28"), day("2026-07-07")))
    bank.passes(86_400_000)
    await runs(rig.mailbox(bank), lambda: len(rig.log.events) >= 71)
    assert [one.statement_date for one in rig.log.events[70:]] == [day("2026-07-07")]
    assert MarksFile(rig.home, "mailbox").marks.after == 71


async def test_a_report_tells_what_is_available_and_our_payment(
    rig: Rig,
    serve_bank: Serve,
) -> None:
    bank = serve_bank(report_ms=1)
    bank.pay(pain001("m1", transaction("e" * 32, "1000000")))
    bank.passes(10)
    await runs(rig.mailbox(bank), lambda: len(rig.log.events) >= 2)
    event = rig.log.events[-1]
    assert event.as_of_ms == at("2026-07-07T14:00:00.010+00:00")
    assert {one.code: one.amount_e4 for one in event.balances} == {
        "ITBD": 25_000_000_000,
        "ITAV": 15_000_000_000,
    }
    assert [(one.status, one.end_to_end_id) for one in event.entries] == [("PDNG", "e" * 32)]


async def test_what_cannot_be_used_is_a_dead_letter_and_holds_up_nothing(
    rig: Rig,
    bank: ServedBank,
) -> None:
    opened, closed = balance("OPBD", "5"), balance("CLBD", "5")
    bad = {
        "malformed": b"<a>",
        "kind": b"<a/>",
        "dtd": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "too_large": b"<" + b"a" * 5_000_000 + b"/>",
        "unbalanced": camt053(statement(opened, closed, entry("1", "CRDT", "B1"))),
        "scale": camt053(statement(balance("CLBD", "1.00001"))),
    }
    numbers = {cause: put(bank, xml) for cause, xml in bad.items()}
    good = put(bank, camt053(statement(opened, closed)))
    feed = rig.mailbox(bank)
    await runs(feed, lambda: MarksFile(rig.home, "mailbox").marks.after >= good)
    assert rig.log.causes() == list(bad)
    assert [one.msg_id for one in rig.log.events if one.source == "camt053"] == ["M1/S1"]
    for (cause, number), (key, value, headers) in zip(
        numbers.items(), rig.log.letters, strict=True
    ):
        assert headers["__streams.errors.topic"] == f"mailbox/{number}"
        assert headers["__streams.errors.message"].startswith(cause)
        assert value == bad[cause][: 512 * 1024]
        assert key == (ACCOUNT_ID if cause == "unbalanced" else "bank:unknown")
    fired = [one for one in rig.log.alerts if one.key.startswith("bank-message|")]
    assert len(fired) == len(bad)
    assert all(one.severity == "critical" for one in fired)


async def test_one_bad_statement_hides_no_other(rig: Rig, bank: ServedBank) -> None:
    opened, closed = balance("OPBD", "5"), balance("CLBD", "5")
    wrong = statement(opened, closed, entry("1", "CRDT", "B1"), account="1", statement_id="S1")
    right = statement(opened, closed, account="2", statement_id="S2")
    put(bank, camt053(wrong, right))
    await runs(rig.mailbox(bank), lambda: bool(rig.log.letters))
    assert [one.account_id for one in rig.log.events if one.source == "camt053"] == ["bank:2"]
    assert rig.log.causes() == ["unbalanced"]


async def test_pages_wait_for_each_other_also_across_a_restart(
    rig: Rig,
    bank: ServedBank,
) -> None:
    first = statement(
        balance("OPBD", "0"),
        balance("ITBD", "1"),
        entry("1", "CRDT", "B1"),
        paging=page(1, last=False),
    )
    second = statement(
        balance("ITBD", "1"),
        balance("CLBD", "3"),
        entry("2", "CRDT", "B2"),
        paging=page(2, last=True),
    )
    number = put(bank, camt053(second, msg_id="M2"))
    await runs(rig.mailbox(bank), lambda: MarksFile(rig.home, "mailbox").marks.after >= number)
    assert [one for one in rig.log.events if one.source == "camt053"] == []
    assert MarksFile(rig.home, "mailbox").marks.held == (str(number),)
    put(bank, camt053(first, msg_id="M1"))
    await runs(rig.mailbox(bank), lambda: any(one.source == "camt053" for one in rig.log.events))
    (event,) = [one for one in rig.log.events if one.source == "camt053"]
    assert event.msg_id == "M1/S1"
    assert [one.ref for one in event.entries] == ["B1", "B2"]
    assert MarksFile(rig.home, "mailbox").marks.held == ()
    assert rig.log.letters == []


async def test_pages_that_wait_too_long_are_an_alert(rig: Rig, bank: ServedBank) -> None:
    put(bank, camt053(statement(balance("CLBD", "1"), paging=page(2, last=True))))
    feed = rig.mailbox(bank)
    feed.wait_s = 0.0
    await runs(feed, lambda: any(one.key == "bank-pages|mailbox" for one in rig.log.alerts))
    put(bank, camt053(statement(balance("OPBD", "1"), paging=page(1, last=False))))
    await runs(feed, lambda: rig.log.alerts[-1].state == "resolved")
    assert feed.failures == 0


async def test_a_repeated_message_is_told_again_under_the_same_id(
    rig: Rig,
    bank: ServedBank,
) -> None:
    number = put(bank, camt053(statement(balance("CLBD", "1"))))
    bank.stage(f"documents/{number}/again")
    await runs(rig.mailbox(bank), lambda: len(rig.log.events) >= 3)
    first, again = [one for one in rig.log.events if one.source == "camt053"]
    assert first == again


async def test_what_is_not_on_the_log_is_read_again(rig: Rig, bank: ServedBank) -> None:
    put(bank, camt053(statement(balance("CLBD", "1"))))
    rig.log.broken = NotWritten("the broker is away")
    with pytest.raises(NotWritten):
        await runs(rig.mailbox(bank), lambda: False)
    assert MarksFile(rig.home, "mailbox").marks.after == 0
    rig.log.broken = None
    await runs(rig.mailbox(bank), lambda: len(rig.log.events) >= 2)
    assert [one.source for one in rig.log.events] == ["camt052", "camt053"]


async def test_a_document_that_is_listed_and_denied_is_told(rig: Rig, bank: ServedBank) -> None:
    number = put(bank, b"<a/>")
    bank.stage("faults", path=f"/statements/v1/documents/{number}", kind="refuse")
    await runs(rig.mailbox(bank), lambda: bool(rig.log.letters))
    assert rig.log.causes() == ["denied"]


@pytest.mark.parametrize("kind", ["http_500_after", "drop_before", "bad_json_after"])
async def test_a_mailbox_that_fails_is_read_later(
    rig: Rig,
    bank: ServedBank,
    kind: str,
) -> None:
    put(bank, camt053(statement(balance("CLBD", "1"))))
    bank.stage("faults", path="/statements/v1/documents", kind=kind, times=2)
    feed = rig.mailbox(bank)
    await runs(feed, lambda: len(rig.log.events) >= 2)
    assert feed.failures == 2
    assert rig.log.letters == []


@pytest.mark.req("004-05")
async def test_json_is_polled_and_told_when_it_is_new(rig: Rig, bank: ServedBank) -> None:
    feed = rig.account(bank, parts=frozenset({"intraday"}))
    await runs(feed, lambda: feed.polls >= 3)
    assert len(rig.log.events) == 1, "the same is told once"
    bank.passes(1000)
    bank.stage("entries", account=ACCOUNT, amount="-1234.56", end_to_end_id="c1")
    await runs(feed, lambda: len(rig.log.events) >= 2)
    event = rig.log.events[-1]
    assert {one.code: one.amount_e4 for one in event.balances} == {
        "ITAV": 24_987_654_400,
        "ITBD": 24_987_654_400,
    }
    assert [(one.amount_e4, one.end_to_end_id) for one in event.entries] == [(-12_345_600, "c1")]


@pytest.mark.parametrize("told", ["stale", "backwards", "contradicting"])
async def test_what_the_bank_says_is_told_as_it_says_it(
    rig: Rig,
    serve_bank: Serve,
    told: str,
) -> None:
    bank = serve_bank(report_ms=0)
    bank.stage("balances", account=ACCOUNT, told=told)
    feed = rig.account(bank, parts=frozenset({"intraday"}))
    await runs(feed, lambda: feed.polls >= 3)
    times = [one.as_of_ms for one in rig.log.events]
    amounts = [one.balances[0].amount_e4 for one in rig.log.events]
    if told == "stale":
        assert len(times) == 1
    elif told == "backwards":
        assert times == sorted(times, reverse=True)
        assert len(set(times)) == len(times) >= 3
    else:
        assert len(set(times)) == 1
        assert len(set(amounts)) == len(amounts) >= 3


async def test_days_are_asked_for_from_the_first_wanted_and_told_again_when_they_differ(
    rig: Rig,
    serve_bank: Serve,
) -> None:
    opening = Opening(customers=Customers(per_day=40), history_days=10)
    bank = serve_bank(opening, report_ms=0)
    feed = rig.account(bank, parts=frozenset({"prior_day"}), since=date(2026, 7, 1))
    await runs(feed, lambda: len(rig.log.events) >= 6)
    days = [one.statement_date for one in rig.log.events]
    assert days == list(range(day("2026-07-01"), day("2026-07-07")))
    booked = [
        (row.amount_cents if row.target == ACCOUNT else -row.amount_cents) * 100
        for row in bank.bank.books.movements
        if row.day == "2026-07-06"
    ]
    assert [one.amount_e4 for one in rig.log.events[-1].entries] == booked
    assert len(booked) > 30, "more than one page"
    bank.stage("entries", account=ACCOUNT, amount="5", day="2026-07-05")
    again = rig.account(bank, parts=frozenset({"prior_day"}), since=date(2026, 7, 1))
    await runs(again, lambda: len(rig.log.events) >= 7)
    (restated,) = rig.log.events[6:]
    assert restated.statement_date == day("2026-07-05")
    assert restated.msg_id != rig.log.events[4].msg_id


async def test_json_that_cannot_be_used_is_told_once(rig: Rig, bank: ServedBank) -> None:
    path = f"/corporate/channels/accounts/me/v1/accounts/acc-{ACCOUNT}/balances"
    bank.stage("faults", path=path, kind="bad_json_after", times=3)
    feed = rig.account(bank, parts=frozenset({"intraday"}))
    await runs(feed, lambda: bool(rig.log.events))
    assert rig.log.causes() == ["malformed"]
    assert feed.failures == {"intraday": 3}


async def test_files_of_a_folder_are_taken_and_moved_away(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "b.xml").write_bytes(camt053(statement(balance("CLBD", "1"), statement_id="B")))
    (folder / "a.xml").write_bytes(camt053(statement(balance("CLBD", "1"), statement_id="A")))
    (folder / "c.xml").write_bytes(b"<a>")
    (folder / "p.xml").write_bytes(
        camt053(statement(balance("CLBD", "1"), statement_id="P", paging=page(2, last=True)))
    )
    (folder / "d.xml.part").write_bytes(b"half")
    (folder / ".e.xml").write_bytes(b"half")
    feed = rig.folder(folder)
    await runs(feed, lambda: len(rig.log.events) >= 2 and bool(rig.log.letters))
    assert [one.msg_id for one in rig.log.events] == ["M1/A", "M1/B"]
    assert rig.log.causes() == ["malformed"]
    assert files(folder) == [".e.xml", "d.xml.part", "p.xml"]
    assert files(folder / "taken") == ["a.xml", "b.xml", "c.xml"]
    (folder / "q.xml").write_bytes(
        camt053(statement(balance("OPBD", "1"), statement_id="P", paging=page(1, last=False)))
    )
    await runs(feed, lambda: len(rig.log.events) >= 3)
    assert files(folder) == [".e.xml", "d.xml.part"]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


async def judged(rig: Rig, seconds: float) -> dict[str, str]:
    rig.now_s += seconds
    await rig.health.judge()
    return {one.key: one.state for one in rig.log.alerts if one.key.startswith("feed|")}


async def test_a_bank_that_is_silent_or_tells_nothing_new_is_seen(
    rig: Rig,
    serve_bank: Serve,
) -> None:
    bank = serve_bank(report_ms=0)
    feed = rig.account(bank, parts=frozenset({"intraday"}))
    answers, news = f"feed|{ACCOUNT_ID}|bank-json", f"feed|{ACCOUNT_ID}|bank-json-balance"
    await runs(feed, lambda: bool(rig.log.events))
    assert await judged(rig, 10.0) == {answers: "resolved", news: "resolved"}
    assert (await judged(rig, 60.0))[answers] == "firing"
    bank.stage("balances", account=ACCOUNT, told="stale")
    await runs(feed, lambda: feed.polls >= 4)
    rig.now_s += 3550.0
    polls = feed.polls
    await runs(feed, lambda: feed.polls > polls)
    assert await judged(rig, 1.0) == {answers: "resolved", news: "firing"}
    bank.stage("balances", account=ACCOUNT, told="fresh")
    bank.passes(1000)
    await runs(feed, lambda: len(rig.log.events) >= 2)
    assert await judged(rig, 1.0) == {answers: "resolved", news: "resolved"}


def account(**more: Any) -> BankAccount:
    values = {"account_id": ACCOUNT_ID, "endpoint": "http://127.0.0.1:1", "client_id": "a"}
    return BankAccount(**{**values, "client_secret": "s", **more})


@pytest.mark.parametrize(
    ("accounts", "names"),
    [
        ([account()], ["MailboxFeed.run"]),
        ([account(), account(account_id="bank:2")], ["MailboxFeed.run"]),
        ([account(), account(account_id="bank:2", client_id="b")], ["MailboxFeed.run"] * 2),
        ([account(intraday="api")], ["AccountFeed.run", "MailboxFeed.run"]),
        ([account(intraday="api", prior_day="none")], ["AccountFeed.run"]),
        ([account(intraday="none", prior_day="none")], []),
        ([], []),
    ],
)
async def test_each_account_has_the_feeds_that_were_asked_for(
    rig: Rig, tmp_path: Path, accounts: list[BankAccount], names: list[str]
) -> None:
    settings = WorkerSettings(bootstrap="x", home=tmp_path, banks=tuple(accounts))
    outside: Any = rig.log
    feeds = list(bank_feeds(settings, outside, rig.alerts, rig.health, asyncio.Event()))
    assert [one.__qualname__ for one in feeds] == names
    for feed in feeds:
        feed.close()


async def test_a_folder_that_is_none_stops_the_start(rig: Rig, tmp_path: Path) -> None:
    settings = WorkerSettings(bootstrap="x", home=tmp_path, camt_folder=tmp_path / "none")
    outside: Any = rig.log
    with pytest.raises(ValueError, match="WEIR_CAMT_FOLDER"):
        list(bank_feeds(settings, outside, rig.alerts, rig.health, asyncio.Event()))


def test_marks_that_are_none_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "x.json").write_text("{")
    with pytest.raises(ValueError, match="no marks"):
        MarksFile(tmp_path, "x")
