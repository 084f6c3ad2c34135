"""`weir status` for the person on call: lag in records, and what is in force."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

import pytest

from tests.weir.day import Day
from tests.weir.rig import PARTITIONS, WIRE, Rig, control_line, fill_line, until
from weir.home import Home
from weir.kafka import Broker
from weir.status.cluster import look
from weir.topics import ensure

SHOWN = "bybit:status"


def seen(rig: Rig) -> Any:
    """`weir status --json`."""
    done = rig.weir("status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lag(status: Any) -> dict[str, int]:
    """Records behind by topic, where there are any or the count is not known."""
    lags = status["cluster"]["lags"]
    return {one["topic"]: one["records"] for one in lags if one["records"] or not one["exact"]}


def test_workers_groups_mode_policy_and_the_last_decision(day: Day) -> None:
    day.settled()
    last = max(
        day.rig.values("treasury.decisions.v1"), key=lambda value: value["meta"]["event_time"]
    )
    began = time.monotonic()
    status = seen(day.rig)
    assert time.monotonic() - began < 5  # about one second on a machine that does nothing else
    pipeline, executor = (
        next(one for one in status["workers"] if one["name"] == name)
        for name in ("pipeline-0", "executor-0")
    )
    assert (pipeline["state"], pipeline["restarts"], pipeline["exit"]) == ("ready", 2, -9)
    assert (executor["state"], executor["restarts"]) == ("ready", 1)
    assert pipeline["pid"] == day.rig.pid("pipeline")
    assert pipeline["loop_age_ms"] < 5000
    assert pipeline["events"] > 0
    groups = {one["app"]: one for one in status["cluster"]["groups"]}
    for worker in (pipeline, executor):
        group = groups[f"weir-{worker['name'].removesuffix('-0')}"]
        assert (group["state"], group["members"]) == ("stable", 1)
        assert group["partitions"] == len(worker["partitions"]) >= 3 * PARTITIONS
    (everything,) = [one for one in status["cluster"]["modes"] if one["scope"] == "all"]
    assert (everything["mode"], everything["epoch"]) == ("ACTIVE", 1)
    assert status["cluster"]["policy"]["version"] == "test@2"
    assert status["cluster"]["decision"]["at"] >= last["meta"]["event_time"]


def test_lag_is_counted_in_records_and_ends_when_all_are_folded(day: Day) -> None:
    day.settled()
    pid = day.rig.pid("pipeline")
    os.kill(pid, signal.SIGSTOP)
    try:
        fills = [fill_line(SHOWN, f"s{n}", "Buy", "1", "10", "0") for n in range(3)]
        day.rig.send("hedge-executions", fills)
        behind = lag(seen(day.rig))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert behind["hedge-executions"] == 3
    until(lambda: "hedge-executions" not in lag(seen(day.rig)), "the fills are folded")


def test_for_the_eye(day: Day) -> None:
    day.rig.send("treasury.controls.v1", [control_line("PAUSED", 2, "venue:elsewhere")])
    text = day.rig.weir("status").stdout
    lines = dict(line.split(None, 1) for line in text.splitlines() if not line.startswith(" "))
    assert lines["broker"].startswith(f"{day.rig.bootstrap}: answers, process ")
    assert lines["registry"] == day.rig.registry
    assert lines["pipeline-0"].startswith("ready: pid ")
    assert " 2 restarts, last exit -9, generation " in lines["pipeline-0"]
    assert "mode       all ACTIVE, epoch 1, 2026-01-05T08:00:00.000Z, test: test" in text
    assert "mode       venue:elsewhere PAUSED, epoch 2" in text
    assert lines["policy"].startswith("test@2, hash ")
    assert "decision   2" in text


def test_a_cluster_without_topics_and_one_without_records(home: Home) -> None:
    broker = Broker(home)
    address = broker.up(attached=True)
    try:
        assert "hedge-executions" in look(address, WIRE).missing
        ensure(address, PARTITIONS, 1)
        empty = look(address, WIRE)
        assert (empty.missing, empty.modes, empty.policy, empty.decision) == ([], [], None, None)
        assert all(one.records == 0 and one.exact for one in empty.lags)
        assert {one.members for one in empty.groups} == {0}
    finally:
        broker.down(wipe=True)


@pytest.mark.parametrize("words", [("status",), ("status", "--json")])
def test_kafka_away_is_status_one(home: Home, words: tuple[str, ...]) -> None:
    rig = Rig(home, "127.0.0.1:1", "")
    done = rig.weir(*words, "--bootstrap", "127.0.0.1:1")
    assert done.returncode == 1
    if len(words) == 1:
        assert done.stdout.splitlines()[0] == ("broker     127.0.0.1:1 (outside): does not answer")
    else:
        assert json.loads(done.stdout)["cluster"] is None
