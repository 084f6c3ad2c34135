"""One request is one request: what goes over the wire, byte for byte, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pybit.exceptions import InvalidRequestError

from agents.connectors.bybit import Bybit, ForbiddenEndpoint, Venue, reads
from agents.connectors.bybit.client import client_of, http
from agents.connectors.bybit.errors import (
    LEVERAGE_REFUSED,
    ORDER_ENDED,
    ORDER_EXISTS,
    ORDER_REFUSED,
    REFUSED,
    error_of,
)
from agents.connectors.port import (
    ConnectorError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from streams.requests import request_bytes
from tests.connectors.conftest import Recorded
from tests.connectors.effects import call, look, prepare, work

ACCEPTED = {"retCode": 0, "retMsg": "ok", "result": {"repayId": "1771"}, "time": 1}
MARK = {"last_id": "1"}


def _post(recorded: Recorded, **more: Any) -> Any:
    effect = call(work("bybit:1", "REPAY", "9499.9993"), MARK)
    return Bybit(recorded.venue(**more)).call(effect, lambda: None), effect


PARAMS = {"symbol": "BTCUSDT", "side": "Sell", "leverage": "2.5", "order_id": "o1"}


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ("REPAY", b'"amount": "0.000001"'),
        ("ADD_COLLATERAL", b'"amount": "0.000001"'),
        ("TRANSFER", b'"amount": "0.000001"'),
        ("REDUCE_POSITION", b'"qty": "0.000001", "reduceOnly": true, "positionIdx": 0'),
        ("SET_LEVERAGE", b'"buyLeverage": "2.5", "sellLeverage": "2.5"'),
        ("CANCEL_ORDER", b'"orderId": "o1"'),
    ],
)
def test_the_bytes_sent_are_the_bytes_hashed(recorded: Recorded, op: str, said: bytes) -> None:
    result = {"repayId": "1", "adjustId": 2, "status": "SUCCESS", "orderId": "o1"}
    recorded.answer({"retCode": 0, "result": result, "time": 1})
    effect = call(work("bybit:1", op, "0.00000100", params=PARAMS), MARK)
    Bybit(recorded.venue()).call(effect, lambda: None)
    ((method, _, sent),) = recorded.seen
    assert (method, sent) == ("POST", request_bytes(effect.body))
    assert said in sent


def test_an_order_goes_by_the_32_digits_of_its_intent(recorded: Recorded) -> None:
    recorded.answer({"retCode": 0, "result": {"orderId": "o1"}, "time": 1})
    intent_id = "01975b5d-516a-77cf-b151-967e5b2b8a54"
    shared = work("bybit:1", "REDUCE_POSITION", "1", params=PARAMS, intent_id=intent_id)
    Bybit(recorded.venue()).call(call(shared, MARK), lambda: None)
    assert b'"orderLinkId": "01975b5d516a77cfb151967e5b2b8a54"' in recorded.seen[0][2]


def test_a_status_nobody_documented_is_no_verdict(recorded: Recorded) -> None:
    row = {"orderId": "o1", "orderLinkId": "i", "orderStatus": "Melted", "symbol": "BTCUSDT"}
    recorded.answer({"retCode": 0, "result": {"list": [row]}, "time": 1})
    shared = work("bybit:1", "CANCEL_ORDER", "0", params=PARAMS)
    with pytest.raises(TimedOut, match="'Melted' is not documented"):
        Bybit(recorded.venue()).look(look(shared, {"server_ms": "1"}))


def test_collateral_is_added_never_taken(recorded: Recorded) -> None:
    recorded.answer({"retCode": 0, "result": {"adjustId": 27511}, "time": 1})
    effect = call(work("bybit:1", "ADD_COLLATERAL", "1"), MARK)
    assert Bybit(recorded.venue()).call(effect, lambda: None).venue_ref == "27511"
    assert b'"direction": "0"' in recorded.seen[0][2]


@pytest.mark.req("000-15")
@pytest.mark.parametrize(
    ("status", "headers", "answer", "error"),
    [
        (200, {}, {"retCode": 10006, "retMsg": "too many", "result": {}}, RateLimited),
        (
            200,
            {"X-Bapi-Limit-Reset-Timestamp": "1"},
            {"retCode": 10006, "retMsg": "too many", "result": {}},
            RateLimited,
        ),
        (200, {}, {"retCode": 10002, "retMsg": "window", "result": {}}, Unavailable),
        (200, {}, {"retCode": 148029, "retMsg": "balance", "result": {}}, Rejected),
        (200, {}, {"retCode": 148021, "retMsg": "conflict", "result": {}}, TimedOut),
        (200, {}, {"retCode": 424242, "retMsg": "new", "result": {}}, TimedOut),
        (200, {}, {"retCode": 0, "result": {}, "time": 1}, TimedOut),
        (200, {}, {"retCode": None, "result": {"repayId": "1"}}, TimedOut),
        (200, {}, {"result": {"repayId": "1"}}, TimedOut),
        (200, {}, [], TimedOut),
        (200, {}, "ok", TimedOut),
        (502, {}, {"retCode": 0}, TimedOut),
        (409, {}, {"retCode": 0}, TimedOut),
        (307, {"Location": "/elsewhere"}, {}, TimedOut),
        (308, {"Location": "/elsewhere"}, {}, TimedOut),
    ],
)
def test_whatever_is_answered_one_post_went_out(
    recorded: Recorded, status: int, headers: dict[str, str], answer: Any, error: type
) -> None:
    recorded.status, recorded.headers = status, headers
    recorded.answer(answer)
    with pytest.raises(ConnectorError) as raised:
        _post(recorded)
    assert type(raised.value) is error
    assert len(recorded.seen) == 1


@pytest.mark.req("000-10")
@pytest.mark.parametrize(
    ("status", "class_"),
    [
        ("SUCCESS", "done"),
        ("PENDING", "accepted"),
        ("STATUS_UNKNOWN", "accepted"),
        ("FAILED", "refused"),
        ("SOMETHING_NEW", None),
        (None, None),
    ],
)
def test_a_transfer_that_exists_is_what_the_venue_says_of_it(
    recorded: Recorded, status: str | None, class_: str | None
) -> None:
    effect = call(work("bybit:1", "TRANSFER", "1"), MARK)
    row = {"transferId": effect.transfer_id, "status": status, "amount": "1", "coin": "USDT"}
    rows = [] if status is None else [row]
    recorded.first = [json.dumps({"retCode": 131214, "retMsg": "exists", "result": {}}).encode()]
    recorded.answer({"retCode": 0, "result": {"list": rows}, "time": 1})
    subject = Bybit(recorded.venue())
    if class_ is None:
        with pytest.raises(TimedOut):
            subject.call(effect, lambda: None)
    else:
        assert subject.call(effect, lambda: None).class_ == class_
    assert [method for method, _, _ in recorded.seen] == ["POST", "GET"]


def test_a_row_that_comes_on_two_pages_is_one_row(recorded: Recorded) -> None:
    """The list grows while it is read; what the venue repaid by itself is no row of ours."""

    def page(cursor: str, *ids: int) -> bytes:
        rows = [
            {
                "repayId": str(one),
                "loanCurrency": "USDT",
                "repayAmount": "9499.9993",
                "repayStatus": 1,
                "repayTime": 1_000_400,
                "repayType": 2 if one == 1774 else 1,
            }
            for one in ids
        ]
        result = {"list": rows, "nextPageCursor": cursor}
        return json.dumps({"retCode": 0, "result": result, "time": 1}).encode()

    recorded.first = [page("next", 1775, 1774, 1773), page("more", 1773, 1772, 1771)]
    rows = reads.repayments(client_of(recorded.venue()), "USDT", after=1771)
    assert [(row.id, row.ours) for row in rows] == [
        (1775, True),
        (1774, False),
        (1773, True),
        (1772, True),
    ]
    assert len(recorded.seen) == 2


@pytest.mark.req("000-56")
def test_a_page_without_rows_is_not_the_end_while_there_is_another(recorded: Recorded) -> None:
    row = {"repayId": "1772", "loanCurrency": "USDT", "repayAmount": "9499.9993"}
    row |= {"repayStatus": 1, "repayTime": 1_000_400, "repayType": 1}  # type: ignore[dict-item]

    def page(cursor: str, *rows: Any) -> bytes:
        result = {"list": rows, "nextPageCursor": cursor}
        return json.dumps({"retCode": 0, "result": result, "time": 1}).encode()

    recorded.first = [page("next"), page("more", row), page("")]
    rows = reads.repayments(client_of(recorded.venue()), "USDT", after=1771)
    assert [found.id for found in rows] == [1772]
    assert len(recorded.seen) == 3


def test_what_is_not_json_is_unknown(recorded: Recorded) -> None:
    recorded.body = b"<html>gateway</html>"
    with pytest.raises(TimedOut):
        _post(recorded)
    assert len(recorded.seen) == 1


@pytest.mark.req("000-15")
def test_nothing_repeats_or_reroutes_a_request() -> None:
    made = http(Venue("bybit:1", "k", "s", "http://127.0.0.1:1"))
    assert made.endpoint == "http://127.0.0.1:1"
    assert (made.retry_codes, made.force_retry, made.max_retries) == (set(), False, 1)
    assert (made.client.max_redirects, made.client.trust_env) == (0, False)


@pytest.mark.parametrize("code", sorted(REFUSED | LEVERAGE_REFUSED | ORDER_REFUSED))
def test_the_documented_refusals_are_definite(code: int) -> None:
    assert isinstance(error_of(InvalidRequestError("", "no", code, "", {})), Rejected)


@pytest.mark.parametrize("code", [148019, 148021, 148026, 148031, 148034, 148035, 148036, 148041])
def test_the_ambiguous_ones_are_looked_up_first(code: int) -> None:
    assert isinstance(error_of(InvalidRequestError("", "busy", code, "", {})), TimedOut)


@pytest.mark.parametrize("code", sorted(ORDER_EXISTS | ORDER_ENDED))
def test_what_an_order_became_is_asked_not_guessed(code: str) -> None:
    assert isinstance(error_of(InvalidRequestError("", "no", int(code), "", {})), TimedOut)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.bybit.com",
        "https://api-testnet.bybit.com.evil.example",
        "https://api-testnet.bybit.com/",
        "http://10.0.0.1:8000",
        "http://user@127.0.0.1:8000",
        "https://127.0.0.1:8000",
        "http://127.0.0.1.example:80",
        "",
    ],
)
def test_real_money_is_out_of_reach(endpoint: str) -> None:
    with pytest.raises(ForbiddenEndpoint, match="calls only a sandbox"):
        Venue("bybit:1", "k", "s", endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["https://api-testnet.bybit.com", "http://127.0.0.1:1", "http://localhost:2", "http://[::1]:3"],
)
def test_the_sandbox_and_the_test_network_are_not(endpoint: str) -> None:
    assert Venue("bybit:1", "k", "s", endpoint).endpoint == endpoint


def test_a_secret_is_not_printed() -> None:
    assert "hidden" not in repr(Venue("bybit:1", "k", "hidden", "http://127.0.0.1:1"))


@pytest.mark.parametrize(("status", "late"), [(1, "1772"), (2, "1772"), (3, None)])
def test_a_row_that_failed_is_no_effect_that_came_late(
    recorded: Recorded, status: int, late: str | None
) -> None:
    """One answer for all reads of a preparation: history, balance, debt and position."""
    row = {
        "repayId": "1772",
        "loanCurrency": "USDT",
        "repayAmount": "9499.9993",
        "repayStatus": status,
        "repayTime": 5_000,
        "repayType": 1,
        "totalDebt": "20000",
        "unpaidAmount": "20000",
        "unpaidInterest": "0",
        "hourlyInterestRate": "0.00001",
    }
    position = {"ltv": "0.4", "totalDebt": "1", "totalCollateral": "1"}
    more = {"borrowList": [], "collateralList": [], "balance": []}
    recorded.answer({"retCode": 0, "result": {"list": [row], **position, **more}, "time": 9_000})
    mark = {"last_id": "1771", "server_ms": "5000"}
    effect = prepare(work("bybit:1", "REPAY", "9499.9993"), mark)
    reading = Bybit(recorded.venue(paced=False)).prepare(effect)
    assert reading.watermark["last_id"] == "1772"
    assert reading.facts.get("late_ref") == late
