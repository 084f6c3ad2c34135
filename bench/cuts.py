"""Is a run the same from wherever it is taken up again, by whom, and under which hash seed?

    python -m bench.cuts [--cuts 1000] [--more 5] [--seed 1] [--turns 1000]
    python -m bench.cuts --bootstrap HOST:PORT    the run on a cluster

A recorded run is replayed against what was recorded; then it is folded once more, and at random
places its state goes out as bytes. Other processes, each with a hash seed of its own, fold the
whole run too, and from each of these states, in any order, the next `--more` transactions. Every
one of them must give the outputs and the table hash that it gave in the whole run. One of the
others is the interpreter that WEIR_PYTHON_OTHER names, if it does.

Prints one JSON line; the exit status is 0 only if nothing differs.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from agents.wiring import ORDER_TOPIC
from bench.memory_log import MemoryLog
from bench.recorded import WIRE, recorded
from schemas.records import MergeRun
from streams.topology import NODES
from weir.replay import Base, KafkaLog, Record, check
from weir.replay.check import opened
from weir.replay.folding import Folding
from weir.replay.origin import origin
from weir.replay.sources import Sources
from weir.replay.span import WHOLE
from weir.replay.survey import survey

BY_NAME = {node.name: node for node in NODES}
OTHER = "WEIR_PYTHON_OTHER"
Transaction = tuple[Record, MergeRun]


class Cut(NamedTuple):
    """A place (so many transactions lie before it) and the states there, as bytes."""

    place: int
    states: list[bytes]


def main() -> int:
    """Proves one run; 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, count in (("cuts", 1000), ("more", 5), ("seed", 1), ("turns", 1000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--bootstrap")
    parser.add_argument("--taken-up", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.taken_up:
        log, cuts, more = pickle.loads(given.taken_up.read_bytes())
        print(json.dumps(taken_up(log, cuts, more)))
        return 0
    if given.bootstrap:
        log = whole(KafkaLog(given.bootstrap))
    else:
        with tempfile.TemporaryDirectory() as folder:
            log = recorded(Path(folder), given.seed, given.turns)
    found = prove(log, given.cuts, given.more, given.seed)
    print(json.dumps(found), flush=True)
    return 0 if found["ok"] else 1


def whole(log: KafkaLog) -> MemoryLog:
    """All that a replay reads of a cluster, in memory: the order first, so that nothing of what it
    names is missing where workers go on meanwhile.
    """
    topics = {topic for node in NODES for topic in (*node.sources, *node.sinks)}
    letters = {f"{topic}.dlq" for node in NODES for topic in node.sources}
    return MemoryLog.of(log, [ORDER_TOPIC], sorted(topics | letters))


def prove(log: MemoryLog, count: int, more: int, seed: int) -> dict[str, Any]:
    """Replays the whole run here, and from so many places elsewhere."""
    began = time.monotonic()
    report = check(log, WIRE, patience_s=0)
    marks, cuts = taken(log, count, more, seed)
    found = [_elsewhere(log, cuts, more, *one) for one in _others()]
    following = {str(cut.place): marks[cut.place : cut.place + more] for cut in cuts}
    different = {
        said["python"]: [place for place, each in following.items() if said["marks"][place] != each]
        for said in found
        if (said["transcript"], said["marks"]) != (told(marks), following)
    }
    return {
        "transactions": len(marks),
        "events": report.progress.events,
        "outputs": report.progress.outputs,
        "identical": report.identical,
        "policies": len(report.scope.survey.policies),
        "cuts": len(cuts),
        "resumed": sum(map(len, following.values())),
        "saved_mb": round(sum(len(data) for cut in cuts for data in cut.states) / 1e6, 1),
        "pythons": [said["python"] for said in found],
        "different": different,
        "seconds": round(time.monotonic() - began, 1),
        "ok": report.identical and not different and len(cuts) == min(count, len(marks) - 1),
    }


def taken(log: MemoryLog, count: int, more: int, seed: int) -> tuple[list[str], list[Cut]]:
    """A mark for each transaction in the order of time, and at random places the states that the
    next transactions need.
    """
    marks, cuts = [], []
    with _opened(log) as (order, folding):
        transactions = list(order)
        inside = range(1, len(transactions))
        chosen = set(random.Random(seed).sample(inside, min(count, len(inside))))
        for place, one in enumerate(transactions):
            if place in chosen:
                following = transactions[place : place + more]
                needed = {(run.node, run.partition) for _, run in following}
                cuts.append(Cut(place, [base.dump() for base in folding.bases(needed)]))
            marks.append(_mark(folding, one))
    return marks, cuts


def taken_up(log: MemoryLog, cuts: Sequence[Cut], more: int) -> dict[str, Any]:
    """What a process comes to that knows nothing but the log and the states: first from these,
    the latest before the earliest and so on at random, then of the whole.
    """
    with _opened(log) as (order, _):
        transactions = list(order)
    marks = {}
    for place, states in random.Random(len(cuts)).sample(cuts, len(cuts)):
        following = transactions[place : place + more]
        marks[str(place)] = _resumed(log, following, map(Base.load, states))
    with _opened(log) as (order, folding):
        transcript = told(_mark(folding, one) for one in order)
    seed = os.environ.get("PYTHONHASHSEED", "random")
    python = f"{platform.python_version()} PYTHONHASHSEED={seed}"
    return {"python": python, "transcript": transcript, "marks": marks}


def told(marks: Iterable[str]) -> str:
    """All of it as one hash."""
    return sha256("".join(marks).encode()).hexdigest()


def _others() -> list[tuple[str, str]]:
    """Interpreters and hash seeds."""
    other = os.environ.get(OTHER)
    here = [(sys.executable, "0"), (sys.executable, "4242")]
    return [*here, (other, "1")] if other else here


def _elsewhere(
    log: MemoryLog, cuts: list[Cut], more: int, python: str, hash_seed: str
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run"
        file.write_bytes(pickle.dumps((log, cuts, more)))
        done = subprocess.run(
            [python, "-m", "bench.cuts", "--taken-up", str(file)],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{python} ended with {done.returncode}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _resumed(
    log: MemoryLog, transactions: Sequence[Transaction], bases: Iterable[Base]
) -> list[str]:
    """The marks of some transactions, folded from these states."""
    starts: dict[tuple[str, int], int] = {}
    for _, run in transactions:
        for one in run.runs:
            starts.setdefault((one.topic, run.partition), one.from_)
    with closing(log.read(BY_NAME, starts)) as reader:
        folding = Folding(log, BY_NAME, Sources(reader), WIRE, _counts(log), bases)
        return [_mark(folding, one) for one in transactions]


def _mark(folding: Folding, transaction: Transaction) -> str:
    """A hash of a transaction's outputs and of its table after it."""
    outputs, difference = folding.transaction(*transaction)
    seen = [
        (one.topic, one.partition, one.key, one.value, one.timestamp_ms, one.where)
        for one in outputs
    ]
    return sha256(f"{seen} {transaction[1].table_hash} {difference}".encode()).hexdigest()


def _counts(log: MemoryLog) -> Mapping[str, int]:
    return {t: log.partitions(t) for node in NODES for t in (*node.sources, *node.sinks)}


def _opened(log: MemoryLog) -> Any:
    found = survey(log, WIRE, BY_NAME, WHOLE, BY_NAME)
    return opened(log, WIRE, BY_NAME, found, origin(log, BY_NAME, found))


if __name__ == "__main__":
    sys.exit(main())
