"""The private stream as documented: through pybit's own client, and through a plain one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from pybit.unified_trading import WebSocket

from tests.agents import documented
from tests.weir.sandbox.conftest import Serve, Served, until
from weir.sandbox.books import Trade
from weir.sandbox.websocket import PATH, SPOILS, PrivateStream, sign_auth

KEY = "sandbox-100001"
SECRET = "secret-100001"


class PybitStream(WebSocket):
    """pybit's client with an address of its own; it has no argument for one. One that connects
    again when it is closed would wait in `exit` for ever: for the end of the new connection.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        keys = {"api_key": KEY, "api_secret": SECRET}
        super().__init__("private", testnet=True, restart_on_error=False, **keys)

    def _connect(self, url: str) -> None:
        super()._connect(self._url)


def stream_of(served: Served) -> str:
    return f"ws{served.url.removeprefix('http')}{PATH}"


def fill(served: Served, name: str, number: str = "100001") -> None:
    books = served.venue.books
    trade = Trade(name, "BTCUSDT", "Buy", 10**8, 60_000 * 10**8, "0.00055", order_id="o")
    books.execute(books.accounts[number], trade, served.venue.now_ms())


def test_the_client_of_the_venue_understands_what_is_pushed(serve: Serve) -> None:
    served = serve(accounts=2)
    client = PybitStream(stream_of(served))
    heard: dict[str, Any] = {}
    for subscribe in (client.execution_stream, client.position_stream, client.wallet_stream):
        subscribe(lambda message: heard.setdefault(message["topic"], message))
    until(lambda: served.venue.stream.counts["subscribe"] == 3, "subscribed")
    fill(served, "of-another", "100002")
    fill(served, "e1")
    until(lambda: len(heard) == 3, "all three topics")
    client.exit()
    (execution,) = heard["execution"]["data"]
    assert (execution["execId"], execution["execFee"], execution["execPnl"]) == ("e1", "33", "0")
    for message in (
        documented.PUSHED_EXECUTION,
        documented.PUSHED_POSITION,
        documented.PUSHED_WALLET,
    ):
        shown = heard[message["topic"]]
        assert shown.keys() == message.keys()
        missing = message["data"][0].keys() - shown["data"][0].keys()
        assert missing <= {"mmrSysUpdatedTime"}  # the list and the push spell it differently
    assert heard["position"]["data"][0]["size"] == "1"
    assert heard["wallet"]["data"][0]["coin"][0]["walletBalance"] == "249967"


def talk(served: Served, *said: Any) -> list[dict[str, Any]]:
    """Says each thing in turn; the answers, the last one None-less until the end."""

    async def conversation() -> list[dict[str, Any]]:
        answers = []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(stream_of(served)) as socket,
        ):
            for one in said:
                await socket.send_str(one if isinstance(one, str) else json.dumps(one))
                frame = await socket.receive(timeout=10)
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    answers.append({"closed": True})
                    break
                answers.append(json.loads(frame.data))
        return answers

    return asyncio.run(conversation())


def auth(served: Served, secret: str = SECRET, key: str = KEY, in_ms: int = 1000) -> dict[str, Any]:
    expires = served.venue.now_ms() + in_ms
    return {"op": "auth", "args": [key, expires, sign_auth(secret, str(expires))]}


SUBSCRIBE = {"op": "subscribe", "args": ["execution.linear", "wallet"], "req_id": "r1"}


def test_who_proves_the_key_may_subscribe_and_pings_are_answered(serve: Serve) -> None:
    served = serve()
    proved, subscribed, pong = talk(served, auth(served), SUBSCRIBE, {"op": "ping"})
    assert (proved["success"], proved["op"]) == (True, "auth")
    assert (subscribed["success"], subscribed["req_id"]) == (True, "r1")
    assert pong["op"] == "pong"
    assert len({proved["conn_id"], subscribed["conn_id"], pong["conn_id"]}) == 1


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda s: auth(s, secret="wrong"), "error sign!"),
        (lambda s: auth(s, key="sandbox-9"), "API key is invalid."),
        (lambda s: auth(s, in_ms=-1), "expires is in the past"),
        (lambda s: {"op": "auth", "args": ["x"]}, "key, expires and signature"),
    ],
)
def test_who_does_not_prove_the_key_is_let_go(
    serve: Serve, ask: Callable[[Served], Any], why: str
) -> None:
    served = serve()
    refused, closed = talk(served, ask(served), SUBSCRIBE)
    assert refused["success"] is False
    assert why in refused["ret_msg"]
    assert closed == {"closed": True}


def test_a_strange_request_is_answered_and_the_connection_stays(serve: Serve) -> None:
    served = serve()
    answers = talk(
        served,
        SUBSCRIBE,
        "no json",
        {"op": "dance"},
        auth(served),
        {"op": "subscribe", "args": ["orders"]},
        SUBSCRIBE,
    )
    assert [answer["success"] for answer in answers] == [False, False, False, True, False, True]
    assert "not authorized" in answers[0]["ret_msg"]
    assert "topic:orders" in answers[4]["ret_msg"]


def test_nobody_is_let_in_while_the_stream_is_closed(serve: Serve) -> None:
    served = serve()
    served.venue.stream.spoil("ws_closed", 60_000)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        talk(served, {"op": "ping"})
    served.venue.stream.clear()
    assert talk(served, {"op": "ping"})[0]["op"] == "pong"


def test_the_stream_says_what_it_did(serve: Serve) -> None:
    served = serve()
    talk(served, auth(served), SUBSCRIBE)
    shown = served.books()["stream"]
    assert (shown["connected"], shown["auth"], shown["subscribe"]) == (1, 1, 1)
    until(lambda: served.books()["stream"]["listeners"] == 0, "it is gone")


def test_an_unknown_trouble_is_refused(serve: Serve) -> None:
    stream: PrivateStream = serve().venue.stream
    with pytest.raises(ValueError, match=f"one of {', '.join(SPOILS)}"):
        stream.spoil("ws_rain", 1)
