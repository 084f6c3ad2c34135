"""Sweeps at a bank: one payment for each order, by the order's own id, and a look at what it did.

The bank knows a payment by its end-to-end id. So a lost answer is resolved by asking for that id,
and a second message with it moves nothing: that it is known already says nothing about the attempt,
the record behind the id does. Times are those of the bank's answers, by their Date header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from agents.connectors.bank.client import Answer as HttpAnswer
from agents.connectors.bank.client import client_of
from agents.connectors.bank.config import Bank
from agents.connectors.bank.pain import DUPLICATES, Status, id_of, pain001, status
from agents.connectors.port import (
    Answer,
    AnswerClass,
    Reading,
    Rejected,
    TimedOut,
    Unsupported,
)
from streams.effects import Call, Look, Prepare
from streams.handover import OURS

SWEEP, REVERSE_SWEEP = "SWEEP", "REVERSE_SWEEP"
CAPABILITIES = frozenset({SWEEP, REVERSE_SWEEP})
XML = "application/xml"
RAW_MAX = 4096
NOT_FOUND = "404"

_CLASS: dict[str, AnswerClass] = {
    "RCVD": "accepted",
    "PDNG": "accepted",
    "ACTC": "accepted",
    "ACCP": "accepted",
    "ACWC": "accepted",
    "ACSP": "accepted",
    "ACSC": "done",
    "ACCC": "done",
    "RJCT": "refused",
}
"""What each status of a payment means for its money; any other proves nothing."""


class BankConnector:
    """One account; may be used from several threads."""

    capabilities = CAPABILITIES

    def __init__(self, bank: Bank) -> None:
        self._bank, self._client = bank, client_of(bank)

    def prepare(self, work: Prepare) -> Reading:
        """The bank's time; whether it knows the order's id already."""
        self._require(work.op, work.executed_by)
        watermark = {"server_ms": str(self._time_ms())}
        name = id_of(work.intent_id)
        try:
            known = self._status(name)
        except TimedOut as why:
            if why.code not in DUPLICATES:
                raise
            return Reading(watermark, {"late_ref": name})
        return Reading(watermark, {} if known is None else {"late_ref": known.ref})

    def call(self, work: Call, check: Callable[[], None]) -> Answer:
        """One pain.001 of the committed body."""
        self._require(work.op, work.executed_by)
        name = id_of(work.intent_id)
        body = _texts(work.body)
        if id_of(body["order_id"]) != name:
            raise Rejected("the body is another order's", "order_id")
        data = pain001(body, self._bank)
        answer = self._client.post(self._bank.paths.initiations, data, XML, check)
        told = status(answer.body, name)
        if told.code == "RJCT":
            raise Rejected(f"the bank refused {name}", told.reason)
        return _said(told, work.amount_e18, {}, answer.body[:RAW_MAX])

    def look(self, work: Look) -> Answer:
        """How the payment with the order's id stands."""
        self._require(work.op, work.executed_by)
        facts = {"server_ms": str(self._time_ms())}
        told = self._status(id_of(work.intent_id))
        if told is None:
            return Answer("unknown", facts={**facts, "rows": "0"})
        return _said(told, work.amount_e18, {**facts, "rows": "1"}, None)

    def _status(self, name: str) -> Status | None:
        """A payment by its end-to-end id; None when the bank has never seen it."""
        try:
            answer = self._client.get(f"{self._bank.paths.transactions}/{name}")
        except Rejected as why:
            if why.code != NOT_FOUND:
                raise
            return None
        return status(answer.body, name)

    def _time_ms(self) -> int:
        """When the bank answers now: read before what it is to date, never after."""
        return _date_ms(self._client.get(self._bank.paths.accounts, limit="1"))

    def _require(self, op: str, executed_by: str) -> None:
        if op not in CAPABILITIES:
            raise Unsupported(f"a bank does not do {op}")
        if executed_by != OURS:
            raise Unsupported(f"{executed_by} carries it out: exactly one side pays")


def _texts(body: Mapping[str, str | int | bool]) -> dict[str, str]:
    """A payment's body, which is all text. Raises Rejected for one that is not."""
    texts = {name: said for name, said in body.items() if isinstance(said, str)}
    if len(texts) < len(body):
        raise Rejected(f"{', '.join(sorted(body.keys() - texts))} of the body is no text")
    return texts


def _said(told: Status, amount_e18: int, facts: dict[str, str], raw: bytes | None) -> Answer:
    class_ = _CLASS.get(told.code)
    if class_ is None:
        raise TimedOut(f"payment status {told.code!r} is not documented")
    return Answer(
        class_,
        told.ref,
        amount_e18 if class_ == "done" else None,
        facts,
        code=told.reason if class_ == "refused" else None,
        message=told.code,
        raw=raw,
    )


def _date_ms(answer: HttpAnswer) -> int:
    text = answer.headers.get("date", "")
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1000
    except ValueError as why:
        raise TimedOut(f"an answer without a time: Date {text!r}") from why
