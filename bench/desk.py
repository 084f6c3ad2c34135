"""A whole Weir to do harm to: a broker, a venue whose answers fail, and two slots of workers, each
under `weir run` as a person starts it.

    with desk(seed=1, fault_rate=0.3, accounts=6, fills=5000, rate=40) as running: ...

A worker is named as its slot is, `executor-0`. Every harm is SIGKILL, SIGSTOP or SIGCONT to a real
process; what comes back is started by the supervisor, or by `begin` where that was lost too.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from streams.topology import NODES
from tests.weir.rig import (
    PARTITIONS,
    Rig,
    Sandbox,
    control_line,
    policy_line,
    rig,
    until,
)
from weir.home import Home
from weir.kafka import Broker
from weir.processes import Slot
from weir.status.workers import workers

APPS = ("pipeline", "executor")
SLOTS = (0, 1)
WORKERS = tuple(f"{app}-{slot}" for slot in SLOTS for app in APPS)
DELAY_MS = 11_000
"""How late the venue is by seed: an answer that nobody waits for any more, a row of its history."""
EXECUTION = {"absence_s": 14, "backoff_s": 1, "park_s": 600}
"""Absence may be proven only when the history cannot be late any more."""
READY_S = 90.0

At = tuple[str, int]
"""A node and a partition of it."""


class Workers:
    """The workers of some slots, under the supervisors that start them; `environment` is how they
    reach the outside. Their folder outlives them if `kept`.
    """

    def __init__(
        self,
        rig: Rig,
        folder: Path,
        slots: tuple[int, ...],
        environment: Callable[[], dict[str, str]],
    ) -> None:
        self.rig, self.folder, self.slots = rig, folder, slots
        self.kept = False
        self._environment = environment
        self._supervisors: dict[int, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All workers, by name."""
        return tuple(f"{app}-{slot}" for slot in self.slots for app in APPS)

    # -- life

    def open(self) -> None:
        """Starts it all with its policy."""
        raise NotImplementedError

    def start(self, policy: dict[str, Any]) -> None:
        """Topics, all slots, the policy and an open gate; returns when all workers work."""
        made = self.rig.weir("topics", "create")
        if made.returncode:
            raise RuntimeError(made.stderr)
        for slot in self.slots:
            self.begin(slot)
        self.rig.send("orch_config_updates", [policy])
        self.rig.send("treasury.controls.v1", [control_line("ACTIVE", 1)])
        self.await_whole()

    def begin(self, slot: int) -> None:
        """`weir run --slot N`, both workers."""
        argv = (sys.executable, "-m", "weir.cli", "run", "--slot", str(slot))
        self._supervisors[slot] = self.rig.start(f"run-{slot}", *argv, **self._environment())

    def await_whole(self) -> None:
        """Waits until every worker serves partitions and together they serve each one."""
        until(self.is_whole, lambda: f"all workers work\n{self._told()}", READY_S)

    def is_whole(self) -> bool:
        """Whether the workers of each app agree on who they are, and serve every partition."""
        told = {worker.name: worker for worker in workers(self.rig.home)}
        for app in APPS:
            ours = [told.get(f"{app}-{slot}") for slot in self.slots]
            if not all(one and one.state == "ready" and self.lives(one.name) for one in ours):
                return False
            if len({one.as_json()["generation"] for one in ours if one}) > 1:
                return False
        served = set().union(*(self.served(worker) for worker in self.names))
        return served == {(node.name, p) for node in NODES for p in range(PARTITIONS)}

    def served(self, name: str) -> set[At]:
        """The partitions of nodes that a worker says it serves."""
        found = next((one for one in workers(self.rig.home) if one.name == name), None)
        places = found.as_json()["partitions"] if found else ()
        return {
            (node.name, p)
            for node in NODES
            for p in range(PARTITIONS)
            if f"{node.sources[0]}[{p}]" in places
        }

    def pid(self, worker: str) -> int:
        """The process of a worker now; 0 for one that has none."""
        return int(Slot(self.rig.home, worker).read().get("pid", 0))

    def lives(self, name: str) -> bool:
        """Whether a worker has a process now."""
        pid = self.pid(name)
        return pid > 1 and Path(f"/proc/{pid}").exists()

    # -- harm

    def kill(self, *workers: str) -> None:
        """SIGKILL to workers; their supervisor starts them again."""
        for worker in workers:
            _signal(self.pid(worker), signal.SIGKILL)

    def lose(self, slot: int) -> None:
        """SIGKILL to a whole slot: the supervisor, and with it, by the kernel, its workers."""
        _signal(self._supervisors.pop(slot), signal.SIGKILL)

    def freeze(self, worker: str) -> int:
        """SIGSTOP; the process, for `thaw`."""
        pid = self.pid(worker)
        _signal(pid, signal.SIGSTOP)
        return pid

    def thaw(self, pid: int) -> None:
        """SIGCONT."""
        _signal(pid, signal.SIGCONT)

    def break_broker(self, pause_s: float) -> None:
        """SIGKILL to the broker, and its restart after a pause."""
        broker = Broker(self.rig.home)
        pid = broker.status().pid
        if pid is None:
            raise RuntimeError("the broker does not run")
        _signal(pid, signal.SIGKILL)
        until(lambda: not broker.slot.is_held(), "the broker's end")
        time.sleep(pause_s)
        broker.up(attached=True)

    def restarts(self) -> dict[str, int]:
        """How often each worker was started again."""
        return {w: int(Slot(self.rig.home, w).read().get("restarts", 0)) for w in self.names}

    def _told(self) -> str:
        return "\n".join(f"{worker}: {sorted(self.served(worker))}" for worker in self.names)


W = TypeVar("W", bound=Workers)


class Desk(Workers):
    """Two slots at a venue, which is `sandbox` with its books."""

    def __init__(self, rig: Rig, sandbox: Sandbox, folder: Path) -> None:
        reached = lambda: {"WEIR_VENUES": sandbox.venues, "WEIR_POLL_S": "2"}  # noqa: E731
        super().__init__(rig, folder, SLOTS, reached)
        self.sandbox = sandbox

    def open(self) -> None:
        self.start(policy_line(1, self.sandbox.accounts, execution=EXECUTION))


@contextmanager
def desk(*, seed: int, fault_rate: float, accounts: int, fills: int, rate: float) -> Iterator[Desk]:
    """A desk in a folder of its own, which is kept if the block raises or asks for it."""
    options: dict[str, Any] = {
        "accounts": accounts,
        "fills": fills,
        "rate": rate,
        "seed": seed,
        "duplicates": 0.02,
        "fault-seed": seed,
        "fault-rate": fault_rate,
        "fault-delay-ms": DELAY_MS,
    }
    words = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    with in_folder(
        "money-", lambda running, folder: Desk(running, Sandbox(running, *words), folder)
    ) as made:
        yield made


@contextmanager
def in_folder(prefix: str, make: Callable[[Rig, Path], W]) -> Iterator[W]:
    """A broker, and workers made on it, in a folder that is kept if the block raises or asks for
    it.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with rig(Home(folder / "home")) as running:
            made = make(running, folder)
            yield made
        if not made.kept:
            shutil.rmtree(folder)
    finally:
        if folder.exists():
            print(f"logs and evidence are in {folder}", file=sys.stderr)


def _signal(pid: int, number: signal.Signals) -> None:
    if pid <= 1:
        raise RuntimeError("there is no such process now")
    os.kill(pid, number)
