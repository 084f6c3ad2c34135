"""What money depends on is signed: intents, sweep orders, what a node takes back, and copies of
policy and controls by the pipeline, the word that an intent has ended by the executor, and every
answer to an attempt by the process that gives it.

An intent is carried out only if its signature holds; a hold is freed, a policy or control is in
force at a node, and an answer is believed, only if the words that say so are signed by who may say
them. Else whoever may write to an inbox could free what is reserved, raise a limit or end a pause,
and the next intent would be signed by ourselves; and whoever may write answers could tell of a
payment that never was, or that one never was, which would then be made twice. Rates, requests and
calendars are facts and wishes from outside, which guards and limits bound.

The signature is a header, because it depends on the process, and is made when the record goes out,
after the decision. It is made over the topic and the exact bytes of the value, of an answer over
its key too, which alone names the lane; of a sweep order, which others verify, over its canonical
JSON without `meta`.

The check is a property of the input, like decoding: it stands before the step, which stays pure. A
replay has no keys and needs none, since the verdict is on the log: a record that was refused lies
among the dead letters, and the replay passes over it as the executor did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from agents.keys import EXECUTOR, PIPELINE, WEB
from schemas.records import AttemptRecord, ControlCopy, IntentOutcome, PolicyCopy, Withdrawal
from schemas.signing import PrivateKey, verify
from streams import sweep_order
from streams.sightings import ENTRY
from streams.step import Refused

INTENTS = "treasury.intents.v1"
ATTEMPTS = "treasury.attempts.v1"
ORDERS = sweep_order.TOPIC
DESK = "treasury.desk-inputs.v1"
PROPOSERS = ("treasury.book-inputs.v1", "treasury.cash-inputs.v1")
"""The inboxes of those who propose: the gate answers them too, and may end what they asked for."""
INBOXES = (DESK, "treasury.intent-inputs.v1", *PROPOSERS)
UNSIGNED_IF_IMPORTED = frozenset({*INBOXES, ATTEMPTS})
"""On an imported log nobody signs, and nothing of it goes out: no intent of it is taken."""
HEADER, MODE, LIVE = "jws", "treasury.mode", "live"
CAUSE = "signature"
SEAM = "verify"

ANSWERS = {
    "PREPARED": EXECUTOR,
    "ATTEMPT": EXECUTOR,
    "RESULT": EXECUTOR,
    "EVIDENCE": EXECUTOR,
    "WEBHOOK": WEB,
    "HUMAN": None,
}
"""Whose key says which kind of answer; people's own signatures are in their word (HUMAN), and the
step looks at them. Evidence that names a booked entry is the pipeline's instead: it reads the
statements.
"""

Sign = Callable[[str, Any, bytes], dict[str, str]]
"""The headers of a record, given its key, its value and its bytes."""
Check = Callable[[Any], None]


Trusted = Callable[[], tuple[str, ...]]
"""Reads the keys that count."""


class Trust(NamedTuple):
    """How the keys of each kind of process are read."""

    pipelines: Trusted
    executors: Trusted
    webs: Trusted


def signing(key: PrivateKey) -> dict[str, Sign]:
    """How what the pipeline decides is signed, by topic."""
    return {
        INTENTS: lambda _, __, data: {HEADER: key.sign(_signed(INTENTS, data))},
        ORDERS: lambda _, value, __: {HEADER: key.sign(sweep_order.payload(value))},
        DESK: _signed_if(_takes_back, DESK, key),
        **{topic: _signed_if(_ends, topic, key) for topic in PROPOSERS},
        **answering(key),
    }


def copying(key: PrivateKey) -> dict[str, Sign]:
    """How the relay signs its copies, by inbox."""

    def sign_for(topic: str) -> Sign:
        return lambda _, __, data: {HEADER: key.sign(_signed(topic, data))}

    return {topic: sign_for(topic) for topic in INBOXES}


def ending(key: PrivateKey) -> dict[str, Sign]:
    """How the executor signs that an intent has ended; what has not ended moves nothing."""
    return {topic: _signed_if(_ends, topic, key) for topic in (DESK, *PROPOSERS)}


def answering(key: PrivateKey) -> dict[str, Sign]:
    """How a process signs what it says of an attempt."""
    return {ATTEMPTS: lambda lane, _, data: {HEADER: key.sign(_answer(lane.encode(), data))}}


def _signed_if(is_such: Callable[[Any], bool], topic: str, key: PrivateKey) -> Sign:
    return lambda _, value, data: (
        {HEADER: key.sign(_signed(topic, data))} if is_such(value.body) else {}
    )


def checking(trusted: Trusted) -> Check:
    """A check of an event's message. It raises Refused for one that is unsigned, altered or not
    live; `trusted` reads the keys each time, so that one which was replaced counts no more.
    """

    def check(event: Any) -> None:
        mode = _text(dict(event.message.headers() or ()).get(MODE))
        if mode != LIVE:
            raise Refused(CAUSE, MODE, mode, "only live intents are carried out")
        _prove(event, _signed(INTENTS, _value(event)), trusted(), "the intent")

    return check


def inbox_checks(pipelines: Trusted, executors: Trusted) -> dict[str, Check]:
    """The checks of all inboxes: a copy is the relay's, a withdrawal a node's of the pipeline; that
    an intent has ended is the executor's word, to those who propose also the gate's.
    """

    def check_of(topic: str) -> Check:
        def enders() -> tuple[str, ...]:
            return executors() if topic == DESK else (*executors(), *pipelines())

        def check(event: Any) -> None:
            if not must_be_signed(topic, event.value):
                return
            payload = _signed(topic, _value(event))
            if _ends(event.value.body):
                _prove(event, payload, enders(), "the end of the intent")
            else:
                what = "the withdrawal" if _takes_back(event.value.body) else "the copy"
                _prove(event, payload, pipelines(), what)

        return check

    return {topic: check_of(topic) for topic in INBOXES}


def answer_check(trust: Trust) -> dict[str, Check]:
    """The check of answers to attempts: each kind is the word of one kind of process."""
    keys_of = {PIPELINE: trust.pipelines, EXECUTOR: trust.executors, WEB: trust.webs}

    def check(event: Any) -> None:
        whose = teller(event.value)
        if whose is not None:
            payload = _answer(event.message.key() or b"", _value(event))
            _prove(event, payload, keys_of[whose](), f"{event.value.kind}, the {whose}'s word,")

    return {ATTEMPTS: check}


def teller(record: AttemptRecord) -> str | None:
    """Whose key must have signed an answer; None: people's word, which the step looks at."""
    if record.kind == "EVIDENCE" and record.attempt_id.startswith(ENTRY):
        return PIPELINE
    return ANSWERS[record.kind]


