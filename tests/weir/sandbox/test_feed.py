"""The sandbox as a process: a hedging day on real Kafka, read back as a stranger would."""

import io
import json
import os
import signal
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pybit.unified_trading import HTTP
from typer.testing import CliRunner

from tests.weir.sandbox.conftest import PATIENCE_S, run_in_thread, until
from weir.registry import LOCK_FILE, Schemas, api
from weir.sandbox.bybit import app
from weir.sandbox.feed import TOPIC, FeedBroken, fetch_schema

PARTITIONS = 8
SCHEMA = next(row for row in Schemas(LOCK_FILE).rows() if row.subject == f"{TOPIC}-value")


@pytest.fixture
def topic(broker: str, fresh_topic_suffix: str) -> str:
    """A topic of this test, made as the catalogue makes the real one."""
    name = f"{TOPIC}-{fresh_topic_suffix}"
    admin = AdminClient({"bootstrap.servers": broker})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(PATIENCE_S)
    return name


@pytest.fixture
def registry(tmp_path: Path, topic: str) -> Iterator[str]:
    """The registry's read side, with the released schema under this test's topic."""
    lock = tmp_path / "lock.json"
    row = {"id": SCHEMA.id, "subject": f"{topic}-value", "version": 1, "schema": SCHEMA.schema}
    lock.write_text(json.dumps([row]))
    server, thread = run_in_thread(api(Schemas(lock)))
    yield server.url
    server.should_exit = True
    thread.join(PATIENCE_S)


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[str]:
    """The venue's process; its address, once it answers."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "weir.sandbox.bybit", "--port-file", str(port_file), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: port_file.exists() or process.poll() is not None, "sandbox ready")
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["event"] == "sandbox_ready"
        assert ready["url"].endswith(f":{port_file.read_text().strip()}")
        yield ready["url"]
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.communicate()


def read_all(broker: str, topic: str) -> list[tuple[int, str, int, dict[str, Any]]]:
    """Partition, key, timestamp and decoded value of every row, by a plain consumer."""
    schema = fastavro.parse_schema(json.loads(SCHEMA.schema))
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": topic, "enable.auto.commit": "false"}
    )
    parts = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
    consumer.assign(parts)
    ends = sum(consumer.get_watermark_offsets(part, PATIENCE_S)[1] for part in parts)
    rows = []
    while len(rows) < ends:
        for message in consumer.consume(500, 0.2):
            assert message.error() is None
            assert struct.unpack(">bI", message.value()[:5]) == (0, SCHEMA.id)
            value = fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schema, None)
            key = message.key().decode()
            rows.append((message.partition(), key, message.timestamp()[1], value))
    consumer.close()
    return rows


def test_a_day_reaches_kafka_as_the_books_have_it(
    broker: str, topic: str, registry: str, tmp_path: Path
) -> None:
    options = ["--bootstrap", broker, "--registry", registry, "--topic", topic, "--hold"]
    options += ["--fills", "400", "--rate", "0", "--duplicates", "0.1", "--seed", "5"]
    with sandbox(tmp_path, *options) as url:
        waiting = httpx.get(f"{url}/sandbox/books").json()["hedger"]
        assert (waiting["on"], waiting["started"], waiting["fills"]) == (True, False, 0)
        httpx.post(f"{url}/sandbox/hedger/start")
        book = until(
            lambda: (b := httpx.get(f"{url}/sandbox/books").json())["hedger"]["done"] and b,
            "hedger done",
        )
        listed = {number: executions(url, number) for number in book["accounts"]}
    hedger = book["hedger"]
    rows = read_all(broker, topic)
    assert hedger["error"] == ""
    assert (hedger["fills"], hedger["planned"]) == (400, 400)
    assert hedger["duplicates"] > 10
    assert hedger["delivered"] == len(rows) == 400 + hedger["funding"] + hedger["duplicates"]

    distinct = {value["exec_id"]: value for _, _, _, value in rows}
    assert len(rows) - len(distinct) == hedger["duplicates"]
    for number, account in book["accounts"].items():
        mine = [v for v in distinct.values() if v["account_id"] == f"bybit:{number}"]
        assert {v["exec_id"] for v in mine} == set(account["executions"]["ids"])
        assert sum(v["fee"] for v in mine) == Decimal(account["pnl"]["fees"]) + Decimal(
            account["pnl"]["funding"]
        )
        size: Counter[str] = Counter()
        for value in mine:
            if value["exec_type"] == "Trade":
                size[value["symbol"]] += value["qty"] * (1 if value["side"] == "Buy" else -1)
        for symbol, position in account["positions"].items():
            assert size[symbol] == Decimal(position["size"])
        for row in listed[number]:
            value = distinct[row["execId"]]
            shown = (value["qty"], value["price"], value["fee"], value["value"], value["side"])
            assert shown == (
                Decimal(row["execQty"]),
                Decimal(row["execPrice"]),
                Decimal(row["execFee"]),
                Decimal(row["execValue"]),
                row["side"],
            )

    assert all(key == value["account_id"] for _, key, _, value in rows)
    assert all(int(value["exec_time"].timestamp() * 1000 + 0.5) == ts for _, _, ts, value in rows)
    assert {key: part for part, key, _, _ in rows} == {
        key: (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS for _, key, _, _ in rows
    }


def test_a_day_that_is_stopped_is_over_with_what_was_traded(
    broker: str, topic: str, registry: str, tmp_path: Path
) -> None:
    options = ["--bootstrap", broker, "--registry", registry, "--topic", topic]
    with sandbox(tmp_path, *options, "--fills", "100000", "--rate", "200") as url:
        until(lambda: httpx.get(f"{url}/sandbox/books").json()["hedger"]["fills"] > 10, "trading")
        httpx.post(f"{url}/sandbox/hedger/stop").raise_for_status()
        book = until(
            lambda: (b := httpx.get(f"{url}/sandbox/books").json())["hedger"]["done"] and b,
            "hedger done",
        )
    hedger = book["hedger"]
    traded = sum(account["counts"]["executions"] for account in book["accounts"].values())
    assert 10 < hedger["fills"] < 100000
    assert hedger["delivered"] == traded == hedger["fills"] + hedger["funding"]


def executions(url: str, number: str) -> list[dict[str, Any]]:
    """Every execution of an account by the venue's own list, page after page."""
    client = HTTP(api_key=f"sandbox-{number}", api_secret=f"secret-{number}")
    client.endpoint = url
    rows: list[dict[str, Any]] = []
    cursor = ""
    while cursor or not rows:
        answer = client.get_executions(category="linear", limit=100, cursor=cursor)["result"]
        rows += answer["list"]
        cursor = answer["nextPageCursor"]
        if not cursor:
            break
    return rows


