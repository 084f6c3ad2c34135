"""What every connector must do, run against each one's sandbox over real HTTP.

It proves: a call is posted once whatever is answered, every failure is one of the five, and what a
lost answer did is found afterwards. Real requests: transfers, repayments and collateral at the
sandbox venue, which is a process on this machine; no test here can reach another host, because the
connector's own guard refuses it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.connectors.bybit import Venue
from agents.connectors.port import (
    Answer,
    Connector,
    ConnectorError,
    NotSent,
    RateLimited,
    Rejected,
    TimedOut,
    Unsupported,
)
from agents.connectors.registry import VENUES, connectors
from schemas.money import parse_e18
from tests.connectors.conftest import Sandbox
from tests.connectors.effects import call, look, prepare, work

PATHS = {
    "TRANSFER": "/v5/asset/transfer/inter-transfer",
    "REPAY": "/v5/crypto-loan-flexible/repay",
    "ADD_COLLATERAL": "/v5/crypto-loan-common/adjust-ltv",
}
COUNTED = {"TRANSFER": "transfers", "REPAY": "repays", "ADD_COLLATERAL": "adjusts"}
OPS = sorted(PATHS)


class Subject:
    """One connector, its account, and the venue's own count of what happened there."""

    def __init__(self, sandbox: Sandbox, make: Callable[[Venue], Connector]) -> None:
        self.sandbox, self.venue = sandbox, sandbox.venue()
        self.connector = make(self.venue)

    def ready(self, op: str, amount: str = "50.1234") -> tuple[dict[str, Any], dict[str, str]]:
        """An attempt of an operation that would pass, with its watermark read."""
        if op != "TRANSFER":
            first = work(self.venue.account_id, "TRANSFER", amount)
            self.connector.call(call(first, {}), _yes)
        shared = work(self.venue.account_id, op, amount)
        return shared, self.connector.prepare(prepare(shared)).watermark

    def done(self, op: str) -> int:
        """How many of an operation the venue has carried out."""
        return int(self.sandbox.books(self.venue)["counts"][COUNTED[op]])

    def found(self, shared: dict[str, Any], mark: dict[str, str], ref: str = "") -> Answer:
        """What looking finds, once it is no longer being processed."""
        deadline_s = time.monotonic() + 10
        answer = self.connector.look(look(shared, mark, ref))
        while answer.class_ == "accepted" and time.monotonic() < deadline_s:
            answer = self.connector.look(look(shared, mark, ref))
        return answer


@pytest.fixture(params=sorted(VENUES))
def subject(request: pytest.FixtureRequest, sandbox: Sandbox) -> Subject:
    """Each registered connector in turn."""
    return Subject(sandbox, VENUES[request.param])


def _yes() -> None:
    """Nothing speaks against posting."""


@pytest.mark.req("000-08", "000-09", "000-10", "000-15")
@pytest.mark.parametrize("op", OPS)
def test_a_call_is_carried_out_once_and_found(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    before = subject.done(op)
    answer = subject.connector.call(call(shared, mark), _yes)
    assert answer.class_ == ("done" if op == "TRANSFER" else "accepted")
    assert answer.venue_ref
    assert answer.raw
    found = subject.found(shared, mark, answer.venue_ref)
    assert (found.class_, found.venue_ref) == ("done", answer.venue_ref)
    assert found.amount_done_e18 == parse_e18("50.1234")
    assert found.facts["rows"] == "1"
    assert subject.done(op) == before + 1


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    ("kind", "effects"),
    [
        ("drop_before", 0),
        ("drop_after", 1),
        ("http_500_after", 1),
        ("bad_json_after", 1),
        ("delay", 1),
    ],
)
@pytest.mark.req("000-15", "000-49", "000-56")
def test_a_lost_answer_is_timed_out_and_history_knows(
    subject: Subject, op: str, kind: str, effects: int
) -> None:
    shared, mark = subject.ready(op)
    before = subject.done(op)
    subject.sandbox.fault(PATHS[op], kind, delay_ms=1500)
    with pytest.raises(TimedOut):
        subject.connector.call(call(shared, mark), _yes)
    found = subject.found(shared, mark)
    assert found.class_ == ("done" if effects else "unknown")
    assert found.facts["rows"] == str(effects)
    assert subject.done(op) == before + effects


