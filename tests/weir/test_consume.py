"""`weir consume`: committed records only, from where and until when one asks."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.jsonform import to_json
from schemas.topics import BY_NAME
from schemas.wire import SchemaIds, Wire
from tests.schemas.examples import EXECUTION
from weir.consume import consume, printed
from weir.errors import WeirError
from weir.examples import example_line
from weir.home import Home
from weir.kafka import Broker
from weir.produce import produce
from weir.topics import ensure

WIRE = Wire(SchemaIds.from_lock())
TOPIC = "hedge-executions"
CONTROLS = "treasury.controls.v1"  # one partition, so its order is the order of sending


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    ensure(broker, 8, 1)
    return broker


def control(scope: str, at: str) -> str:
    value = example_line(BY_NAME[CONTROLS])["value"] | {"scope": scope, "at": at}
    return json.dumps({"value": value})


def scopes(lines: Any) -> list[str]:
    return [line["key"] for line in lines]


def test_from_and_until(kafka: str, fresh_topic_suffix: str) -> None:
    names = [f"account:{fresh_topic_suffix}-{n}" for n in range(4)]
    times = [f"2031-01-01T00:00:0{n}.000Z" for n in range(4)]
    before = len(list(consume(kafka, CONTROLS, WIRE)))
    produce(kafka, CONTROLS, map(control, names, times), WIRE)
    whole = list(consume(kafka, CONTROLS, WIRE))
    assert scopes(whole)[before:] == names
    place = str(whole[before + 2]["offset"])
    assert scopes(consume(kafka, CONTROLS, WIRE, start=place)) == names[2:]
    assert scopes(consume(kafka, CONTROLS, WIRE, start=place, until="1")) == names[2:3]
    assert scopes(consume(kafka, CONTROLS, WIRE, start=times[3])) == names[3:]
    assert (
        scopes(consume(kafka, CONTROLS, WIRE, start="2031-01-01T01:00:03.000+01:00")) == names[3:]
    )
    assert scopes(consume(kafka, CONTROLS, WIRE, start="latest")) == []
    assert scopes(consume(kafka, CONTROLS, WIRE, start="99999999")) == []
    assert scopes(consume(kafka, CONTROLS, WIRE, start="2090-01-01T00:00:00.000Z")) == []


def test_only_what_is_committed_and_the_end_past_transaction_markers(
    kafka: str, fresh_topic_suffix: str
) -> None:
    writer = Producer({"bootstrap.servers": kafka, "transactional.id": fresh_topic_suffix})
    writer.init_transactions(30)
    data = WIRE.encode(TOPIC, EXECUTION)
    for number, committed in enumerate((True, False, True)):
        writer.begin_transaction()
        writer.produce(TOPIC, data, f"{fresh_topic_suffix}-{number}".encode(), partition=7)
        if committed:
            writer.commit_transaction(30)
        else:
            writer.flush(30)
            writer.abort_transaction(30)
    found = [
        line["key"]
        for line in consume(kafka, TOPIC, WIRE, timeout_s=30)
        if line["key"].startswith(fresh_topic_suffix)
    ]
    assert found == [f"{fresh_topic_suffix}-0", f"{fresh_topic_suffix}-2"]


def test_a_count_waits_and_a_time_out_says_what_came(kafka: str) -> None:
    began = time.monotonic()
    with pytest.raises(WeirError, match=r"0 records within 0\.5 s, not 3 records"):
        list(consume(kafka, CONTROLS, WIRE, start="latest", until="3", timeout_s=0.5))
    assert time.monotonic() - began < 10


def test_without_end_it_can_be_left(kafka: str, fresh_topic_suffix: str) -> None:
    produce(kafka, CONTROLS, [control(fresh_topic_suffix, "2031-02-01T00:00:00.000Z")], WIRE)
    with closing(consume(kafka, CONTROLS, WIRE, until="never", timeout_s=30)) as lines:
        assert next(lines)["topic"] == CONTROLS


def test_what_no_contract_reads_is_shown_as_it_is(kafka: str, fresh_topic_suffix: str) -> None:
    foreign = Producer({"bootstrap.servers": kafka})
    foreign.produce("treasury.approvals.v1", b"plain \xff", fresh_topic_suffix.encode())
    foreign.produce("treasury.approvals.v1", b"no key")
    assert foreign.flush(30) == 0
    found = list(consume(kafka, "treasury.approvals.v1", WIRE))
    values = {line["key"]: line["value"] for line in found}
    assert values[fresh_topic_suffix] == {"base64": "cGxhaW4g/w=="}
    assert None in values


@pytest.mark.parametrize(
    ("start", "until", "message"),
    [
        ("noon", "end", "--from noon: must be earliest, latest, an offset or an ISO-8601 time"),
        ("2031-01-01T00:00:00", "end", "--from 2031-01-01T00:00:00: must be"),
        ("-5", "end", "--from -5: must be"),
        ("earliest", "soon", "--until soon: must be `end`, `never` or a number of records"),
        ("earliest", "0", "--until 0: must be"),
    ],
)
def test_what_cannot_be_asked(kafka: str, start: str, until: str, message: str) -> None:
    with pytest.raises(WeirError, match=message):
        list(consume(kafka, CONTROLS, WIRE, start=start, until=until))


def test_a_broker_that_goes_away_is_one_sentence(home: Home) -> None:
    own = Broker(home)
    address = own.up(attached=True)
    try:
        ensure(address, 1, 1)
        produce(address, CONTROLS, [control("all", "2031-02-01T00:00:00.000Z")], WIRE)
        with closing(consume(address, CONTROLS, WIRE, until="never")) as lines:
            assert next(lines)["key"] == "all"
            own.down()
            with pytest.raises(WeirError, match=f"Kafka at {address} does not answer"):
                next(lines)
    finally:
        own.down(wipe=True)


def test_for_the_eye() -> None:
    line = {"partition": 1, "offset": 2, "timestamp": "t", "key": "k", "value": to_json(EXECUTION)}
    assert printed(line, as_json=False).startswith("1:2  t  k  {")
    assert "null" not in printed(line, as_json=False)
    assert json.loads(printed(line, as_json=True)) == line
