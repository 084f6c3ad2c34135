"""What every connector must do, run against each one's sandbox over real HTTP.

It proves: a call is posted once whatever is answered, every failure is one of the five, and what a
lost answer did is found afterwards. Real requests to the sandbox venue, which is a process on this
machine; no test here can reach another host, because the connector's own guard refuses it.
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
from tests.connectors.trials import NO_ROW, TRIALS, counted, params_of

EXCHANGES = sorted(VENUES.keys() - {"bank"})
"""A bank does other things: the same is asked of it in test_contract_bank.py."""
OPS = sorted(TRIALS)
WITH_ROWS = sorted(TRIALS.keys() - NO_ROW)


class Subject:
    """One connector, its account, and the venue's own count of what happened there."""

    def __init__(self, sandbox: Sandbox, make: Callable[[Venue], Connector]) -> None:
        self.sandbox, self.venue = sandbox, sandbox.venue()
        self.connector = make(self.venue)

    def ready(self, op: str, amount: str = "") -> tuple[dict[str, Any], dict[str, str]]:
        """An attempt of an operation that would pass, with its watermark read."""
        amount = amount or TRIALS[op].amount
        if op in ("REPAY", "ADD_COLLATERAL"):
            first = work(self.venue.account_id, "TRANSFER", amount)
            self.connector.call(call(first, {}), _yes)
        params = params_of(self.sandbox, self.venue, op)
        shared = work(self.venue.account_id, op, amount, params=params)
        return shared, self.connector.prepare(prepare(shared)).watermark

    def done(self, op: str) -> int:
        """How many of an operation the venue has carried out."""
        return counted(self.sandbox, self.venue, op)

    def found(self, shared: dict[str, Any], mark: dict[str, str], ref: str = "") -> Answer:
        """What looking finds, once it is no longer being processed."""
        deadline_s = time.monotonic() + 10
        answer = self.connector.look(look(shared, mark, ref))
        while answer.class_ == "accepted" and time.monotonic() < deadline_s:
            answer = self.connector.look(look(shared, mark, ref))
        return answer


@pytest.fixture(params=EXCHANGES)
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
    assert answer.class_ == TRIALS[op].at
    assert answer.venue_ref or op == "SET_LEVERAGE"
    assert answer.raw
    found = subject.found(shared, mark, answer.venue_ref or "")
    assert (found.class_, found.venue_ref) == ("done", answer.venue_ref)
    assert (found.amount_done_e18 or 0) == parse_e18(TRIALS[op].amount)
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
        ("reset_mid_body", 1),
        ("delay", 1),
    ],
)
@pytest.mark.req("000-15", "000-49", "000-56")
def test_a_lost_answer_is_timed_out_and_history_knows(
    subject: Subject, op: str, kind: str, effects: int
) -> None:
    shared, mark = subject.ready(op)
    before = subject.done(op)
    subject.sandbox.fault(TRIALS[op].path, kind, delay_ms=1500)
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
    subject.sandbox.fault(TRIALS[op].path, "refuse")
    with pytest.raises(Rejected) as refused:
        subject.connector.call(call(shared, mark), _yes)
    assert refused.value.code
    assert subject.done(op) == before


