"""A hedging day that only the feed writes: connections break, pushes are lost, answers fail, the
feed dies and starts again. What lies on the topic is what the venue executed, row by row.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from pybit.unified_trading import HTTP

from agents.connectors.bybit import Venue
from agents.feeds.alerts import Alerts
from agents.feeds.executions import TOPIC, ExecutionsFeed, Pace
from agents.feeds.health import Health
from agents.feeds.progress import Progress, mark_file, newest_written_ms
from agents.outside import Outside
from schemas.money import text_e18
from schemas.records import HedgeExecution
from schemas.wire import SchemaIds, Wire
from tests.agents.test_feed_executions import until
from tests.weir.sandbox.test_feed import sandbox
from weir.topics import ensure

P = 8
FILLS, ACCOUNTS = 2500, 3
PACE = Pace(backfill_s=1.0, overlap_ms=3_000, ping_s=0.2, silent_s=0.6, limit_s=5.0)
WIRE = Wire(SchemaIds.from_lock())


@pytest.fixture(scope="module")
def executions(broker: str) -> dict[int, int]:
    """Where each partition of the topic ends before the test."""
    ensure(broker, P, 1)
    reader = Consumer({"bootstrap.servers": broker, "group.id": "ends"})
    ends: dict[int, int] = {}
    deadline = time.monotonic() + 30
    while len(ends) < P:
        assert time.monotonic() < deadline, f"{TOPIC} has no leaders"
        with contextlib.suppress(KafkaException):  # a topic that was made just now
            place = TopicPartition(TOPIC, len(ends))
            ends[len(ends)] = reader.get_watermark_offsets(place, timeout=10)[1]
    reader.close()
    return ends


def on_the_log(broker: str, begins: dict[int, int]) -> list[HedgeExecution]:
    """All rows since then, in the order of their partition."""
    reader = Consumer({"bootstrap.servers": broker, "group.id": "rows"})
    found = []
    for number, begin in begins.items():
        place = TopicPartition(TOPIC, number, begin)
        end = reader.get_watermark_offsets(place, timeout=10)[1]
        reader.assign([place])
        while begin < end:
            for message in reader.consume(min(1000, end - begin), 10):
                assert message.error() is None
                record = WIRE.decode(TOPIC, message.value())
                assert message.key() == record.account_id.encode()
                assert message.timestamp()[1] == record.exec_time_ms
                found.append(record)
                begin = message.offset() + 1
    reader.close()
    return found


def at_the_venue(url: str, number: str) -> dict[str, dict[str, Any]]:
    """What the venue lists of an account, page by page."""
    client = HTTP(api_key=f"sandbox-{number}", api_secret=f"secret-{number}", max_retries=3)
    client.endpoint = url
    rows: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = client.get_executions(category="linear", limit=100, cursor=cursor)["result"]
        rows |= {row["execId"]: row for row in page["list"]}
        cursor = page["nextPageCursor"]
        if not cursor:
            return rows


class Life:
    """The feeds of all accounts as one process would run them, until they are cut off."""

    def __init__(self, broker: str, url: str, home: Path) -> None:
        self._broker, self._url, self._home = broker, url, home
        self.feeds: list[ExecutionsFeed] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        outside = Outside(self._broker, WIRE, P)
        alerts = Alerts(outside)
        health = Health(alerts)
        self.feeds = [
            ExecutionsFeed(
                Venue(f"bybit:{n}", f"sandbox-{n}", f"secret-{n}", self._url, timeout_s=2.0),
                outside,
                Progress(mark_file(self._home, f"bybit:{n}")),
                alerts,
                health,
                pace=PACE,
            )
            for n in range(100_001, 100_001 + ACCOUNTS)
        ]
        tasks = [asyncio.create_task(feed.run(asyncio.Event())) for feed in self.feeds]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()  # in the middle of whatever it does
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended


async def spoil(http: httpx.AsyncClient, path: str, kind: str, **more: Any) -> None:
    answer = await http.post("/sandbox/faults", json={"path": path, "kind": kind, **more})
    answer.raise_for_status()


async def test_the_log_is_what_the_venue_executed(
    broker: str, executions: dict[int, int], tmp_path: Path
) -> None:
    options = ("--feed", "venue", "--hold", "--accounts", str(ACCOUNTS))
    day = ("--fills", str(FILLS), "--rate", "250", "--seed", "7")
    with sandbox(tmp_path, *options, *day) as url:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            life = Life(broker, url, tmp_path)
            async with life.running():
                await until(lambda: all(f.counts["read"] for f in life.feeds), "feeds began")
                (await http.post("/sandbox/hedger/start")).raise_for_status()
            lives = await _troubled_day(life, http)
            whole = (await http.get("/sandbox/books")).json()
            ids = {
                f"bybit:{number}": set(account["executions"]["ids"])
                for number, account in whole["accounts"].items()
            }
            async with life.running():
                wanted = sum(map(len, ids.values()))
                deadline = time.monotonic() + 60
                while len(_unique(on_the_log(broker, executions))) < wanted:
                    assert time.monotonic() < deadline, "rows are missing on the log"
                    await asyncio.sleep(0.2)
            limits = (await http.get("/sandbox/books?brief=true")).json()["limits"]
        rows = on_the_log(broker, executions)
        listed = {number: at_the_venue(url, number) for number in whole["accounts"]}
    _judge(rows, ids, listed)
    assert lives >= 3
    assert limits["refused"] == {}  # the venue's limits were kept all day
    stream = whole["stream"]
    assert stream["swallowed"] > 0
    assert stream["connected"] > 3 * ACCOUNTS
    newest = newest_written_ms(broker, WIRE, "bybit:100001", P)
    assert newest == max(r.exec_time_ms for r in rows if r.account_id == "bybit:100001")


async def _troubled_day(life: Life, http: httpx.AsyncClient) -> int:
    """Restarts the feeds until the day is over, while things go wrong; how many lives it took."""
    troubles = itertools.cycle(
        (
            ("/v5/private", "ws_drop", {}),
            ("/v5/private", "ws_swallow", {"delay_ms": 400}),
            ("/v5/execution/list", "http_500_after", {"times": 2}),
            ("/v5/private", "ws_closed", {"delay_ms": 500}),
            ("/v5/execution/list", "drop_after", {"times": 2}),
            ("/v5/private", "ws_silence", {"delay_ms": 900}),
            ("/v5/market/time", "bad_json_after", {}),
        )
    )
    for lives in itertools.count(1):
        async with life.running():
            for path, kind, more in itertools.islice(troubles, 3):
                await spoil(http, path, kind, **more)
                before = sum(feed.counts["written"] for feed in life.feeds)
                await _written_more(life, http, before + 60)
            status = (await http.get("/sandbox/books?brief=true")).json()["hedger"]
            if status["done"]:
                return lives
    raise AssertionError("unreachable")


async def _written_more(life: Life, http: httpx.AsyncClient, count: int) -> None:
    """Waits for rows to be written in spite of the trouble, or for the end of the day."""
    deadline = time.monotonic() + 30
    while sum(feed.counts["written"] for feed in life.feeds) < count:
        if (await http.get("/sandbox/books?brief=true")).json()["hedger"]["done"]:
            return
        assert time.monotonic() < deadline, "the feeds write nothing"
        await asyncio.sleep(0.1)


def _unique(rows: list[HedgeExecution]) -> set[tuple[str, str]]:
    return {(row.account_id, row.exec_id) for row in rows}


def _judge(
    rows: list[HedgeExecution],
    ids: dict[str, set[str]],
    listed: dict[str, dict[str, dict[str, Any]]],
) -> None:
    assert _unique(rows) == {(account, one) for account, each in ids.items() for one in each}
    for row in rows:
        venue = listed[row.account_id.removeprefix("bybit:")][row.exec_id]
        assert (row.symbol, row.side, row.exec_type) == (
            venue["symbol"],
            venue["side"],
            venue["execType"],
        )
        for mine, theirs in (
            (row.qty_e18, "execQty"),
            (row.price_e18, "execPrice"),
            (row.fee_e18, "execFee"),
            (row.value_e18, "execValue"),
            (row.closed_size_e18, "closedSize"),
            (row.mark_price_e18, "markPrice"),
        ):
            assert mine is not None
            assert Decimal(text_e18(mine)) == Decimal(venue[theirs]), theirs
        assert (row.exec_time_ms, row.seq) == (int(venue["execTime"]), venue["seq"])
        assert (row.fee_ccy, row.settle_ccy, row.position_idx) == ("USDT", "USDT", 0)
