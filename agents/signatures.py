"""Intents and sweep orders are signed by the pipeline; an intent is carried out only if it holds.

The signature is a header, because it depends on the process, and is made when the record goes out,
after the decision. It says that the gate decided this: whoever else may write to the topic, nothing
of theirs is carried out. Of an intent it is made over the topic and the exact bytes of the value;
of a sweep order, which others verify, over its canonical JSON without `meta`.

The check is a property of the input, like decoding: it stands before the step, which stays pure. A
replay has no keys and needs none, since the verdict is on the log: a record that was refused lies
among the dead letters, and the replay passes over it as the executor did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.signing import PrivateKey, verify
from streams import sweep_order
from streams.step import Refused

INTENTS = "treasury.intents.v1"
ORDERS = sweep_order.TOPIC
HEADER, MODE, LIVE = "jws", "treasury.mode", "live"
CAUSE = "signature"
SEAM = "verify"

Sign = Callable[[Any, bytes], dict[str, str]]
"""The headers of a record, given its value and its bytes."""
Check = Callable[[Any], None]


def signing(key: PrivateKey) -> dict[str, Sign]:
    """How the records of each topic that are signed are signed."""
    return {
        INTENTS: lambda _, data: {HEADER: key.sign(_signed(data))},
        ORDERS: lambda value, _: {HEADER: key.sign(sweep_order.payload(value))},
    }


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