@pytest.mark.parametrize("op", WITH_ROWS)
@pytest.mark.req("000-56")
def test_a_late_row_proves_nothing_until_it_is_there(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    subject.sandbox.fault(TRIALS[op].path, "drop_after", odd="late_row", delay_ms=400)
    with pytest.raises(TimedOut):
        subject.connector.call(call(shared, mark), _yes)
    answer = subject.connector.look(look(shared, mark))
    assert (answer.class_, answer.facts["rows"]) == ("unknown", "0")
    deadline_s = time.monotonic() + 10
    while answer.class_ == "unknown" and time.monotonic() < deadline_s:
        answer = subject.connector.look(look(shared, mark))
    found = subject.found(shared, mark)
    assert (found.class_, found.facts["rows"]) == ("done", "1")


@pytest.mark.parametrize("op", WITH_ROWS)
def test_a_row_listed_twice_is_one_effect(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    subject.sandbox.fault(TRIALS[op].path, "duplicate_row")
    answer = subject.connector.call(call(shared, mark), _yes)
    found = subject.found(shared, mark, answer.venue_ref or "")
    assert (found.class_, found.facts["rows"]) == ("done", "1")


@pytest.mark.parametrize("op", ["REPAY", "REDUCE_POSITION"])
def test_what_is_processed_for_ever_stays_accepted(subject: Subject, op: str) -> None:
    shared, mark = subject.ready(op)
    subject.sandbox.fault(TRIALS[op].path, "processing")
    answer = subject.connector.call(call(shared, mark), _yes)
    for ref in (answer.venue_ref or "", ""):
        assert subject.connector.look(look(shared, mark, ref)).class_ == "accepted"


def test_what_others_do_is_never_taken_for_ours(subject: Subject) -> None:
    """A person repays and the venue liquidates while an answer is lost: other rows, not this."""
    shared, mark = subject.ready("REPAY")
    subject.sandbox.fault(TRIALS["REPAY"].path, "drop_before")
    with pytest.raises(TimedOut):
        subject.connector.call(call(shared, mark), _yes)
    subject.sandbox.by_hand(subject.venue, "liquidate", coin="USDT", amount="50.1234")
    subject.sandbox.by_hand(subject.venue, "repay", coin="USDT", amount="50.1233")
    found = subject.found(shared, mark)
    assert (found.class_, found.facts["rows"]) == ("unknown", "0")
    assert parse_e18(found.facts["debt"]) < parse_e18(mark["debt"])


def test_more_than_the_wallet_holds_is_rejected(subject: Subject) -> None:
    _, mark = subject.ready("REPAY", "2000")
    more = work(subject.venue.account_id, "REPAY", "25000")
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


def test_a_second_order_with_our_id_is_the_first(subject: Subject) -> None:
    shared, mark = subject.ready("REDUCE_POSITION")
    before = subject.done("REDUCE_POSITION")
    first = subject.connector.call(call(shared, mark), _yes)
    again = subject.connector.call(call(shared, mark), _yes)
    assert (again.class_, again.venue_ref) == ("accepted", first.venue_ref)
    assert again.code == "110072"
    assert subject.done("REDUCE_POSITION") == before + 1
    late = subject.connector.prepare(prepare(shared, absent_mark=mark))
    assert late.facts["late_ref"] == first.venue_ref


def test_an_order_that_only_the_history_knows_is_found(subject: Subject) -> None:
    shared, mark = subject.ready("REDUCE_POSITION")
    subject.sandbox.fault(TRIALS["REDUCE_POSITION"].path, "drop_after")
    with pytest.raises(TimedOut):
        subject.connector.call(call(shared, mark), _yes)
    subject.sandbox.by_hand(subject.venue, "restart")
    found = subject.found(shared, mark)
    assert (found.class_, found.amount_done_e18) == ("done", parse_e18("0.2"))


@pytest.mark.parametrize(
    ("kind", "class_", "done"), [("partial_fill", "done", "0.1"), ("no_fill", "refused", "0")]
)
def test_an_order_has_done_what_it_filled(
    subject: Subject, kind: str, class_: str, done: str
) -> None:
    shared, mark = subject.ready("REDUCE_POSITION")
    subject.sandbox.fault(TRIALS["REDUCE_POSITION"].path, kind)
    subject.connector.call(call(shared, mark), _yes)
    found = subject.found(shared, mark)
    assert (found.class_, found.amount_done_e18 or 0) == (class_, parse_e18(done))
    assert found.facts["order_status"] == "Cancelled"
    assert parse_e18(mark["reducible"]) - parse_e18(found.facts["reducible"]) == parse_e18(done)


def test_a_position_that_is_gone_is_not_turned_over(subject: Subject) -> None:
    shared, mark = subject.ready("REDUCE_POSITION")
    subject.sandbox.by_hand(subject.venue, "order", symbol="BTCUSDT", side="Sell", qty="0.6")
    assert subject.connector.prepare(prepare(shared)).watermark["reducible"] == "0"
    with pytest.raises(Rejected) as refused:
        subject.connector.call(call(shared, mark), _yes)
    assert refused.value.code == "110017"


def test_a_leverage_that_is_set_already_is_done(subject: Subject) -> None:
    shared, mark = subject.ready("SET_LEVERAGE")
    answers = [subject.connector.call(call(shared, mark), _yes) for _ in range(2)]
    assert [(answer.class_, answer.code) for answer in answers] == [
        ("done", None),
        ("done", "110043"),
    ]
    assert (mark["leverage"], subject.done("SET_LEVERAGE")) == ("10", 1)


def test_a_cancel_is_judged_by_how_its_order_ended(subject: Subject) -> None:
    shared, mark = subject.ready("CANCEL_ORDER")
    subject.connector.call(call(shared, mark), _yes)
    again = subject.connector.call(call(shared, mark), _yes)
    assert (again.class_, again.code, subject.done("CANCEL_ORDER")) == ("done", "110010", 1)
    market = {"symbol": "BTCUSDT", "side": "Buy", "qty": "0.1"}
    filled = subject.sandbox.by_hand(subject.venue, "order", **market)["orderId"]
    for order_id, code, words in ((filled, "110008", "Filled"), ("nobody", "110001", "exist")):
        other = shared | {"params": {"symbol": "BTCUSDT", "order_id": order_id}}
        with pytest.raises(Rejected, match=words) as refused:
            subject.connector.call(call(other, mark), _yes)
        assert refused.value.code == code
    assert subject.connector.look(look(other, mark)).class_ == "unknown"


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


@pytest.mark.parametrize("name", EXCHANGES)
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
