"""`POST /balances`: a bank, or who speaks for it, pushes balances and entries.

The body is one camt.052 or camt.053 message (`application/xml`) or JSON (see
`agents.feeds.bank.posted`). All of it is taken or nothing: 202 says that every record is on the
log. A repeat is answered alike and writes nothing; the key of a request is its `Idempotency-Key`,
else the message id or the body itself. Whether an account is ours, and whether its balance is news,
the cash node decides.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from agents.connectors.bank.iso20022 import XML_BYTES_MAX
from agents.feeds.bank.amounts import parsed
from agents.feeds.bank.camt import statements
from agents.feeds.bank.posted import posted
from agents.feeds.bank.statement import by_day, event_of
from agents.outside import NotWritten
from schemas.errors import Unencodable
from schemas.jsonform import iso, iso_date
from schemas.records import BalanceEvent
from schemas.wire import Wire
from streams.step import Refused
from weir.web.auth import needs
from weir.web.errors import Problem
from weir.web.idempotency import Different

TOPIC = "balance_events"
XML = frozenset({"application/xml", "text/xml"})
STATUS = {"too_large": 413, "malformed": 400}
router = APIRouter()


@router.post("/balances", status_code=202)
async def push(
    request: Request,
    caller: Annotated[str, Depends(needs("balances"))],
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> JSONResponse:
    """Appends what the body says to `balance_events`."""
    services = request.app.state.services
    body = await _body(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    events = await asyncio.to_thread(_events, media_type, body)
    said = _said(services.wire, events)
    key = f"{caller}|{idempotency_key or _own_key(media_type, events, body)}"
    try:
        before = await asyncio.to_thread(services.keys.begin, key, said)
    except Different:
        named = idempotency_key or events[0].msg_id
        raise Problem(409, "exists_different", "key", named, "came with another body") from None
    if before is not None:
        return JSONResponse(before, 202, {"Idempotent-Replayed": "true"})
    try:
        for event in events:
            await services.outside.write(TOPIC, event)
    except NotWritten as why:
        raise Problem(503, "not_written", "", "", f"send it again: {why}") from why
    answer = {"accepted": [_shown(event) for event in events]}
    await asyncio.to_thread(services.keys.done, key, answer)
    return JSONResponse(answer, 202)


async def _body(request: Request) -> bytes:
    """The body, as far as it may go."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > XML_BYTES_MAX:
            raise Problem(413, "too_large", "bytes", len(found), f"at most {XML_BYTES_MAX}")
    return bytes(found)


def _events(media_type: str, body: bytes) -> list[BalanceEvent]:
    """The records of a body, at least one. Raises Problem."""
    try:
        if media_type in XML:
            return _of_camt(body)
        if media_type == "application/json":
            return [posted(parsed(body, XML_BYTES_MAX))]
    except Refused as why:
        status = STATUS.get(why.cause, 422)
        raise Problem(status, why.cause, why.field, why.value, why.why) from why
    raise Problem(415, "media_type", "content-type", media_type, "XML or JSON was expected")


def _of_camt(body: bytes) -> list[BalanceEvent]:
    found = statements(body)
    events = []
    for statement in by_day(found):
        if isinstance(statement, Refused):
            raise statement
        raw = body if len(found) == 1 else None
        events.append(event_of(f"bank:{statement.account}", statement, raw))
    return events


def _said(wire: Wire, events: list[BalanceEvent]) -> bytes:
    """What the body comes to, however it is spaced. Raises Problem."""
    try:
        return b"".join(wire.encode(TOPIC, event) for event in events)
    except Unencodable as why:
        raise Problem(422, "invalid", why.field, why.value, why.why) from why


def _own_key(media_type: str, events: list[BalanceEvent], body: bytes) -> str:
    """JSON is known by its account and message id, XML by itself."""
    if media_type in XML:
        return sha256(body).hexdigest()
    return f"{events[0].account_id}|{events[0].msg_id}"


def _shown(event: BalanceEvent) -> dict[str, Any]:
    return {
        "account_id": event.account_id,
        "msg_id": event.msg_id,
        "as_of": iso(event.as_of_ms),
        "statement_date": None if event.statement_date is None else iso_date(event.statement_date),
        "balances": len(event.balances) + (event.avail_usd_e4 is not None),
        "entries": len(event.entries),
    }
