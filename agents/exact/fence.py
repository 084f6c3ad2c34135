"""Fencing: only the member that owns the partitions now may commit their offsets (KIP-447).

Every transaction carries source offsets with the group's generation and member id, so the broker
refuses a former owner. Group membership is aiokafka's, the transaction is librdkafka's: the
metadata that joins them is built here.
"""

from __future__ import annotations

import logging
import struct
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import AdminClient

from agents.exact.config import Config
from agents.exact.session import Session

if TYPE_CHECKING:
    from agents.exact.engine import Engine

log = logging.getLogger("exact")

_AIOKAFKA = "0.14.0"
_NOT_YET = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
}


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """librdkafka's serialised consumer-group metadata for a member that librdkafka does not know.

    Raises RuntimeError for generation -1 or an empty member: the broker accepts those unfenced.
    """
    if generation < 0 or not member:
        raise RuntimeError(f"refusing unfenced group metadata: generation {generation}")
    head = b"CGMDv2:" + struct.pack("=i", generation)
    return head + group.encode() + b"\0" + member.encode() + b"\0\1"


def check_client(consumer: Any) -> None:
    """The private attributes of aiokafka that the engine reads must be there, in the version they
    were read in.
    """
    if version("aiokafka") != _AIOKAFKA:
        raise RuntimeError(f"aiokafka {version('aiokafka')} is installed, {_AIOKAFKA} is proven")
    if not hasattr(consumer._coordinator, "member_id"):
        raise RuntimeError("aiokafka's coordinator has no member_id")
    if not hasattr(consumer._subscription, "fetch_context"):
        raise RuntimeError("aiokafka's subscription has no fetch_context")


def transactional_producer(config: Config, transactional_id: str) -> Producer:
    """A producer whose predecessor of the same id is fenced when this returns."""
    producer = Producer(
        {
            "bootstrap.servers": config.bootstrap,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": config.transaction_timeout_ms,
            "partitioner": "murmur2_random",
            "linger.ms": 2,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 1_000_000,
            "message.max.bytes": 4_000_000,  # a dead letter is longer than its record
            "retry.backoff.ms": 20,
            "log_level": 3,
        }
    )
    producer.init_transactions(60)
    return producer


def committed(
    admin: AdminClient, group: str, where: list[KafkaTopicPartition], stable: bool
) -> list[KafkaTopicPartition] | None:
    """The group's committed offsets; None while a transaction that may still change them is open
    (stable only).
    """
    request = [ConsumerGroupTopicPartitions(group, where)]
    try:
        answer = admin.list_consumer_group_offsets(
            request, require_stable=stable, request_timeout=3
        )
        found: list[KafkaTopicPartition] = answer[group].result().topic_partitions
    except KafkaException as error:
        if error.args[0].retriable() or error.args[0].code() in _NOT_YET:
            return None
        raise
    for item in found:
        if item.error is None:
            continue
        unstable = item.error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT
        if unstable or item.error.retriable():
            return None
        raise KafkaException(item.error)
    return found


def fence_former_owner(
    config: Config, admin: AdminClient, group: str, where: list[KafkaTopicPartition], own_id: str
) -> list[str]:
    """Ends the open transaction of a former owner that blocks these partitions.

    Each commit carries its transactional id in the offset metadata; initialising that id once
    aborts what is open under it. Returns the ids fenced. The worst case is that a live worker is
    fenced, which then restarts.
    """
    found = committed(admin, group, where, stable=False) or []
    ids = sorted({item.metadata for item in found if item.metadata} - {own_id})
    for transactional_id in ids:
        transactional_producer(config, transactional_id)
    log.warning("a former owner's open transaction blocked us", extra={"fenced": ids})
    return ids


def fence_once(engine: Engine, session: Session, where: list[KafkaTopicPartition]) -> None:
    """Fences what blocks these partitions, once in a session."""
    if session.fenced:
        return
    session.fenced = True
    fence_former_owner(
        engine.config, engine.admin, engine.app.conf.id, where, engine.transactional_id
    )
