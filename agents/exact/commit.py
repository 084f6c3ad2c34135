"""One transaction: changelog rows, outputs, merge order and source offsets become true together.

Runs in the commit thread while the next batch is being folded. Values are frozen, so nothing can
change under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, Message
from confluent_kafka import TopicPartition as KafkaTopicPartition

from agents.exact import order
from agents.exact.batch import Batch
from agents.exact.clock import elapsed_s
from agents.exact.store import Part, Row
from agents.exact.table import Table
from agents.exact.topic import TooLarge

if TYPE_CHECKING:
    from agents.exact.engine import Engine

SEND_OFFSETS_S = 20
COMMIT_S = 60


def commit(engine: Engine, batch: Batch, metadata: bytes) -> float:
    """Commits and stores one sealed batch. Returns `elapsed_s()` from just before the commit was
    called.

    Any exception leaves the outcome to the broker: the caller ends the process.
    """
    producer, window = engine.producer, engine.config.window
    producer.begin_transaction()
    written = [
        _write_changelog(engine, batch, table, partition) for table, partition in batch.at_ms
    ]
    hashes = {where: where[0].parts[where[1]].hash for where in batch.runs}
    produce = producer.produce
    for topic, key, value, partition, at_ms, headers in batch.outs + order.records(
        engine.config, batch, hashes
    ):
        if partition is None:
            produce(topic, value, key, timestamp=at_ms, headers=headers)
        else:
            produce(topic, value, key, partition, timestamp=at_ms, headers=headers)
    if window is not None:
        producer.flush(5)
        window("produced")
    own = engine.transactional_id
    offsets = [KafkaTopicPartition(t, p, o, own) for (t, p), o in batch.offsets.items()]
    producer.send_offsets_to_transaction(offsets, metadata, SEND_OFFSETS_S)
    if window is not None:
        window("offsets")
    before_s = elapsed_s()
    producer.commit_transaction(COMMIT_S)
    if window is not None:
        window("committed")
    producer.poll(0)
    for part, rows, reports in written:
        stamp_at = _place(reports)
        try:
            part.store(rows, stamp_at + 1, stamp_at)
        except Exception as error:
            raise RuntimeError(f"committed, but not written to the local disk: {error}") from error
    if window is not None:
        window("stored")
    return before_s


def _write_changelog(
    engine: Engine, batch: Batch, table: Table, partition: int
) -> tuple[Part, list[Row], list[Any]]:
    """Produces the part's rows; only the last one, `@hash`, reports its offset."""
    topic, part, at_ms = table.changelog, table.parts[partition], batch.at_ms[table, partition]
    rows = part.rows(at_ms, batch.offsets_of(table, partition))
    produce = engine.producer.produce
    for key, value in rows[:-1]:
        if value is not None and len(value) > engine.config.value_bytes_max:
            raise TooLarge(f"{topic}[{partition}]: the entry {key!r} has {len(value)} bytes")
        produce(topic, value, key, partition, timestamp=at_ms)
    reports: list[Any] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        reports.append((error, message.offset()))

    key, value = rows[-1]
    produce(topic, value, key, partition, on_delivery=delivered, timestamp=at_ms)
    return part, rows, reports


def _place(reports: list[tuple[KafkaError | None, int]]) -> int:
    if len(reports) != 1 or reports[0][0] is not None:
        raise RuntimeError(f"the changelog gave no delivery report: {reports}")
    return reports[0][1]
