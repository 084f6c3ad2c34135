"""A worker killed or frozen inside each crash window of a transaction, and what the others see.

The windows: records produced, offsets sent, committed but not stored, stored. Scenarios run side by
side on one broker, each on topics of its own; the judge is `verify.py`.
"""

import shutil
import signal
import time
from collections.abc import Iterator

import pytest
import rocksdict
from confluent_kafka import Producer

from tests.agents.exact import verify
from tests.agents.exact.rig import Rig, until
from tests.agents.exact.stage import Stage

WINDOWS = ("produced", "offsets", "committed", "stored")
OPEN = ("produced", "offsets")  # the transaction is not committed in these
FIRST, ALL = 400, 600


@pytest.fixture(scope="module")
def stage(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(broker, tmp_path_factory.mktemp("crash"))
    for window in WINDOWS:
        stage.play(f"freeze-{window}", freeze, window)
    for window in WINDOWS:
        for wipe in (False, True):
            stage.play(f"kill-{window}-{wipe}", kill, window, wipe)
    stage.play("restore", kill_in_restore)
    stage.play("foreign", foreign_row)
    stage.play("ahead", ahead_of_the_log)
    stage.play("damaged", damaged_folder)
    try:
        yield stage
    finally:
        stage.close()


def kill(rig: Rig, window: str, wipe: bool) -> None:
    """SIGKILL in the third passage of a window; a restart finishes, on an empty disk or not."""
    rig.deposits(0, FIRST)
    rig.start(0, batch_max=60, stop_at={"word": window, "signal": signal.SIGKILL, "turn": 3})
    rig.stopped(0)
    assert rig.ended(0) == -signal.SIGKILL
    if wipe:
        shutil.rmtree(rig.datadir(0) / "tables")
    rig.start(0)
    rig.deposits(FIRST, ALL)
    rig.wait_for_ids(ALL)
    assert rig.stop(0) == 0


@pytest.mark.req("000-13", "003-37", "003-83", "003-84")
@pytest.mark.parametrize("wipe", [False, True], ids=["disk kept", "disk wiped"])
@pytest.mark.parametrize("window", WINDOWS)
def test_killed_in_a_window(stage: Stage, window: str, wipe: bool):
    run = stage[f"kill-{window}-{wipe}"]
    verify.everything(run)
    assert (verify.hidden(run) > 0) == (window in OPEN)
    lost = set(verify.wished_effects(run)) - set(verify.effects(run))
    if window in OPEN:  # what did not commit was not carried out, and came again
        assert not lost
    else:  # the worker died between its commit and the hand-over: at most this one batch
        assert len(lost) <= 60


def freeze(rig: Rig, window: str) -> None:
    """SIGSTOP in a window past the session timeout; another slot takes over; the sleeper wakes."""
    rig.deposits(0, FIRST)
    rig.start(0, batch_max=60, stop_at={"word": window, "signal": signal.SIGSTOP, "turn": 3})
    rig.stopped(0)
    rig.start(1)
    rig.wait_for_ids(FIRST)
    rig.deposits(FIRST, ALL)
    rig.workers[0].send_signal(signal.SIGCONT)
    if window in OPEN:
        assert rig.ended(0) == 70
    rig.wait_for_ids(ALL)
    time_to_harm_s = time.monotonic() + 2
    until(lambda: time.monotonic() > time_to_harm_s, "a zombie gets the time to do harm")
    assert rig.stop(1) == 0
    if rig.workers[0].poll() is None:
        assert rig.stop(0) == 0
    else:
        assert rig.ended(0) == 70


@pytest.mark.req("000-13", "003-86")
@pytest.mark.parametrize("window", WINDOWS)
def test_frozen_in_a_window_while_another_takes_over(stage: Stage, window: str):
    run = stage[f"freeze-{window}"]
    verify.everything(run)
    if window in OPEN:
        assert verify.hidden(run) > 0
        assert "worker stops: a transaction" in run.log(0)


def kill_in_restore(rig: Rig) -> None:
    """Killed once more while the empty disk is being filled."""
    rig.deposits(0, FIRST)
    rig.start(0)
    rig.wait_for_ids(FIRST)
    rig.kill(0)
    shutil.rmtree(rig.datadir(0) / "tables")
    rig.start(0, stop_at={"word": "restore", "signal": signal.SIGKILL, "turn": 1})
    rig.stopped(0)
    assert rig.ended(0) == -signal.SIGKILL
    rig.start(0)
    rig.deposits(FIRST, ALL)
    rig.wait_for_ids(ALL)
    assert rig.stop(0) == 0


@pytest.mark.req("003-39")
def test_killed_while_restoring(stage: Stage):
    verify.everything(stage["restore"])


def foreign_row(rig: Rig) -> None:
    """Somebody else writes into a changelog: no worker may start from that."""
    rig.deposits(0, 50)
    rig.start(0)
    rig.wait_for_ids(50)
    assert rig.stop(0) == 0
    foreign = Producer({"bootstrap.servers": rig.broker})
    row = b'{"total":999,"count":1,"rate":0}'
    foreign.produce(rig.changelog("accounts"), row, b"acc-1", 2)
    foreign.flush(10)
    rig.start(0)
    assert rig.ended(0) == 70
    rig.logged("local state is dropped: it does not lead to the hash")
    shutil.rmtree(rig.datadir(0) / "tables")
    rig.start(0)
    assert rig.ended(0) == 70


@pytest.mark.req("003-46")
def test_a_changelog_that_contradicts_its_hash_is_refused(stage: Stage):
    run = stage["foreign"]
    for line in run.log(0).splitlines():
        if "worker stops" in line:
            assert f"{run.changelog('accounts')}[2]: restored entries have hash" in line
    assert run.log(0).count("worker stops") == 2
    assert len(run.ids()) == 50


def ahead_of_the_log(rig: Rig) -> None:
    """The topics were made anew under a worker's old folder."""
    rig.deposits(0, 300)
    rig.start(0)
    rig.wait_for_ids(300)
    assert rig.stop(0) == 0
    old = rig.datadir(0)
    rig.suffix += "n"
    fresh = Rig(rig.broker, rig.suffix, rig.folder)
    rig.partitions = fresh.partitions
    assert rig.datadir(0) == old
    rig.deposits(0, 30)
    rig.start(0)
    rig.wait_for_ids(30)
    assert rig.stop(0) == 0


def test_local_state_ahead_of_the_log_is_dropped(stage: Stage):
    run = stage["ahead"]
    assert "local state is dropped: it is ahead of its changelog" in run.log(0)
    verify.every_deposit_once(run)
    verify.state_is_the_fold(run)
    verify.hashes_agree(run)


def damaged_folder(rig: Rig) -> None:
    """A worker comes back with an old folder in which one entry is not what it was."""
    rig.deposits(0, 100)
    rig.start(0)
    rig.wait_for_ids(100)
    assert rig.stop(0) == 0
    stale = rig.folder / "stale"
    shutil.copytree(rig.datadir(0) / "tables", stale)
    rig.start(0)
    rig.deposits(100, 200)
    rig.wait_for_ids(200)
    assert rig.stop(0) == 0
    shutil.rmtree(rig.datadir(0) / "tables")
    shutil.copytree(stale, rig.datadir(0) / "tables")
    _damage(rig)
    rig.start(0)
    rig.deposits(200, 300)
    rig.wait_for_ids(300)
    assert rig.stop(0) == 0


def _damage(rig: Rig) -> None:
    for path in (rig.datadir(0) / "tables").glob("accounts-*"):
        db = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
        for key in [key for key in db.keys() if key.startswith(b"acc-")]:  # noqa: SIM118
            db[key] = b'{"total":1,"count":1,"rate":1}'
        db.close()


@pytest.mark.req("003-46", "003-84")
def test_a_damaged_folder_is_rebuilt_from_the_log(stage: Stage):
    run = stage["damaged"]
    assert "is damaged: the entries do not have the hash written with them" in run.log(0)
    verify.everything(run)
