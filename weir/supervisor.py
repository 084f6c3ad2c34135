"""Keeps child commands running: starts each in its slot, restarts what dies, with back-off.

Workers are crash-only: after an indefinite error they end and the next life asks the broker what
is true. So a restart is normal, not an alarm; the pause before it doubles from 0.2 s to 10 s and
starts over once a child has lived for 15 s, three times what a worker needs to be at work. A child
that does not stop when asked is killed, which is always safe, and none outlives the supervisor,
however that ends: the kernel sees to it.

Nothing polls: one thread sleeps until a child ends, a restart is due, or a stop is asked for.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import Literal, Self

from weir.errors import WeirError
from weir.home import Home
from weir.processes import Slot, spawn


@dataclass(frozen=True)
class Spec:
    """A child command; its name is its slot, its log file and its record."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own environment."""


@dataclass(frozen=True)
class Event:
    """What happened to a child, for a log line or a screen."""

    name: str
    kind: Literal["started", "died", "stopped", "killed"]
    pid: int
    status: int | None = None
    """Exit status of a child that is gone; the negative signal when one ended it."""
    again_in_s: float | None = None
    """Pause before the restart of one that died."""


@dataclass(frozen=True)
class Pace:
    """How patient the supervisor is."""

    pause_min_s: float = 0.2
    pause_max_s: float = 10.0
    healthy_s: float = 15.0
    """A child that lived this long starts over with the shortest pause."""
    grace_s: float = 20.0
    """Between the request to stop and the kill."""


@dataclass
class _Child:
    spec: Spec
    slot: Slot
    lock_fd: int
    pause_s: float
    process: subprocess.Popen[bytes] | None = None
    pidfd: int = -1
    started_at: float = 0.0
    restart_at: float = 0.0
    lives: int = 0


class Supervisor:
    """Runs its children between `start` and `stop`, or for as long as a `with` block lasts."""

    def __init__(
        self,
        home: Home,
        specs: Iterable[Spec],
        on_event: Callable[[Event], None] = lambda event: None,
        pace: Pace | None = None,
    ) -> None:
        self._home = home
        self._specs = tuple(specs)
        self._on_event = on_event
        self._pace = pace or Pace()
        self._children: list[_Child] = []
        self._wake_r, self._wake_w = -1, -1
        self._thread = threading.Thread(target=self._keep, name="supervisor", daemon=True)
        self._over = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Take every slot, or refuse without having started anything; then start the children."""
        try:
            for spec in self._specs:
                slot = Slot(self._home, spec.name)
                child = _Child(spec, slot, slot.claim(), self._pace.pause_min_s)
                self._children.append(child)
        except WeirError:
            self._release()
            raise
        self._wake_r, self._wake_w = os.pipe()
        self._thread.start()

    def stop(self) -> None:
        """Stop the children, all at once, and free their slots; raises what broke the keeping."""
        with suppress(OSError):  # it has already ended by itself
            os.write(self._wake_w, b".")
        self._thread.join()
        os.close(self._wake_r)
        os.close(self._wake_w)
        self._release()
        if self._failure is not None:
            raise self._failure

    def pids(self) -> dict[str, int]:
        """The children that run now."""
        return {child.spec.name: child.process.pid for child in self._children if child.process}

    def run(self) -> None:
        """Start, and stop at SIGTERM or Ctrl-C; to be called in the main thread."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            self._over.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with self:
                self._over.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _keep(self) -> None:
        """The thread. Children are started here, so they die with it if it breaks."""
        try:
            while not self._stop_asked():
                self._start_due()
            self._stop_all()
        except BaseException as error:  # noqa: BLE001 - stop() raises it where it is heard
            self._failure = error
        finally:
            self._over.set()

    def _stop_asked(self) -> bool:
        """Sleep until something is to be done; True when that is to stop."""
        due = [child.restart_at for child in self._children if child.process is None]
        patience_s = max(0.0, min(due) - time.monotonic()) if due else None
        return self._wake_r in self._wait(patience_s, self._wake_r)

    def _wait(self, patience_s: float | None, *also: int) -> set[int]:
        """Sleep until a child ends (it is reaped) or a file of `also` is readable; those."""
        ends = {child.pidfd: child for child in self._children if child.process}
        poller = select.poll()
        for fd in (*ends, *also):
            poller.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poller.poll(None if patience_s is None else patience_s * 1000)}
        for fd in ready & ends.keys():
            self._reap(ends[fd])
        return ready & set(also)

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and child.restart_at <= now:
                self._start(child)

    def _start(self, child: _Child) -> None:
        env = {**os.environ, **child.spec.env}
        last_exit = child.slot.read().get("exit") if child.lives else None
        process = spawn(child.slot, child.spec.argv, env=env, attached=True, lock_fd=child.lock_fd)
        child.process, child.pidfd = process, os.pidfd_open(process.pid)
        child.started_at = time.monotonic()
        child.lives += 1
        child.slot.write(
            {
                "pid": process.pid,
                "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "restarts": child.lives - 1,
                "exit": last_exit,
            }
        )
        self._on_event(Event(child.spec.name, "started", process.pid))

    def _reap(self, child: _Child, stopping: Literal["stopped", "killed"] | None = None) -> None:
        """Book the end of a child; unless all are stopping, say when it starts again."""
        if child.process is None:
            return
        pid, status = child.process.pid, child.process.wait()
        os.close(child.pidfd)
        child.process, child.pidfd = None, -1
        child.slot.write({**child.slot.read(), "exit": status})
        if stopping:
            self._on_event(Event(child.spec.name, stopping, pid, status))
            return
        now = time.monotonic()
        if now - child.started_at >= self._pace.healthy_s:
            child.pause_s = self._pace.pause_min_s
        child.restart_at = now + child.pause_s
        self._on_event(Event(child.spec.name, "died", pid, status, child.pause_s))
        child.pause_s = min(2 * child.pause_s, self._pace.pause_max_s)

    def _stop_all(self) -> None:
        """Ask all, wait for all, kill the rest."""
        running = [child for child in self._children if child.process]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self._pace.grace_s
        for child in running:
            if _ended(child, deadline - time.monotonic()):
                self._reap(child, "stopped")
            else:
                _signal(child, signal.SIGKILL)
                self._reap(child, "killed")

    def _release(self) -> None:
        for child in self._children:
            os.close(child.lock_fd)
        self._children.clear()


def _signal(child: _Child, number: signal.Signals) -> None:
    if child.process:
        child.process.send_signal(number)


def _ended(child: _Child, patience_s: float) -> bool:
    poller = select.poll()
    poller.register(child.pidfd, select.POLLIN)
    return bool(poller.poll(max(0.0, patience_s) * 1000))