def must_be_signed(topic: str, value: Any) -> bool:
    """Whether a record of this topic counts only with a signature."""
    if topic == ATTEMPTS:
        return teller(value) is not None
    if topic not in INBOXES:
        return topic == INTENTS
    body = value.body
    return isinstance(body, PolicyCopy | ControlCopy) or _ends(body) or _takes_back(body)


def _takes_back(body: Any) -> bool:
    return isinstance(body, Withdrawal)


def _ends(body: Any) -> bool:
    return isinstance(body, IntentOutcome) and body.final


def _prove(event: Any, payload: bytes, known: tuple[str, ...], what: str) -> None:
    """Raises Refused unless one of the keys signed exactly this."""
    signature = _text(dict(event.message.headers() or ()).get(HEADER))
    if not signature:
        raise Refused(CAUSE, HEADER, "", f"{what} is not signed")
    if not any(verify(signature, payload, key) for key in known):
        why = f"{what} does not verify by any of the {len(known)} keys known here"
        raise Refused(CAUSE, HEADER, signature[:40], why)


def _value(event: Any) -> bytes:
    value: bytes | None = event.message.value()
    return value or b""


def _signed(topic: str, value: bytes) -> bytes:
    return topic.encode() + b"\n" + value


def _answer(lane: bytes, value: bytes) -> bytes:
    """With the key's length before it, so that no other key and value give the same bytes."""
    return b"\n".join((ATTEMPTS.encode(), str(len(lane)).encode(), lane, value))


def _text(header: bytes | str | None) -> str:
    if header is None:
        return ""
    return header if isinstance(header, str) else header.decode(errors="replace")
