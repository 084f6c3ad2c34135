"""Signatures: these bytes, this key and nothing else; any other text is none, and never a crash."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signing import PrivateKey, public_key, signer, verify

KEY = PrivateKey.new("ann")
PAYLOAD = b'{"body_hash":"00"}'
SIGNATURE = KEY.sign(PAYLOAD)


@pytest.mark.req("000-73")
def test_signed_bytes_verify_and_others_do_not() -> None:
    assert verify(SIGNATURE, PAYLOAD, KEY.public)
    assert signer(SIGNATURE) == "ann"
    assert KEY.sign(PAYLOAD) == SIGNATURE
    assert not verify(SIGNATURE, PAYLOAD, PrivateKey.new("ann").public)
    for place in range(len(PAYLOAD)):
        changed = bytearray(PAYLOAD)
        changed[place] ^= 1
        assert not verify(SIGNATURE, bytes(changed), KEY.public)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256", "kid": "ann"},
        {"alg": ["Ed25519"]},
        {"alg": "Ed25519", "crit": ["b64"], "b64": False},
        {"alg": "Ed25519", "jwk": {"kty": "OKP"}},
        {"kid": "ann"},
        [],
        "Ed25519",
        None,
    ],
)
def test_a_header_that_is_not_ours_is_no_signature(header: Any) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    _, _, tail = SIGNATURE.partition("..")
    assert not verify(f"{head}..{tail}", PAYLOAD, KEY.public)


@given(st.one_of(st.text(), st.text().map(lambda t: f"{SIGNATURE.partition('..')[0]}..{t}")))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not verify(text, PAYLOAD, KEY.public)
    assert isinstance(signer(text), str)


def test_a_long_text_is_not_looked_at() -> None:
    assert not verify(SIGNATURE + "A" * 1000, PAYLOAD, KEY.public)


def test_a_private_key_is_read_back() -> None:
    again = PrivateKey.from_jwk("bob", KEY.jwk())
    assert (again.name, again.public) == ("bob", KEY.public)
    assert verify(again.sign(PAYLOAD), PAYLOAD, KEY.public)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "7", '{"crv":"P-256","d":"x"}', '{"kty":"OKP","crv":"Ed25519","d":"","x":""}'],
)
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JWK|32 bytes"):
        PrivateKey.from_jwk("ann", text)


def test_a_public_key_has_one_text() -> None:
    x = KEY.public
    assert public_key(x) == public_key(x + "=") == public_key({"crv": "Ed25519", "x": x}) == x
    plain = base64.b64encode(base64.urlsafe_b64decode(x + "=")).decode()
    assert public_key(plain) == x


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (json.loads(KEY.jwk()), "private key"),
        ({"crv": "P-256", "x": KEY.public}, "must be Ed25519"),
        (KEY.public[:-2], "32 bytes"),
        ("", "32 bytes"),
        (None, "32 bytes"),
    ],
    ids=["private", "other curve", "too short", "empty", "none"],
)
def test_what_is_no_public_key_is_refused(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        public_key(value)
