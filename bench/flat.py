"""Does a replay need more memory the longer its range is? And how soon does a late range begin?

    python -m bench.flat [--turns 12000] [--seed 1]

A run of several hundred days is recorded without a broker, written to a real one, and replayed by
another process, which tells its resident memory at every quarter of the range; then only the last
twentieth of the run is. Transactions lie an hour apart, so what the state keeps of old rows is the
same all the time. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from agents.wiring import ORDER_TOPIC
from bench.memory_log import MemoryLog
from bench.recorded import WIRE, recorded
from tests.weir.rig import PARTITIONS, rig
from weir.home import Home
from weir.replay import Choice, KafkaLog, Progress, check, span

HOUR_MS = 3_600_000


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstrap", help=argparse.SUPPRESS)
    parser.add_argument("--start", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bootstrap:
        print(json.dumps(replayed(given.bootstrap, given.start)))
        return
    with tempfile.TemporaryDirectory(prefix="flat-") as folder:
        home = Path(folder)
        log = recorded(home, given.seed, given.turns, PARTITIONS, gap_ms=HOUR_MS)
        with rig(Home(home / "home")) as running:
            running.weir("topics", "create")
            write(running.bootstrap, log)
            whole, late = _child(running.bootstrap), _child(running.bootstrap, _late(log))
            print(json.dumps({"whole": whole, "late": late}), flush=True)


def write(bootstrap: str, log: MemoryLog) -> None:
    """The log as it lies in memory, to topics that are empty."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 1_000_000, "log_level": 0}
    )
    for (topic, partition), records in log.records.items():
        for one in records:
            headers = list(one.headers)
            placed = {"timestamp": one.timestamp_ms, "headers": headers}
            producer.produce(topic, one.value, one.key, partition, **placed)
            producer.poll(0)
        if producer.flush(60):
            raise RuntimeError(f"{topic}[{partition}] was not written")


def replayed(bootstrap: str, start: str | None) -> dict[str, Any]:
    """One replay in this process."""
    seen: list[tuple[int, float]] = []

    def tell(progress: Progress) -> None:
        seen.append((progress.events, rss_mb()))

    began_s, used_s = time.monotonic(), time.process_time()
    choice = Choice(span(start, None))
    report = check(KafkaLog(bootstrap), WIRE, tell=tell, choice=choice)
    done = report.progress
    at = [done.events * quarter / 4 for quarter in (1, 2, 3, 4)]
    quarters = [next((mb for n, mb in seen if n >= wanted), rss_mb()) for wanted in at]
    return {
        "identical": report.identical,
        "transactions": done.transactions,
        "events": done.events,
        "outputs": done.outputs,
        "seconds": round(time.monotonic() - began_s, 1),
        "cpu_us_per_event": round(1e6 * (time.process_time() - used_s) / done.events),
        "rss_mb": [round(mb, 1) for mb in quarters],
    }


def rss_mb() -> float:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _late(log: MemoryLog) -> str:
    order = [one for at, each in log.records.items() if at[0] == ORDER_TOPIC for one in each]
    times = sorted(one.timestamp_ms for one in order)
    return str(times[len(times) * 19 // 20])


def _child(bootstrap: str, start: str | None = None) -> dict[str, Any]:
    more = ["--start", start] if start else []
    done = subprocess.run(
        [sys.executable, "-m", "bench.flat", "--bootstrap", bootstrap, *more],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
