"""The venue over HTTP: every documented endpoint behind one door, and the sandbox's own window.

Order at the door: path, signature over the raw bytes, rate limit, parameters, effect. A business
error is HTTP 200 with a retCode; an unknown path is HTTP 404.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from weir.sandbox import loans, manual, orders
from weir.sandbox.asset_endpoints import ASSET_ROUTES
from weir.sandbox.auth import Keys, RateLimits
from weir.sandbox.books import Books
from weir.sandbox.faults import (
    DUPLICATE_ROW,
    LATE_ROW,
    LISTED,
    Fault,
    FaultGate,
    Faults,
    venue_refusal,
)
from weir.sandbox.loan_endpoints import LOAN_ROUTES
from weir.sandbox.order_endpoints import ORDER_ROUTES
from weir.sandbox.records import NEVER_MS
from weir.sandbox.refusal import Refused
from weir.sandbox.routing import Call, Route
from weir.sandbox.snapshot import journal_rows, snapshot
from weir.sandbox.trade_endpoints import TRADE_ROUTES
from weir.sandbox.websocket import PATH, PrivateStream

__all__ = ["ROUTES", "FaultOrder", "ManualOrder", "Venue", "build_app"]

ROUTES = {
    (route.method, route.path): route
    for route in LOAN_ROUTES + ASSET_ROUTES + TRADE_ROUTES + ORDER_ROUTES
}


@dataclass
class Venue:
    """One running venue: its books, who may ask, how often, what goes wrong, and its clock."""

    books: Books
    now_ms: Callable[[], int]
    limits: RateLimits = field(default_factory=RateLimits)
    faults: Faults = field(default_factory=Faults)
    hedger_status: Callable[[], dict[str, Any]] = lambda: {"on": False, "done": True, "fills": 0}
    start_hedger: Callable[[], None] = lambda: None
    stop_hedger: Callable[[], None] = lambda: None
    stream: PrivateStream = field(init=False)

    def __post_init__(self) -> None:
        self.stream = PrivateStream(self.books, self.now_ms)

    def shown(self, *, brief: bool, number: str = "") -> dict[str, Any]:
        """The whole book, or one account's, and what went on at the door."""
        now_ms = self._advance()
        return snapshot(self.books, now_ms, brief=brief, number=number) | {
            "faults": self.faults.snapshot(),
            "hedger": self.hedger_status(),
            "limits": self.limits.snapshot(),
            "stream": self.stream.snapshot(),
        }

    def spoil(self, order: "FaultOrder") -> None:
        """Put a fault in wait, or spoil the stream at once. Raises ValueError."""
        if order.path == PATH:
            self.stream.spoil(order.kind, order.delay_ms)
        else:
            self.faults.arm(Fault(**order.model_dump()))

    def act(self, order: "ManualOrder") -> dict[str, Any]:
        """Does what a person does at the venue, or the venue itself. Raises Refused, ValueError."""
        account = self.books.accounts.get(order.account)
        if account is None:
            raise ValueError(f"no account {order.account!r}")
        return manual.act(self.books, account, order.op, order.params, self._advance())

    def answer(self, request: Request, body: bytes) -> tuple[dict[str, Any], dict[str, str]]:
        """The envelope and headers for one request; its effect is in the books."""
        now_ms = self._advance()
        headers: dict[str, str] = {}
        route = ROUTES[request.method, request.url.path]
        try:
            call, headers = self._admit(route, request, body, now_ms)
            result = route.answer(call)
            self._list_oddly(call, route.path, result)
            return _envelope(0, route.message, result, now_ms), headers
        except _TooMany as refused:
            return _envelope(refused.code, refused.message, {}, now_ms), refused.headers
        except Refused as refused:
            return _envelope(refused.code, refused.message, {}, now_ms), headers

    def _advance(self) -> int:
        now_ms = self.now_ms()
        loans.advance(self.books, now_ms)
        orders.match(self.books, now_ms)
        return now_ms

    def _list_oddly(self, call: Call, path: str, result: dict[str, Any]) -> None:
        if call.odd is None or path not in LISTED:
            return
        where, id_field = LISTED[path]
        row_id, listing = str(result[id_field]), self.books.listing
        if call.odd.kind == LATE_ROW:
            listing.late(where, row_id, call.now_ms + (call.odd.delay_ms or NEVER_MS))
        elif call.odd.kind == DUPLICATE_ROW:
            listing.twice(where, row_id)

    def _admit(
        self, route: Route, request: Request, body: bytes, now_ms: int
    ) -> tuple[Call, dict[str, str]]:
        raw = request.scope["query_string"] if request.method == "GET" else body
        headers: dict[str, str] = {}
        account = None
        if route.limit:
            keys = Keys(list(self.books.accounts))
            account = self.books.accounts[keys.account_of(request.headers, raw, now_ms)]
            allowed, headers = self.limits.take(account.number, route.limit, now_ms)
            if not allowed:
                raise _TooMany(headers)
        parameters, odd = _parameters(request.method, raw), request.scope.get("odd")
        return Call(self.books, parameters, now_ms, account, odd), headers


