"""The catalogue: keys, partitions, times and settings follow the contract."""

from __future__ import annotations

import msgspec
import pytest

from schemas import records as r
from schemas.contracts import SUBJECTS
from schemas.topics import (
    BY_NAME,
    FOREVER,
    NODES,
    TOPICS,
    key_of,
    partition_key,
    settings,
    timestamp_ms,
)
from tests.schemas.examples import EXECUTION, META

COPY = r.PolicyCopy(name="p", version=1, hash="h", body="{}")
OUTCOME = r.IntentOutcome(
    intent_id="i",
    decision_id="d",
    kind="REPAY",
    class_="loan",
    origin="book",
    account_id="bybit:1",
    lane="bybit|bybit:1|USDT",
    state="CONFIRMED",
    asked_e18=1,
    granted_e18=1,
    amount_done_e18=1,
    ccy="USDT",
    venue_refs=(),
    facts={},
    final=True,
    at_ms=5,
)
REQUEST = r.Request(request_id="q", verb="UNFREEZE", params={}, actors=("ann",), reason="")
POSITION = r.Position(
    meta=META,
    account_id="bybit:1",
    symbol="BTCUSDT",
    idx=0,
    size_e18=1,
    entry_price_e18=1,
    realized_pnl_e18=0,
    open_fees_e18=0,
    last_updated_ms=7,
)


@pytest.mark.parametrize(
    ("topic", "record", "key", "time"),
    [
        ("hedge-executions", EXECUTION, "bybit:12345678", 1_764_581_400_250),
        ("treasury.book-inputs.v1", r.BookInput(body=COPY), "@partition", None),
        ("treasury.book-inputs.v1", r.BookInput(body=OUTCOME), "bybit:1", 5),
        ("treasury.book-inputs.v1", r.BookInput(body=OUTCOME, meta=META), "bybit:1", 1764581400250),
        ("treasury.book-inputs.v1", r.BookInput(body=REQUEST), None, None),
        ("treasury.desk-inputs.v1", r.DeskInput(body=OUTCOME), "desk", 5),
        ("treasury.desk-inputs.v1", r.DeskInput(body=r.UsdRate("USDT", 1, 9)), "desk", 9),
        ("treasury.intent-inputs.v1", r.IntentInput(body=REQUEST), None, None),
        ("treasury.positions.v1", POSITION, "bybit:1|BTCUSDT|0", 1_764_581_400_250),
    ],
)
def test_keys_and_times(
    topic: str, record: msgspec.Struct, key: str | None, time: int | None
) -> None:
    assert key_of(BY_NAME[topic], record) == key
    assert timestamp_ms(BY_NAME[topic], record) == time


def test_a_position_lies_with_its_account() -> None:
    assert partition_key(BY_NAME["treasury.positions.v1"], POSITION) == "bybit:1"
    assert partition_key(BY_NAME["hedge-executions"], EXECUTION) is None


def test_every_contract_has_a_topic_and_every_source_its_dead_letters() -> None:
    assert {t.name for t in TOPICS if t.record} == set(SUBJECTS)
    assert len(BY_NAME) == len(TOPICS)
    dead = {t.source for t in TOPICS if t.source}
    assert dead == {t.name for t in TOPICS if t.record and {*NODES} & {*t.readers}}
    for topic in TOPICS:
        if topic.source:
            assert topic.name == f"{topic.source}.dlq"
            assert topic.partitions == BY_NAME[topic.source].partitions


def test_nothing_is_deleted_by_age_that_carries_the_time_of_an_event() -> None:
    """A year of statements is read at once: what follows from each is as old as it is, and a broker
    that deletes by age would take the decision before the audit has read it.
    """
    assert {
        topic.name
        for topic in TOPICS
        if topic.time_field == "meta.event_time" and "delete" in topic.cleanup
        if topic.retention_ms != FOREVER
    } == set()


def test_settings() -> None:
    executions = settings(BY_NAME["hedge-executions"], 8, 1)
    assert executions["retention.ms"] == "-1"
    assert executions["cleanup.policy"] == "delete"
    assert executions["message.timestamp.after.max.ms"] == "9223372036854775807"
    snapshots = settings(BY_NAME["treasury.account-snapshots.v1"], 8, 1)
    assert snapshots["retention.ms"] == "34560000000"
    positions = settings(BY_NAME["treasury.positions.v1"], 8, 3)
    assert positions["min.compaction.lag.ms"] == "7776000000"
    assert positions["min.insync.replicas"] == "2"
    assert settings(BY_NAME["orch_config_updates"], 8, 1)["cleanup.policy"] == "delete"
