"""A log that keeps only a part of a transaction, as some brokers do when they are killed in the
middle of one (KAFKA-20734): no worker goes on as if nothing were missing.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from agents.exact.store import HASH_KEY, Part
from tests.agents.exact import verify
from tests.agents.exact.rig import Rig
from tests.agents.exact.stage import Stage


@pytest.fixture(scope="module")
def stage(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(broker, tmp_path_factory.mktemp("torn"))
    stage.play("fewer", offsets_moved, -1)
    stage.play("more", offsets_moved, 1)
    stage.play("unconfirmed", unconfirmed)
    try:
        yield stage
    finally:
        stage.close()


def offsets_moved(rig: Rig, by: int) -> None:
    """The group's offsets are not of the transaction that the state is of."""
    work(rig, 0, 100)
    group = f"sums-{rig.suffix}"
    asked = rig.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    found = asked[group].result().topic_partitions
    moved = next(one for one in found if one.topic == rig.topic("deposits") and one.offset > 1)
    place = TopicPartition(moved.topic, moved.partition, moved.offset + by)
    changed = rig.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [place])])
    changed[group].result()
    rig.start(0)
    assert rig.ended(0) == 70


def work(rig: Rig, first: int, stop: int) -> None:
    rig.deposits(first, stop)
    rig.start(0)
    rig.wait_for_ids(stop)
    assert rig.stop(0) == 0


@pytest.mark.parametrize("which", ["fewer", "more"])
def test_state_and_offsets_of_different_transactions_stop_the_worker(stage: Stage, which: str):
    run = stage[which]
    assert f"the log is torn: sums-{run.suffix}-accounts-changelog[" in run.log(0)
    assert "the group's offset is" in run.log(0)
    assert len(run.ids()) == len(set(run.ids())) == 100


def unconfirmed(rig: Rig) -> None:
    """A folder holds what its worker saw committed and the log does not."""
    work(rig, 0, 100)
    folders = sorted((rig.datadir(0) / "tables").glob("accounts-*"))
    for folder in folders:
        forge(folder)
    rig.deposits(100, 200)
    rig.start(0)
    rig.wait_for_ids(200)
    assert rig.stop(0) == 0


def forge(folder: Path) -> None:
    part = Part(folder, lambda key, value: value, lambda key, data: data, 10, [])
    stamp = {"at": part.at_ms, "hash": f"{part.hash:064x}", "next": {"elsewhere": 1}}
    row = HASH_KEY.encode(), json.dumps(stamp).encode()
    part.store([row], part.position, part.stamp_at)
    part.close()


def test_a_folder_that_the_log_does_not_confirm_is_read_anew(stage: Stage):
    run = stage["unconfirmed"]
    assert "local state is dropped: its last row is not on its changelog" in run.log(0)
    verify.everything(run)
