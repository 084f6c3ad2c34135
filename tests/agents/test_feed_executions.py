"""The executions feed against venues over real sockets: gaps, silence, refusals, the mark."""

# ruff: noqa: F811 (fixtures of another folder)

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from prometheus_client import REGISTRY

from agents.connectors.bybit import Venue
from agents.connectors.bybit.client import Client
from agents.feeds.alerts import Alerts
from agents.feeds.backfill import PAGES_MAX, TooMany, listed
from agents.feeds.executions import LIST, STREAM, ExecutionsFeed, Pace
from agents.feeds.health import Health
from agents.feeds.progress import Progress
from agents.feeds.websocket import PrivateSocket, SocketLost, stream_url
from agents.outside import NotWritten
from schemas.money import parse_e18
from tests.agents import documented
from tests.agents.test_feeds import Written
from tests.weir.sandbox.conftest import Serve, Served, serve  # noqa: F401
from weir.sandbox.books import Trade

EXECUTIONS, ALERTS = "hedge-executions", "treasury.alerts.v1"
PACE = Pace(backfill_s=0.3, overlap_ms=2_000, ping_s=0.1, silent_s=0.5, limit_s=0.6)
PATIENCE_S = 20.0


async def until(look: Callable[[], Any], what: str) -> Any:
    """Polls until a look gives something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        await asyncio.sleep(0.01)
    return found


class Desk:
    """A feed of one account with all it needs, and what it wrote."""

    def __init__(
        self, url: str, folder: Path, written: Written, number: str = "100001", **more: Any
    ) -> None:
        self.written = written
        self.progress = Progress(folder / f"{number}.json")
        self.alerts = Alerts(written)
        self.health = Health(self.alerts)
        venue = Venue(
            f"bybit:{number}",
            f"sandbox-{number}",
            f"secret-{number}",
            url,
            timeout_s=2.0,
            paced=False,
        )
        self.feed = ExecutionsFeed(
            venue,
            written,
            self.progress,
            self.alerts,
            self.health,
            **{"pace": PACE, **more},
        )

    @property
    def ids(self) -> list[str]:
        return [record.exec_id for record in self.written.of(EXECUTIONS)]

    def alert(self, key: str) -> Any:
        """The newest alert whose key begins so."""
        found = [alert for alert in self.written.of(ALERTS) if alert.key.startswith(key)]
        return found[-1] if found else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Desk]:
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(self.feed.run(stop)),
            asyncio.create_task(self.health.run(stop, 0.05)),
        ]
        try:
            await until(lambda: self.feed.counts["read"] or tasks[0].done(), "the feed reads")
            yield self
        finally:
            stop.set()
            await asyncio.gather(*tasks)


def fill(served: Served, name: str, at_ms: int | None = None) -> None:
    """One fill of a hundredth of a coin, now unless said otherwise."""
    books = served.venue.books
    trade = Trade(name, "BTCUSDT", "Buy", 10**6, 60_000 * 10**8, "0.00055", order_id="o")
    books.execute(books.accounts["100001"], trade, at_ms or served.venue.now_ms())


# -- on the sandbox


async def test_a_fill_is_pushed_and_written_once(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    async with Desk(served.url, tmp_path, Written()).running() as desk:
        await until(lambda: desk.feed.counts["connected"], "connected")
        fill(served, "a")
        await until(lambda: desk.ids, "written")
        reads = desk.feed.counts["read"]
        await until(lambda: desk.feed.counts["read"] > reads + 1, "the list was read again")
    (record,) = desk.written.of(EXECUTIONS)
    assert (record.exec_id, record.source, record.position_idx) == ("a", "ws", 0)
    assert record.fee_e18 == parse_e18("0.33")
    assert desk.feed.counts["known"] > 0


@pytest.mark.parametrize("kind", ["ws_drop", "ws_closed", "ws_swallow", "ws_silence"])
async def test_what_a_gap_hid_comes_from_the_list(
    serve: Serve,
    tmp_path: Path,
    kind: str,
) -> None:
    served = serve()
    async with Desk(served.url, tmp_path, Written()).running() as desk:
        await until(lambda: served.venue.stream.snapshot()["listeners"], "listens")
        served.venue.stream.spoil(kind, 1_000 if kind != "ws_drop" else 0)
        for name in "abc":
            fill(served, name)
        await until(lambda: len(desk.ids) == 3, f"written in spite of {kind}")
    assert desk.ids == ["a", "b", "c"]  # in the venue's order
    assert "rest" in {record.source for record in desk.written.of(EXECUTIONS)}


async def test_a_restart_repeats_a_little_and_misses_nothing(
    serve: Serve,
    tmp_path: Path,
) -> None:
    served, written = serve(), Written()
    async with Desk(served.url, tmp_path, written).running() as desk:
        fill(served, "a")
        await until(lambda: desk.ids, "written")
    fill(served, "b")
    async with Desk(served.url, tmp_path, written).running() as desk:
        await until(lambda: "b" in desk.ids, "written after the restart")
    assert set(desk.ids) == {"a", "b"}
    assert len(desk.ids) <= 3


async def test_the_first_start_begins_now_or_where_it_is_told(
    serve: Serve,
    tmp_path: Path,
) -> None:
    served = serve()
    begun_ms = served.venue.now_ms()
    fill(served, "early", at_ms=begun_ms - 3_600_000)
    async with Desk(served.url, tmp_path / "now", Written()).running() as now:
        fill(served, "later")
        await until(lambda: now.ids, "written")
    assert now.ids == ["later"]
    told = Desk(served.url, tmp_path / "told", Written(), begin_ms=lambda: begun_ms - 7_200_000)
    async with told.running():
        await until(lambda: len(told.ids) == 2, "written")
    assert told.ids == ["early", "later"]
    assert (told.progress.through_ms() or 0) >= begun_ms


async def test_weeks_are_read_in_windows_the_venue_allows(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    now_ms, day_ms = served.venue.now_ms(), 86_400_000
    for days in (20, 14, 7, 1):
        fill(served, f"{days} days", at_ms=now_ms - days * day_ms)
    desk = Desk(served.url, tmp_path, Written(), begin_ms=lambda: now_ms - 21 * day_ms)
    async with desk.running():
        await until(lambda: len(desk.ids) == 4, "all weeks")
    assert desk.ids == ["20 days", "14 days", "7 days", "1 days"]


async def test_a_window_with_too_many_rows_is_halved(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    begin_ms = served.venue.now_ms() - 3_600_000
    rows = PAGES_MAX * 100 + 50
    for number in range(rows):
        fill(served, f"{number:05}", at_ms=begin_ms + number)
    desk = Desk(served.url, tmp_path, Written(), begin_ms=lambda: begin_ms)
    with pytest.raises(TooMany):
        listed(Client(desk.feed.venue), "linear", begin_ms, begin_ms + rows)
    await desk.feed.catch_up()
    assert desk.ids == [f"{number:05}" for number in range(rows)]


async def test_the_mark_stays_where_the_log_refuses(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    broken = Flaky()
    async with Desk(served.url, tmp_path, broken).running() as desk:
        await until(lambda: desk.feed.counts["connected"], "connected")
        broken.away = True
        mark_ms = desk.progress.through_ms()
        fill(served, "a")
        await until(lambda: desk.feed.counts["failed"] > 1, "the log was away")
        assert desk.ids == []
        assert (desk.progress.through_ms() or 0) - (mark_ms or 0) < 60_000
        broken.away = False
        await until(lambda: desk.ids, "written when the log was back")
    assert desk.ids == ["a"]


class Flaky(Written):
    """A log that is away at times."""

    away = False

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        if self.away and topic == EXECUTIONS:
            raise NotWritten("away")
        return await super().write(topic, record, key=key, headers=headers)


async def test_a_silent_feed_is_an_alert_and_lives_again(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    async with Desk(served.url, tmp_path, Written()).running() as desk:
        key = f"feed|bybit:100001|{STREAM}"
        await until(lambda: desk.alert(key), "judged a first time")
        assert desk.alert(key).state == "resolved"
        served.venue.stream.spoil("ws_closed", 60_000)
        firing = await until(
            lambda: (found := desk.alert(key)).state == "firing" and found, "the alert fires"
        )
        assert firing.severity == "critical"
        assert firing.labels == {"account": "bybit:100001", "feed": STREAM}
        age = REGISTRY.get_sample_value(
            "treasury_feed_age_seconds", {"account": "bybit:100001", "feed": STREAM}
        )
        assert age is not None
        assert age > PACE.limit_s
        assert desk.alert(f"feed|bybit:100001|{LIST}").state == "resolved"  # the list still answers
        served.venue.stream.clear()
        await until(lambda: desk.alert(key).state == "resolved", "the alert is over")


async def test_a_wrong_key_is_told_and_nothing_is_written(serve: Serve) -> None:
    served = serve()
    wrong = Venue("bybit:100001", "sandbox-100001", "secret-of-another", served.url)
    with pytest.raises(SocketLost, match="auth refused: error sign!"):
        async with PrivateSocket(wrong, ["execution"], lambda: None):
            raise AssertionError("let in")
    right = Venue("bybit:100001", "sandbox-100001", "secret-100001", served.url)
    with pytest.raises(SocketLost, match=r"subscribe refused: .*topic:gossip"):
        async with PrivateSocket(right, ["gossip"], lambda: None):
            raise AssertionError("subscribed")


def test_where_the_stream_is() -> None:
    assert stream_url("http://127.0.0.1:8080") == "ws://127.0.0.1:8080/v5/private"
    assert stream_url("https://api-testnet.bybit.com").startswith("wss://stream-testnet.bybit.com")


# -- on a venue that says what is documented


class Played:
    """A venue that pushes given messages after the subscription and lists given rows."""

    def __init__(self, pushes: list[Any], listed: dict[str, Any] | None = None) -> None:
        self.pushes, self.listed = pushes, listed
        self.positions: list[Any] = [{"positionIdx": 0, "symbol": "X", "side": "", "size": "0"}]
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if request.path == "/v5/private":
            return await self._stream(request)
        shown: dict[str, Any] = {"list": [], "nextPageCursor": ""}
        if request.path == "/v5/position/list":
            shown["list"] = self.positions
        elif request.path == "/v5/execution/list" and self.listed is not None:
            shown = self.listed["result"]
            if "cursor" in request.path_qs:
                shown = {**shown, "list": [], "nextPageCursor": ""}
        body = {"retCode": 0, "retMsg": "OK", "result": shown, "time": time.time_ns() // 10**6}
        return web.json_response(body)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            op = json.loads(message.data)["op"]
            if op == "subscribe":  # a push may come before the answer
                for push in self.pushes:
                    await socket.send_json(push)
            await socket.send_json({"success": True, "ret_msg": "", "op": op, "conn_id": "c"})
        return socket


@asynccontextmanager
async def played(venue: Played) -> AsyncIterator[Played]:
    server = await asyncio.get_running_loop().create_server(
        web.Server(venue.answer), "127.0.0.1", 0
    )
    venue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield venue
    finally:
        server.close()


async def test_the_documented_messages_become_the_right_records(tmp_path: Path) -> None:
    pushes = [documented.PUSHED_POSITION, documented.PUSHED_WALLET, documented.PUSHED_EXECUTION]
    async with (
        played(Played(pushes, documented.LISTED_EXECUTIONS)) as venue,
        Desk(venue.url, tmp_path, Written()).running() as desk,
    ):
        await until(lambda: len(desk.ids) == 2, "both rows")
    listed, pushed = desk.written.of(EXECUTIONS)
    assert (listed.exec_id, listed.source) == ("e0cbe81d-0f18-5866-9415-cf319b5dab3b", "rest")
    assert (pushed.exec_id, pushed.source) == ("0ab1bdf7-4219-438b-b30a-32ec863018f7", "ws")
    # The pushed position is of leg 2, so the symbol is in hedge mode: a Sell that closes is leg 1.
    assert (listed.position_idx, pushed.position_idx) == (0, 1)
    # The venue's cursor goes back exactly as it came.
    assert any("cursor=132766%3A2%2C132766%3A2" in asked for asked in venue.asked)
    told = desk.alert("extra-fees|bybit:100001")
    assert "0.006403779" in told.text


async def test_a_row_that_cannot_be_read_stops_nothing_else(tmp_path: Path) -> None:
    good = documented.PUSHED_EXECUTION["data"][0]
    rows = [
        {**good, "execId": "bad", "execFee": "1e-30"},
        "no row at all",
        {**good, "execId": "other", "category": "option"},
        {**good, "execId": "good"},
    ]
    push = {**documented.PUSHED_EXECUTION, "data": rows}
    async with (
        played(Played([push])) as venue,
        Desk(venue.url, tmp_path, Written()).running() as desk,
    ):
        await until(lambda: desk.ids, "the good row")
    assert desk.ids == ["good"]
    assert desk.feed.counts["refused"] == 3
    alert = desk.alert("row|bybit:100001|linear|bad")
    assert (alert.state, alert.severity) == ("firing", "critical")
    assert "execFee is '1e-30'" in alert.text
    assert json.loads(alert.labels["raw"]) == rows[0]
    assert "'option'" in desk.alert("row|bybit:100001|option|other").text


async def test_the_mode_of_a_symbol_is_asked_once(tmp_path: Path) -> None:
    venue = Played([documented.PUSHED_EXECUTION])
    venue.positions = [
        {"positionIdx": idx, "symbol": "BTCUSDT", "side": "", "size": "0"} for idx in (1, 2)
    ]
    async with played(venue), Desk(venue.url, tmp_path, Written()).running() as desk:
        await until(lambda: desk.ids, "written")
        reads = desk.feed.counts["read"]
        await until(lambda: desk.feed.counts["read"] > reads + 1, "read again")
    assert desk.written.of(EXECUTIONS)[0].position_idx == 1
    assert sum(ask.startswith("/v5/position/list") for ask in venue.asked) == 1
