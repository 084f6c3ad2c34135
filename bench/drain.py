"""How fast a worker empties a full topic, exactly-once: events/s, CPU per event, memory.

    python -m bench.drain [--events 300000] [--workers 1] [--runs 3] [--batch 4000]

First to last output's append time; every run is checked for the number of outputs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from typing import Any

from bench import workload
from bench.rig import Rig, cpu_s, peak_mb


def main() -> None:
    """Prints one JSON line per run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=4000)
    parser.add_argument("--interval-ms", type=int, default=20)
    given = parser.parse_args()
    rig = Rig()
    try:
        for run in range(given.runs):
            print(json.dumps(drain(rig, f"d{run}", given)), flush=True)
    finally:
        rig.close()
        shutil.rmtree(rig.folder)


def drain(rig: Rig, suffix: str, given: Any) -> dict[str, Any]:
    """One run on fresh topics."""
    topics = workload.topics(suffix)
    stamped = f"pnl-{suffix}"
    rig.create(topics)
    producer = rig.producer()
    for stem, record in workload.generate(given.events, seed=7):
        producer.produce(f"{stem}-{suffix}", workload.DUMPS(record), record.account)
        producer.poll(0)
    producer.flush(60)
    loans = (given.events + 99) // 100
    started = time.monotonic()
    for slot in range(given.workers):
        shutil.rmtree(rig.datadir(slot), ignore_errors=True)
        rig.start(
            slot,
            "bench.workload",
            suffix=suffix,
            chain=False,
            batch_max=given.batch,
            commit_interval_s=given.interval_ms / 1000,
        )
    first_s = last_s = 0.0
    while rig.lag(f"w-{suffix}", f"executions-{suffix}") > 0:
        time.sleep(0.02)
        if not first_s and sum(rig.ends(stamped).values()) > 0:
            first_s = time.monotonic()
    last_s = time.monotonic()
    cost = [cpu_s(worker.pid) for worker in rig.workers.values()]
    memory = [peak_mb(worker.pid) for worker in rig.workers.values()]
    codes = rig.stop()
    outputs = sum(1 for _ in rig.read(stamped))
    if outputs != given.events:
        raise RuntimeError(f"{outputs} outputs for {given.events} fills")
    seconds = last_s - first_s
    return {
        "workers": given.workers,
        "events": given.events + loans,
        "seconds": round(seconds, 2),
        "events_per_s": round(given.events / seconds),
        "cpu_us_per_event": round(1e6 * sum(cost) / given.events, 1),
        "cpu_s": [round(each, 1) for each in cost],
        "peak_mb": memory,
        "from_launch_s": round(last_s - started, 1),
        "exit": codes,
    }


if __name__ == "__main__":
    main()
