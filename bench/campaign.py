"""What campaigns on whole workers have in common: their course, how they come to rest, and what is
read and checked in the end.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, NoReturn, Protocol

from bench.desk import Workers
from bench.reckoning import Reckoning
from bench.witness import Witness
from tests.weir.rig import Rig, control_line

HELD = "HELD"


class Campaign(Protocol):
    """Harm, rest, account: what `carry_out` goes through."""

    def harm(self) -> None: ...

    def rest(self) -> Any: ...

    def account_for(self, books: dict[str, Any]) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Stages:
    """How long each part of a campaign took, in seconds."""

    def __init__(self) -> None:
        self.took_s: dict[str, int] = {}
        self._began_s = time.monotonic()

    def ended(self, name: str) -> None:
        """A part is over, the next one begins."""
        now_s = time.monotonic()
        self.took_s[name], self._began_s = round(now_s - self._began_s), now_s


def carry_out(
    running: Workers, watch: Stages, begin: Callable[[], Campaign], harmed: str
) -> dict[str, Any]:
    """One campaign on a desk; what came of it. The desk's folder is kept unless all is well."""
    running.open()
    watch.ended("open")
    campaign = begin()
    try:
        campaign.harm()
        watch.ended(harmed)
        books = campaign.rest()
        watch.ended("rest")
        result = campaign.account_for(books)
        watch.ended("account")
        running.kept = not result["ok"]
    finally:
        campaign.close()
    return result | {"stages_s": watch.took_s}


def end(result: dict[str, Any]) -> NoReturn:
    """Says it, and ends the program with what it came to."""
    print(json.dumps(result), flush=True)
    sys.exit(0 if result["ok"] else 1)


def pause(
    running: Workers, witness: Witness, at_rest: Callable[[], Any]
) -> tuple[Any, dict[str, int]]:
    """Pauses, and lets out first what was admitted just before, which the pause would hold. The
    books once all is at rest, and how often each worker was started again; all have stopped then.
    """
    for epoch in itertools.count(2):
        held = HELD in witness.states().values()
        mode = "ACTIVE" if held else "PAUSED"
        running.rig.send("treasury.controls.v1", [control_line(mode, epoch)])
        books = at_rest()
        if mode == "PAUSED" and HELD not in witness.states().values():
            break
    restarts = running.restarts()
    for slot in running.slots:
        running.rig.stop(f"run-{slot}")
    return books, restarts


@dataclass(frozen=True)
class Judged:
    """What was found wrong; what the replay and the audit said."""

    found: Reckoning
    replay: list[str]
    audit: list[str]
    ok: bool
    """No fault, and both commands succeed; what is parked is not counted."""

    def told(self) -> dict[str, Any]:
        """As the result says it."""
        faults = self.found.faults
        return {
            **{kind: len(said) for kind, said in faults.items()},
            "why": [sentence for said in faults.values() for sentence in said[:3]],
            "parked": self.found.parked,
            "counts": dict(sorted(self.found.counts.items())),
        }


def judge(running: Workers, evidence: Any, reckon: Callable[[Any], Reckoning]) -> Judged:
    """Writes the evidence down, reckons it up, replays the log and verifies its chains."""
    (running.folder / "evidence.json").write_text(json.dumps(asdict(evidence), default=str))
    found = reckon(evidence)
    replay = running.rig.weir("replay", "--check", patience_s=300)
    audit = running.rig.weir("verify-audit", patience_s=120)
    return Judged(
        found,
        (replay.stdout or replay.stderr).strip().splitlines()[:5],
        (audit.stdout or audit.stderr).strip().splitlines()[-1:],
        ok=not (any(found.faults.values()) or replay.returncode or audit.returncode),
    )


def of_the_log(rig: Rig) -> dict[str, Any]:
    """What any evidence has of the way of money out."""
    gate_rows = entries(rig, changelog("gate"))
    return {
        "states": rig.values("treasury.intent-states.v1"),
        "attempts": rig.values("treasury.attempts.v1"),
        "intents": table(entries(rig, "weir-executor-intents-changelog")),
        "gate": table(gate_rows),
        "gate_rows": gate_rows,
    }


def changelog(node: str) -> str:
    """The changelog of a node of the pipeline."""
    return f"weir-pipeline-{node}-changelog"


def entries(rig: Rig, topic: str) -> list[tuple[str, Any]]:
    """The rows of a changelog."""
    return [(row["key"], row["value"]) for row in rig.lines(topic)]


def table(rows: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The entries that a changelog leaves."""
    left: dict[str, Any] = {}
    for key, value in rows:
        if value is None:
            left.pop(key, None)
        else:
            left[key] = value
    return left
