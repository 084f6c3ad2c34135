"""The real pipeline's speed: how fast the book empties a full hedge-executions, and how late a pnl
is.

    python -m bench.book drain [--fills 200000] [--accounts 1000] [--runs 2] [--policy]
    python -m bench.book latency [--rate 1000] [--seconds 20] [--warm-up 40]

In the warm-up the broker's JVM compiles itself at the same load. The worker is `agents.pipeline` as
it runs in production: every fill gives its pnl and position, nothing is coalesced.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench.rig import PARTITIONS, Rig, cpu_s, peak_mb
from schemas.money import E18
from schemas.records import HedgeExecution
from schemas.wire import SchemaIds, Wire
from streams.topology import PIPELINE
from weir import topics

FILLS, PNL = "hedge-executions", "treasury.pnl.v1"
WIRE = Wire(SchemaIds.from_lock())


def main() -> None:
    """Prints one JSON line per run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("drain", "latency"))
    parser.add_argument("--fills", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=40, help="seconds before those")
    given = parser.parse_args()
    for _ in range(given.runs):
        rig = Rig(brief=given.what == "drain")
        try:
            topics.ensure(rig.bootstrap, PARTITIONS, 1)
            run = drain if given.what == "drain" else latency
            print(json.dumps(run(rig, given)), flush=True)
        finally:
            rig.close()
            shutil.rmtree(rig.folder)


def fills(count: int, accounts: int, seed: int = 7) -> Iterator[HedgeExecution]:
    """Random linear fills over four symbols, as a venue books them."""
    chance = random.Random(seed)
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
    for number in range(count):
        quantity, price = chance.randrange(1, 10_000), chance.randrange(10_000, 500_000)
        yield HedgeExecution(
            exec_id=f"x{number:09d}",
            account_id=f"bybit:{chance.randrange(accounts):06d}",
            venue="bybit",
            kind="FILL",
            category="linear",
            symbol=symbols[chance.randrange(4)],
            side=("Buy", "Sell")[chance.randrange(2)],
            exec_type="Trade",
            qty_e18=quantity * E18 // 1000,
            price_e18=price * E18 // 10,
            fee_e18=quantity * price * 55 * E18 // (1000 * 10 * 100_000),
            fee_ccy="USDT",
            settle_ccy="USDT",
            exec_time_ms=time.time_ns() // 1_000_000,
            source="ws",
            seq=number,
        )


def drain(rig: Rig, given: Any) -> dict[str, Any]:
    """Preloaded fills, one worker."""
    encode = WIRE.encoder(FILLS)
    producer = rig.producer()
    for fill in fills(given.fills, given.accounts):
        stamp = fill.exec_time_ms
        producer.produce(FILLS, encode(fill), fill.account_id, timestamp=stamp)
        producer.poll(0)
    producer.flush(60)
    worker = start(rig)
    first_s = 0.0
    while rig.lag(PIPELINE, FILLS) > 0:
        time.sleep(0.02)
        if not first_s and sum(rig.ends(PNL).values()) > 0:
            first_s = time.monotonic()
            before_s = cpu_s(worker.pid)
    seconds, cost = time.monotonic() - first_s, cpu_s(worker.pid) - before_s
    memory = peak_mb(worker.pid)
    rig.stop()
    outputs = sum(1 for _ in rig.read(PNL))
    if outputs != given.fills:
        raise RuntimeError(f"{outputs} pnl records for {given.fills} fills")
    return {
        "fills": given.fills,
        "seconds": round(seconds, 2),
        "fills_per_s": round(given.fills / seconds),
        "cpu_us_per_fill": round(1e6 * cost / given.fills, 1),
        "peak_mb": memory,
    }


def latency(rig: Rig, given: Any) -> dict[str, Any]:
    """A steady rate; from exec_time to a read_committed consumer, the warm-up left out."""
    worker = start(rig)
    late_ms: list[float] = []
    done = threading.Event()
    reader = threading.Thread(target=_read, args=(rig, late_ms, done))
    reader.start()
    while sum(rig.ends("weir-pipeline-book-changelog").values()) == 0:
        time.sleep(0.1)
    encode, producer = WIRE.encoder(FILLS), rig.producer(**{"linger.ms": 0})
    before_s, started = cpu_s(worker.pid), time.monotonic()
    seconds = given.warm_up + given.seconds
    for number, fill in enumerate(fills(given.rate * seconds, given.accounts)):
        pause = started + number / given.rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        producer.produce(FILLS, encode(fill), fill.account_id, timestamp=fill.exec_time_ms)
        producer.poll(0)
    producer.flush(10)
    time.sleep(1)
    cost = (cpu_s(worker.pid) - before_s) / seconds
    done.set()
    reader.join()
    rig.stop()
    kept = sorted(late_ms[given.rate * given.warm_up :])
    quantiles = {
        f"p{name}_ms": round(kept[min(len(kept) - 1, int(len(kept) * share))], 1)
        for name, share in (("50", 0.5), ("95", 0.95), ("99", 0.99), ("999", 0.999))
    }
    return {"rate": given.rate, "n": len(late_ms), **quantiles, "worker_cpu": round(cost, 2)}


def start(rig: Rig) -> subprocess.Popen[bytes]:
    """The pipeline worker, as `weir run pipeline` starts it."""
    env = {**os.environ, "WEIR_BOOTSTRAP": rig.bootstrap, "WEIR_HOME": str(rig.folder / "weir")}
    log = (rig.folder / "pipeline.log").open("ab")
    worker = subprocess.Popen(
        [sys.executable, "-m", "agents.pipeline"], env=env, stdout=log, stderr=log
    )
    rig.workers[0] = worker
    return worker


def _read(rig: Rig, late_ms: list[float], done: threading.Event) -> None:
    decode = WIRE.decoder(PNL)
    consumer = Consumer(
        {
            "bootstrap.servers": rig.bootstrap,
            "group.id": "bench-latency",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "log_level": 3,
        }
    )
    consumer.assign([TopicPartition(PNL, p, 0) for p in range(PARTITIONS)])
    while not done.is_set():
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            late_ms.append(time.time() * 1000 - decode(message.value()).timestamp_ms)
    consumer.close()


if __name__ == "__main__":
    main()
