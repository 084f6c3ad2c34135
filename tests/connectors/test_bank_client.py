"""Requests to a bank are made once; tokens are renewed; each failure is one of five kinds."""

# ruff: noqa: F811 - fixtures of the sandbox bank are imported by name

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agents.connectors.bank import Bank, ForbiddenEndpoint
from agents.connectors.bank.client import BODY_BYTES_MAX, Client
from agents.connectors.port import (
    ConnectorError,
    NotSent,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from tests.connectors.conftest import Recorded, recorded  # noqa: F401
from tests.weir.sandbox.bank_served import ServedBank, pain001, transaction
from tests.weir.sandbox.conftest import bank, bank_server, serve_bank  # noqa: F401

BALANCES = "/corporate/channels/accounts/me/v1/accounts/acc-0123456789/balances"
INITIATIONS = "/payments/v1/initiations"
BODY = pain001("m1", transaction("e1", "5.00"))


def go() -> None:
    """The last check, which says yes."""


def post(client: Client, check: Callable[[], None] = go) -> bytes:
    return client.post(INITIATIONS, BODY, "application/xml", check).body


def test_a_token_is_fetched_once_and_renewed_before_it_ends(bank: ServedBank) -> None:
    now = [0.0]
    client, given = Client(bank.access(), lambda: now[0]), bank.bank.gate.given
    for _ in range(3):
        assert b"2,500,000.00" in client.get(BALANCES).body
    assert bank.bank.gate.given == given + 1
    now[0] = 271.0
    client.get(BALANCES)
    assert bank.bank.gate.given == given + 2


def test_a_reading_is_made_again_with_a_new_token(bank: ServedBank) -> None:
    client = Client(bank.access())
    client.get(BALANCES)
    bank.stage("tokens/forget")
    assert b"2,500,000.00" in client.get(BALANCES).body


def test_a_payment_whose_token_ended_is_not_executed_and_not_repeated(
    bank: ServedBank,
) -> None:
    client = Client(bank.access())
    client.get(BALANCES)
    bank.stage("tokens/forget")
    with pytest.raises(Unavailable) as refused:
        post(client)
    assert refused.value.code == "401"
    assert bank.books()["payments"] == []
    assert b"ACCP" in post(client)
    assert len(bank.books()["payments"]) == 1


def test_nothing_is_asked_between_the_last_check_and_the_payment(bank: ServedBank) -> None:
    """A token that ends in between would be renewed by two requests of ten seconds each: the call
    would start long after the time it may.
    """
    now = [0.0]
    client = Client(bank.access(), lambda: now[0])
    given: list[int] = []

    def check() -> None:
        given.append(bank.bank.gate.given)
        now[0] = 271.0

    assert b"ACCP" in post(client, check)
    assert given == [bank.bank.gate.given]
    client.get(BALANCES)
    assert bank.bank.gate.given == given[0] + 1


def test_the_last_check_stops_a_payment(bank: ServedBank) -> None:
    def stop() -> None:
        raise NotSent("paused")

    with pytest.raises(NotSent):
        post(Client(bank.access()), stop)
    assert bank.books()["payments"] == []


@pytest.mark.parametrize(
    ("kind", "error", "payments"),
    [
        ("drop_before", TimedOut, 0),
        ("drop_after", TimedOut, 1),
        ("http_500_after", TimedOut, 1),
        ("http_503_before", TimedOut, 0),
        ("refuse", Rejected, 0),
    ],
)
def test_a_payment_goes_out_once_whatever_the_answer(
    bank: ServedBank,
    kind: str,
    error: type[ConnectorError],
    payments: int,
) -> None:
    client = Client(bank.access())
    client.get(BALANCES)
    bank.stage("faults", path="*", kind=kind, times=2)
    with pytest.raises(error):
        post(client)
    assert len(bank.books()["payments"]) == payments
    assert bank.books()["faults"]["fired"] == {kind: 1}


def test_a_late_answer_is_no_answer(bank: ServedBank) -> None:
    client = Client(bank.access(timeout_s=0.3))
    client.get(BALANCES)
    bank.stage("faults", path="*", kind="delay", delay_ms=900)
    with pytest.raises(TimedOut, match="ReadTimeout"):
        post(client)
    assert len(bank.books()["payments"]) == 1


def test_a_limit_is_told_with_its_wait(bank: ServedBank) -> None:
    client = Client(bank.access())
    bank.bank.gate.limit_per_s = 1
    client.get(BALANCES)
    with pytest.raises(RateLimited) as limited:
        client.get(BALANCES)
    assert limited.value.retry_after_s == 1.0


def test_a_wrong_secret_says_that_nothing_was_asked(bank: ServedBank) -> None:
    wrong = Bank("bank:1", bank.url, "sandbox-client", "wrong", paced=False)
    for _ in range(2):
        with pytest.raises(Unavailable, match="no token"):
            Client(wrong).get(BALANCES)


def test_nobody_there_says_that_nothing_was_sent() -> None:
    with pytest.raises(Unavailable):
        Client(Bank("bank:1", "http://127.0.0.1:9", "a", "b", paced=False)).get(BALANCES)


@dataclass
class Scripted:
    """A bank of prepared answers: a token, then whatever the test wants."""

    recorded: Recorded
    more: dict[str, Any] = field(default_factory=dict)

    def client(self) -> Client:
        self.recorded.first = [
            b'{"token_endpoint": "%s/token"}' % self.recorded.endpoint.encode(),
            b'{"access_token": "t", "expires_in": 300}',
        ]
        return Client(Bank("bank:1", self.recorded.endpoint, "a", "b", paced=False))


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ([b"<html>"], "no JSON"),
        ([b"[]"], "no JSON object"),
        ([b"{}"], "endpoint"),
        ([b'{"token_endpoint": "http://127.0.0.2:1/token"}'], "is not at"),
        ([b'{"token_endpoint": "https://example.org/token"}'], "is refused"),
    ],
)
def test_secrets_go_to_no_other_place(
    recorded: Recorded,
    first: list[bytes],
    message: str,
) -> None:
    recorded.first = first
    recorded.body = b"{}"
    client = Client(Bank("bank:1", recorded.endpoint, "a", "secret", paced=False))
    with pytest.raises((Unavailable, ForbiddenEndpoint), match=message):
        client.get(BALANCES)
    assert all(b"secret" not in body for _, _, body in recorded.seen)


