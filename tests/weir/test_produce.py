"""`weir produce`: all lines are checked before any is sent; what is sent lies where it must."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Producer

from schemas.jsonform import to_json
from schemas.records import BookInput, Freeze, PolicyCopy
from schemas.topics import BY_NAME
from schemas.wire import SchemaIds, Wire
from tests.schemas.examples import EXECUTION
from tests.schemas.test_topics import POSITION
from weir.consume import consume
from weir.errors import WeirError
from weir.examples import example_line
from weir.produce import check, lines_of, partition_of, produce
from weir.topics import ensure

WIRE = Wire(SchemaIds.from_lock())
TOPIC = "hedge-executions"


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    ensure(broker, 8, 1)
    return broker


def line(**changes: Any) -> str:
    content: dict[str, Any] = {"value": to_json(EXECUTION)}
    content["value"] |= {k: v for k, v in changes.items() if k in content["value"]}
    content |= {k: v for k, v in changes.items() if k not in content["value"]}
    return json.dumps(content)


def mine(kafka: str, topic: str, key: str) -> list[dict[str, Any]]:
    return [found for found in consume(kafka, topic, WIRE) if found["key"] == key]


def test_keys_and_times_are_derived(kafka: str, fresh_topic_suffix: str) -> None:
    account = f"bybit:{fresh_topic_suffix}"
    lines = [line(account_id=account, exec_id=f"e{n}") for n in range(3)]
    assert produce(kafka, TOPIC, [*lines, "", "  \n"], WIRE) == 3
    found = mine(kafka, TOPIC, account)
    assert [f["value"]["exec_id"] for f in found] == ["e0", "e1", "e2"]
    assert {f["timestamp"] for f in found} == {"2025-12-01T09:30:00.250Z"}
    assert {f["partition"] for f in found} == {(murmur2(account.encode()) & 0x7FFFFFFF) % 8}


def test_key_time_and_headers_as_given(kafka: str, fresh_topic_suffix: str) -> None:
    account = f"bybit:{fresh_topic_suffix}"
    odd = {"base64": base64.b64encode(b"\xff\0").decode()}
    headers = {"treasury.mode": "paper", "twice": ["a", "b"], "odd": odd, "none": None}
    stamped = "1999-12-31T23:59:59.999Z"
    given = line(account_id=account, key=account, timestamp=stamped, headers=headers)
    assert produce(kafka, TOPIC, [given], WIRE) == 1
    (found,) = mine(kafka, TOPIC, account)
    assert found["headers"] == headers
    assert found["timestamp"] == stamped


def test_what_was_consumed_can_be_produced(kafka: str, fresh_topic_suffix: str) -> None:
    account = f"bybit:{fresh_topic_suffix}"
    produce(kafka, TOPIC, [line(account_id=account, headers={"a": "b"})], WIRE)
    (first,) = mine(kafka, TOPIC, account)
    produce(kafka, TOPIC, [json.dumps(first)], WIRE)
    again = mine(kafka, TOPIC, account)[1]
    assert again.pop("offset") > first.pop("offset")
    assert again == first


def test_a_position_lies_with_its_account(kafka: str, fresh_topic_suffix: str) -> None:
    account = f"bybit:{fresh_topic_suffix}"
    value = to_json(POSITION) | {"account_id": account}
    produce(kafka, "treasury.positions.v1", [json.dumps({"value": value})], WIRE)
    (found,) = mine(kafka, "treasury.positions.v1", f"{account}|BTCUSDT|0")
    assert found["partition"] == partition_of(account, 8)


def test_a_copy_goes_where_it_is_told(kafka: str, fresh_topic_suffix: str) -> None:
    copy = PolicyCopy(name=fresh_topic_suffix, version=1, hash="", body="{}")
    value = to_json(BookInput(body=copy))
    topic = "treasury.book-inputs.v1"
    lines = [json.dumps({"value": value, "partition": n}) for n in (5, 2)]
    assert produce(kafka, topic, lines, WIRE) == 2
    found = [f for f in mine(kafka, topic, "@partition") if f["value"] == value]
    assert sorted(f["partition"] for f in found) == [2, 5]
    with pytest.raises(WeirError, match="partition: None must be a partition"):
        produce(kafka, topic, [json.dumps({"value": value})], WIRE)
    with pytest.raises(WeirError, match="partition: 8 is not below 8"):
        produce(kafka, topic, [json.dumps({"value": value, "partition": 8})], WIRE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (line(price="1e30"), r"line 2: value.price: '1e30' is too large"),
        (line(side="buy"), r"line 2: value.side: 'buy' must be one of Buy, Sell"),
        (line(key="bybit:9"), r"line 2: key: 'bybit:9' contradicts .* 'bybit:12345678'"),
        (line(key=7), r"line 2: key: 7 must be text"),
        (line(topic="treasury.pnl.v1"), r"line 2: topic: 'treasury.pnl.v1' is not hedge-exec"),
        (line(time=5), r"line 2: time: 5 is not one of topic, partition"),
        (line(timestamp=-1), r"line 2: timestamp: -1 is before 1970"),
        (line(timestamp="noon"), r"line 2: timestamp: 'noon' is no ISO-8601 time"),
        (line(headers=[1]), r"line 2: headers: \[1\] must be an object"),
        (line(headers={"a": 1}), r"line 2: headers.a: 1 must be text"),
        (line(order_id="x" * 1_000_001), r"line 2: value: '1000\d+ bytes' is larger than"),
        ('{"value": null}', r"line 2: value: None must be an object"),
        ('{"key": "a"}', r"line 2: value: None is missing"),
        ('{"value": {"price": NaN}}', r"line 2: 'NaN' is no JSON number"),
        ("[]", r"line 2: \[\] must be an object"),
        ("{", r"line 2: '{' is no JSON"),
    ],
)
def test_one_wrong_line_and_nothing_is_sent(wrong: str, message: str) -> None:
    nowhere = "127.0.0.1:1"  # never asked, because the lines are checked first
    with pytest.raises(WeirError, match="nothing was sent to hedge-executions") as caught:
        produce(nowhere, TOPIC, [line(), wrong, line()], WIRE)
    assert caught.match(message)


def test_every_fault_is_told_at_once() -> None:
    lines = [line(side="buy")] * 25
    with pytest.raises(WeirError, match=r"line 1: .*") as caught:
        check(BY_NAME[TOPIC], lines, WIRE)
    assert "line 20:" in str(caught.value)
    assert "and 5 lines more" in str(caught.value)


def test_a_key_that_no_contract_derives_must_be_given() -> None:
    attempt = example_line(BY_NAME["treasury.attempts.v1"])
    del attempt["key"]
    with pytest.raises(WeirError, match=r"key: None is missing: .* does not hold its lane"):
        check(BY_NAME["treasury.attempts.v1"], [json.dumps(attempt)], WIRE)
    freeze = {"value": to_json(BookInput(body=Freeze(break_id="b", on=True, reason="")))}
    with pytest.raises(WeirError, match="does not hold its account_id"):
        check(BY_NAME["treasury.book-inputs.v1"], [json.dumps(freeze)], WIRE)


def test_dead_letters_and_changelogs_keep_their_bytes(kafka: str, fresh_topic_suffix: str) -> None:
    key = f"bybit:{fresh_topic_suffix}"
    garbage = {"base64": base64.b64encode(b"\0\0garbage\xff").decode()}
    lines = [
        {"key": key, "value": garbage, "partition": 3, "timestamp": 5},
        {"key": key, "value": to_json(EXECUTION), "partition": 3, "timestamp": 6},
        {"key": key, "value": None, "partition": 3, "timestamp": 7},
    ]
    produce(kafka, "hedge-executions.dlq", map(json.dumps, lines), WIRE)
    found = mine(kafka, "hedge-executions.dlq", key)
    assert [f["value"] for f in found] == [garbage, to_json(EXECUTION), None]
    assert {f["partition"] for f in found} == {3}
    entry = {"key": key, "value": {"qty": "12345678901234567890", "n": [1, None]}}
    produce(kafka, "weir-pipeline-book-changelog", [json.dumps(entry)], WIRE)
    (state,) = mine(kafka, "weir-pipeline-book-changelog", key)
    assert state["value"] == entry["value"]
    loose = Producer({"bootstrap.servers": kafka})
    loose.produce("weir-pipeline-book-changelog", b'{"a": 1}', key.encode() + b"2")
    assert loose.flush(20) == 0
    (spaced,) = mine(kafka, "weir-pipeline-book-changelog", f"{key}2")
    assert spaced["value"] == '{"a": 1}'


def test_files(tmp_path: Path) -> None:
    with pytest.raises(WeirError, match="No such file"):
        lines_of(tmp_path / "none.jsonl")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(WeirError, match="is no UTF-8 text"):
        lines_of(binary)


def test_a_topic_that_was_not_created_is_told(kafka: str) -> None:
    with pytest.raises(WeirError, match="is no topic of Weir"):
        produce(kafka, "hedge-execution", [line()], WIRE)


def weir(*words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "weir.cli", *words],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_command_line(kafka: str, fresh_topic_suffix: str, tmp_path: Path) -> None:
    account = f"bybit:{fresh_topic_suffix}"
    file = tmp_path / "lines.jsonl"
    file.write_text(line(account_id=account) + "\n")
    sent = weir("produce", TOPIC, str(file), WEIR_KAFKA=kafka)
    assert (sent.returncode, sent.stderr) == (0, "1 record on hedge-executions\n")
    read = weir(
        "consume", TOPIC, "--from", "earliest", "--until", "end", "--json", WEIR_KAFKA=kafka
    )
    values = [json.loads(text) for text in read.stdout.splitlines()]
    assert [v["value"]["price"] for v in values if v["key"] == account] == ["95900.1"]
    refused = weir("produce", TOPIC, given=line(side="buy"), WEIR_KAFKA=kafka)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "line 1: value.side: 'buy' must be one of Buy, Sell" in refused.stderr
    assert weir("topics", "create", WEIR_KAFKA=kafka).returncode == 0
    assert TOPIC in weir("topics").stdout
    assert '"exec_id"' in weir("topics", "show", TOPIC).stdout


def test_a_broker_that_is_away_is_one_sentence_within_ten_seconds() -> None:
    began = time.monotonic()
    gone = weir("produce", TOPIC, given=line(), WEIR_KAFKA="127.0.0.1:1")
    assert time.monotonic() - began < 10
    assert gone.returncode == 1
    assert gone.stderr.count("\n") == 1
    assert "Kafka at 127.0.0.1:1 does not answer" in gone.stderr
