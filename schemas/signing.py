"""Signatures: a detached JWS (Ed25519) over bytes that the caller names, and the text of its keys.

Verifying is pure: the same bytes, signature and key give the same answer on any machine and in any
year, so a step may do it with a key that the policy holds. A public key is the base64url text of
its 32 bytes, as `x` stands in a JWK; a private key is a JWK and is never a part of any record.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any, Literal

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM: Literal["Ed25519"] = "Ed25519"
KEY_BYTES = 32
JWS_CHARACTERS_MAX = 1000


class PrivateKey:
    """A key that signs, with the name of whose it is."""

    def __init__(self, name: str, key: OKPKey) -> None:
        self.name, self._key = name, key

    @classmethod
    def new(cls, name: str) -> PrivateKey:
        """A fresh key."""
        return cls(name, OKPKey.generate_key(ALGORITHM))

    @classmethod
    def from_jwk(cls, name: str, text: str) -> PrivateKey:
        """The key of a file's text. Raises ValueError for anything but a private Ed25519 JWK."""
        try:
            content = json.loads(text)
            if content.get("crv") != ALGORITHM or "d" not in content:
                raise ValueError("is not a private Ed25519 JWK")
            return cls(name, OKPKey.import_key(content))
        except (AttributeError, JoseError, json.JSONDecodeError) as why:
            raise ValueError(f"is not a JWK: {type(why).__name__}") from why

    def jwk(self) -> str:
        """The text to keep secret."""
        return json.dumps(self._key.as_dict(private=True))

    @property
    def public(self) -> str:
        """The public key's text."""
        return str(self._key.as_dict(private=False)["x"])

    def sign(self, payload: bytes) -> str:
        """The detached JWS over these bytes; the same bytes give the same text."""
        header = {"alg": ALGORITHM, "kid": self.name}
        whole = jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])
        return str(jws.detach_content(whole))


def verify(signature: str, payload: bytes, public_key: str) -> bool:
    """Whether the holder of the key signed exactly these bytes; never raises, whatever the text.

    The header may say algorithm and key name and nothing else: what else a JWS may carry (critical
    extensions, keys, addresses) is a way around the check, not a need of ours.
    """
    if _header(signature).get("alg") != ALGORITHM:
        return False
    try:
        key = _key(public_key)
        jws.deserialize_compact(signature, key, algorithms=[ALGORITHM], payload=payload)
    except (JoseError, ValueError):
        return False
    return True


def signer(signature: str) -> str:
    """Whose key a signature names, an empty text if none; a claim until it is verified."""
    return _header(signature).get("kid", "")


def public_key(value: Any) -> str:
    """The canonical text of a public key given as that text or as a JWK. Raises ValueError."""
    if isinstance(value, dict):
        if "d" in value:
            raise ValueError("is a private key: it must stay with its owner")
        if value.get("crv") != ALGORITHM:
            raise ValueError(f"crv={value.get('crv')!r}: must be {ALGORITHM}")
        value = value.get("x")
    text = str(value).strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError("is not the base64 of the 32 bytes of an Ed25519 key")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _header(signature: str) -> dict[str, str]:
    """The protected header of a detached JWS; empty for what is none of ours."""
    head, _, rest = signature.partition("..")
    if len(signature) > JWS_CHARACTERS_MAX or not rest:
        return {}
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return {}
    if not isinstance(header, dict) or not header.keys() <= {"alg", "kid"}:
        return {}
    return header if all(isinstance(item, str) for item in header.values()) else {}


@lru_cache(maxsize=256)
def _key(text: str) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": text})
