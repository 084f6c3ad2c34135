"""What is written outside a transaction lies where the contract says, or its writer is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.controls import TOPIC, Controls, Reading
from agents.outside import NotWritten, Outside
from agents.wiring import partition_of
from schemas.records import AttemptRecord, Control, DeskInput, Request, UsdRate
from schemas.wire import SchemaIds, Unencodable, Wire
from weir.topics import ensure

P = 8
ATTEMPTS, DESK = "treasury.attempts.v1", "treasury.desk-inputs.v1"


@pytest.fixture
def wire() -> Wire:
    return Wire(SchemaIds.from_lock())


@pytest.fixture(scope="module")
def topics(broker: str) -> str:
    """The broker with the topics of these tests."""
    ensure(broker, P, 1)
    return broker


def attempt(name: str) -> AttemptRecord:
    return AttemptRecord(name, "i1", "main", 1, "RESULT", 1_760_000_000_000, class_="unknown")


async def test_a_record_lies_where_its_contract_says(
    topics: str, wire: Wire, fresh_topic_suffix: str
) -> None:
    outside = Outside(topics, wire, P)
    lane = f"bybit|bybit:{fresh_topic_suffix}|USDT"
    names = [f"a{number}" for number in range(20)]
    offsets = await asyncio.gather(
        *(outside.write(ATTEMPTS, attempt(one), key=lane, headers={"x": "y"}) for one in names)
    )
    await outside.close()
    assert len(set(offsets)) == len(names)
    partition = partition_of(lane, P)
    reader = Consumer({"bootstrap.servers": topics, "group.id": fresh_topic_suffix})
    reader.assign([TopicPartition(ATTEMPTS, partition, min(offsets))])
    found = [
        message for message in reader.consume(len(names), 10) if message.key() == lane.encode()
    ]
    reader.close()
    assert [wire.decode(ATTEMPTS, one.value()).attempt_id for one in found] == names
    assert {one.timestamp()[1] for one in found} == {1_760_000_000_000}
    assert found[0].headers() == [("x", b"y")]


async def test_the_key_follows_the_record(topics: str, wire: Wire) -> None:
    outside = Outside(topics, wire, P)
    rate = DeskInput(body=UsdRate("USDT", 10**18, 1_760_000_000_000))
    assert await outside.write(DESK, rate) >= 0
    with pytest.raises(ValueError, match="does not name its key"):
        await outside.write(ATTEMPTS, attempt("a"))
    await outside.close()


async def test_a_broker_that_is_away_is_an_error(wire: Wire) -> None:
    outside = Outside("127.0.0.1:9", wire, P, {"message.timeout.ms": 500, "log_level": 0})
    with pytest.raises(NotWritten, match=ATTEMPTS):
        await outside.write(ATTEMPTS, attempt("a"), key="lane")


async def test_a_record_of_another_topic_is_not_written(topics: str, wire: Wire) -> None:
    outside = Outside(topics, wire, P)
    with pytest.raises(Unencodable, match="AttemptRecord"):
        await outside.write(ATTEMPTS, Request("r", "CANCEL", {}, (), ""), key="lane")
    await outside.close()


def control(epoch: int, scope: str = "all") -> Control:
    return Control(scope, "PAUSED", epoch, "test", ("ann",), (), 1_760_000_000_000)


async def until(controls: Controls, seen: Callable[[Reading], bool]) -> Reading:
    """The first reading of which this holds."""
    async with asyncio.timeout(15):
        while not seen(controls.reading()):  # noqa: ASYNC110 a thread tells nobody
            await asyncio.sleep(0.02)
    return controls.reading()


async def test_controls_are_read_to_the_end_and_stay_fresh(topics: str, wire: Wire) -> None:
    outside = Outside(topics, wire, P)
    await outside.write(TOPIC, control(5))
    await outside.write(TOPIC, control(3, "class:loan"))
    Producer({"bootstrap.servers": topics}).produce(TOPIC, b"not a record", key=b"all")
    controls = Controls(topics, wire)
    assert controls.reading().age_s == float("inf")
    controls.start()
    try:
        await until(controls, lambda reading: reading.epoch == 5 and reading.age_s < 5)
        producer = Producer({"bootstrap.servers": topics, "transactional.id": "test-controls"})
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce(TOPIC, wire.encode(TOPIC, control(99)), key=b"all")
        producer.flush(10)
        assert controls.reading().epoch == 5, "nothing of an open transaction counts"
        producer.abort_transaction()
        await outside.write(TOPIC, control(6))
        await until(controls, lambda reading: reading.epoch == 6)
        for _ in range(3):  # an end that does not move is read again and again
            await until(controls, lambda reading: reading.age_s > 0.3)
            await until(controls, lambda reading: reading.age_s < 0.3)
    finally:
        controls.stop()
        await outside.close()


def test_controls_without_a_broker_are_never_fresh(wire: Wire) -> None:
    controls = Controls("127.0.0.1:9", wire, {"log_level": 0})
    controls.start()
    controls.stop()
    assert controls.reading() == (0, float("inf"), False, ())
