"""The embedded broker: real Kafka that keeps its port and its data, however it ends."""

import os
import re
import signal
import socket
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from weir.errors import WeirError
from weir.home import Home
from weir.kafka import Broker, answers
from weir.kafka import jars as kafka_jars
from weir.ports import HOST, is_free

RESOURCES = Path(kafka_jars.__file__).parent


@pytest.fixture
def embedded(home: Home) -> Iterator[Broker]:
    broker = Broker(home)
    yield broker
    broker.down(wipe=True)


def make_topic(address: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 2)])[topic].result(timeout=20)


def write_committed(address: str, topic: str, values: list[str]) -> None:
    producer = Producer({"bootstrap.servers": address, "transactional.id": f"{topic}-writer"})
    producer.init_transactions(20)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value)
    producer.commit_transaction(20)


def read_committed(address: str, topic: str, count: int) -> list[str]:
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": f"{topic}-reader",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in (0, 1)])
    try:
        messages = consumer.consume(count, timeout=20)
    finally:
        consumer.close()
    return sorted((message.value() or b"").decode() for message in messages)


def test_port_and_data_survive_a_stop_and_a_kill(embedded: Broker) -> None:
    address = embedded.up()
    make_topic(address, "kept")
    write_committed(address, "kept", ["a", "b", "c"])

    assert embedded.down() is True
    assert not answers(address, 0.2)
    assert embedded.up() == address
    assert read_committed(address, "kept", 3) == ["a", "b", "c"]

    pid = embedded.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert embedded.up() == address
    assert embedded.status().pid != pid
    assert read_committed(address, "kept", 3) == ["a", "b", "c"]


def test_up_twice_is_one_broker_and_status_tells_of_it(embedded: Broker) -> None:
    assert embedded.status().bootstrap is None
    address = embedded.up()
    first = embedded.status()
    assert embedded.up() == address
    assert embedded.status().pid == first.pid
    assert first.answers
    assert first.data_bytes > 0
    with pytest.raises(WeirError, match="stop it before moving it"):
        embedded.up(port=int(address.rpartition(":")[2]) + 1)

    assert embedded.down(wipe=True) is True
    assert embedded.down() is False
    gone = embedded.status()
    assert (gone.pid, gone.bootstrap, gone.answers, gone.data_bytes) == (None, None, False, 0)


def test_a_taken_port_is_said_and_the_broker_can_move(embedded: Broker) -> None:
    address = embedded.up()
    embedded.down()
    port = int(address.rpartition(":")[2])
    with socket.create_server((HOST, port)):
        with pytest.raises(WeirError, match=rf"port {port} .* is taken by another program"):
            embedded.up()
        moved = embedded.up(port=0)
    assert moved != address
    assert embedded.up() == moved


def test_a_broker_that_dies_at_start_is_quoted(embedded: Broker) -> None:
    embedded.up()
    embedded.down()
    metadata = next((embedded.home.kafka / "data").glob("meta.properties"))
    metadata.write_text("version=1\nnode.id=77\ncluster.id=another\n")
    with pytest.raises(WeirError, match=r"(?s)the broker ended with status 1; .*node.id.*77"):
        embedded.up()


def test_topics_are_not_made_by_a_typing_error(broker: str, fresh_topic_suffix: str) -> None:
    typo = f"typo-{fresh_topic_suffix}"
    found = AdminClient({"bootstrap.servers": broker}).list_topics(typo, timeout=10)
    assert found.topics[typo].error is not None


def test_no_java_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    path_only = {"PATH": str(tmp_path)}
    with pytest.raises(WeirError, match=r"no Java in PATH.*17 or newer.*apt-get install"):
        kafka_jars.find_java(path_only)
    with pytest.raises(WeirError, match=r"no Java in JAVA_HOME=.*nowhere"):
        kafka_jars.find_java({**path_only, "JAVA_HOME": str(tmp_path / "nowhere")})

    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    with pytest.raises(WeirError, match=r"java is Java 11\.0\.2, Kafka needs 17 or newer"):
        kafka_jars.find_java(path_only)


def test_a_folder_without_kafka_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(WeirError, match=r"WEIR_KAFKA_JARS=.*: no kafka_2\.13"):
        kafka_jars.find(tmp_path)


def test_an_unpacked_distribution_will_do(tmp_path: Path) -> None:
    libs = tmp_path / "kafka_2.13-4.3.1" / "libs"
    libs.mkdir(parents=True)
    for name in ("zstd.jar", "kafka_2.13-4.3.1.jar"):
        (libs / name).touch()
    found = kafka_jars.find(libs.parent)
    assert [jar.name for jar in found] == ["kafka_2.13-4.3.1.jar", "zstd.jar"]


def test_pom_and_list_of_sums_agree_with_what_was_fetched() -> None:
    rows = [line.split("  ") for line in (RESOURCES / "jars.sha256").read_text().splitlines()]
    listed = [name for _, name in rows]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest, _ in rows)
    assert listed == sorted(set(listed))

    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    wanted = ET.parse(RESOURCES / "pom.xml").findall(".//m:dependency", space)
    named = [[part.text for part in dependency] for dependency in wanted]
    assert {f"{artifact}-{version}.jar" for _, artifact, version in named} <= set(listed)

    fetched = Path(sys.prefix) / "share" / "kafka"
    if fetched.is_dir():  # not where WEIR_KAFKA_JARS names them
        assert sorted(jar.name for jar in fetched.glob("*.jar")) == listed


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not is_free(server.getsockname()[1])
