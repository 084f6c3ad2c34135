"""Programs that know nothing of Weir read its topics: kcat, and a plain Kafka client with the
registry's address.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import fastavro
import httpx
import pytest
from confluent_kafka import Consumer, Producer

from tests.weir.day import WORKED, Day
from tests.weir.rig import until

PNL, ALLOCATIONS, CONTROLS = (
    "treasury.pnl.v1",
    "treasury.allocations.v1",
    "treasury.controls.v1",
)


@pytest.fixture(scope="module")
def kcat() -> str:
    found = shutil.which("kcat")
    if found is None:
        pytest.fail("kcat is missing; on Debian: apt-get install kcat", pytrace=False)
    return found


def listed(kcat: str, day: Day, topic: str, *options: str) -> list[dict[str, Any]]:
    """What `kcat` prints of a topic up to its end, as JSON envelopes."""
    words = (kcat, "-C", "-q", "-e", "-J", "-b", day.rig.bootstrap, "-t", topic, "-o", "beginning")
    done = subprocess.run(
        [*words, *options], capture_output=True, check=True, timeout=60, encoding="latin-1"
    )
    return [json.loads(line, strict=False) for line in done.stdout.split("\n") if line]


def places(rows: Iterable[dict[str, Any]]) -> set[tuple[int, int]]:
    """Partition and offset of each record."""
    return {(row["partition"], row["offset"]) for row in rows}


def plain_client(day: Day, topic: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and value of every committed record, by schemas fetched by their id."""

    @cache
    def schema(schema_id: int) -> Any:
        answer = httpx.get(f"{day.rig.registry}/schemas/ids/{schema_id}").raise_for_status()
        return fastavro.parse_schema(json.loads(answer.json()["schema"]))

    consumer = Consumer(
        {
            "bootstrap.servers": day.rig.bootstrap,
            "group.id": "a-foreign-service",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    ended: set[int] = set()
    partitions = len(consumer.list_topics(topic).topics[topic].partitions)
    try:
        while len(ended) < partitions:
            message = consumer.poll(20)
            assert message is not None
            if message.error():
                ended.add(message.partition())
                continue
            raw = message.value()
            writer = schema(int.from_bytes(raw[1:5], "big"))
            yield (
                message.key().decode(),
                fastavro.schemaless_reader(io.BytesIO(raw[5:]), writer, None),
            )
    finally:
        consumer.close()


def test_kcat_reads_keys_and_headers(kcat: str, day: Day) -> None:
    day.settled()
    decided = listed(kcat, day, ALLOCATIONS)
    assert decided
    accounts = {f"bybit:{number}" for number in day.sandbox.accounts}
    assert {row["key"] for row in decided} & accounts
    for row in decided:
        headers = dict(zip(row["headers"][::2], row["headers"][1::2], strict=True))
        assert headers["treasury.mode"] == "live"
        assert row["payload"].startswith("\0\0\0")
    lines = day.rig.weir("consume", ALLOCATIONS, "--json").stdout.splitlines()
    ours = places(map(json.loads, lines))
    # The workers still decide: what kcat saw before is there, and nothing kcat does not see after.
    assert places(decided) <= ours <= places(listed(kcat, day, ALLOCATIONS))


def test_kcat_counts_what_is_committed_and_no_more(kcat: str, day: Day) -> None:
    day.settled()
    before = len(listed(kcat, day, PNL))
    assert before == len(day.rig.lines(PNL))
    aborted = Producer({"bootstrap.servers": day.rig.bootstrap, "transactional.id": "foreign"})
    aborted.init_transactions(30)
    aborted.begin_transaction()
    aborted.produce(PNL, b"never", b"bybit:nobody", partition=0)
    aborted.flush(30)
    aborted.abort_transaction(30)
    assert len(listed(kcat, day, PNL)) == before
    everything = listed(kcat, day, PNL, "-X", "isolation.level=read_uncommitted")
    assert len(everything) > before
    assert "bybit:nobody" in {row["key"] for row in everything}


@pytest.mark.req("000-24", "000-34")
def test_a_client_that_knows_only_the_registry_reads_the_right_values(day: Day) -> None:
    books = day.settled()
    pnl: dict[str, list[dict[str, Any]]] = {}
    for key, value in plain_client(day, PNL):
        assert key == value["account_id"]
        pnl.setdefault(key, []).append(value)
    worked = until(lambda: pnl[WORKED] if len(pnl[WORKED]) == 6 else [], "six rows")
    assert [row["realised_total"] for row in worked] == [
        Decimal(text).quantize(Decimal("1e-18"))
        for text in ("-0.12", "-0.198", "44.676", "14.541", "14.491", "24.451")
    ]
    assert worked[2]["gross_pnl"] == Decimal(45)
    assert worked[0]["timestamp"].tzinfo is not None
    for account in books["accounts"].values():
        last = pnl[account["account_id"]][-1]
        venue = Decimal(account["pnl"]["realised_exact"])
        assert abs(last["realised_total"] - venue) < Decimal("1e-12")


@pytest.mark.req("000-19", "000-20", "000-22", "000-24")
def test_the_allocations_it_reads_follow_the_rule(day: Day) -> None:
    day.settled()
    factors = {
        "ltv_risk_reduction": {Decimal("0.95"), Decimal("0.93")},  # the new policy's f_high
        "interest_optimization": {Decimal("0.90")},
        "yield_optimization": {Decimal("0.90")},
        "balanced_allocation": {Decimal("0.90")},
    }
    acted = 0
    for _, value in plain_client(day, ALLOCATIONS):
        if value["action"] == "hold":
            assert value["intent_ids"] == []
            continue
        acted += 1
        assert value["factor"] in factors[value["reason"]]
        parts = [value[name] for name in ("amount", "repay_amount", "collateral_amount")]
        asked = sum(part for part in parts if part is not None)
        wanted = value["available"] * value["factor"]
        assert wanted - asked - value["clipped"] < Decimal("0.0002")  # two amounts of four places
        assert asked <= wanted
    assert acted >= 2
