"""What surroundings do to a worker: each has a clear message, none loses or doubles anything."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.exact import verify
from tests.agents.exact.rig import Rig, until
from tests.agents.exact.stage import Stage
from weir.home import Home
from weir.kafka import Broker
from weir.ports import free_port

PYTHON = sys.executable


@pytest.fixture(scope="module")
def stage(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("faults")
    stage = Stage(broker, folder)
    stage.play("broker", broker_away, folder / "home")
    stage.play("poison", poison, {"id": 900, "amount": -1})
    stage.play("decoder", poison, b"bug")
    stage.play("standby", standby)
    stage.play("hang", hang)
    stage.play("disk", full_disk)
    stage.play("slot", slot_taken)
    stage.play("stuck", stuck)
    stage.play("effects", effects_fail)
    stage.play("unwritable", crash_not_written_down)
    try:
        yield stage
    finally:
        stage.close()


def slot_taken(rig: Rig) -> None:
    rig.start(0)
    rig.logged("ready")
    first = rig.workers[0]
    second = rig.start(0)
    assert second.wait(60) == 70
    rig.workers[0] = first
    rig.deposits(0, 100)
    rig.wait_for_ids(100)
    assert rig.stop(0) == 0


def test_a_second_worker_in_a_slot_says_so_and_harms_nobody(stage: Stage):
    run = stage["slot"]
    first = run.started[0].pid
    message = f"worker stops: slot 0 is taken: process {first} works in {run.datadir(0)}"
    assert message in run.log(0)
    verify.everything(run)


def broker_away(rig: Rig, home: Path) -> None:
    """On a broker of its own, which is not there at first and is killed in the middle."""
    port = free_port()
    rig.broker = f"127.0.0.1:{port}"
    stop = threading.Event()
    supervisor = threading.Thread(target=_restart, args=(rig, stop))
    supervisor.start()
    embedded = Broker(Home(home))
    try:
        until(lambda: len(rig.started) > 1, "a worker without a broker ends")
        assert embedded.up(port, attached=True) == rig.broker
        own = Rig(rig.broker, rig.suffix, rig.folder)
        rig.admin, rig.producer = own.admin, own.producer
        rig.deposits(0, 2000)
        rig.wait_for_ids(500)
        embedded.slot.read()
        pid = embedded.status().pid
        subprocess.run(["kill", "-9", str(pid)], check=True)
        until(lambda: not embedded.slot.is_held(), "the broker is dead")
        embedded.up(attached=True)
        rig.deposits(2000, 2500)
        rig.wait_for_ids(2500)
        stop.set()
        supervisor.join()
        verify.everything(rig)
    finally:
        stop.set()
        supervisor.join()
        embedded.down(wipe=True)


def _restart(rig: Rig, stop: threading.Event) -> None:
    """A supervisor: another worker for each that ends."""
    worker = rig.start(0, batch_max=100)
    while not stop.wait(0.2):
        if worker.poll() is not None:
            worker = rig.start(0, batch_max=100)
    worker.send_signal(signal.SIGTERM)
    worker.wait(60)


def test_a_broker_that_is_away_or_dies_costs_nothing_but_time(stage: Stage):
    run = stage["broker"]
    codes = [worker.returncode for worker in run.started]
    assert codes[0] in (1, 70)
    assert codes[-1] == 0
    assert f"{run.broker}" in run.log(0).split("ready")[0]


def full_disk(rig: Rig) -> None:
    """RLIMIT_FSIZE: no file may grow beyond 64 blocks of 512 bytes."""
    rig.deposits(0, 6000, accounts=6000)
    rig.start(0, limit="ulimit -f 64", batch_max=500)
    assert rig.ended(0) == 70
    rig.start(0, batch_max=500)
    rig.deposits(6000, 6200)
    rig.wait_for_ids(6200)
    assert rig.stop(0) == 0


def test_a_full_disk_stops_the_worker_and_loses_nothing(stage: Stage):
    run = stage["disk"]
    assert "worker stops: a transaction failed" in run.log(0)
    assert "committed, but not written to the local disk" in run.log(0)
    assert "File too large" in run.log(0)
    verify.everything(run)


def poison(rig: Rig, value) -> None:
    """One input that breaks the worker each time; after the third its partition stays behind."""
    rig.deposits(0, 100)
    rig.send("deposits", value, "acc-1")
    rig.producer.flush(10)
    rig.deposits(100, 200)
    for _ in range(3):
        rig.start(0)
        assert rig.ended(0) == 70
    rig.start(0)
    rig.logged("partition is paused")
    until(lambda: _elsewhere(rig) <= set(rig.ids()), "the other partitions go on")
    assert rig.stop(0) == 0


def _elsewhere(rig: Rig) -> set[int]:
    """Ids that lie in other partitions than the bad input."""
    records = list(rig.read("deposits"))
    bad = next(m for m in records if b'"amount": -1' in m.value() or m.value() == b"bug")
    found = [m for m in records if m.partition() != bad.partition()]
    return {json.loads(message.value())["id"] for message in found}


@pytest.mark.parametrize("kind", ["poison", "decoder"])
def test_an_input_that_breaks_the_worker_three_times_pauses_its_partition(stage: Stage, kind: str):
    run = stage[kind]
    (at,) = json.loads((run.datadir(0) / "crashes.json").read_text())
    topic, partition, offset = at.split("|")
    assert topic == f"deposits-{run.suffix}"
    before = [m for m in run.read("deposits") if m.partition() == int(partition)][: int(offset)]
    before_ids = {json.loads(message.value())["id"] for message in before}
    assert len(run.ids()) == len(set(run.ids()))
    assert _elsewhere(run) <= set(run.ids()) <= _elsewhere(run) | before_ids
    log = run.log(0)
    for times in (1, 2, 3):
        assert log.count(f"broke its agent ({times} times)") == 1
    verify.hashes_agree(run)


def standby(rig: Rig) -> None:
    """More workers than partitions: one has nothing to do for longer than a hang may last."""
    one = Rig(rig.broker, rig.suffix + "p", rig.folder, partitions=1)
    rig.suffix, rig.partitions = one.suffix, one.partitions
    rig.start(0, hang_timeout_s=3)
    rig.logged("ready", 0)
    rig.start(1, hang_timeout_s=3)
    rig.logged("ready", 0, times=2)
    idle = threading.Event()
    idle.wait(6)  # the fact itself: it has been idle for this long
    rig.deposits(0, 100)
    rig.wait_for_ids(100)
    rig.kill(0)
    rig.deposits(100, 200)
    rig.wait_for_ids(200)
    assert rig.stop(1) == 0


def test_an_idle_worker_stays_in_the_group_and_takes_over(stage: Stage):
    verify.everything(stage["standby"])


def hang(rig: Rig) -> None:
    rig.deposits(0, 100)
    rig.datadir(0).mkdir(parents=True)
    (rig.datadir(0) / "hang").touch()
    rig.start(0, hang_timeout_s=5, stop_timeout_s=3)
    rig.wait_for_ids(100)
    rig.start(1, hang_timeout_s=5)
    rig.logged("ready", 1)
    for i in range(20):  # every partition gets some
        rig.send("deposits", {"id": 1000 + i, "amount": -3}, f"h-{i}")
    rig.deposits(100, 200)
    rig.wait_for_ids(220)
    assert rig.ended(0) == 70
    assert rig.stop(1) == 0


def test_a_hung_agent_leaves_and_another_worker_goes_on(stage: Stage):
    run = stage["hang"]
    verify.everything(run)
    assert "partitions were revoked and the running batch did not end" in run.log(0)


def stuck(rig: Rig) -> None:
    """The client does not come back from the middle of a transaction."""
    rig.deposits(0, 100)
    rig.start(0, dawdle_s=3600, transaction_timeout_ms=1000)
    assert rig.ended(0) == 70
    rig.start(0)
    rig.wait_for_ids(100)
    assert rig.stop(0) == 0


def test_a_transaction_that_does_not_end_ends_the_worker(stage: Stage):
    run = stage["stuck"]
    assert "worker stops: a transaction did not end within 6 s" in run.log(0)
    verify.everything(run)


def effects_fail(rig: Rig) -> None:
    rig.send("deposits", {"id": "boom", "amount": 1, "effect": True}, "acc-1")
    rig.producer.flush(10)
    rig.start(0)
    assert rig.ended(0) == 70


def test_effects_that_nobody_could_carry_out_end_the_worker_at_once(stage: Stage):
    run = stage["effects"]
    assert "effects were not carried out: ConnectionError" in run.log(0)
    assert run.ids() == ["boom"]


def crash_not_written_down(rig: Rig) -> None:
    (rig.datadir(0) / "crashes.part").mkdir(parents=True)
    rig.send("deposits", {"id": 1, "amount": -1}, "acc-1")
    rig.producer.flush(10)
    rig.start(0)
    assert rig.ended(0) == 70


def test_a_crash_that_cannot_be_written_down_is_a_crash(stage: Stage):
    assert "crashes.json not written: [Errno 21] Is a directory" in stage["unwritable"].log(0)


def test_a_worker_dies_even_if_its_log_cannot_be_written():
    program = "from agents.exact.crash import die; import logging; logging.basicConfig(); die('x')"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([PYTHON, "-c", program], stderr=full, timeout=30, check=False)
    assert done.returncode == 70


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.touch()
    given = {"suffix": "x", "bootstrap": "127.0.0.1:1", "datadir": str(blocked), "slot": 0}
    command = [PYTHON, "-m", "tests.agents.exact.sums", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70
    assert f"the worker's folder cannot be used: [Errno 17] File exists: '{blocked}'" in done.stderr
