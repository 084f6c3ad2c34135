"""The venue's private WebSocket, `/v5/private`: what happens to an account is pushed as it happens.

A connection proves its key (`auth`), names its topics (`subscribe`: execution, position, wallet)
and gets the documented messages from then on. What was pushed while nobody listened is not pushed
again. On command the stream drops its connections, swallows pushes, falls silent altogether, or
lets nobody in for a while: that is how a feed is shown to close its gaps.
"""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from weir.sandbox.asset_endpoints import wallet_row
from weir.sandbox.auth import Keys
from weir.sandbox.books import SETTLE_COIN, Books
from weir.sandbox.money import text
from weir.sandbox.records import Account, Execution
from weir.sandbox.trade_endpoints import execution_row, position_row

__all__ = ["PATH", "SPOILS", "PrivateStream", "sign_auth"]

PATH = "/v5/private"
TOPICS = ("execution", "position", "wallet")
CATEGORIES = ("linear", "inverse", "spot", "option")
SPOILS = ("ws_drop", "ws_swallow", "ws_silence", "ws_closed")
BEHIND_MAX = 20_000


@dataclass(eq=False)
class _Listener:
    """One connection: whose it is once it has proved it, what it asked for, what it has to get."""

    socket: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    conn_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    account: str = ""
    topics: set[str] = field(default_factory=set)
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(BEHIND_MAX))

    def wants(self, topic: str, category: str) -> bool:
        """Whether it subscribed to a topic, whole or for one category."""
        return topic in self.topics or f"{topic}.{category}" in self.topics


