"""Faults of a stand-in, on command or by seed: answers that are lost, late or wrong, odd books.

A fault says on which side of the effect it lies: `*_before` and `refuse` have none; `*_after`,
`reset_mid_body` and `delay` happen when the books have already changed. Others are answered well,
but the books are odd: `processing` lasts for `delay_ms` (0: for ever), a `late_row` is listed that
much later (0: never), a `duplicate_row` twice; an order finds half (`partial_fill`) or nothing
(`no_fill`) of what it wants. A lost answer may be `odd` besides, by the same `delay_ms`. Seeded
faults hit only requests that move money or positions.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = [
    "KINDS",
    "LISTED",
    "MONEY_PATHS",
    "NO_FILL",
    "PARTIAL_FILL",
    "PROCESSING",
    "DroppableProtocol",
    "Fault",
    "FaultGate",
    "Faults",
    "venue_refusal",
]

LOST = (
    "drop_before",
    "drop_after",
    "delay",
    "http_500_after",
    "bad_json_after",
    "reset_mid_body",
)
PROCESSING, LATE_ROW, DUPLICATE_ROW = "processing", "late_row", "duplicate_row"
PARTIAL_FILL, NO_FILL = "partial_fill", "no_fill"
ODD_BOOKS = (PROCESSING, LATE_ROW, DUPLICATE_ROW, PARTIAL_FILL, NO_FILL)
KINDS = (*LOST, "refuse", "http_503_before", *ODD_BOOKS)

ADJUST, REPAY = "/v5/crypto-loan-common/adjust-ltv", "/v5/crypto-loan-flexible/repay"
TRANSFER = "/v5/asset/transfer/inter-transfer"
CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
LEVERAGE = "/v5/position/set-leverage"
MONEY_PATHS = frozenset({ADJUST, REPAY, TRANSFER, CREATE, CANCEL, LEVERAGE})
REFUSALS = {ADJUST: 148012, REPAY: 148029, TRANSFER: 131212, CREATE: 110017, LEVERAGE: 110013}
LISTED = {
    ADJUST: ("adjust", "adjustId"),
    REPAY: ("repay", "repayId"),
    TRANSFER: ("transfer", "transferId"),
    CREATE: ("order", "orderId"),
}
"""The history in which a request leaves a row, and the field of its answer that names it."""


@dataclass(slots=True)
class Fault:
    """One fault for a path ("*": every path that moves money), `times` times."""

    path: str
    kind: str
    times: int = 1
    delay_ms: int = 0
    ret_code: int = 0
    odd: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.times < 1 or self.delay_ms < 0:
            raise ValueError(f"times {self.times} and delay_ms {self.delay_ms} make no fault")
        if self.odd and (self.odd not in ODD_BOOKS or self.kind not in LOST):
            raise ValueError(f"{self.kind!r} cannot be {self.odd!r} besides")
        for kind in (self.kind, self.odd):
            if self.path not in ODD_PATHS.get(kind, {self.path}):
                raise ValueError(f"{kind} is no fault of {self.path}")

    def hits(self, path: str, money_paths: Collection[str] = MONEY_PATHS) -> bool:
        """Whether the fault is meant for a path."""
        return self.path == path or (self.path == "*" and path in money_paths)


ODD_PATHS = {
    PROCESSING: frozenset({REPAY, CREATE}),
    LATE_ROW: frozenset(LISTED),
    DUPLICATE_ROW: frozenset(LISTED),
    PARTIAL_FILL: frozenset({CREATE}),
    NO_FILL: frozenset({CREATE}),
}
"""Which requests a book can be odd about."""
SEEDED_ODD = (LATE_ROW, DUPLICATE_ROW)


class Faults:
    """The faults in wait: commanded ones first, in order, then one drawn by the seed."""

    def __init__(
        self,
        seed: int = 0,
        rate: float = 0.0,
        delay_ms: int = 1500,
        money_paths: Collection[str] = MONEY_PATHS,
    ) -> None:
        self._money_paths = money_paths
        self._random = Random(f"{seed}|faults")
        self._rate = rate
        self._delay_ms = delay_ms
        self._armed: list[Fault] = []
        self.fired: Counter[str] = Counter()

    def arm(self, fault: Fault) -> None:
        """Put a fault in wait."""
        self._armed.append(fault)

    def clear(self) -> None:
        """Forget the commanded faults that have not fired."""
        self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, if any; it is used up once."""
        for fault in self._armed:
            if fault.hits(path, self._money_paths):
                fault.times -= 1
                if fault.times == 0:
                    self._armed.remove(fault)
                self.fired[fault.kind] += 1
                return Fault(path, fault.kind, 1, fault.delay_ms, fault.ret_code, fault.odd)
        is_money = method == "POST" and path in self._money_paths
        if not is_money or self._random.random() >= self._rate:
            return None
        kind = self._random.choice(LOST + SEEDED_ODD if path in LISTED else LOST)
        self.fired[kind] += 1
        return Fault(path, kind, 1, self._delay_ms)

    def snapshot(self) -> dict[str, Any]:
        """What is in wait and what has fired, by kind."""
        return {
            "armed": [
                {"path": f.path, "kind": f.kind, "times": f.times, "delay_ms": f.delay_ms}
                for f in self._armed
            ],
            "fired": dict(sorted(self.fired.items())),
        }


class DroppableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which lets the application reach its own connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport beside the request's state, so that a fault can close it."""
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class FaultGate:
    """ASGI in front of a stand-in: lets a request through, or spoils it as the fault says."""

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        refusal: Callable[[Fault], tuple[int, bytes]],
        prefixes: tuple[str, ...] = ("/v5/",),
    ) -> None:
        """`refusal`: status and body of a definite no on command."""
        self._app, self._faults, self._refusal, self._prefixes = app, faults, refusal, prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_served = scope["type"] == "http" and scope["path"].startswith(self._prefixes)
        fault = self._faults.take(scope["method"], scope["path"]) if is_served else None
        if fault is not None and (fault.kind in ODD_BOOKS or fault.odd):
            scope["odd"] = Fault(fault.path, fault.odd or fault.kind, delay_ms=fault.delay_ms)
        if fault is None or fault.kind in ODD_BOOKS:
            await self._app(scope, receive, send)
        elif fault.kind == "drop_before":
            await _drop(scope, receive)
        elif fault.kind == "refuse":
            await _answer(send, *self._refusal(fault))
        elif fault.kind == "http_503_before":
            await _answer(send, 503, b"Service Unavailable")
        else:
            await self._after(fault, scope, receive, send)

    async def _after(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        if fault.kind == "drop_after":
            await _drop(scope, receive)
        elif fault.kind == "http_500_after":
            await _answer(send, 500, b"Internal Server Error")
        elif fault.kind == "reset_mid_body":
            await _break_off(messages, scope, receive, send)
        elif fault.kind == "bad_json_after":
            await _answer(send, 200, b"<html><body>Bad Gateway</body></html>")
        else:
            await asyncio.sleep(fault.delay_ms / 1000)
            for message in messages:
                await send(message)


def venue_refusal(now_ms: Callable[[], int]) -> Callable[[Fault], tuple[int, bytes]]:
    """The venue's envelope of a refusal."""

    def refusal(fault: Fault) -> tuple[int, bytes]:
        code = fault.ret_code or REFUSALS.get(fault.path, 10001)
        body = {
            "retCode": code,
            "retMsg": "refused on command",
            "result": {},
            "retExtInfo": {},
            "time": now_ms(),
        }
        return 200, json.dumps(body).encode()

    return refusal


async def _drop(scope: Scope, receive: Receive) -> None:
    scope["state"]["transport"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break_off(messages: list[Message], scope: Scope, receive: Receive, send: Send) -> None:
    """Promises the whole answer, sends half of it and closes the connection."""
    body = b"".join(message.get("body", b"") for message in messages)
    await send(messages[0])
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await _drop(scope, receive)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
