"""Bybit's private WebSocket of one account: connect, prove the key, subscribe, then messages.

The venue replays nothing that was missed, so whoever reads must know of each loss: every way in
which a connection can end, also by silence, is one exception. pybit's own client is not used here:
it names no URL, reconnects unseen, and ends unseen when the venue closes properly.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any

import aiohttp

from agents.connectors.bybit.config import TESTNET, Venue

PING_S = 20.0
SILENT_S = 30.0
AUTH_MS = 5_000
TESTNET_STREAM = "wss://stream-testnet.bybit.com/v5/private"
ENDED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)

Json = dict[str, Any]


class SocketLost(Exception):
    """The connection is no more, or never was; what happens from now on is not heard."""


class PrivateSocket:
    """One connection, as a context: entering it returns once the subscription is confirmed."""

    def __init__(
        self,
        venue: Venue,
        topics: Sequence[str],
        alive: Callable[[], None],
        *,
        ping_s: float = PING_S,
        silent_s: float = SILENT_S,
    ) -> None:
        """`alive` is called for whatever the venue says, answers to pings included."""
        self._venue, self._topics, self._alive = venue, list(topics), alive
        self._ping_s, self._silent_s = ping_s, silent_s
        self._early: deque[Json] = deque()

    async def __aenter__(self) -> PrivateSocket:
        """Connects. Raises SocketLost."""
        self._session = aiohttp.ClientSession(trust_env=False)
        try:
            self._socket = await self._session.ws_connect(
                stream_url(self._venue.endpoint),
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                max_msg_size=0,
            )
            expires = str(time.time_ns() // 1_000_000 + AUTH_MS)
            await self._ask("auth", [self._venue.api_key, expires, self._signature(expires)])
            await self._ask("subscribe", self._topics)
        except (aiohttp.ClientError, OSError, TimeoutError) as why:
            await self._session.close()
            raise SocketLost(f"no connection: {type(why).__name__}: {why}") from why
        except BaseException:
            await self._session.close()
            raise
        self._pings = asyncio.create_task(self._ping())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pings.cancel()
        await asyncio.gather(self._pings, return_exceptions=True)
        await self._session.close()

    async def messages(self) -> AsyncIterator[Json]:
        """What is pushed, in order; ends only by SocketLost."""
        while self._early:
            yield self._early.popleft()
        while True:
            message = await self._receive()
            if "topic" in message:
                yield message

    async def _ask(self, op: str, args: list[Any]) -> None:
        """Sends a request and waits for its answer; pushes that come before it are kept."""
        await self._socket.send_json({"op": op, "args": args})
        while True:
            answer = await self._receive()
            if answer.get("op") == op:
                break
            if "topic" in answer:
                self._early.append(answer)
        if answer.get("success") is not True:
            raise SocketLost(f"{op} refused: {answer.get('ret_msg')}")

    async def _receive(self) -> Json:
        try:
            frame = await self._socket.receive(timeout=self._silent_s)
        except TimeoutError:
            raise SocketLost(f"silent for {self._silent_s:g} s") from None
        except (aiohttp.ClientError, OSError) as why:
            raise SocketLost(f"{type(why).__name__}: {why}") from why
        if frame.type in ENDED or frame.type is aiohttp.WSMsgType.ERROR:
            raise SocketLost(f"closed with {self._socket.close_code}: {frame.extra or frame.data}")
        self._alive()
        try:
            said = json.loads(frame.data)
        except (ValueError, TypeError):
            raise SocketLost(f"no JSON: {frame.data!r:.200}") from None
        if not isinstance(said, dict):
            raise SocketLost(f"no JSON object: {frame.data!r:.200}")
        return said

    async def _ping(self) -> None:
        """The venue ends connections that send nothing; its answer is the sign of life."""
        while True:
            await asyncio.sleep(self._ping_s)
            try:
                await self._socket.send_json({"op": "ping"})
            except (aiohttp.ClientError, OSError):
                return  # the reading side finds out, and says so

    def _signature(self, expires: str) -> str:
        said = f"GET/realtime{expires}".encode()
        return hmac.new(self._venue.api_secret.encode(), said, hashlib.sha256).hexdigest()


def stream_url(endpoint: str) -> str:
    """Where the stream of an endpoint is: the test network's own host, else the same address."""
    if endpoint == TESTNET:
        return TESTNET_STREAM
    return f"ws{endpoint.removeprefix('http')}/v5/private"