@pytest.mark.req("000-15")
@pytest.mark.parametrize("op", OPS)
def test_a_refusal_is_rejected_with_its_code(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    before = subject.done(op)
    subject.sandbox.fault(PATHS[op], "refuse")
    with pytest.raises(Rejected) as refused:
        subject.connector.call(call(shared, mark), _yes)
    assert refused.value.code
    assert subject.done(op) == before


def test_more_than_the_wallet_holds_is_rejected(subject: Subject) -> None:
    _, mark = subject.ready("REPAY", "40000")
    more = work(subject.venue.account_id, "REPAY", "47000")
    with pytest.raises(Rejected) as refused:
        subject.connector.call(call(more, mark), _yes)
    assert refused.value.code == "148029"


@pytest.mark.parametrize("op", OPS)
def test_nothing_is_posted_once_the_check_says_no(subject: Subject, op: str) -> None:
    def no() -> None:
        raise NotSent("paused")

    shared, mark = subject.ready(op)
    before = subject.done(op)
    with pytest.raises(NotSent):
        subject.connector.call(call(shared, mark), no)
    assert subject.done(op) == before


@pytest.mark.req("000-10")
def test_a_second_transfer_with_our_id_moves_nothing(subject: Subject) -> None:
    shared, mark = subject.ready("TRANSFER")
    for _ in range(2):
        assert subject.connector.call(call(shared, mark), _yes).class_ == "done"
    assert subject.done("TRANSFER") == 1


def test_a_late_row_of_an_absent_attempt_is_reported(subject: Subject) -> None:
    shared, mark = subject.ready("REPAY")
    answer = subject.connector.call(call(shared, mark), _yes)
    again = subject.connector.prepare(prepare(shared, absent_mark=mark))
    assert again.facts["late_ref"] == answer.venue_ref
    assert again.watermark["last_id"] == answer.venue_ref


@pytest.mark.req("000-09", "000-29")
@pytest.mark.parametrize("op", ["REPAY", "ADD_COLLATERAL"])
def test_the_watermark_is_what_a_call_moves(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    subject.connector.call(call(shared, mark), _yes)
    after = subject.found(shared, mark).facts
    moved = parse_e18("50.1234")
    assert parse_e18(mark["fund"]) - parse_e18(after["fund"]) == moved
    if op == "REPAY":
        assert (
            moved - parse_e18("0.01") < parse_e18(mark["debt"]) - parse_e18(after["debt"]) <= moved
        )
    else:
        assert parse_e18(after["collateral"]) - parse_e18(mark["collateral"]) == moved
        before_ltv, after_ltv = (
            parse_e18(after["row_ltv_before"]),
            parse_e18(after["row_ltv_after"]),
        )
        assert before_ltv >= after_ltv > 0
    assert int(after["server_ms"]) >= int(mark["server_ms"])


def test_what_it_does_not_do_is_unsupported(subject: Subject) -> None:
    shared = work(subject.venue.account_id, "TRANSFER", "1") | {"op": "CONVERT"}
    assert "CONVERT" not in subject.connector.capabilities
    with pytest.raises(Unsupported):
        subject.connector.prepare(prepare(shared))


@pytest.mark.parametrize("name", sorted(VENUES))
def test_too_many_writes_are_rate_limited(limited_sandbox: Sandbox, name: str) -> None:
    """Processes of one account do not know of each other's pace: the venue refuses at the door."""
    subject = Subject(limited_sandbox, VENUES[name])
    _, mark = subject.ready("REPAY")
    raised: list[Exception] = []

    def post(connector: Connector) -> None:
        try:
            connector.call(call(work(subject.venue.account_id, "REPAY", "1"), mark), _yes)
        except ConnectorError as error:
            raised.append(error)

    others = [replace(subject.venue, timeout_s=2.0 + place) for place in range(4)]
    several = [VENUES[name](venue) for venue in others]
    threads = [threading.Thread(target=post, args=(one,)) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) >= 2
    assert all(isinstance(error, RateLimited) for error in raised)
    assert subject.done("REPAY") == 4 - len(raised)


def test_a_wrong_key_is_rejected_and_an_absent_venue_is_unknown(sandbox: Sandbox) -> None:
    wrong = VENUES["bybit"](sandbox.venue(api_secret="nonsense"))
    shared = work("bybit:1", "REPAY", "1")
    with pytest.raises(Rejected) as refused:
        wrong.prepare(prepare(shared))
    assert refused.value.code == "10004"
    away = VENUES["bybit"](sandbox.venue(endpoint="http://127.0.0.1:9"))
    with pytest.raises(TimedOut):
        away.call(call(shared, {}), _yes)


def test_the_registry_knows_its_venues(sandbox: Sandbox) -> None:
    venue = sandbox.venue()
    assert list(connectors([venue])) == [venue.account_id]
    with pytest.raises(ValueError, match="no connector for venue 'nowhere'"):
        connectors([Venue("nowhere:1", "k", "s", sandbox.endpoint)])