class PrivateStream:
    """All connections of the venue; the books tell it of each execution, from any thread."""

    def __init__(self, books: Books, now_ms: Callable[[], int]) -> None:
        self._books, self._now_ms = books, now_ms
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: web.Server | None = None
        self._until_ms = dict.fromkeys(SPOILS, 0)
        self.counts: Counter[str] = Counter()
        books.on_execution.append(self._executed)

    def protocol(self, **_: Any) -> asyncio.Protocol:
        """What uvicorn hands an upgraded connection to; called in the server's loop."""
        if self._server is None:
            self._loop = asyncio.get_running_loop()
            self._server = web.Server(self._serve, access_log=None)
        return self._server()

    async def close(self) -> None:
        """End all connections."""
        for listener in tuple(self._listeners):
            await listener.socket.close(code=WSCloseCode.GOING_AWAY)
        if self._server is not None:
            await self._server.shutdown(timeout=1)

    def spoil(self, kind: str, lasting_ms: int) -> None:
        """Drop all connections now, or for a while swallow pushes, say nothing, or refuse."""
        if kind not in SPOILS:
            raise ValueError(f"kind must be one of {', '.join(SPOILS)}, not {kind!r}")
        self.counts[kind] += 1
        self._until_ms[kind] = self._now_ms() + lasting_ms
        if kind in ("ws_drop", "ws_closed"):
            for listener in tuple(self._listeners):
                if isinstance(listener.transport, asyncio.Transport):
                    listener.transport.abort()

    def clear(self) -> None:
        """End what was commanded for a while."""
        self._until_ms = dict.fromkeys(SPOILS, 0)

    def snapshot(self) -> dict[str, int]:
        """What has happened on the stream, by kind, and who listens now."""
        return {"listeners": len(self._listeners), **dict(sorted(self.counts.items()))}

    def _lasts(self, kind: str) -> bool:
        return self._now_ms() < self._until_ms[kind]

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != PATH or self._lasts("ws_closed"):
            return web.Response(status=404 if request.path != PATH else 503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        listener = _Listener(socket, request.transport)
        self._listeners.add(listener)
        self.counts["connected"] += 1
        sender = asyncio.create_task(_send(listener))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or self._lasts("ws_silence"):
                    continue
                answer = self._answer(listener, message.data)
                await socket.send_json({**answer, "conn_id": listener.conn_id})
                if answer["op"] == "auth" and not answer["success"]:
                    break
        finally:
            self._listeners.discard(listener)
            sender.cancel()
        return socket

    def _answer(self, listener: _Listener, asked_text: str) -> dict[str, Any]:
        try:
            asked = json.loads(asked_text)
            op, args = asked["op"], list(asked.get("args") or [])
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"success": False, "ret_msg": "error:not a request", "op": ""}
        req_id = {"req_id": asked["req_id"]} if asked.get("req_id") else {}
        if op == "ping":
            return {"op": "pong", "args": [str(self._now_ms())], **req_id}
        refused = self._take(listener, op, args)
        self.counts[f"{op}_refused" if refused else op] += 1
        return {"success": not refused, "ret_msg": refused, "op": op, **req_id}

    def _take(self, listener: _Listener, op: str, args: list[Any]) -> str:
        """Carry out a request; why not, or nothing."""
        if op == "auth":
            return self._authenticate(listener, args)
        if op not in ("subscribe", "unsubscribe"):
            return f"error:unknown op {op!r}"
        if not listener.account:
            return "Request not authorized"
        for topic in args:
            name, _, category = str(topic).partition(".")
            if name not in TOPICS or (category and category not in CATEGORIES):
                return f"error:handler not found,topic:{topic}"
        if op == "subscribe":
            listener.topics |= set(args)
        else:
            listener.topics -= set(args)
        return ""

    def _authenticate(self, listener: _Listener, args: list[Any]) -> str:
        if len(args) != 3 or not isinstance(args[1], int | str) or not str(args[1]).isdigit():
            return "error:auth needs key, expires and signature"
        key, expires, signature = str(args[0]), str(args[1]), str(args[2])
        known = Keys(list(self._books.accounts)).find(key)
        if known is None:
            return "API key is invalid."
        secret, number = known
        if int(expires) <= self._now_ms():
            return "Params Error: expires is in the past"
        if not hmac.compare_digest(sign_auth(secret, expires), signature):
            return "error sign!"
        listener.account = number
        return ""

    def _executed(self, account: Account, row: Execution) -> None:
        """Told by the books, maybe in another thread: the rows are made here, sent in the loop."""
        if self._loop is None or not self._listeners:
            return
        at_ms = self._now_ms()
        position = account.positions[row.symbol]
        data: dict[str, dict[str, Any]] = {
            "execution": _pushed_execution(row),
            "position": _pushed_position(position_row(self._books, account, position)),
            "wallet": wallet_row(self._books, account),
        }
        texts = {
            topic: json.dumps(
                {
                    "id": f"{account.number}_{row.symbol}_{row.seq}",
                    "topic": topic,
                    "creationTime": at_ms,
                    "data": [value],
                }
            )
            for topic, value in data.items()
        }
        self._loop.call_soon_threadsafe(self._push, account.number, texts)

    def _push(self, account: str, texts: dict[str, str]) -> None:
        lost = self._lasts("ws_swallow") or self._lasts("ws_silence")
        for listener in tuple(self._listeners):
            for topic, message in texts.items():
                if listener.account != account or not listener.wants(topic, "linear"):
                    continue
                self.counts["swallowed" if lost else "pushed"] += 1
                if not lost:
                    self._enqueue(listener, message)

    def _enqueue(self, listener: _Listener, message: str) -> None:
        """A listener that does not read is dropped, as the venue does."""
        if listener.queue.full() and isinstance(listener.transport, asyncio.Transport):
            listener.transport.abort()
            return
        listener.queue.put_nowait(message)


def sign_auth(secret: str, expires: str) -> str:
    """The signature that proves a key: HMAC-SHA256 over GET/realtime and the expiry."""
    return hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()


async def _send(listener: _Listener) -> None:
    while True:
        message = await listener.queue.get()
        try:
            await listener.socket.send_str(message)
        except ConnectionError:  # gone: the reading side ends the connection
            return


def _pushed_execution(row: Execution) -> dict[str, Any]:
    """A push says more than a listed row: category, fee coin, and the gross profit of the fill."""
    return {
        "category": "linear",
        **execution_row(row),
        "feeCurrency": SETTLE_COIN,
        "isLeverage": "0",
        "marketUnit": "",
        "execPnl": text(row.gross_e8),
        "createType": "CreateByUser" if row.exec_type == "Trade" else "",
    }


def _pushed_position(row: dict[str, Any]) -> dict[str, Any]:
    """A push calls the average price `entryPrice`."""
    pushed = {name: value for name, value in row.items() if name != "avgPrice"}
    return {"category": "linear", **pushed, "entryPrice": row["avgPrice"]}
