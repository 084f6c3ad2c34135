"""What every connector must do, asked of the bank's over real HTTP (see test_contract.py).

It proves: a call is posted once whatever is answered, every failure is one of the five, and what a
lost answer did is found afterwards. Real payments at the sandbox bank, a process on this machine;
no test here can reach another host, because the connector's own guard refuses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from agents.connectors.port import (
    Connector,
    ConnectorError,
    NotSent,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
    Unsupported,
)
from agents.connectors.registry import VENUES, connectors
from schemas.money import parse_e18
from tests.connectors.conftest import started
from tests.connectors.effects import prepare
from tests.connectors.subjects import BankSubject, Subject

KINDS: dict[str, type[Subject]] = {one.name: one for one in (BankSubject,)}
CASES = [(name, op) for name, kind in KINDS.items() for op in kind.ops]
OWN_ID = [(name, op) for name, kind in KINDS.items() for op in kind.own_id]
Make = Callable[[str], Subject]


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox bank whose days never close; its fund holds something."""
    folder = tmp_path_factory.mktemp("bank")
    options = ("--round-the-clock", "--rate-limit", "0", "--settle-ms", "50")
    with started(folder, "weir.sandbox.bank", *options) as endpoint:
        BankSubject(endpoint).filled()
        yield endpoint


@pytest.fixture(scope="session")
def limited_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that takes few requests a second."""
    folder = tmp_path_factory.mktemp("limited-bank")
    options = ("--round-the-clock", "--rate-limit", "3")
    with started(folder, "weir.sandbox.bank", *options) as endpoint:
        yield endpoint


@pytest.fixture
def make(bank: str) -> Make:
    """A subject by the name of its connector."""
    return lambda name: BankSubject(bank)


def _yes() -> None:
    """Nothing speaks against posting."""


@pytest.mark.parametrize(("name", "op"), CASES)
def test_a_call_is_carried_out_once_and_found(make: Make, name: str, op: str) -> None:
    subject = make(name)
    assert subject.connector.capabilities == set(subject.ops)
    shared, mark = subject.ready(op)
    before = subject.done(op)
    answer = subject.connector.call(subject.call(shared, mark), _yes)
    assert answer.class_ == subject.answered[op]
    assert answer.venue_ref
    assert answer.raw
    found = subject.found(shared, mark, answer.venue_ref)
    assert (found.class_, found.venue_ref) == ("done", answer.venue_ref)
    assert found.amount_done_e18 == parse_e18(subject.amount)
    assert found.facts["rows"] == "1"
    assert subject.done(op) == before + 1


@pytest.mark.parametrize(("name", "op"), CASES)
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
@pytest.mark.req("000-20")
def test_a_lost_answer_is_timed_out_and_history_knows(
    make: Make, name: str, op: str, kind: str, effects: int
) -> None:
    subject = make(name)
    shared, mark = subject.ready(op)
    before = subject.done(op)
    subject.fault(op, kind, delay_ms=1500)
    with pytest.raises(TimedOut):
        subject.connector.call(subject.call(shared, mark), _yes)
    found = subject.found(shared, mark)
    assert found.class_ == ("done" if effects else "unknown")
    assert found.facts["rows"] == str(effects)
    assert subject.done(op) == before + effects


@pytest.mark.parametrize(("name", "op"), CASES)
def test_a_refusal_is_rejected_with_its_code(make: Make, name: str, op: str) -> None:
    subject = make(name)
    shared, mark = subject.ready(op)
    before = subject.done(op)
    subject.fault(op, "refuse")
    with pytest.raises(Rejected) as refused:
        subject.connector.call(subject.call(shared, mark), _yes)
    assert refused.value.code
    assert subject.done(op) == before


@pytest.mark.parametrize(
    ("name", "op", "amount", "code"),
    [("bank", "SWEEP", "99000000", "AM04")],
)
def test_more_than_is_there_is_rejected(
    make: Make, name: str, op: str, amount: str, code: str
) -> None:
    subject = make(name)
    _, mark = subject.ready(op, "40000")
    with pytest.raises(Rejected) as refused:
        subject.connector.call(subject.call(subject.work(op, amount), mark), _yes)
    assert refused.value.code == code


@pytest.mark.parametrize(("name", "op"), CASES)
def test_nothing_is_posted_once_the_check_says_no(make: Make, name: str, op: str) -> None:
    def no() -> None:
        raise NotSent("paused")

    subject = make(name)
    shared, mark = subject.ready(op)
    before = subject.done(op)
    with pytest.raises(NotSent):
        subject.connector.call(subject.call(shared, mark), no)
    assert subject.done(op) == before


@pytest.mark.parametrize(("name", "op"), OWN_ID)
def test_a_second_call_with_our_id_moves_nothing(make: Make, name: str, op: str) -> None:
    """Whether it is answered by what the first did, or by nothing that could be acted on."""
    subject = make(name)
    shared, mark = subject.ready(op)
    before = subject.done(op)
    first = subject.connector.call(subject.call(shared, mark), _yes)
    try:
        assert subject.connector.call(subject.call(shared, mark), _yes).class_ == first.class_
    except TimedOut:
        assert subject.found(shared, mark).venue_ref == first.venue_ref
    assert subject.done(op) == before + 1


@pytest.mark.parametrize(("name", "op"), [("bank", "SWEEP")])
def test_a_late_row_of_an_absent_attempt_is_reported(make: Make, name: str, op: str) -> None:
    subject = make(name)
    shared, mark = subject.ready(op)
    answer = subject.connector.call(subject.call(shared, mark), _yes)
    again = subject.connector.prepare(prepare(shared, absent_mark=mark))
    assert again.facts["late_ref"] == answer.venue_ref


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_it_does_not_do_is_unsupported(make: Make, name: str) -> None:
    subject = make(name)
    shared = subject.work(subject.ops[0], "1") | {"op": "CONVERT"}
    assert "CONVERT" not in subject.connector.capabilities
    with pytest.raises(Unsupported):
        subject.connector.prepare(prepare(shared))


@pytest.mark.parametrize(("name", "op", "least"), [("bank", "SWEEP", 1)])
def test_too_many_writes_are_rate_limited(
    limited_bank: str, name: str, op: str, least: int
) -> None:
    """Processes of one account do not know of each other's pace: the other side refuses at the
    door.
    """
    subject: Subject = BankSubject(limited_bank, paced=True)
    _, mark = subject.ready(op)
    raised: list[Exception] = []

    def post(connector: Connector) -> None:
        try:
            connector.call(subject.call(subject.work(op, "1"), mark), _yes)
        except ConnectorError as error:
            raised.append(error)

    several = subject.others(4)
    threads = [threading.Thread(target=post, args=(one,)) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) >= least
    assert all(isinstance(error, RateLimited) for error in raised)
    assert subject.done(op) == 4 - len(raised)


def test_a_bank_that_knows_us_not_or_is_away_has_executed_nothing(bank: str) -> None:
    subject = BankSubject(bank)
    shared = subject.work("SWEEP", "1")
    for change in ({"client_secret": "nonsense"}, {"endpoint": "http://127.0.0.1:9"}):
        other = VENUES["bank"](replace(subject.settings, **change))
        with pytest.raises(Unavailable):
            other.call(subject.call(shared, {}), _yes)
    assert subject.found(shared, {}).class_ == "unknown"


def test_the_registry_knows_the_bank(bank: str) -> None:
    account = BankSubject(bank).settings
    assert list(connectors([account])) == [account.account_id]
