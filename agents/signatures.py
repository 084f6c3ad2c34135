"""What money depends on is signed: intents, sweep orders and copies of policy and controls by the
pipeline, the word that an intent has ended by the executor.

An intent is carried out only if its signature holds; a hold is freed, and a policy or control is in
force at a node, only if the words that say so do. Else whoever may write to an inbox could free
what is reserved, raise a limit or end a pause, and the next intent would be signed by ourselves.
Rates, requests and calendars are facts and wishes from outside, which guards and limits bound.

The signature is a header, because it depends on the process, and is made when the record goes out,
after the decision. It is made over the topic and the exact bytes of the value; of a sweep order,
which others verify, over its canonical JSON without `meta`.

The check is a property of the input, like decoding: it stands before the step, which stays pure. A
replay has no keys and needs none, since the verdict is on the log: a record that was refused lies
among the dead letters, and the replay passes over it as the executor did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.records import ControlCopy, IntentOutcome, PolicyCopy
from schemas.signing import PrivateKey, verify
from streams import sweep_order
from streams.step import Refused

INTENTS = "treasury.intents.v1"
ORDERS = sweep_order.TOPIC
DESK = "treasury.desk-inputs.v1"
PROPOSERS = ("treasury.book-inputs.v1", "treasury.cash-inputs.v1")
"""The inboxes of those who propose: the gate answers them too, and may end what they asked for."""
INBOXES = (DESK, "treasury.intent-inputs.v1", *PROPOSERS)
HEADER, MODE, LIVE = "jws", "treasury.mode", "live"
CAUSE = "signature"
SEAM = "verify"

Sign = Callable[[Any, bytes], dict[str, str]]
"""The headers of a record, given its value and its bytes."""
Check = Callable[[Any], None]


Trusted = Callable[[], tuple[str, ...]]
"""Reads the keys that count."""


def signing(key: PrivateKey) -> dict[str, Sign]:
    """How what the pipeline decides is signed, by topic."""
    return {
        INTENTS: lambda _, data: {HEADER: key.sign(_signed(INTENTS, data))},
        ORDERS: lambda value, _: {HEADER: key.sign(sweep_order.payload(value))},
        **{topic: _end_on(topic, key) for topic in PROPOSERS},
    }


def copying(key: PrivateKey) -> dict[str, Sign]:
    """How the relay signs its copies, by inbox."""

    def sign_for(topic: str) -> Sign:
        return lambda _, data: {HEADER: key.sign(_signed(topic, data))}

    return {topic: sign_for(topic) for topic in INBOXES}


def ending(key: PrivateKey) -> dict[str, Sign]:
    """How the executor signs that an intent has ended; what has not ended moves nothing."""
    return {topic: _end_on(topic, key) for topic in (DESK, *PROPOSERS)}


def _end_on(topic: str, key: PrivateKey) -> Sign:
    return lambda value, data: {HEADER: key.sign(_signed(topic, data))} if _ends(value.body) else {}


def checking(trusted: Trusted) -> Check:
    """A check of an event's message. It raises Refused for one that is unsigned, altered or not
    live; `trusted` reads the keys each time, so that one which was replaced counts no more.
    """
    proven = _proving(INTENTS, trusted, "the intent")

    def check(event: Any) -> None:
        mode = _text(dict(event.message.headers() or ()).get(MODE))
        if mode != LIVE:
            raise Refused(CAUSE, MODE, mode, "only live intents are carried out")
        proven(event)

    return check


def inbox_checks(pipelines: Trusted, executors: Trusted) -> dict[str, Check]:
    """The checks of all inboxes: a copy is the relay's; that an intent has ended is the executor's
    word, to those who propose also the gate's.
    """

    def check_of(topic: str) -> Check:
        def enders() -> tuple[str, ...]:
            return executors() if topic == DESK else (*executors(), *pipelines())

        copied = _proving(topic, pipelines, "the copy")
        ended = _proving(topic, enders, "the end of the intent")

        def check(event: Any) -> None:
            if must_be_signed(topic, event.value):
                (ended if _ends(event.value.body) else copied)(event)

        return check

    return {topic: check_of(topic) for topic in INBOXES}


def must_be_signed(topic: str, value: Any) -> bool:
    """Whether a record of this topic counts only with a signature."""
    if topic not in INBOXES:
        return topic == INTENTS
    return isinstance(value.body, PolicyCopy | ControlCopy) or _ends(value.body)


def _ends(body: Any) -> bool:
    return isinstance(body, IntentOutcome) and body.final


def _proving(topic: str, trusted: Trusted, what: str) -> Check:
    def check(event: Any) -> None:
        value, headers = event.message.value() or b"", dict(event.message.headers() or ())
        signature = _text(headers.get(HEADER))
        if not signature:
            raise Refused(CAUSE, HEADER, "", f"{what} is not signed")
        payload, known = _signed(topic, value), trusted()
        if not any(verify(signature, payload, key) for key in known):
            why = f"does not verify by any of the {len(known)} keys known here"
            raise Refused(CAUSE, HEADER, signature[:40], why)

    return check


def _signed(topic: str, value: bytes) -> bytes:
    return topic.encode() + b"\n" + value


def _text(header: bytes | str | None) -> str:
    if header is None:
        return ""
    return header if isinstance(header, str) else header.decode(errors="replace")
