"""Starting a process: nothing of the one that starts it runs in the new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from weir.home import Home
from weir.processes import Slot, spawn, wait_until

GARBAGE = """
import gc, os, sys
from pathlib import Path
from rocksdict import Rdict
from weir.home import Home
from weir.processes import Slot, spawn

class Held:
    pass

gc.disable()
held = Held()
held.itself, held.store = held, Rdict(sys.argv[2])
held.store[1] = 1
del held
os.register_at_fork(after_in_child=gc.collect)
slot = Slot(Home(Path(sys.argv[1])), "program")
print(spawn(slot, ("/bin/true",), attached=True).wait(20))
"""


def test_what_the_starter_has_thrown_away_is_not_cleared_away_in_the_child(tmp_path: Path) -> None:
    """A store of RocksDB closed in a forked child waits for threads which that child does not
    have; the starter then waited for the child, for ever.
    """
    command = [sys.executable, "-c", GARBAGE, str(tmp_path / "home"), str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


def test_the_child_has_the_arguments_the_environment_and_its_own_group(home: Home) -> None:
    slot, words = Slot(home, "program"), ("a b", "", "$HOME", "'", "--")
    program = (
        "import os, sys; print(sys.argv[1:], os.environ['GIVEN'], os.getpgrp() == os.getpid())"
    )
    argv, env = (sys.executable, "-c", program, *words), {**os.environ, "GIVEN": "1"}
    for attached in (True, False):
        process = spawn(slot, argv, env=env, attached=attached)
        assert process.wait(20) == 0
        assert slot.last_lines(1).strip() == f"{list(words)} 1 True"
        assert wait_until(lambda: not slot.is_held(), 5)


def test_an_attached_child_ends_with_the_thread_that_started_it(home: Home) -> None:
    program = (
        "import sys, time; from pathlib import Path; from threading import Thread;"
        "from weir.home import Home; from weir.processes import Slot, spawn;"
        "slot = Slot(Home(Path(sys.argv[1])), 'program');"
        "found = [];"
        "start = lambda: found.append(spawn(slot, ('sleep', '600'), attached=True));"
        "thread = Thread(target=start); thread.start(); thread.join();"
        "print(found[0].wait(20))"
    )
    command = [sys.executable, "-c", program, str(home.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "-9\n", done.stderr
