"""The tax report reads what is valid on the topic, and only that."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.jsonform import to_json
from schemas.policy import Policy, canonical
from schemas.records import LotEvent
from schemas.topics import BY_NAME, key_of
from schemas.wire import SchemaIds, Wire
from tests.streams.late_world import LateWorld
from weir import report
from weir.consume import consume
from weir.topics import ensure

pytestmark = pytest.mark.req("000-65")

WIRE = Wire(SchemaIds.from_lock())
TOPIC = BY_NAME[report.TAX_LOTS]
DAY = """
    fill f1 buy  1 at 100 exec=+1s
    fill f2 buy  1 at 130 exec=+2s
    fill f3 buy  1 at 110 exec=+3s
    fill f4 sell 1 at 120 exec=+4s
"""
GAINS = {"FIFO": "20", "LIFO": "10", "HIFO": "-10", "ACB": "6.666666666666666667"}


class Topic(LateWorld):
    """A book whose lot events are kept in the order of the topic."""

    def __init__(self) -> None:
        self.lots: list[LotEvent] = []
        super().__init__()

    def send(self, node: str, topic: str, *rest: Any) -> None:
        super().send(node, topic, *rest)
        self.lots += self.said("lot")


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    """A broker that holds the lots of DAY, restated by one more late fill."""
    ensure(broker, 8, 1)
    world = Topic().play(DAY + "fill f0 buy 1 at 90 exec=+0s\n")
    producer = Producer({"bootstrap.servers": broker, "log_level": 0})
    for event in world.lots:
        data = WIRE.encode(TOPIC.name, event)
        producer.produce(TOPIC.name, data, key_of(TOPIC, event), 0)
    assert producer.flush(30) == 0
    return broker


def lines(world: Topic) -> list[dict]:
    return [{"value": to_json(event)} for event in world.lots]


@pytest.mark.parametrize("method", report.METHODS)
def test_the_worked_example(method: str) -> None:
    (row,) = report.tax(lines(Topic().play(DAY)), 2025, method)
    assert (row["gain"], row["method"], row["holding_days"]) == (GAINS[method], method, 0)
    assert (row["opened"], row["closed"], row["proceeds"]) == ("2025-06-11", "2025-06-11", "120")


def test_what_was_restated_counts_once_and_as_it_stands() -> None:
    world = Topic().play(DAY + "fill f0 buy 1 at 90 exec=+0s\n")
    (row,) = report.tax(lines(world), 2025, "FIFO")
    assert (row["gain"], row["lot"]) == ("30", "linear|BTCUSDT|0|f0")
    assert report.total([row]) == {"USDT": "30"}


def test_year_and_account_choose() -> None:
    world = Topic().play("""
        at   +210d
        fill f1 buy  1 at 100 exec=+1s
        fill f2 sell 1 at 120 exec=+5d
        fill f3 buy  1 at 100 exec=+203d
        fill f4 sell 1 at 130 exec=+210d
    """)
    said = lines(world)
    assert [row["gain"] for row in report.tax(said, 2025, "FIFO")] == ["20"]
    (row,) = report.tax(said, 2026, "ACB", "bybit:12345678")
    assert (row["closed"], row["holding_days"], row["gain"]) == ("2026-01-07", 7, "30")
    assert report.tax(said, 2026, "ACB", "bybit:1") == []


def test_the_policy_names_the_method() -> None:
    assert report.preferred([]) == "ACB"
    body = canonical(Policy.model_validate({"allocation": {"lot_method": "HIFO"}}))
    said = [{"value": {"body": body}}, {"value": {"body": '{"name": 1}'}}]
    assert report.preferred(said) == "HIFO"


def test_csv() -> None:
    out = io.StringIO()
    report.write(report.tax(lines(Topic().play(DAY)), 2025, "ACB"), out)
    assert out.getvalue().splitlines() == [
        ",".join(report.COLUMNS),
        "bybit:12345678,BTCUSDT,ACB,2025-06-11,2025-06-11,0,1,120,113.333333333333333333,"
        "6.666666666666666667,USDT,linear|BTCUSDT|0,f4",
    ]


def test_from_the_command_line(kafka: str, tmp_path: Path) -> None:
    assert len(report.tax(consume(kafka, TOPIC.name, WIRE), 2025, "LIFO")) == 1
    words = ["report", "tax", "--year", "2025", "--method", "LIFO", f"{tmp_path}/tax.csv"]
    done = subprocess.run(
        [sys.executable, "-m", "weir.cli", "--bootstrap", kafka, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.strip() == "1 closed lots of 2025 by LIFO: 10 USDT"
    assert (tmp_path / "tax.csv").read_text().count("\n") == 2
