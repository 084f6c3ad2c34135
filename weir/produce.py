"""`weir produce`: lines of JSON to a topic, all checked before any is sent.

The producer is idempotent and waits for the broker's word on every record; keys are hashed as every
Java client hashes them (murmur2), and a record that lies by another text than its key gets its
partition by that text's hash.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka.partitioner import murmur2
from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.jsonform import Invalid
from schemas.topics import Topic
from schemas.wire import Wire
from weir.errors import WeirError
from weir.lines import Ready, ready
from weir.topics import PATIENCE_S, find, partitions_there

FAULTS_SHOWN = 20


def produce(bootstrap: str, topic: str, lines: Iterable[str], wire: Wire) -> int:
    """Sends the lines and returns how many records the broker has confirmed.

    WeirError names line, field and value of all that is wrong (nothing was sent then), or says how
    many records the broker confirmed before it failed.
    """
    contract = find(topic)
    records = check(contract, lines, wire)
    return _send(bootstrap, contract, records) if records else 0


def lines_of(file: Path | None) -> list[str]:
    """The lines of a file, of standard input when there is none."""
    try:
        text = sys.stdin.read() if file is None or str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise WeirError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WeirError(f"{file or 'standard input'} is no UTF-8 text: {error.reason}") from error
    return text.split("\n")


def check(topic: Topic, lines: Iterable[str], wire: Wire) -> list[Ready]:
    """The records of all lines; WeirError lists what is wrong in any of them. Blank lines pass."""
    records: list[Ready] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(ready(topic, line, wire))
        except Invalid as error:
            faults.append(f"line {number}: {error}")
    if faults:
        more = len(faults) - FAULTS_SHOWN
        shown = faults[:FAULTS_SHOWN] + ([f"and {more} lines more"] if more > 0 else [])
        raise WeirError(f"nothing was sent to {topic.name}:\n  " + "\n  ".join(shown))
    return records


def partition_of(text: str, partitions: int) -> int:
    """Where a key lies: murmur2, as every Java client computes it."""
    return int(murmur2(text.encode()) & 0x7FFFFFFF) % partitions


def _send(bootstrap: str, topic: Topic, records: list[Ready]) -> int:
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "message.timeout.ms": int(PATIENCE_S * 1000),
            "log_level": 0,
        }
    )
    partitions = partitions_there(bootstrap, topic.name, producer)
    for number, record in enumerate(records, start=1):
        if record.partition is not None and record.partition >= partitions:
            raise WeirError(
                f"nothing was sent to {topic.name}:\n  record {number}: partition:"
                f" {record.partition} is not below {partitions}"
            )
    confirmed: list[int] = []
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, message: Any) -> None:
        if error is None:
            confirmed.append(message.offset())
        else:
            failures.append(error)

    now_ms = int(time.time() * 1000)
    for record in records:
        _queue(producer, topic, record, partitions, now_ms, report)
        if failures:
            break
    left = producer.flush(PATIENCE_S + 2)
    if failures or left:
        why = failures[0].str() if failures else "no answer"
        raise WeirError(
            f"{len(confirmed)} of {len(records)} records are on {topic.name}; then Kafka at"
            f" {bootstrap} failed: {why}"
        )
    return len(confirmed)


def _queue(
    producer: Producer, topic: Topic, record: Ready, partitions: int, now_ms: int, report: Any
) -> None:
    options: dict[str, Any] = {}
    if record.partition is not None:
        options["partition"] = record.partition
    elif record.lies_by is not None:
        options["partition"] = partition_of(record.lies_by, partitions)
    at_ms = record.timestamp_ms if record.timestamp_ms is not None else now_ms
    while True:
        try:
            producer.produce(
                topic.name,
                value=record.value,
                key=record.key,
                headers=record.headers,
                timestamp=at_ms,
                on_delivery=report,
                **options,
            )
        except BufferError:
            producer.poll(0.1)
        except KafkaException as error:
            raise WeirError(f"{topic.name}: {error.args[0].str()}") from error
        else:
            producer.poll(0)
            return
