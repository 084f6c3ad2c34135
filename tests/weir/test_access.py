"""Schema ids from a registry by URL: other ids, the same records."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.generate import lock
from schemas.topics import BY_NAME
from schemas.wire import NewerSchema, SchemaIds, Undecodable, Wire, header
from tests.schemas.examples import EXECUTION
from weir.examples import example_line
from weir.home import Home
from weir.produce import produce
from weir.registry import Registry
from weir.topics import ensure

TOPIC = "hedge-executions"
INBOX = "treasury.book-inputs.v1"


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    """What another registry holds: our schemas under ids of its own."""
    path = tmp_path / "ids.json"
    path.write_text(json.dumps([entry | {"id": entry["id"] + 1000} for entry in lock()]))
    return path


@pytest.fixture
def url(home: Home, lock_file: Path) -> Iterator[str]:
    registry = Registry(home)
    address = registry.start(lock_file)
    registry.wait()
    yield address
    registry.stop()


def test_ids_of_another_registry(url: str, lock_file: Path) -> None:
    wire = Wire(SchemaIds.from_registry(url))
    data = wire.encode(TOPIC, EXECUTION)
    own = Wire(SchemaIds.from_lock()).encode(TOPIC, EXECUTION)
    assert int.from_bytes(data[1:5], "big") == int.from_bytes(own[1:5], "big") + 1000
    assert data[5:] == own[5:]
    assert wire.decode(TOPIC, data) == EXECUTION
    with pytest.raises(Undecodable, match="schema: id=1 not known"):
        wire.decode(TOPIC, own)


def test_a_version_released_while_we_run(url: str, lock_file: Path) -> None:
    wire = Wire(SchemaIds.from_registry(url))
    data = wire.encode(TOPIC, EXECUTION)
    entries = json.loads(lock_file.read_text())
    for topic, schema_id in ((TOPIC, 2001), (INBOX, 2002)):
        subject = f"{topic}-value"
        entry = max((e for e in entries if e["subject"] == subject), key=itemgetter("version"))
        schema = json.loads(entry["schema"])
        schema["fields"].append({"name": "later", "type": ["null", "string"], "default": None})
        version = entry["version"] + 1
        newer = {"id": schema_id, "version": version, "schema": json.dumps(schema)}
        entries.append(entry | newer)
    lock_file.write_text(json.dumps(entries))
    assert wire.decode(TOPIC, header(2001) + data[5:] + b"\0") == EXECUTION
    with pytest.raises(NewerSchema, match=f"schema id 2002 is version {version}"):
        wire.decode(INBOX, header(2002) + b"\0")


def test_a_registry_without_our_schemas_or_away(url: str, lock_file: Path) -> None:
    lock_file.write_text("[]")
    with pytest.raises(LookupError, match=f"{url}: subject {TOPIC}-value does not hold"):
        Wire(SchemaIds.from_registry(url)).encode(TOPIC, EXECUTION)
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:1/subjects.*refused"):
        SchemaIds.from_registry("http://127.0.0.1:1")


def test_a_foreign_consumer_needs_only_the_registry(
    broker: str, home: Home, fresh_topic_suffix: str
) -> None:
    ensure(broker, 8, 1)
    topics = ["treasury.pnl.v1", "treasury.allocations.v1"]
    for topic in topics:
        line = example_line(BY_NAME[topic])
        line["value"]["account_id"] = line["key"] = fresh_topic_suffix
        produce(broker, topic, [json.dumps(line)], Wire(SchemaIds.from_lock()))
    registry = Registry(home)
    address = registry.start()
    registry.wait()
    try:
        found = {topic: foreign(broker, address, topic, fresh_topic_suffix) for topic in topics}
    finally:
        registry.stop()
    assert found["treasury.pnl.v1"]["net_pnl"] == Decimal(100)
    assert found["treasury.pnl.v1"]["timestamp"].isoformat() == "2026-01-05T09:30:00.250000+00:00"
    assert found["treasury.allocations.v1"]["action"] == "repay_principal"


def foreign(bootstrap: str, registry: str, topic: str, key: str) -> dict[str, Any]:
    """The value of a key as a client reads it that has never heard of Weir."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"foreign-{key}"})
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(8)])
    with closing(consumer):
        while True:
            message = consumer.poll(30)
            assert message is not None
            if message.key() == key.encode():
                break
    data = message.value() or b""
    schema_id = int.from_bytes(data[1:5], "big")
    with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=10) as answer:
        schema = json.loads(json.load(answer)["schema"])
    value: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    return dict(value)
