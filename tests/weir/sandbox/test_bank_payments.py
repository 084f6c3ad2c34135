"""What the bank does with payments: each refusal, execution, return; every state is valid ISO."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.weir.sandbox.bank_served import (
    ACCOUNT,
    FUND,
    TUESDAY,
    ServedBank,
    Status,
    at,
    pain001,
    statuses,
    transaction,
)
from tests.weir.sandbox.conftest import until, wall_ms
from weir.sandbox.bank.assembly import Opening, make_bank
from weir.sandbox.bank.books import Books
from weir.sandbox.bank.days import local
from weir.sandbox.bank.pain import read_request
from weir.sandbox.bank.payments import Terms
from weir.sandbox.bank.records import Account

ONE = transaction("e1", "1000000.00")
Serve = Callable[..., ServedBank]


def balances(bank: ServedBank) -> dict[str, tuple[str, str]]:
    shown = bank.books()
    assert shown["conserved"]
    return {n: (one["booked"], one["available"]) for n, one in shown["accounts"].items()}


@pytest.mark.req("004-06")
def test_a_payment_is_accepted_settled_and_booked(bank: ServedBank) -> None:
    assert bank.pay(pain001("m1", ONE)) == [Status("e1", "ACCP", "")]
    assert balances(bank)[ACCOUNT] == ("2500000.00", "1500000.00")
    assert bank.status("e1") == "ACSP"
    bank.passes(200)
    assert bank.status("e1") == "ACSC"
    assert balances(bank) == {ACCOUNT: ("1500000.00",) * 2, FUND: ("1000000.00",) * 2}
    (payment,) = bank.books()["payments"]
    assert [one["state"] for one in payment["states"]] == ["ACCP", "ACSP", "ACSC"]
    assert payment["booked"] == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (pain001("m", transaction("e", "0.00")), "AM01"),
        (pain001("m", transaction("e", "99999999999.00")), "AM04"),
        (pain001("m", transaction("e", "999999999999.00")), "AM02"),
        (pain001("m", transaction("e", "1.00", ccy="EUR")), "AM03"),
        (pain001("m", transaction("e", "2500000.01")), "AM04"),
        (pain001("m", transaction("e", "1.001")), "AM12"),
        (pain001("m", transaction("e", "1"), count="2"), "AM18"),
        (pain001("m", transaction("e", "1"), control="<CtrlSum>1.01</CtrlSum>"), "AM10"),
        (pain001("m", transaction("e", "1"), debtor="1"), "AC02"),
        (pain001("m", transaction("e", "1", creditor=ACCOUNT)), "AC03"),
        (pain001("m", transaction("e", "1"), day="2026-07-06"), "DT01"),
        (pain001("m", transaction("e", "1"), day="2028-07-07"), "DT01"),
    ],
)
def test_a_refusal_has_its_reason_and_moves_nothing(
    bank: ServedBank, body: bytes, reason: str
) -> None:
    assert bank.pay(body) == [Status("e", "RJCT", reason)]
    bank.passes(10_000)
    assert bank.status("e") == "RJCT"
    assert balances(bank)[ACCOUNT] == ("2500000.00", "2500000.00")


def test_a_repeated_message_is_no_second_payment(bank: ServedBank) -> None:
    bank.pay(pain001("m1", ONE))
    assert bank.pay(pain001("m1", ONE)) == [Status("e1", "RJCT", "DU01")]
    assert bank.pay(pain001("m2", ONE)) == [Status("e1", "RJCT", "DU04")]
    bank.passes(1000)
    assert bank.status("e1") == "ACSC", "the repetition says nothing about the first"
    assert balances(bank)[FUND] == ("1000000.00", "1000000.00")
    answer = bank.http.get("/payments/v1/initiations/m1")
    assert [one.state for one in statuses(answer.content)] == ["ACSC"]


def test_what_was_refused_may_be_sent_again_under_another_message(bank: ServedBank) -> None:
    bank.pay(pain001("m1", transaction("e1", "9000000")))
    assert bank.pay(pain001("m1", ONE)) == [Status("e1", "RJCT", "DU01")]
    assert bank.pay(pain001("m2", ONE)) == [Status("e1", "ACCP", "")]


def test_a_message_of_several_payments_is_answered_one_by_one(bank: ServedBank) -> None:
    body = pain001(
        "m1",
        transaction("a", "1500000"),
        transaction("b", "1000000.01"),
        transaction("a", "1"),
        transaction("c", "1000000"),
        control="<CtrlSum>3500001.01</CtrlSum>",
    )
    assert bank.pay(body) == [
        Status("a", "ACCP", ""),
        Status("b", "RJCT", "AM04"),
        Status("a", "RJCT", "DU04"),
        Status("c", "ACCP", ""),
    ]
    assert balances(bank)[ACCOUNT] == ("2500000.00", "0.00")


@pytest.mark.parametrize(
    ("now", "day", "reason", "executed"),
    [
        ("2026-07-07T22:44:59+00:00", "2026-07-07", "", "2026-07-07"),  # 18:44:59 in New York
        ("2026-07-07T22:45:00+00:00", "2026-07-07", "TM01", ""),
        ("2026-07-07T22:45:00+00:00", "2026-07-08", "", "2026-07-08"),
        ("2026-01-06T23:44:59+00:00", "2026-01-06", "", "2026-01-06"),  # winter: an hour later
        ("2026-01-06T23:45:00+00:00", "2026-01-06", "TM01", ""),
        ("2026-07-04T15:00:00+00:00", "2026-07-04", "", "2026-07-06"),  # Saturday: on Monday
        ("2026-09-07T15:00:00+00:00", "2026-09-07", "", "2026-09-08"),  # Labor Day
    ],
)
def test_cut_off_and_closed_days(
    serve_bank: Serve, now: str, day: str, reason: str, executed: str
) -> None:
    bank = serve_bank(now=now)
    (said,) = bank.pay(pain001("m1", ONE, day=day))
    assert said == Status("e1", "RJCT" if reason else "ACCP", reason)
    if executed:
        payment = bank.bank.books.payments[0]
        assert bank.bank.desk.executed_on(payment).isoformat() == executed


def test_a_payment_for_another_day_waits_for_it(bank: ServedBank) -> None:
    bank.pay(pain001("m1", ONE, day="2026-07-09"))
    bank.passes(86_400_000)
    assert bank.status("e1") == "ACCP"
    assert balances(bank)[ACCOUNT] == ("2500000.00", "1500000.00")
    bank.passes(86_400_000)
    bank.status("e1")
    bank.passes(200)
    assert bank.status("e1") == "ACSC"


def test_a_payment_is_rejected_after_it_was_accepted(bank: ServedBank) -> None:
    bank.stage("plans", outcome="reject", reason="AC04")
    bank.pay(pain001("m1", ONE))
    assert bank.status("e1") == "RJCT"
    bank.pay(pain001("m2", transaction("e2", "5")))
    assert bank.stage("payments/e2/reject", reason="AG01") == {"done": True}
    assert bank.stage("payments/e2/reject", reason="AG01") == {"done": False}
    assert balances(bank)[ACCOUNT] == ("2500000.00", "2500000.00")
    reasons = [one["reason"] for one in bank.books()["payments"]]
    assert reasons == ["AC04", "AG01"]


def test_a_settled_payment_comes_back_once(bank: ServedBank) -> None:
    bank.stage("plans", outcome="return", reason="AC04")
    bank.pay(pain001("m1", ONE))
    for _ in range(2):
        bank.status("e1")
        bank.passes(1000)
    assert bank.status("e1") == "ACSC", "a return is told by an entry, not by the status"
    assert bank.books()["payments"][0]["returned"]
    assert balances(bank)[ACCOUNT] == ("2500000.00", "2500000.00")
    assert bank.stage("payments/e1/return", reason="AC04") == {"done": False}


def test_a_fund_gives_back_when_it_is_asked_and_when_the_term_is_over(serve_bank: Serve) -> None:
    thursday = "2026-07-02T14:00:00+00:00"  # the holiday is on a Saturday: Friday is open
    bank = serve_bank(Opening(funds=(f"{FUND}:1",)), now=thursday)
    for name, amount in (("e1", "600000"), ("e2", "400000")):
        bank.pay(pain001(f"m-{name}", transaction(name, amount), day="2026-07-02"))
    bank.status("e1")
    bank.passes(1000)
    back = transaction("b1", "700000", creditor=ACCOUNT)
    bank.pay(pain001("m-b1", back, debtor=FUND, day="2026-07-02"))
    bank.status("b1")
    bank.passes(1000)
    placed = bank.books()["accounts"][FUND]["placements"]
    assert [one["left"] for one in placed] == ["0.00", "300000.00"], "the oldest pays first"
    bank.passes(86_400_000)
    assert balances(bank)[FUND] == ("0.00", "0.00")
    matured = bank.bank.books.movements[-1]
    assert (matured.end_to_end_id, matured.code, matured.day) == ("e2", "MATU", "2026-07-03")
    assert balances(bank)[ACCOUNT] == ("2500000.00", "2500000.00")


def test_drawn_outcomes_come_from_the_seed(serve_bank: Serve) -> None:
    def drawn(seed: int) -> list[str]:
        terms = Terms(settle_ms=0, return_ms=0, reject_rate=0.3, return_rate=0.3, seed=seed)
        bank = serve_bank(terms=terms)
        bank.pay(pain001("m", *(transaction(f"e{n}", "1") for n in range(30))))
        return [f"{one['state']}{one['returned']}" for one in bank.books()["payments"]]

    first = drawn(1)
    assert first == drawn(1)
    assert first != drawn(2)
    assert set(first) == {"ACSCFalse", "ACSCTrue", "RJCTFalse"}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"<a/>", pain001("m" * 36, ONE), pain001("m", ONE).replace(b"TRF", b"X")]
)
def test_what_is_no_payment_message_is_not_kept(bank: ServedBank, body: bytes) -> None:
    answer = bank.http.post("/payments/v1/initiations", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "not_readable"
    assert bank.books()["payments"] == []
    assert bank.http.get("/payments/v1/initiations/m").status_code == 404


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        ("drop_before", 0),
        ("http_503_before", 0),
        ("refuse", 0),
        ("drop_after", 1),
        ("http_500_after", 1),
        ("bad_json_after", 1),
    ],
)
def test_faults_lie_on_their_side_of_the_effect(bank: ServedBank, kind: str, effect: int) -> None:
    bank.stage("faults", path="*", kind=kind)
    try:
        answer = bank.http.post("/payments/v1/initiations", content=pain001("m1", ONE))
        said = {"http_503_before": 503, "refuse": 403, "http_500_after": 500}.get(kind, 200)
        assert answer.status_code == said
    except httpx.TransportError:
        assert kind.startswith("drop")
    assert len(bank.books()["payments"]) == effect
    assert bank.books()["faults"]["fired"] == {kind: 1}


def test_the_bank_remembers_after_a_kill(tmp_path: Path) -> None:
    kept, port = tmp_path / "books", tmp_path / "port"
    command = [sys.executable, "-m", "weir.sandbox.bank", "--books", str(kept)]
    command += ["--round-the-clock", "--port-file", str(port), "--settle-ms", "60000"]

    def life(work: list[bytes]) -> dict[str, Any]:
        port.unlink(missing_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until(port.exists, "the bank answers")
            running = ServedBank.__new__(ServedBank)
            running.http = httpx.Client(base_url=f"http://127.0.0.1:{port.read_text().strip()}")
            running.login()
            for body in work:
                running.pay(body)
            shown: dict[str, Any] = running.books()
            running.http.close()
            return shown
        finally:
            process.kill()
            process.wait(10)

    today = local(wall_ms()).date().isoformat()
    before = life([pain001("m1", ONE, day=today)])
    with kept.open("ab") as file:
        file.write(b'{"row":"Move')  # the line that the kill cut off
    after = life([])
    for name in ("payments", "movements", "conserved"):
        assert before[name] == after[name]
    assert before["accounts"] == after["accounts"]
    assert life([pain001("m1", ONE, day=today)])["payments"][1]["reason"] == "DU01"


def test_rows_that_belong_together_are_in_force_together_or_not_at_all(tmp_path: Path) -> None:
    """A kill may cut a line anywhere: the money of a payment must not move without its state."""
    kept = tmp_path / "books"
    clock = [at(TUESDAY)]
    bank = make_bank(Opening(), Terms(settle_ms=0), Books(kept), lambda: clock[0])
    bank.desk.receive(read_request(pain001("m1", ONE)), clock[0])
    bank.desk.advance(clock[0])
    assert bank.books.booked_cents(ACCOUNT) == 150_000_000
    whole = kept.read_bytes()
    settled = whole.splitlines(keepends=True)[-1]
    assert settled.count(b'"row":"') == 2, "the movement and the state"
    for cut in (1, len(settled) // 2, len(settled) - 1):
        kept.write_bytes(whole[: len(whole) - len(settled) + cut])
        again = Books(kept)
        assert again.booked_cents(ACCOUNT) == 250_000_000
        assert again.state(again.payments[0]).state == "ACSP"
        assert again.conserved()


def test_a_payment_for_a_day_to_come_waits_or_is_booked_at_once(serve_bank: Serve) -> None:
    for at_once, booked in ((False, "2500000.00"), (True, "1500000.00")):
        bank = serve_bank(terms=Terms(settle_ms=0, at_once=at_once))
        bank.pay(pain001("m1", ONE, day="2026-07-08"))
        assert balances(bank)[ACCOUNT][0] == booked
    moved = bank.bank.books.movements[-1]
    assert (moved.day, moved.valued) == ("2026-07-07", "2026-07-08")
    (entry,) = bank.http.get(
        f"/corporate/channels/accounts/me/v1/accounts/acc-{ACCOUNT}/statement",
        params={"fromDate": "2026-07-07", "toDate": "2026-07-07"},
    ).json()["items"]
    assert (entry["postingDate"], entry["valueDate"]) == ("2026-07-07", "2026-07-08")


def test_accounts_are_those_that_were_asked_for(serve_bank: Serve) -> None:
    bank = serve_bank(Opening(accounts=("1", "2"), funds=()))
    assert list(bank.books()["accounts"]) == ["1", "2"]
    assert bank.bank.books.accounts["1"] == Account(
        "1", "TREASURY LLC", "dda", at("2026-07-07T04:00:00+00:00")
    )