def murmur2(data: bytes) -> int:
    """Kafka's own hash of a key, from its definition."""
    magic, mask = 0x5BD1E995, 0xFFFFFFFF
    value = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * magic & mask
        part = (part ^ part >> 24) * magic & mask
        value = (value * magic & mask) ^ part
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * magic & mask
    value = (value ^ value >> 13) * magic & mask
    return value ^ value >> 15


def test_a_registry_that_is_away_is_named() -> None:
    with pytest.raises(FeedBroken, match=r"no schema at http://127.0.0.1:1/subjects/hedge-exec"):
        fetch_schema("http://127.0.0.1:1", wait_s=0)


def test_a_broken_feed_ends_the_day_and_leaves_the_venue(tmp_path: Path, serve: Any) -> None:
    nowhere = serve().url
    options = ["--bootstrap", "127.0.0.1:1", "--registry", nowhere, "--registry-wait-s", "0"]
    with sandbox(tmp_path, *options) as url:
        hedger = until(
            lambda: (h := httpx.get(f"{url}/sandbox/books").json()["hedger"])["done"] and h,
            "hedger gave up",
        )
    assert f"no schema at {nowhere}" in hedger["error"]
    assert hedger["fills"] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--bootstrap", "127.0.0.1:1"), "needs both --bootstrap and --registry"),
        (("--prices", "none.csv"), "none.csv"),
        (("--ltv", "52"), "--ltv is a ratio between 0 and 1, not '52'"),
        (("--unified", "1e6"), "1e6"),
        (("--settle-ms", "-1"), "--settle-ms is at least 0"),
    ],
)
def test_options_that_make_no_sense(options: tuple[str, ...], says: str) -> None:
    ended = CliRunner().invoke(app, options)
    assert ended.exit_code == 2
    assert says in ended.output