def test_an_answer_is_read_no_further_than_it_may_go(recorded: Recorded) -> None:
    recorded.body = b" " * (BODY_BYTES_MAX + 1000)
    assert len(Scripted(recorded).client().get(BALANCES).body) == BODY_BYTES_MAX


def test_no_redirect_is_followed(recorded: Recorded) -> None:
    client = Scripted(recorded).client()
    client.get(BALANCES)
    recorded.status = 307
    recorded.headers["Location"] = recorded.endpoint
    seen = len(recorded.seen)
    with pytest.raises(TimedOut):
        post(client)
    assert len(recorded.seen) == seen + 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, Rejected) for status in (400, 403, 404, 413, 415, 422)),
        *((status, TimedOut) for status in (302, 409, 410, 500, 502, 504)),
        (429, RateLimited),
        (401, Unavailable),
    ],
)
def test_what_each_status_means_for_money(
    recorded: Recorded,
    status: int,
    error: type[ConnectorError],
) -> None:
    client = Scripted(recorded).client()
    client.get(BALANCES)
    recorded.status = status
    with pytest.raises(ConnectorError) as raised:
        post(client)
    assert type(raised.value) is error
    assert raised.value.code == str(status)


@pytest.mark.parametrize(
    "endpoint",
    ["https://api.fusionfabric.cloud", "http://10.0.0.1", "http://127.0.0.1/x", "ftp://127.0.0.1"],
)
def test_only_a_sandbox_on_this_machine_is_called(endpoint: str) -> None:
    with pytest.raises(ForbiddenEndpoint, match="bank:1"):
        Bank("bank:1", endpoint, "a", "b")


def test_a_secret_is_not_printed() -> None:
    assert "hidden" not in repr(Bank("bank:1", "http://127.0.0.1:1", "a", "hidden"))
