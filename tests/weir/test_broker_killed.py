"""A broker that is killed in the middle of a transaction: all of it stands afterwards, or none.

Kafka 4.3.1 and 4.4.0 fail here (KAFKA-20734): a broker that comes back finds partitions without a
leader for a moment, takes them for deleted and leaves the end of a transaction out of them, so that
the producer's next commit makes visible what had been aborted.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from weir.home import Home
from weir.kafka import Broker

PLACES = [(f"place-{topic}", partition) for topic in range(12) for partition in range(4)]
TIMEOUT_S = 1.5


@pytest.fixture
def embedded(home: Home) -> Iterator[Broker]:
    broker = Broker(home)
    yield broker
    broker.down(wipe=True)


def writer(address: str) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": address,
            "transactional.id": "writer",
            "transaction.timeout.ms": int(TIMEOUT_S * 1000),
            "log_level": 0,
        }
    )
    producer.init_transactions(30)
    return producer


def write_everywhere(producer: Producer, value: str) -> None:
    producer.begin_transaction()
    for topic, partition in PLACES:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(10) == 0


def committed_values(address: str) -> dict[tuple[str, int], list[str]]:
    """What a reader of committed records finds, read up to the end of each partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in PLACES])
    found: dict[tuple[str, int], list[str]] = {place: [] for place in PLACES}
    open_places, until_s = set(PLACES), time.monotonic() + 30
    while open_places and time.monotonic() < until_s:
        for message in consumer.consume(500, 0.2):
            place = message.topic(), message.partition()
            error = message.error()
            if error is None:
                found[place].append(message.value().decode())
            elif error.code() == KafkaError._PARTITION_EOF:
                open_places.discard(place)
    consumer.close()
    assert not open_places
    return found


def test_a_transaction_cut_by_the_brokers_death_leaves_nothing(embedded: Broker) -> None:
    address = embedded.up(attached=True)
    topics = sorted({topic for topic, _ in PLACES})
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_topics([NewTopic(topic, 4) for topic in topics]).values():
        done.result(timeout=20)
    for round_ in range(2):
        write_everywhere(cut := writer(address), f"cut {round_}")
        pid = embedded.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(TIMEOUT_S + 0.5)
        assert embedded.up(attached=True) == address
        last = writer(address)
        write_everywhere(last, f"whole {round_}")
        last.commit_transaction(30)
        del cut
    assert committed_values(address) == {
        place: [f"whole {round_}" for round_ in range(2)] for place in PLACES
    }
