"""What an outside bank connector pulls and posts, over HTTP, on a real broker."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from agents.signatures import HEADER, ORDERS, signing
from schemas import order_schema
from schemas.records import AttemptRecord
from schemas.signing import PrivateKey
from tests.weir.orders.writer import WIRE, P, Writer, order
from tests.weir.rig import until
from weir.orders.pull import Orders
from weir.topics import ensure
from weir.web.app import Services, build
from weir.web.idempotency import Keys
from weir.web.settings import WebSettings

READ, PAY = "r" * 20, "p" * 20
TOKENS = json.dumps(
    [
        {"name": "connector", "token": READ, "scopes": ["read"]},
        {"name": "poster", "token": PAY, "scopes": ["payments"]},
    ]
)
KEY = PrivateKey.new("pipeline")


class Noted:
    """The producer's place: it keeps what would be written."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, AttemptRecord]] = []

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        assert topic == "treasury.attempts.v1"
        self.rows.append((str(key), record))
        return len(self.rows)


@pytest.fixture(scope="module")
def topics(broker: str) -> str:
    ensure(broker, P, 1)
    return broker


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def client(topics: str, noted: Noted, tmp_path: Path) -> Iterator[TestClient]:
    settings = WebSettings(bootstrap=topics, home=tmp_path, web_tokens=json.loads(TOKENS))

    @asynccontextmanager
    async def opened(given: WebSettings) -> AsyncIterator[Services]:
        keys, orders = Keys(tmp_path / "keys.sqlite"), Orders(topics, WIRE)
        yield Services(given, WIRE, noted, keys, orders)  # type: ignore[arg-type]
        orders.close()
        keys.close()

    with TestClient(build(settings, opened)) as found:
        yield found


def pull(client: TestClient, **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {READ}"}
    return client.get("/sweep-intent", params=query, headers=headers)


def post(client: TestClient, word: dict[str, Any], token: str = PAY) -> Any:
    return client.post("/webhooks/bank", json=word, headers={"Authorization": f"Bearer {token}"})


def written(topics: str, **more: Any) -> Any:
    """An order, committed, with the signature of the pipeline."""
    one = order(3, **more)
    writer = Writer.on(topics)
    writer.begin()
    signature = signing(KEY)[ORDERS]("", one, b"")[HEADER]
    writer.producer.produce(
        "sweep_intent", WIRE.encode("sweep_intent", one), one.order_id.encode(), 3,
        timestamp=one.created_ts_ms, headers=[("jws", signature.encode())],
    )  # fmt: skip
    writer.commit()
    return one


def shown(client: TestClient, order_id: str, **query: Any) -> Any:
    """The order in the pages, as raw text and parsed exactly."""

    def look() -> Any:
        after: dict[str, Any] = {}
        while True:
            answer = pull(client, **query, **after)
            assert answer.status_code == 200, answer.text
            page = json.loads(answer.text, parse_float=Decimal)
            for one in page["orders"]:
                if one["order_id"] == order_id:
                    return answer.text, one
            if not page["more"]:
                return None
            after = {"after": page["next"]}

    return until(look, "the order is shown", 15)


@pytest.mark.req("004-03", "004-11", "004-15", "004-39")
def test_an_order_is_pulled_with_every_digit_and_its_signature_checks(
    topics: str, client: TestClient
) -> None:
    one = written(topics, amount_usd_e4=99_999_999_999_999_999_999)
    text, said = shown(client, one.order_id)
    assert "9999999999999999.9999" in text
    assert said["amount_usd"] == Decimal("9999999999999999.9999")
    schema = Draft202012Validator(json.loads(order_schema.FILE.read_text()))
    schema.validate(said)
    _, same = shown(client, one.order_id, amounts="string")
    schema.validate(same)
    assert same["amount_usd"] == "9999999999999999.9999"
    assert same["risk_checks"] == {"var_limit_bps": "10", "observed_var_bps": "8"}

    signature = same.pop("signature")
    head, _, tail = signature.split(".")
    text = json.dumps(same, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    payload = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
    public = Ed25519PublicKey.from_public_bytes(_raw(KEY.public))
    public.verify(_raw(tail), head.encode() + b"." + payload)


@pytest.mark.req("004-39")
def test_a_pull_is_resumed_by_its_cursor_and_can_be_repeated(
    topics: str, client: TestClient
) -> None:
    first = written(topics)
    shown(client, first.order_id)
    page = pull(client, limit=1000).json()
    while page["more"]:
        page = pull(client, limit=1000, after=page["next"]).json()
    assert pull(client, after=page["next"]).json()["orders"] == []
    one = pull(client, limit=1).json()
    assert (len(one["orders"]), one["more"]) == (1, True)
    second = written(topics)
    shown(client, second.order_id)
    again = [pull(client, after=page["next"]).json() for _ in range(2)]
    assert again[0] == again[1]
    assert [one["order_id"] for one in again[0]["orders"]] == [second.order_id]


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"after": "nonsense"}, 422, "cursor"),
        ({"after": "eyJ0IjoidCIsIm8iOlsxXX0"}, 410, "gone"),
        ({"limit": 0}, 422, "invalid"),
        ({"amounts": "float"}, 422, "invalid"),
    ],
)
def test_a_bad_question_is_answered_with_its_field(
    client: TestClient, query: dict[str, Any], status: int, error: str
) -> None:
    answer = pull(client, **query)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_nobody_asks_without_a_token(client: TestClient) -> None:
    assert client.get("/sweep-intent").status_code == 401
    assert post(client, {}, READ).status_code == 403
    headers = {"Authorization": f"Bearer {PAY}"}
    assert client.get("/sweep-intent", headers=headers).status_code == 403


