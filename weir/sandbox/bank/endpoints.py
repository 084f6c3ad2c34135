"""The bank over HTTP: login, payments, accounts and statements, and the sandbox's own window.

Order at the door: token, rate limit, parameters, effect. What is told to judges under `/sandbox`
asks for no token and is never hit by a fault.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from weir.sandbox.bank import accounts_api
from weir.sandbox.bank.bank import Bank
from weir.sandbox.bank.days import utc_text
from weir.sandbox.bank.login import TooMany, Unauthorised
from weir.sandbox.bank.pain import NotReadable, read_request, report
from weir.sandbox.bank.records import Payment
from weir.sandbox.bank.stage import stage
from weir.sandbox.faults import FaultGate

__all__ = ["build_app"]

XML = "application/xml"
ACCOUNTS = "/corporate/channels/accounts/me/v1/accounts"
TENANT = "/login/v1/sandbox"
PAGE_MAX = 200


def build_app(bank: Bank) -> Callable[..., Awaitable[None]]:
    """The ASGI application of a bank, faults in front."""
    app = FastAPI(title="Sandbox bank", docs_url=None, redoc_url=None)
    app.include_router(_login(bank))
    app.include_router(_payments(bank))
    app.include_router(_accounts(bank))
    app.include_router(_statements(bank))
    app.include_router(stage(bank))

    @app.exception_handler(Unauthorised)
    async def unauthorised(_request: Request, why: Unauthorised) -> JSONResponse:
        headers = {"WWW-Authenticate": f'Bearer error="{why}"'}
        return JSONResponse({"error": str(why)}, 401, headers)

    @app.exception_handler(TooMany)
    async def too_many(_request: Request, why: TooMany) -> JSONResponse:
        return JSONResponse({"error": "too_many"}, 429, {"Retry-After": str(why.retry_s)})

    @app.middleware("http")
    async def dated(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        answer.headers["Bank-Time"] = utc_text(bank.now_ms())
        return answer

    return FaultGate(app, bank.faults, refusal=lambda _fault: REFUSED, prefixes=PREFIXES)


PREFIXES = ("/payments/", "/statements/", "/corporate/", "/login/")
REFUSED = (403, b'{"error": "refused on command"}')


def _admit(bank: Bank, request: Request) -> int:
    """Whoever asks may; the bank's time. Raises Unauthorised, TooMany."""
    bank.advance()
    now_ms = bank.now_ms()
    bank.gate.admit(request.headers.get("authorization", ""), bank.machine_ms())
    return now_ms


def _login(bank: Bank) -> APIRouter:
    router = APIRouter(prefix=TENANT)

    @router.get("/.well-known/openid-configuration")
    async def configuration(request: Request) -> dict[str, Any]:
        base = f"{request.url.scheme}://{request.url.netloc}{TENANT}"
        return {
            "issuer": base,
            "token_endpoint": f"{base}/oidc/token",
            "grant_types_supported": ["client_credentials"],
        }

    @router.post("/oidc/token")
    async def token(request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        client, secret = _client(request.headers.get("authorization", ""), form)
        given = bank.gate.token(client, secret, bank.machine_ms())
        body = {"access_token": given, "token_type": "Bearer", "expires_in": bank.gate.life_s}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return router


def _payments(bank: Bank) -> APIRouter:
    router = APIRouter(prefix="/payments/v1")

    @router.post("/initiations")
    async def initiate(request: Request) -> Response:
        body = await request.body()
        now_ms = _admit(bank, request)
        try:
            asked = read_request(body)
        except NotReadable as why:
            return JSONResponse({"error": "not_readable", "message": str(why)}, 400)
        rows = bank.desk.receive(asked, now_ms)
        number = len(bank.books.payments)
        return Response(report(asked.msg_id, rows, now_ms, number), media_type=XML)

    @router.get("/initiations/{msg_id}")
    async def message(msg_id: str, request: Request) -> Response:
        now_ms = _admit(bank, request)
        return _told(bank, bank.books.message(msg_id), now_ms)

    @router.get("/transactions/{end_to_end_id}")
    async def transaction(end_to_end_id: str, request: Request) -> Response:
        now_ms = _admit(bank, request)
        found = bank.books.known(end_to_end_id)
        return _told(bank, [found] if found else [], now_ms)

    return router


def _told(bank: Bank, found: list[Payment], now_ms: int) -> Response:
    if not found:
        return JSONResponse({"error": "not_found"}, 404)
    rows = [(payment, bank.books.state(payment)) for payment in found]
    return Response(report(found[0].msg_id, rows, now_ms, found[-1].number), media_type=XML)


def _accounts(bank: Bank) -> APIRouter:
    router = APIRouter(prefix=ACCOUNTS)

    def known(named: str) -> str:
        number = accounts_api.number_of(bank.books, named)
        if number is None:
            raise HTTPException(404, f"no account {named}")
        return number

    @router.get("")
    async def accounts(request: Request) -> dict[str, Any]:
        _admit(bank, request)
        return _query(accounts_api.accounts, bank.books, request.query_params)

    @router.get("/{named}/balances")
    async def balances(named: str, request: Request) -> dict[str, Any]:
        now_ms = _admit(bank, request)
        number = known(named)
        said = bank.teller.said(number, now_ms)
        return accounts_api.balances(bank.books.accounts[number], said)

    @router.get("/{named}/statement")
    async def statement(named: str, request: Request) -> dict[str, Any]:
        now_ms = _admit(bank, request)
        number = known(named)
        upto = bank.teller.shows(number, now_ms)
        return _query(accounts_api.statement, bank.books, number, upto, request.query_params)

    return router


def _statements(bank: Bank) -> APIRouter:
    router = APIRouter(prefix="/statements/v1/documents")

    @router.get("")
    async def documents(request: Request, after: int = 0, limit: int = 50) -> dict[str, Any]:
        _admit(bank, request)
        page = bank.books.documents[max(after, 0) :][: min(max(limit, 1), PAGE_MAX)]
        items = [
            {
                "id": str(one.number),
                "type": one.kind,
                "account": one.account,
                "created": utc_text(one.at_ms),
            }
            for one in page
        ]
        return {"items": items, "next": page[-1].number if page else max(after, 0)}

    @router.get("/{number}")
    async def document(number: int, request: Request) -> Response:
        _admit(bank, request)
        try:
            return Response(bank.mailbox.xml(number), media_type=XML)
        except KeyError:
            raise HTTPException(404, f"no document {number}") from None

    return router


def _query(answer: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    try:
        return answer(*arguments)
    except accounts_api.BadQuery as why:
        raise HTTPException(400, str(why)) from why


def _client(authorisation: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Client and secret, from HTTP Basic or from the form."""
    kind, _, text = authorisation.partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorised("invalid_client") from None
    return client, secret
