"""`weir run` when something is not as it should be: one sentence, and nothing is left running."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.weir.day import Day
from tests.weir.rig import PARTITIONS, Rig
from weir.home import Home
from weir.kafka import Broker


@pytest.fixture
def bare(home: Home) -> Rig:
    """A home in which nothing runs."""
    return Rig(home, "", "")


def test_without_a_broker(bare: Rig) -> None:
    done = bare.weir("run")
    assert done.returncode == 1
    why = "`weir up` starts one, WEIR_KAFKA names another"
    assert done.stderr == f"weir: no broker runs in {bare.home.root}: {why}\n"


def test_the_broker_named_is_away(bare: Rig) -> None:
    done = bare.weir("run", "pipeline", "--bootstrap", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr == ("weir: Kafka at 127.0.0.1:1 does not answer: is the cluster up?\n")


def test_the_broker_of_this_home_was_stopped(bare: Rig) -> None:
    broker = Broker(bare.home)
    broker.up(attached=True)
    broker.down()
    done = bare.weir("run", "pipeline")
    assert done.returncode == 1
    assert done.stderr.startswith(f"weir: no broker runs in {bare.home.root}: `weir up` starts one")


def test_a_second_worker_in_the_same_slot(day: Day) -> None:
    pid = day.rig.pid("pipeline")
    done = day.rig.weir("run", "pipeline")
    assert done.returncode == 1
    assert f"pipeline-0 already runs in {day.rig.home.root} (process {pid})" in done.stderr
    assert day.rig.is_ready("pipeline")
    assert day.rig.pid("pipeline") == pid


def test_a_worker_started_by_hand_in_a_slot_that_is_taken(day: Day) -> None:
    environment = {"WEIR_BOOTSTRAP": day.rig.bootstrap, "WEIR_HOME": str(day.rig.home.root)}
    done = subprocess.run(
        [sys.executable, "-m", "agents.pipeline"],
        env=environment | {"WEIR_PARTITIONS": str(PARTITIONS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 70
    assert "slot 0 is taken: process " in done.stderr
    assert day.rig.is_ready("pipeline")


def test_no_such_worker(day: Day) -> None:
    done = day.rig.weir("run", "pipelin")
    assert done.returncode == 1
    assert done.stderr == "weir: 'pipelin' is no worker; there are pipeline, executor\n"


def test_topics_of_another_partition_count_are_refused(day: Day) -> None:
    done = day.rig.weir("run", "executor", "--slot", "7", WEIR_PARTITIONS="3")
    assert done.returncode == 1
    assert done.stderr.startswith("weir: topics differ from their contract:\n")
    assert f"hedge-executions: partitions must be 3, is {PARTITIONS}" in done.stderr