def word(order_id: str, status: str = "ACSP", event: str = "e1", **more: Any) -> dict[str, Any]:
    at = "2026-01-05T15:20:00.000Z"
    return {"event_id": event, "order_id": order_id, "status": status, "at": at, **more}


@pytest.mark.req("004-11")
def test_a_word_of_the_other_side_is_a_row_of_the_lane(
    topics: str, client: TestClient, noted: Noted
) -> None:
    one = written(topics, executed_by="external")
    shown(client, one.order_id)
    answer = post(client, word(one.order_id, bank_ref="B-1"))
    assert (answer.status_code, answer.json()["accepted"]["status"]) == (202, "ACSP")
    repeat = post(client, word(one.order_id, bank_ref="B-1"))
    assert repeat.json() == answer.json()
    assert repeat.headers["Idempotent-Replayed"] == "true"
    done = word(one.order_id, "ACSC", "e2", amount_usd="750000.00", bank_ref="B-1")
    assert post(client, done).status_code == 202
    assert post(client, {**done, "amount_usd": "1"}).json()["error"] == "exists_different"
    assert post(client, word(one.order_id, "RTND", "e3", reason="AC03")).status_code == 202
    assert post(client, word(one.order_id, "NOT_SENT", "e4")).status_code == 202
    lanes, rows = zip(*noted.rows, strict=True)
    assert set(lanes) == {"bank|bank:0123456789|USD"}
    assert [(row.kind, row.class_, row.code) for row in rows] == [
        ("WEBHOOK", "accepted", None),
        ("WEBHOOK", "done", "ACSC"),
        ("WEBHOOK", "refused", "returned"),
        ("WEBHOOK", "refused", "NOT_SENT"),
    ]
    assert len({row.attempt_id for row in rows}) == 4
    assert rows[1].amount_done_e18 == 750_000 * 10**18


def test_a_word_on_what_is_not_theirs_writes_nothing(
    topics: str, client: TestClient, noted: Noted
) -> None:
    ours = written(topics)
    shown(client, ours.order_id)
    assert post(client, word(ours.order_id)).json()["error"] == "not_yours"
    unknown = "01975b5d-516a-77cf-b151-967e5b2b8a55"
    assert post(client, word(unknown)).status_code == 404
    for bad, field in (
        (word("SWP-2026-01-05-0001"), "order_id"),
        (word(unknown, "DONE"), "status"),
        (word(unknown, amount_usd="1e6"), "amount_usd"),
        (word(unknown, amount_usd="0.00"), "amount_usd"),  # would count as all of it
        (word(unknown, amount_usd="٣"), "amount_usd"),
        (word(unknown, at="2026-01-05T15:20:00"), "at"),
        (word(unknown, extra="1"), "extra"),
        ({}, "event_id"),
    ):
        answer = post(client, bad)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert noted.rows == []


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