class FaultOrder(BaseModel):
    """The body of `POST /sandbox/faults`; for `/v5/private`, `delay_ms` is how long it lasts."""

    path: str
    kind: str
    times: int = Field(default=1, ge=1)
    delay_ms: int = Field(default=0, ge=0)
    ret_code: int = 0
    odd: str = ""


class ManualOrder(BaseModel):
    """The body of `POST /sandbox/manual`: what is done at the venue without us."""

    account: str
    op: str
    params: dict[str, str] = {}


class _TooMany(Refused):
    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(10006, "Too many visits. Exceeded the API Rate Limit.")
        self.headers = headers


def build_app(venue: Venue) -> Callable[..., Awaitable[None]]:
    """The ASGI application of a venue, faults in front."""
    app = FastAPI(title="Sandbox of the Bybit v5 API", docs_url=None, redoc_url=None)

    @app.api_route("/v5/{rest:path}", methods=["GET", "POST"])
    async def v5(request: Request, rest: str) -> Response:
        if (request.method, f"/v5/{rest}") not in ROUTES:
            return Response("404 page not found", status_code=404, media_type="text/plain")
        envelope, headers = venue.answer(request, await request.body())
        return JSONResponse(envelope, headers=headers)

    @app.get("/sandbox/books")
    async def books(brief: bool = False, account: str = "") -> JSONResponse:
        return JSONResponse(venue.shown(brief=brief, number=account))

    @app.get("/sandbox/journal")
    async def journal(after: int = 0, limit: int = 1000) -> JSONResponse:
        return JSONResponse({"rows": journal_rows(venue.books, after, limit)})

    @app.get("/sandbox/faults")
    async def faults() -> JSONResponse:
        return JSONResponse(venue.faults.snapshot())

    @app.post("/sandbox/faults")
    async def arm(order: FaultOrder) -> JSONResponse:
        try:
            venue.spoil(order)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return JSONResponse(venue.faults.snapshot())

    @app.delete("/sandbox/faults")
    async def disarm() -> JSONResponse:
        venue.faults.clear()
        venue.stream.clear()
        return JSONResponse(venue.faults.snapshot())

    @app.post("/sandbox/manual")
    async def by_hand(order: ManualOrder) -> JSONResponse:
        try:
            return JSONResponse(venue.act(order))
        except (Refused, ValueError) as error:
            raise HTTPException(422, str(error)) from error

    @app.post("/sandbox/hedger/start")
    async def start() -> JSONResponse:
        venue.start_hedger()
        return JSONResponse(venue.hedger_status())

    @app.post("/sandbox/hedger/stop")
    async def stop() -> JSONResponse:
        venue.stop_hedger()
        return JSONResponse(venue.hedger_status())

    return FaultGate(app, venue.faults, venue_refusal(venue.now_ms))


def _parameters(method: str, raw: bytes) -> dict[str, Any]:
    if method == "GET":
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise Refused(10001, "params error: the body is no JSON") from None
    if not isinstance(body, dict):
        raise Refused(10001, "params error: the body is no JSON object")
    return body


def _envelope(code: int, message: str, result: dict[str, Any], now_ms: int) -> dict[str, Any]:
    return {
        "retCode": code,
        "retMsg": message,
        "result": result,
        "retExtInfo": {},
        "time": now_ms,
    }
