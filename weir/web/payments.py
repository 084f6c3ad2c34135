"""`POST /webhooks/bank`: an outside bank connector tells what became of an order it carries out.

Each word becomes a WEBHOOK row on `treasury.attempts.v1`; what it means for the order the intents
node decides, and a word that repeats what is known changes nothing there. A repeat of an `event_id`
is answered alike and writes nothing; with another body it is refused. Orders that Weir pays itself
are not spoken for by others.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agents.outside import NotWritten
from schemas.ids import derive
from schemas.money import parse_e18
from schemas.records import AttemptRecord, SweepOrder
from streams.answers import RETURNED
from weir.orders.pull import Orders, Unreadable
from weir.web.auth import needs
from weir.web.errors import Problem
from weir.web.idempotency import Different

TOPIC = "treasury.attempts.v1"
BODY_BYTES_MAX = 64 * 1024
EXTERNAL = "external"
router = APIRouter()

Status = Literal[
    "RCVD", "PDNG", "ACTC", "ACCP", "ACSP", "ACSC", "RJCT", "RTND", "NOT_SENT"
]  # fmt: skip
_CLASS = {"ACSC": "done", "RJCT": "refused", "RTND": "refused", "NOT_SENT": "refused"}
"""What a status means for the money; all others: accepted."""


def _something(amount: str) -> str:
    if not amount.strip("0."):
        raise ValueError("an amount of nothing says nothing")
    return amount


_MOVED = AfterValidator(_something)


class Word(BaseModel):
    """One status post: ISO's codes, RTND for money that came back, NOT_SENT for an order that will
    never be sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Annotated[str, Field(min_length=1, max_length=100)]
    order_id: UUID
    status: Status
    at: AwareDatetime
    bank_ref: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    reason: Annotated[str, Field(max_length=200)] = ""
    amount_usd: Annotated[str, Field(pattern=r"^[0-9]{1,16}(\.[0-9]{1,4})?$"), _MOVED] | None = None
    """What was booked or came back, as text; left out where it is the whole order."""


@router.post("/webhooks/bank", status_code=202)
async def tell(
    request: Request, caller: Annotated[str, Depends(needs("payments"))]
) -> JSONResponse:
    """Appends a word about an order to its attempts."""
    services = request.app.state.services
    body = await request.body()
    word = _word(body)
    order = await asyncio.to_thread(_order, services.orders, word)
    key = f"{caller}|bank|{word.order_id}|{word.event_id}"
    try:
        before = await asyncio.to_thread(services.keys.begin, key, body)
    except Different:
        why = "came with another body"
        raise Problem(409, "exists_different", "event_id", word.event_id, why) from None
    if before is not None:
        return JSONResponse(before, 202, {"Idempotent-Replayed": "true"})
    record = attempt(word, order)
    try:
        await services.outside.write(TOPIC, record, key=f"bank|{order.account_id}|USD")
    except NotWritten as why:
        raise Problem(503, "not_written", "", "", f"send it again: {why}") from why
    answer = {"accepted": {"order_id": order.order_id, "status": word.status}}
    await asyncio.to_thread(services.keys.done, key, answer)
    return JSONResponse(answer, 202)


def attempt(word: Word, order: SweepOrder) -> AttemptRecord:
    """The word as the intents node takes it; the same word is the same record."""
    class_ = _CLASS.get(word.status, "accepted")
    cause = f"webhook:{order.order_id}#{word.event_id}"
    return AttemptRecord(
        attempt_id=derive("webhook", order.account_id, cause, 0, "none", order.created_ts_ms),
        intent_id=order.order_id,
        leg="only",
        n=1,
        kind="WEBHOOK",
        at_ms=int(word.at.timestamp() * 1000),
        class_=class_,
        venue_ref=word.bank_ref,
        amount_done_e18=None if word.amount_usd is None else parse_e18(word.amount_usd),
        code=_code(word),
        message=word.reason or word.status,
    )


def _code(word: Word) -> str | None:
    if word.status == "RTND":
        return RETURNED
    return (word.reason or word.status) if word.status in _CLASS else None


def _word(body: bytes) -> Word:
    if len(body) > BODY_BYTES_MAX:
        raise Problem(413, "too_large", "bytes", len(body), f"at most {BODY_BYTES_MAX}")
    try:
        return Word.model_validate_json(body)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Problem(422, "invalid", field, first.get("input"), first["msg"]) from None


def _order(orders: Orders, word: Word) -> SweepOrder:
    """The order a word speaks of. Raises Problem unless another side carries it out."""
    name = str(word.order_id)
    caused_ms = word.order_id.int >> 80
    try:
        found = orders.find(name, caused_ms)
    except Unreadable as why:
        raise Problem(503, "unreadable", "", "", f"send it again: {why}") from why
    if found is None:
        raise Problem(404, "unknown_order", "order_id", name, "no such order was given out")
    if found.executed_by != EXTERNAL:
        whose = f"{found.executed_by} carries it out: its own records tell"
        raise Problem(409, "not_yours", "order_id", name, whose)
    return found
