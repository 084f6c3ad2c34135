"""What is pushed is on the log once or refused with its reason; nobody else may push."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from agents.outside import NotWritten
from tests.agents.bank_files import FOLDER, NAMES, balance, camt053, entry, page, statement
from tests.agents.test_bank_json import POSTED
from tests.weir.web.conftest import PUSHER, READER, Web
from weir.web.settings import WebSettings

XML = "application/xml"
CAMT = camt053(statement(balance("CLBD", "5"), entry("1", "DBIT", "B1")))


def told(**changes: Any) -> bytes:
    return json.dumps({**POSTED, **changes}).encode()


@pytest.mark.req("004-40")
def test_a_push_is_a_record_and_202(web: Web) -> None:
    answer = web.push(told())
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": [
            {
                "account_id": "bank:0123456789",
                "msg_id": "P1",
                "as_of": "2026-01-05T17:30:00.250Z",
                "statement_date": None,
                "balances": 2,
                "entries": 1,
            }
        ]
    }
    (event,) = web.log.events
    assert (event.source, event.avail_usd_e4) == ("webhook", 12_345_678_900)


def test_camt_is_pushed_as_it_is(web: Web) -> None:
    answer = web.push(CAMT, XML)
    assert answer.status_code == 202
    (event,) = web.log.events
    assert (event.source, event.msg_id, event.raw) == ("camt053", "M1/S1", CAMT)
    assert answer.json()["accepted"][0]["statement_date"] == "2026-01-05"


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k1"}])
@pytest.mark.parametrize(("body", "kind"), [(told(), "application/json"), (CAMT, XML)])
def test_a_repeat_is_answered_alike_and_writes_nothing(
    web: Web, key: dict[str, str], body: bytes, kind: str
) -> None:
    first, again = web.push(body, kind, **key), web.push(body, kind, **key)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(web.log.events) == 1


def test_the_same_key_with_another_body_is_refused(web: Web) -> None:
    web.push(told(), **{"Idempotency-Key": "k1"})
    answer = web.push(told(avail_usd="1"), **{"Idempotency-Key": "k1"})
    assert answer.status_code == 409
    assert answer.json()["error"] == "exists_different"
    without = web.push(told(avail_usd="1"))
    assert without.status_code == 202, "the message id is a key of its own"
    assert web.push(told(avail_usd="2")).status_code == 409
    assert len(web.log.events) == 2


def test_how_a_body_is_spaced_makes_no_difference(web: Web) -> None:
    web.push(told())
    assert web.push(json.dumps(POSTED, indent=3).encode()).status_code == 202
    assert len(web.log.events) == 1


def test_what_could_not_be_written_may_be_sent_again(web: Web) -> None:
    web.log.broken = NotWritten("the broker is away")
    answer = web.push(told())
    assert (answer.status_code, answer.json()["error"]) == (503, "not_written")
    web.log.broken = None
    assert web.push(told()).status_code == 202
    assert len(web.log.events) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer nobody"}, 401),
        ({"Authorization": f"Basic {PUSHER}"}, 401),
        ({"Authorization": f"Bearer {PUSHER}x"}, 401),
        ({"Authorization": f"Bearer {READER}"}, 403),
        ({"Authorization": f"bearer {PUSHER}"}, 202),
    ],
)
def test_only_who_may_push_pushes(web: Web, headers: dict[str, str], status: int) -> None:
    answer = web.push(told(), **headers)
    assert answer.status_code == status
    assert len(web.log.events) == (status == 202)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "kind", "status", "error"),
    [
        (b"", "application/json", 400, "malformed"),
        (b"[1]", "application/json", 422, "invalid"),
        (told(msg_id=""), "application/json", 422, "invalid"),
        (told(avail_usd="12,34"), "application/json", 422, "invalid"),
        (told(), "text/plain", 415, "media_type"),
        (b"<a>", XML, 400, "malformed"),
        (b"<a/>", XML, 422, "kind"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', XML, 422, "dtd"),
        (b"<" + b"a" * 5_000_000 + b"/>", XML, 413, "too_large"),
        (b" " * 5_000_000, "application/json", 413, "too_large"),
        (camt053(statement(balance("CLBD", "1.00001"))), XML, 422, "scale"),
        (
            camt053(statement(balance("OPBD", "1"), balance("CLBD", "5"))),
            XML,
            422,
            "unbalanced",
        ),
        (camt053(statement(balance("CLBD", "5"), paging=page(1, last=False))), XML, 422, "page"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(
    web: Web, body: bytes, kind: str, status: int, error: str
) -> None:
    answer = web.push(body, kind)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["field"]
    assert web.log.events == []


def test_one_bad_statement_refuses_the_message(web: Web) -> None:
    right = statement(balance("CLBD", "5"), account="1")
    wrong = statement(balance("OPBD", "1"), balance("CLBD", "5"), account="2")
    assert web.push(camt053(right, wrong), XML).status_code == 422
    assert web.log.events == []


@pytest.mark.parametrize("name", [name for name in NAMES if "wrong" in name])
def test_the_wrong_statement_of_others_is_refused(web: Web, name: str) -> None:
    answer = web.push((FOLDER / name).read_bytes(), XML)
    assert answer.status_code == 422
    assert "Missing child element" in answer.json()["why"]


def test_other_paths_and_methods_are_refused_in_the_same_form(web: Web) -> None:
    for answer in (web.client.get("/nowhere"), web.client.get("/balances")):
        assert answer.status_code in (404, 405)
        assert set(answer.json()) == {"error", "field", "value", "why"}


def test_health_and_metrics_ask_for_no_token(web: Web) -> None:
    assert web.client.get("/healthz").json() == {"status": "ok"}
    assert b"treasury_bank_messages_refused" in web.client.get("/metrics").content


def test_a_token_that_is_too_short_stops_the_start(tmp_path: Any) -> None:
    short: Any = ({"name": "a", "token": "short", "scopes": ["read"]},)
    with pytest.raises(ValidationError, match="16"):
        WebSettings(bootstrap="x", home=tmp_path, web_tokens=short)
