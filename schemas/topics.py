"""Every topic of Weir, declared once: its record, key, partitions, retention, who writes it and
who reads it.

Records that meet in a node share its key, so their topics have the same P partitions and a record
lies in partition murmur2(node key) mod P. Where the message key is finer than the node key
(positions, intent states), `partition_key` gives the text whose hash names the partition.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from schemas.keys import CHECKPOINT_KEY, COPY_KEY, KEYS, PARTITION_KEYS
from schemas.topic import DAY_MS, FOREVER, Topic
from schemas.varint import LONG_MAX

__all__ = [
    "BY_NAME",
    "CHECKPOINT_KEY",
    "COPY_KEY",
    "DAY_MS",
    "DEAD_LETTER_BYTES_MAX",
    "FOREVER",
    "LONG_MAX",
    "NODES",
    "TOPICS",
    "Topic",
    "key_of",
    "partition_key",
    "partitions_of",
    "settings",
    "timestamp_ms",
]

DEAD_LETTER_BYTES_MAX = 4_194_304
"""A dead letter is its record and more headers, so it must fit where the record just fitted."""

_NODE_TIME = "meta.event_time"
"""The time of the event that caused a record: any number of days ago, so none is deleted by age."""

_DECLARED = (
    Topic(
        "hedge-executions",
        "account_id",
        "P",
        writers=("hedger", "ingest"),
        readers=("book",),
        time_field="exec_time",
    ),
    Topic(
        "treasury.loan-states.v1",
        "account_id",
        "P",
        writers=("pollers",),
        readers=("book",),
        time_field="as_of",
    ),
    Topic(
        "treasury.account-snapshots.v1",
        "account_id",
        "P",
        writers=("pollers",),
        readers=("book",),
        retention_ms=400 * DAY_MS,
        time_field="as_of",
    ),
    Topic(
        "treasury.book-inputs.v1",
        "account_id",
        "P",
        writers=("relay", "pollers", "gate", "intents", "reconcile", "rest", "cli"),
        readers=("book",),
        inbox=True,
    ),
    Topic(
        "treasury.pnl.v1",
        "account_id",
        "P",
        writers=("book",),
        readers=("ledger", "services"),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.positions.v1",
        "account_id|symbol|idx",
        "P",
        writers=("book",),
        readers=("reconcile", "services"),
        cleanup="compact",
        compaction_lag_ms=90 * DAY_MS,
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.trades.v1",
        "account_id",
        "P",
        writers=("book",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.risk-events.v1",
        "account_id",
        "P",
        writers=("book",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.tax-lots.v1",
        "account_id|asset",
        "P",
        writers=("book",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.allocations.v1",
        "account_id",
        "P",
        writers=("book",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.actions.v1",
        "account_id",
        "P",
        writers=("book",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "balance_events",
        "account_id",
        "P",
        writers=("bank feed", "rest"),
        readers=("cash",),
        time_field="as_of",
    ),
    Topic(
        "treasury.cash-inputs.v1",
        "account_id",
        "P",
        writers=("relay", "calendar", "gate", "intents", "reconcile", "rest", "cli"),
        readers=("cash",),
        inbox=True,
    ),
    Topic(
        "cash_positions",
        "account_id",
        "P",
        writers=("cash",),
        readers=("services",),
        cleanup="compact",
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.forecasts.v1",
        "account_id",
        "P",
        writers=("cash",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.var.v1",
        "account_id",
        "P",
        writers=("cash",),
        readers=("services",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "sweep_intent",
        "order_id",
        "P",
        writers=("gate",),
        readers=("rest", "services"),
        time_field="created_ts",
    ),
    Topic(
        "orch_config_updates",
        "policy name",
        1,
        writers=("policy source", "rest", "cli"),
        readers=("relay",),
        time_field="at",
    ),
    Topic(
        "treasury.controls.v1",
        "scope",
        1,
        writers=("rest", "cli", "book", "ledger"),
        readers=("relay", "executor"),
        time_field="at",
    ),
    Topic(
        "treasury.proposals.v1",
        "desk",
        "P",
        writers=("book", "cash", "buffers"),
        readers=("gate",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.approvals.v1",
        "desk",
        "P",
        writers=("rest", "cli"),
        readers=("gate",),
        time_field="at",
    ),
    Topic(
        "treasury.desk-inputs.v1",
        "desk",
        "P",
        writers=("relay", "pollers", "cash", "intents", "rest", "cli"),
        readers=("gate",),
        inbox=True,
    ),
    Topic(
        "treasury.intents.v1",
        "lane",
        "P",
        writers=("gate",),
        readers=("intents",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.intent-inputs.v1",
        "lane",
        "P",
        writers=("relay", "gate", "rest", "cli"),
        readers=("intents",),
        inbox=True,
    ),
    Topic(
        "treasury.attempts.v1",
        "lane",
        "P",
        writers=("intents", "executor", "webhooks", "cash", "cli"),
        readers=("intents",),
        time_field="at",
    ),
    Topic(
        "treasury.intent-states.v1",
        "intent_id",
        "P",
        writers=("gate", "intents"),
        readers=("rest", "services"),
        cleanup="compact",
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.decisions.v1",
        "node|key",
        "P",
        writers=("book", "cash", "gate", "intents", "relay"),
        readers=("audit",),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.audit.v1",
        "chain_id",
        "P",
        writers=("audit",),
        readers=("signer", "cli", "services"),
        time_field=_NODE_TIME,
    ),
    Topic(
        "treasury.audit-checkpoints.v1",
        CHECKPOINT_KEY,
        1,
        writers=("signer",),
        readers=("cli", "services"),
        time_field="at",
    ),
    Topic(
        "treasury.merge-order.v1",
        "node|partition",
        "P",
        writers=("worker",),
        readers=("replay",),
        time_field="at",
    ),
    Topic(
        "treasury.alerts.v1",
        "alert key",
        1,
        writers=("book", "cash", "gate", "intents", "executor", "signer", "letter watch"),
        readers=("services",),
        cleanup="compact,delete",
        retention_ms=30 * DAY_MS,
        time_field="since",
    ),
)

NODES = ("book", "cash", "gate", "intents", "audit", "relay")
"""Readers that fold a topic: what they cannot take goes to the dead letters of that topic."""

REFUSING = ("bank feed",)
"""Writers of a topic that put there what could not become a record of it."""


def _dead_letters(topic: Topic) -> Topic:
    return Topic(
        f"{topic.name}.dlq",
        "original key",
        topic.partitions,
        writers=(
            *(node for node in NODES if node in topic.readers),
            *(writer for writer in REFUSING if writer in topic.writers),
        ),
        readers=("cli",),
        source=topic.name,
    )


def _changelog(name: str, writer: str) -> Topic:
    return Topic(
        name, "entry", "P", writers=(writer,), readers=(writer, "replay"), cleanup="compact"
    )


TOPICS: tuple[Topic, ...] = (
    *_DECLARED,
    *(_dead_letters(topic) for topic in _DECLARED if set(NODES) & set(topic.readers)),
    _changelog("weir-pipeline-book-changelog", "book"),
    _changelog("weir-pipeline-cash-changelog", "cash"),
    _changelog("weir-pipeline-gate-changelog", "gate"),
    _changelog("weir-pipeline-audit-changelog", "audit"),
    _changelog("weir-executor-intents-changelog", "intents"),
)
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def key_of(topic: Topic, record: Any) -> str | None:
    """The message key the contract derives from a record; None where the record does not hold it.

    None: attempts (the lane is its intent's) and inbox messages that name no account or lane.
    """
    derive = KEYS.get(topic.name)
    return derive(record) if derive else None


def partition_key(topic: Topic, record: Any) -> str | None:
    """The text whose hash names the partition, where that is not the message key; else None."""
    derive = PARTITION_KEYS.get(topic.name)
    return derive(record) if derive else None


def timestamp_ms(topic: Topic, record: Any) -> int | None:
    """The record's own time, which its message carries; None where it has none (some inbox
    messages).
    """
    if topic.inbox:
        if record.meta is not None:
            return int(record.meta.event_time_ms)
        body = record.body
        time = getattr(body, "at_ms", None)
        return time if time is not None else getattr(body, "as_of_ms", None)
    read = _TIMES.get(topic.name)
    return read(record) if read else None


def settings(topic: Topic, partitions: int, replication: int) -> dict[str, str]:
    """The topic's configuration in Kafka. Old event times are normal, so no time is too far from
    now.
    """
    chosen = {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(topic.retention_ms),
        "min.insync.replicas": str(min(2, replication)),
        "message.timestamp.after.max.ms": str(LONG_MAX),
        "message.timestamp.before.max.ms": str(LONG_MAX),
    }
    if topic.cleanup != "delete":
        chosen["min.compaction.lag.ms"] = str(topic.compaction_lag_ms)
    if topic.source is not None:
        chosen["max.message.bytes"] = str(DEAD_LETTER_BYTES_MAX)
    return chosen


def partitions_of(topic: Topic, partitions: int) -> int:
    """How many partitions the topic has when the nodes have P."""
    return partitions if topic.partitions == "P" else 1


_TIMES: dict[str, Callable[[Any], int]] = {
    topic.name: attrgetter(f"{topic.time_field}_ms") for topic in TOPICS if topic.time_field
}
