"""Intents are signed by the pipeline and carried out only if the signature holds.

The signature is a header, because it depends on the process; it is made over the topic and the
exact bytes of the value when the gate's intent goes out, after the decision. It says that the gate
decided this: whoever else may write to the topic, nothing of theirs is carried out.

The check is a property of the input, like decoding: it stands before the step, which stays pure. A
replay has no keys and needs none, since the verdict is on the log: a record that was refused lies
among the dead letters, and the replay passes over it as the executor did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.signing import PrivateKey, verify
from streams.step import Refused

INTENTS = "treasury.intents.v1"
HEADER, MODE, LIVE = "jws", "treasury.mode", "live"
CAUSE = "signature"
SEAM = "verify"

Sign = Callable[[bytes], dict[str, str]]
Check = Callable[[Any], None]


def signing(key: PrivateKey) -> Sign:
    """The headers that a signed intent carries besides its mode, from its bytes."""
    return lambda value: {HEADER: key.sign(_signed(value))}


def checking(trusted: Callable[[], tuple[str, ...]]) -> Check:
    """A check of an event's message. It raises Refused for one that is unsigned, altered or not
    live; `trusted` reads the keys, and is asked again when none of those known fits.
    """
    known: tuple[str, ...] = ()

    def check(event: Any) -> None:
        nonlocal known
        value, headers = event.message.value() or b"", dict(event.message.headers() or ())
        mode = _text(headers.get(MODE))
        if mode != LIVE:
            raise Refused(CAUSE, MODE, mode, "only live intents are carried out")
        signature = _text(headers.get(HEADER))
        if not signature:
            raise Refused(CAUSE, HEADER, "", "the intent is not signed")
        payload = _signed(value)
        if any(verify(signature, payload, key) for key in known):
            return
        known = trusted()
        if not any(verify(signature, payload, key) for key in known):
            why = f"does not verify by any of the {len(known)} keys of the pipeline known here"
            raise Refused(CAUSE, HEADER, signature[:40], why)

    return check


def _signed(value: bytes) -> bytes:
    return INTENTS.encode() + b"\n" + value


def _text(header: bytes | str | None) -> str:
    if header is None:
        return ""
    return header if isinstance(header, str) else header.decode(errors="replace")
