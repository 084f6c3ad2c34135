"""Many lives, one JSON line: what was done to the money, and what the judge found.

python -m bench.simulation --runs 100000 [--seed N] [--bug NAME]     exit status 1 if it found any
python -m bench.simulation --tell --seed N [--bug NAME]              one life, told as it happens
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import sys
import time
from collections import Counter
from typing import Any

from bench.simulation.bugs import BUGS, planted
from bench.simulation.telling import Telling
from bench.simulation.world import Build, Lived, live
from streams import saga

FAULTS_TOLD = 10
COLLECT_EVERY = 500
KINDS = {
    "double": ("double", "posted_twice", "unrecorded"),
    "lost": ("lost", "stuck", "disagree", "book", "limits"),
    "without_evidence": ("guessed", "without_evidence"),
}
"""The three promises, and the kinds of fault that break each; all others are counted apart."""


def main() -> int:
    """Prints the line; 1 if the judge found anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bug", choices=sorted(BUGS))
    parser.add_argument("--tell", action="store_true")
    given = parser.parse_args()
    build = planted(given.bug) if given.bug else Build()
    if given.tell:
        lived = live(given.seed, dataclasses.replace(build, judge=Telling))
        print(*lived.faults, sep="\n")
        return bool(lived.faults)
    result = run(range(given.seed, given.seed + given.runs), build)
    print(json.dumps(result))
    return bool(result["faults"])


def run(seeds: range, build: Build) -> dict[str, Any]:
    """The sums over all lives."""
    started_s, total, edges, faults = time.process_time(), Counter[str](), Counter[str](), []
    digest = 0
    gc.collect()
    gc.freeze()
    gc.disable()
    for number, seed in enumerate(seeds):
        lived: Lived = live(seed, build)
        total += lived.counts
        edges += lived.edges
        digest = (digest * 31 + lived.digest) % 2**64
        faults += [(seed, kind, words) for kind, words in lived.faults]
        if number % COLLECT_EVERY == COLLECT_EVERY - 1:
            gc.collect()
    gc.enable()
    seconds = time.process_time() - started_s
    return {
        "runs": len(seeds),
        "seed": seeds.start,
        **summary(total, edges),
        "cpu_s": round(seconds, 1),
        "runs_per_cpu_s": round(len(seeds) / seconds, 1),
        "digest": f"{digest:016x}",
        **promises(Counter(kind for _, kind, _ in faults)),
        "first_faults": faults[:FAULTS_TOLD],
    }


def summary(total: Counter[str], edges: Counter[str]) -> dict[str, Any]:
    """What the lives were made of."""
    definite = ("accepted", "done", "refused", "transient")
    ambiguous = total["calls"] - sum(total[f"result_{name}"] for name in definite)
    table = {f"{state} {trigger}" for state, trigger in saga.TABLE}
    return {
        "events": total["events"],
        "intents": total["intents"],
        "calls": total["calls"],
        "ambiguous": ambiguous,
        "ambiguous_pct": round(100 * ambiguous / max(1, total["calls"]), 1),
        "unknown": total["unknown"],
        "resolved": total["resolved"],
        "crashes": total["crashes"],
        "dead_letters": total["letters"],
        "by_hand": total["by_hand"],
        "ends": {name: total[name] for name in (*sorted(saga.FINAL), "REFUSED")},
        "parked": {name[7:]: n for name, n in sorted(total.items()) if name[:7] == "parked_"},
        "fates": {name: total[name] for name in FATES if total[name]},
        "edges": f"{len(table & edges.keys())} of {len(table)}",
        "edges_not_seen": sorted(table - edges.keys()),
    }


def promises(kinds: Counter[str]) -> dict[str, Any]:
    """0 double, 0 lost, 0 without evidence; and whatever else was found, by kind."""
    found = {name: sum(kinds[one] for one in parts) for name, parts in KINDS.items()}
    rest = {kind for parts in KINDS.values() for kind in parts}
    others = {kind: n for kind, n in kinds.items() if kind not in rest}
    return {**found, "others": others, "faults": kinds.total()}


FATES = (
    "ok",
    "lost_before",
    "lost_after",
    "late",
    "reset",
    "error_before",
    "error_after",
    "refused",
    "transient",
)

if __name__ == "__main__":
    sys.exit(main())
