"""From a fill's time to the moment a read_committed consumer holds its pnl, at a steady rate.

    python -m bench.latency [--rate 1000] [--seconds 30] [--interval-ms 20] [--workers 1] [--runs 2]

Prints one JSON line for each run: p50, p95, p99 in ms, the share of a core each worker used, and
the number of events. The first two seconds do not count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import threading
import time
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench import workload
from bench.rig import PARTITIONS, Rig, cpu_s, peak_mb

WARM_UP_S = 2.0


def main() -> None:
    """As many runs as asked, each on fresh topics."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--interval-ms", type=float, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    rig = Rig()
    try:
        for run in range(given.runs):
            print(json.dumps(latency(rig, f"l{run}", given)), flush=True)
    finally:
        rig.close()
        shutil.rmtree(rig.folder)


def latency(rig: Rig, suffix: str, given: Any) -> dict[str, Any]:
    """One run."""
    rig.create(workload.topics(suffix))
    for slot in range(given.workers):
        shutil.rmtree(rig.datadir(slot), ignore_errors=True)
        interval_s = given.interval_ms / 1000
        rig.start(slot, "bench.workload", suffix=suffix, chain=False, commit_interval_s=interval_s)
    watch = _Watch(rig, f"pnl-{suffix}")
    watch.start()
    producer = rig.producer(**{"linger.ms": 1})
    _produce(producer, suffix, workload.generate(given.workers * 200, seed=3), None)
    producer.flush(30)
    watch.wait_for(given.workers * 200, 60)
    cost = {slot: cpu_s(worker.pid) for slot, worker in rig.workers.items()}
    began_s = time.monotonic()
    count = int(given.rate * given.seconds)
    _produce(producer, suffix, workload.generate(count, seed=7, start=10**6), given.rate)
    producer.flush(30)
    watch.wait_for(given.workers * 200 + count, 60)
    seconds = time.monotonic() - began_s
    share = [
        round((cpu_s(worker.pid) - cost[slot]) / seconds, 3) for slot, worker in rig.workers.items()
    ]
    memory = [peak_mb(worker.pid) for worker in rig.workers.values()]
    watch.stop()
    codes = rig.stop()
    warm = int(given.rate * min(WARM_UP_S, given.seconds / 2))
    times = sorted(ms for id, ms in watch.times if int(id[1:]) >= 10**6 + warm)
    return {
        "rate": given.rate,
        "interval_ms": given.interval_ms,
        "workers": given.workers,
        "events": len(times),
        **{f"p{name}_ms": times[int(len(times) * part)] for name, part in _QUANTILES},
        "max_ms": times[-1],
        "cpu_share": share,
        "peak_mb": memory,
        "exit": codes,
    }


_QUANTILES = (("50", 0.5), ("95", 0.95), ("99", 0.99), ("99.9", 0.999))


def _produce(producer: Any, suffix: str, records: Any, rate: float | None) -> None:
    """Sends the records, each at its time; it is made when it is due, so that its time is right."""
    began_s = time.monotonic()
    fills = 0
    for stem, record in records:
        producer.produce(f"{stem}-{suffix}", workload.DUMPS(record), record.account)
        producer.poll(0)
        fills += stem == "executions"
        if rate is not None and stem == "executions":
            ahead_s = began_s + fills / rate - time.monotonic()
            if ahead_s > 0:
                time.sleep(ahead_s)


class _Watch(threading.Thread):
    """A read_committed consumer that notes each record's age as it arrives."""

    def __init__(self, rig: Rig, topic: str) -> None:
        super().__init__(daemon=True)
        self.times: list[tuple[str, int]] = []
        self._ending = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": rig.bootstrap,
                "group.id": "bench-latency",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
                "log_level": 3,
            }
        )
        self._consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])

    def run(self) -> None:
        while not self._ending.is_set():
            first = self._consumer.poll(0.1)
            if first is None:
                continue
            now_ms = time.time_ns() // 1_000_000
            for message in (first, *self._consumer.consume(1000, 0)):
                if message.error() is None:
                    record = workload.LOADS(message.value())
                    self.times.append((record.exec_id, now_ms - record.exec_time))
        self._consumer.close()

    def wait_for(self, count: int, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while len(self.times) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.times)} of {count} outputs came")
            time.sleep(0.01)

    def stop(self) -> None:
        self._ending.set()
        self.join()


if __name__ == "__main__":
    main()
