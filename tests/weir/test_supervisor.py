"""The supervisor with small real children: restarts, back-off, stop, kill, one life per slot."""

import json
import os
import queue
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from weir.errors import WeirError
from weir.home import Home
from weir.processes import Slot, wait_until
from weir.supervisor import Event, Pace, Spec, Supervisor

QUICK = Pace(pause_min_s=0.05, pause_max_s=0.2, healthy_s=30.0, grace_s=10.0)


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


SLEEPER = python("import time; time.sleep(600)")
STUBBORN = python(
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)
SUPERVISOR = python(
    "import sys; from pathlib import Path; from weir.home import Home;"
    "from weir.supervisor import Spec, Supervisor;"
    "child = Spec('worker', (sys.executable, '-c', 'import time; time.sleep(600)'));"
    "Supervisor(Home(Path(sys.argv[1])), [child]).run()"
)


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def take(events: queue.Queue[Event], kind: str) -> Event:
    """The next event, which must be of this kind."""
    event = events.get(timeout=10)
    assert event.kind == kind, event
    return event


def test_a_child_is_started_recorded_and_stopped(home: Home) -> None:
    events: queue.Queue[Event] = queue.Queue()
    with Supervisor(home, [Spec("worker", SLEEPER)], events.put, QUICK) as supervisor:
        started = take(events, "started")
        record = Slot(home, "worker").read()
        assert record["pid"] == started.pid == supervisor.pids()["worker"]
        assert record["restarts"] == 0
        assert record["exit"] is None
        assert record["started"].endswith("+00:00")
    assert take(events, "stopped").status == -signal.SIGTERM
    assert Slot(home, "worker").read()["exit"] == -signal.SIGTERM
    assert not Slot(home, "worker").is_held()


def test_the_pause_before_a_restart_doubles_up_to_the_longest(home: Home) -> None:
    events: queue.Queue[Event] = queue.Queue()
    with Supervisor(home, [Spec("worker", python("raise SystemExit(7)"))], events.put, QUICK):
        pauses = []
        for _ in range(4):
            take(events, "started")
            died = take(events, "died")
            assert died.status == 7
            pauses.append(died.again_in_s)
        take(events, "started")
        record = json.loads(Slot(home, "worker").record_path.read_text())
    assert pauses == [0.05, 0.1, 0.2, 0.2]
    assert record["restarts"] == 4
    assert record["exit"] == 7


def test_a_child_that_lived_long_enough_starts_over_with_the_shortest_pause(home: Home) -> None:
    events: queue.Queue[Event] = queue.Queue()
    pace = Pace(pause_min_s=0.05, pause_max_s=0.2, healthy_s=0.0)
    with Supervisor(home, [Spec("worker", python(""))], events.put, pace):
        for _ in range(3):
            take(events, "started")
            assert take(events, "died").again_in_s == 0.05


def test_a_killed_child_comes_back_and_the_others_are_left_alone(home: Home) -> None:
    events: queue.Queue[Event] = queue.Queue()
    specs = [Spec("one", SLEEPER), Spec("two", SLEEPER)]
    with Supervisor(home, specs, events.put, QUICK) as supervisor:
        take(events, "started")
        take(events, "started")
        before = supervisor.pids()
        os.kill(before["one"], signal.SIGKILL)
        assert take(events, "died").status == -signal.SIGKILL
        assert take(events, "started").name == "one"
        after = supervisor.pids()
    assert after["one"] != before["one"]
    assert after["two"] == before["two"]


def test_a_child_that_does_not_stop_is_killed(home: Home) -> None:
    events: queue.Queue[Event] = queue.Queue()
    pace = Pace(grace_s=0.2)
    with Supervisor(home, [Spec("worker", STUBBORN)], events.put, pace):
        pid = take(events, "started").pid
        log = Slot(home, "worker").log_path
        assert wait_until(lambda: log.read_text() == "deaf\n", 10)
    assert take(events, "killed").status == -signal.SIGKILL
    assert not alive(pid)


def test_environment_and_output_of_a_child(home: Home) -> None:
    program = python("import os, time; print(os.environ['MARK'], flush=True); time.sleep(600)")
    with Supervisor(home, [Spec("worker", program, {"MARK": "here"})]):
        assert wait_until(lambda: Slot(home, "worker").last_lines() == "    here", 10)


def test_a_second_supervisor_of_the_same_slot_is_refused_and_starts_nothing(home: Home) -> None:
    with Supervisor(home, [Spec("worker", SLEEPER)], pace=QUICK) as first:
        assert wait_until(lambda: "worker" in first.pids(), 10)
        pid = first.pids()["worker"]
        second = Supervisor(home, [Spec("other", SLEEPER), Spec("worker", SLEEPER)])
        with pytest.raises(WeirError, match=rf"worker already runs in .* \(process {pid}\)"):
            second.start()
        assert not Slot(home, "other").is_held()
        assert first.pids() == {"worker": pid}


def test_a_worker_alone_is_refused_while_its_slot_is_supervised(home: Home) -> None:
    with (
        Supervisor(home, [Spec("worker", SLEEPER)], pace=QUICK),
        pytest.raises(WeirError, match="worker already runs"),
    ):
        Slot(home, "worker").claim()


def test_a_supervised_worker_finds_its_slot_handed_to_it(home: Home) -> None:
    program = python(
        "import sys, time; from pathlib import Path; from weir.home import Home;"
        "from weir.processes import Slot; Slot(Home(Path(sys.argv[1])), 'worker').claim();"
        "print('mine', flush=True); time.sleep(600)"
    )
    with Supervisor(home, [Spec("worker", (*program, str(home.root)))], pace=QUICK):
        assert wait_until(lambda: Slot(home, "worker").last_lines() == "    mine", 10)


def test_children_die_with_a_killed_supervisor_and_free_their_slots(home: Home) -> None:
    supervisor = subprocess.Popen([*SUPERVISOR, str(home.root)])
    slot = Slot(home, "worker")
    assert wait_until(lambda: "pid" in slot.read(), 20)
    pid = slot.read()["pid"]
    supervisor.kill()
    supervisor.wait()
    assert wait_until(lambda: not alive(pid) and not slot.is_held(), 10)


def test_run_ends_in_order_at_sigterm(home: Home) -> None:
    supervisor = subprocess.Popen([*SUPERVISOR, str(home.root)])
    slot = Slot(home, "worker")
    assert wait_until(lambda: "pid" in slot.read(), 20)
    supervisor.terminate()
    assert supervisor.wait(timeout=20) == 0
    assert slot.read()["exit"] == -signal.SIGTERM


def test_a_command_that_does_not_exist_ends_the_run_and_is_said(home: Home) -> None:
    supervisor = Supervisor(home, [Spec("worker", ("/no/such/program",))])
    with pytest.raises(FileNotFoundError, match="/no/such/program"):
        supervisor.run()  # it ends by itself; a stop could come before the first try
