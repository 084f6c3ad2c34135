"""Processes that Weir starts: each has a lock, a record and a log file below `WEIR_HOME`.

A process is found again by its lock, not by its number: the lock file is opened and locked by the
starter, the child inherits the open file, and the kernel frees the lock when the last of them is
gone, however it died. So a stale record never looks alive, a number that the system gave to
someone else is never signalled, and a slot cannot be run twice.
"""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weir.errors import WeirError
from weir.home import Home

HELD_FD = "WEIR_SLOT_FD"
"""Environment variable by which a starter hands the locked file of a slot to its child."""

_DIE_WITH_STARTER = (
    *("setpriv", "--pdeathsig", "KILL", "--", "sh", "-c"),
    # else the starter went before the kernel was asked; its pipe ends here, so that it knows
    '[ "$PPID" = "$0" ] && exec "$@" </dev/null',
)
_LOCK_PATIENCE_S = 0.5


@dataclass(frozen=True)
class Slot:
    """The one place of a named process in a home: `broker`, `registry`, `pipeline-0`."""

    home: Home
    name: str

    @property
    def lock_path(self) -> Path:
        return self.home.run / f"{self.name}.lock"

    @property
    def record_path(self) -> Path:
        return self.home.run / f"{self.name}.json"

    @property
    def log_path(self) -> Path:
        return self.home.logs / f"{self.name}.log"

    def is_held(self) -> bool:
        """Whether a process lives in this slot now."""
        if not self.lock_path.exists():
            return False
        with self.lock_path.open("a") as file:
            return not _lock(file.fileno())

    def claim(self) -> int:
        """Take the slot for this process until it ends; refuse when another one has it."""
        handed = os.environ.get(HELD_FD)
        if handed is not None and _is_same_file(int(handed), self.lock_path):
            return int(handed)
        self.home.run.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + _LOCK_PATIENCE_S  # someone may only be looking
        while not _lock(fd):
            if time.monotonic() > deadline:
                os.close(fd)
                raise WeirError(self._taken())
            time.sleep(0.02)
        return fd

    def read(self) -> dict[str, Any]:
        """The record of the process, empty when there is none; may be of an earlier life."""
        try:
            record: dict[str, Any] = json.loads(self.record_path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return record

    def write(self, record: Mapping[str, Any]) -> None:
        """Replace the record in one step, so that no reader sees half of it."""
        self.home.run.mkdir(parents=True, exist_ok=True)
        part = self.record_path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(record) + "\n")
        part.replace(self.record_path)

    def last_lines(self, count: int = 12) -> str:
        """The end of the log file, indented, for an error message."""
        try:
            lines = self.log_path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        return "\n".join(f"    {line}" for line in lines[-count:]) or "    (nothing)"

    def _taken(self) -> str:
        pid = self.read().get("pid", "unknown")
        return (
            f"{self.name} already runs in {self.home.root} (process {pid}); "
            f"stop it first, or use another WEIR_HOME"
        )


def spawn(
    slot: Slot,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    attached: bool,
    lock_fd: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in its slot, its output appended to the slot's log file.

    A detached one outlives this process and its terminal; an attached one is killed by the kernel
    when the thread that started it ends. `lock_fd` is the slot's claim when the caller keeps it.

    The kernel is asked by two small programs that then become this one, not by Python code between
    fork and exec (`preexec_fn`): a collection of garbage there closes stores and clients whose
    threads the child does not have, and waits for them for ever, and so does the starter.
    Raises FileNotFoundError when there is no such program.
    """
    slot.home.logs.mkdir(parents=True, exist_ok=True)
    fd = slot.claim() if lock_fd is None else lock_fd
    slot.record_path.unlink(missing_ok=True)  # of an earlier life
    try:
        with slot.log_path.open("ab") as log:
            common: dict[str, Any] = {
                "env": {**(os.environ if env is None else env), HELD_FD: str(fd)},
                "cwd": cwd,
                "stdout": log,
                "stderr": subprocess.STDOUT,
                "pass_fds": (fd,),
            }
            if attached:
                return _start_attached(argv, common)
            return subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, start_new_session=True, **common
            )
    finally:
        if lock_fd is None:
            os.close(fd)


def _start_attached(argv: Sequence[str], common: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """Returns when the kernel knows: before that, an end of this thread would leave it alone."""
    if shutil.which(argv[0]) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    known, unknown = os.pipe()
    with open(known, "rb", buffering=0) as answer:
        with open(unknown, "wb") as ends_with_sh:
            process = subprocess.Popen(
                [*_DIE_WITH_STARTER, str(os.getpid()), *argv],
                stdin=ends_with_sh,
                process_group=0,  # Ctrl-C is for the one who started it
                **common,
            )
        answer.read(1)
    return process


def end(slot: Slot, grace_s: float) -> bool:
    """Ask the process of a slot to stop, then make it; True when it went by itself.

    Returns when the slot is free, whoever the parent of the process is.
    """
    pid = slot.read().get("pid")
    if not slot.is_held() or not isinstance(pid, int):
        return True
    _signal(pid, signal.SIGTERM)
    if wait_until(lambda: not slot.is_held(), grace_s):
        return True
    _signal(pid, signal.SIGKILL)
    if not wait_until(lambda: not slot.is_held(), 10.0):
        raise WeirError(f"{slot.name} (process {pid}) does not end, not even by SIGKILL")
    return False


def wait_until(done: Callable[[], bool], patience_s: float, pause_s: float = 0.02) -> bool:
    """Whether `done` became true within the time given."""
    deadline = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # gone in between: what was wanted


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same_file(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False
