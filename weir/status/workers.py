"""The processes of this home besides broker and registry, and what each last said of itself.

The supervisor's record tells process and restarts; a worker writes its own state twice a second.
A state whose process is not the one that runs now is of an earlier life and is not shown.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weir.home import Home
from weir.processes import Slot

SILENT_MS = 3_000


@dataclass(frozen=True)
class Worker:
    """One process. `told` is its own report, None when it gave none; `told_age_ms` how old that
    is.
    """

    name: str
    runs: bool
    record: dict[str, Any]
    told: dict[str, Any] | None
    told_age_ms: int

    @property
    def state(self) -> str:
        """One word: ready, starting, silent, paused, runs or stopped."""
        if not self.runs:
            return "stopped"
        if self.told is None:
            return "runs"
        if self.told_age_ms > SILENT_MS:
            return "silent"
        if not self.told["ready"]:
            return "starting"
        return "paused" if self.told["session"]["paused"] else "ready"

    def age_ms(self, name: str) -> int | None:
        """How long ago its last loop or commit was, seen from now."""
        age = (self.told or {}).get(f"{name}_age_ms")
        return None if age is None else int(age) + self.told_age_ms

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        session = (self.told or {}).get("session") or {}
        kept = ("events", "transactions", "refused", "transaction_ms_p50", "transaction_ms_p99")
        return {
            "name": self.name,
            "state": self.state,
            **{name: self.record.get(name) for name in ("pid", "restarts", "exit", "started")},
            "generation": session.get("generation"),
            "partitions": session.get("partitions", []),
            "paused": session.get("paused", []),
            "loop_age_ms": self.age_ms("loop"),
            "commit_age_ms": self.age_ms("commit"),
            **{name: (self.told or {}).get(name) for name in kept},
        }


def workers(here: Home) -> list[Worker]:
    """Every process that has, or had, a slot in this home."""
    names = sorted(path.stem for path in here.run.glob("*.json"))
    return [_worker(here, Slot(here, name)) for name in names if name not in ("broker", "registry")]


def _worker(here: Home, slot: Slot) -> Worker:
    record, runs = slot.read(), slot.is_held()
    told, age_ms = _told(here.run / "status" / f"weir-{slot.name}.json")
    if not runs or (told is not None and told.get("pid") != record.get("pid")):
        told = None
    return Worker(slot.name, runs, record, told, age_ms)


def _told(path: Path) -> tuple[dict[str, Any] | None, int]:
    try:
        content = json.loads(path.read_text())
        written_s = path.stat().st_mtime
    except FileNotFoundError:
        return None, 0
    return content, max(0, round(1000 * (time.time() - written_s)))
