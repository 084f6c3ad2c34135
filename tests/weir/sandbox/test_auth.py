"""Signatures over raw bytes, the time window, and the rate limit headers."""

import pytest

from weir.sandbox.auth import Keys, Limit, RateLimits, sign
from weir.sandbox.refusal import Refused

NOW_MS = 1_752_627_997_915
BODY = b'{"loanCurrency": "USDT", "amount": "9499.9993"}'
QUERY = b"limit=10&loanCurrency=USDT"


def headers(payload: bytes, **changes: str) -> dict[str, str]:
    signed = {
        "x-bapi-api-key": "sandbox-100001",
        "x-bapi-timestamp": str(NOW_MS),
        "x-bapi-recv-window": "5000",
    } | changes
    signature = sign(
        "secret-100001",
        signed["x-bapi-timestamp"],
        signed["x-bapi-api-key"],
        signed["x-bapi-recv-window"],
        payload,
    )
    return {"x-bapi-sign": signature} | signed


def refusal(payload: bytes, sent: dict[str, str]) -> int:
    with pytest.raises(Refused) as refused:
        Keys(["100001"]).account_of(sent, payload, NOW_MS)
    return refused.value.code


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (BODY, "bbe3c7dfaf64e443dba17750635dfb29b23c585d68d1fb65a114052b4fd90e47"),
        (QUERY, "2bc4cd8beb23846d510691eac240b578fa8c5d2faa80bb36069f519754140cbe"),
        (b"", "cf7de35fc8ac4f14b60ed455cb2526489a2328ede0ad3d459a7c988b7659b321"),
    ],
)
def test_signature_vectors(payload: bytes, signature: str) -> None:
    """Vectors computed by `openssl dgst -sha256 -hmac secret-100001`."""
    sent = headers(payload)
    assert sent["x-bapi-sign"] == signature
    assert Keys(["100001"]).account_of(sent, payload, NOW_MS) == "100001"


def test_one_changed_byte_is_refused() -> None:
    assert refusal(BODY.replace(b" ", b""), headers(BODY)) == 10004
    assert refusal(BODY, headers(BODY) | {"x-bapi-sign": ""}) == 10004


def test_unknown_key() -> None:
    assert refusal(BODY, headers(BODY, **{"x-bapi-api-key": "sandbox-1"})) == 10003
    assert refusal(BODY, {}) == 10003


@pytest.mark.parametrize(
    ("sent_ms", "accepted"),
    [
        (NOW_MS - 5001, False),
        (NOW_MS - 5000, True),
        (NOW_MS + 999, True),
        (NOW_MS + 1000, False),
    ],
)
def test_time_window(sent_ms: int, accepted: bool) -> None:
    sent = headers(BODY, **{"x-bapi-timestamp": str(sent_ms)})
    if accepted:
        assert Keys(["100001"]).account_of(sent, BODY, NOW_MS) == "100001"
    else:
        assert refusal(BODY, sent) == 10002


@pytest.mark.parametrize("bad", ["", "soon", "-1", "9" * 30])
def test_a_timestamp_that_is_none(bad: str) -> None:
    assert refusal(BODY, headers(BODY, **{"x-bapi-timestamp": bad})) == 10002


def test_rolling_window_and_its_headers() -> None:
    limits = RateLimits({"loan-write": Limit("loan-write", 1)})
    assert limits.take("1", "loan-write", 10_000) == (
        True,
        {
            "X-Bapi-Limit": "1",
            "X-Bapi-Limit-Status": "0",
            "X-Bapi-Limit-Reset-Timestamp": "11000",
        },
    )
    allowed, answer = limits.take("1", "loan-write", 10_999)
    assert (allowed, answer["X-Bapi-Limit-Reset-Timestamp"]) == (False, "11000")
    assert limits.take("2", "loan-write", 10_999)[0]
    assert limits.take("1", "loan-write", 11_000)[0]
    assert limits.take("1", "anything", 11_000) == (True, {})
