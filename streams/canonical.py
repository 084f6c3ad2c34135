"""Canonical JSON: the one text of a value, so that its hash means the value."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> str:
    """The value as JSON with sorted keys and no spaces; money comes in as strings."""
    return _encode(value).decode()


def hash_of(text: str) -> str:
    """The sha256 of a text's UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()
