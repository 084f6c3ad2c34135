"""How late a signed order is: from a balance's stamp to a read_committed consumer's sight of it.

    python -m bench.sweeps [--rate 1000] [--every 10] [--seconds 20] [--warm-up 40] [--runs 2]
                           [--workers 1]

The workers are `agents.pipeline` as they run in production, on a broker of their own. Every balance
is decided; of each `--every` one is that of an account whose money is due, the others leave nothing
to do. An account has one order open at a time and nobody carries orders out here, so each order is
another account's: what is late is late by work, not by waiting. Prints one JSON line for each run:
p50, p95, p99 in ms of the orders after the warm-up, in which the broker's JVM compiles itself at
the same load, how many there were, and the share of a core that a worker used. Status 1 when an
order is missing or not signed by the pipeline's key.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from agents import keys
from agents.signatures import HEADER
from bench.rig import PARTITIONS, Rig, cpu_s, peak_mb
from schemas.policy import Policy, canonical, from_content, policy_hash
from schemas.records import BalanceEvent, BankEntry, Control, PolicyUpdate
from schemas.signing import verify
from schemas.wire import SchemaIds, Wire
from streams import sweep_order
from streams.topology import PIPELINE
from weir import topics

BALANCES, ORDERS = "balance_events", sweep_order.TOPIC
POLICIES, CONTROLS = "orch_config_updates", "treasury.controls.v1"
INBOX, DECISIONS = "treasury.cash-inputs.v1", "treasury.decisions.v1"
FUND = "026009593/987654321"
QUIET = 200
"""Accounts that never have anything to place."""
DAY_MS = 86_400_000
WIRE = Wire(SchemaIds.from_lock())


def main() -> int:
    """Prints one JSON line per run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=1000, help="balances a second")
    parser.add_argument("--every", type=int, default=10, help="which of them leads to an order")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=40, help="seconds before those")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    wrong = 0
    for _ in range(given.runs):
        rig = Rig(brief=False)
        try:
            topics.ensure(rig.bootstrap, PARTITIONS, 1)
            found = latency(rig, given)
            print(json.dumps(found), flush=True)
            wrong += found["missing"] + found["unsigned"]
        finally:
            rig.close()
            shutil.rmtree(rig.folder)
    return 1 if wrong else 0


def latency(rig: Rig, given: Any) -> dict[str, Any]:
    """One run on an empty broker."""
    count = given.rate * (given.warm_up + given.seconds)
    due = [f"bank:{number:010d}" for number in range(-(-count // given.every))]
    quiet = [f"bank:{10**9 + number:010d}" for number in range(QUIET)]
    workers = [start(rig, slot) for slot in range(given.workers)]
    accounts = [*quiet, *due]  # a policy is searched from its first account on
    put_in_force(rig, accounts)
    yesterday(rig, accounts)
    watch = Watch(rig)
    watch.start()
    before = [cpu_s(worker.pid) for worker in workers]
    started = time.monotonic()
    send(rig, given, due, quiet)
    watch.wait_for(len(due))
    seconds = time.monotonic() - started
    cost = [cpu_s(one.pid) - was for one, was in zip(workers, before, strict=True)]
    memory = [peak_mb(worker.pid) for worker in workers]
    watch.stop()
    rig.stop()
    public = keys.pipeline(rig.folder / "weir").public
    unsigned = sum(not verify(jws, said, public) for _, jws, said in watch.seen)
    kept = sorted(late for late, _, _ in watch.seen[given.rate * given.warm_up // given.every :])
    return {
        "rate": given.rate,
        "orders": len(watch.seen),
        "missing": len(due) - len(watch.seen),
        "unsigned": unsigned,
        **{
            f"p{name}_ms": round(kept[min(len(kept) - 1, int(len(kept) * share))], 1)
            for name, share in (("50", 0.5), ("95", 0.95), ("99", 0.99))
        },
        "most_ms": round(kept[-1], 1),
        "worker_cpu": [round(one / seconds, 2) for one in cost],
        "peak_mb": memory,
    }


def start(rig: Rig, slot: int) -> subprocess.Popen[bytes]:
    """A pipeline worker, as `weir run pipeline` starts it."""
    home = {"WEIR_BOOTSTRAP": rig.bootstrap, "WEIR_HOME": str(rig.folder / "weir")}
    log = (rig.folder / f"pipeline-{slot}.log").open("ab")
    worker = subprocess.Popen(
        [sys.executable, "-m", "agents.pipeline"],
        env={**os.environ, **home, "WEIR_SLOT": str(slot)},
        stdout=log,
        stderr=log,
    )
    rig.workers[slot] = worker
    return worker


def put_in_force(rig: Rig, accounts: list[str]) -> None:
    """A policy that knows the accounts and lets every order pass, and ACTIVE."""
    body = canonical(policy(accounts))
    at_ms = now_ms()
    update = PolicyUpdate("bench", 1, policy_hash(body), body, "file", "bench", (), "", at_ms)
    control = Control("all", "ACTIVE", 1, "bench", ("bench",), (), at_ms)
    producer = rig.producer()
    producer.produce(POLICIES, WIRE.encode(POLICIES, update), "bench", timestamp=at_ms)
    producer.produce(CONTROLS, WIRE.encode(CONTROLS, control), "all", timestamp=at_ms)
    producer.flush(30)
    deadline = time.monotonic() + 60
    while not _everywhere(rig):
        if time.monotonic() > deadline:
            raise TimeoutError("the policy is not in every partition of cash's inbox")
        time.sleep(0.2)


def _everywhere(rig: Rig) -> bool:
    """Whether policy, control and calendars have come to each partition of cash."""
    there = {
        (one.partition(), type(WIRE.decode(INBOX, one.value()).body)) for one in rig.read(INBOX)
    }
    return len(there) == 3 * PARTITIONS


def policy(accounts: list[str]) -> Policy:
    """Limits that nothing here comes near."""
    most, now = "9000000000000", datetime.now(UTC)
    clocks = sorted(f"{now + timedelta(hours=hours):%H:%M}" for hours in (6, 12))
    return from_content(
        {
            "name": "bench",
            "accounts": [{"account_id": account, "kind": "bank"} for account in accounts],
            "screening": {"allow": [FUND]},
            "approvals": {"sweep_usd": most},
            "anomaly": {"office_hours_utc": "00:00-24:00"},
            "limits": {
                "sweep": {"min_usd": 1, "single_usd": most, "daily_usd": most, "over": "clip"}
            },
            "sweep": {
                "cutoffs_utc": clocks,
                "products": [
                    {"product": "FED_RRP", "instrument": "GOVT_FUND", "calendar": "FED",
                     "closes": "13:15", "matures": "next_day", "beneficiary": FUND},
                ],
            },
        }
    )  # fmt: skip


def yesterday(rig: Rig, accounts: list[str]) -> None:
    """A statement of each account, so that a float is known; waits until all are folded."""
    producer, encode, at_ms = rig.producer(), WIRE.encoder(BALANCES), now_ms()
    day = at_ms // DAY_MS - 1
    for account in accounts:
        entry = BankEntry(f"D{account}", -(10**9), "USD", "BOOK", False, day)
        value = BalanceEvent(account, "camt053", f"S{account}", (), (entry,), at_ms, day)
        producer.produce(BALANCES, encode(value), account, timestamp=at_ms)
        producer.poll(0)
    producer.flush(60)
    deadline = time.monotonic() + 120
    while sum(rig.ends(DECISIONS).values()) < len(accounts) or rig.lag(PIPELINE, BALANCES) > 64:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {len(accounts)} statements are folded")
        time.sleep(0.2)


def send(rig: Rig, given: Any, due: list[str], quiet: list[str]) -> None:
    """The balances at their times, each stamped when it is sent."""
    producer, encode = rig.producer(**{"linger.ms": 0}), WIRE.encoder(BALANCES)
    started = time.monotonic()
    for number, (account, amount_e4) in enumerate(balances(given, due, quiet)):
        pause = started + number / given.rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        at_ms = now_ms()
        value = BalanceEvent(account, "api", f"R{number}", (), (), at_ms, avail_usd_e4=amount_e4)
        producer.produce(BALANCES, encode(value), account, timestamp=at_ms)
        producer.poll(0)
    producer.flush(10)


def balances(given: Any, due: list[str], quiet: list[str]) -> Iterator[tuple[str, int]]:
    """Account and balance of each event: half a million is placed, a dollar is not."""
    fresh, others = iter(due), itertools.cycle(quiet)
    for number in range(given.rate * (given.warm_up + given.seconds)):
        if number % given.every == 0:
            yield next(fresh), 500_000 * 10_000
        else:
            yield next(others), 10_000 + number


class Watch(threading.Thread):
    """Reads orders as they are committed: how late each is, its signature, what is signed."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self.seen: list[tuple[float, str, bytes]] = []
        self._ending = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": rig.bootstrap,
                "group.id": "bench-sweeps",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 3,
            }
        )
        self._consumer.assign([TopicPartition(ORDERS, p, 0) for p in range(PARTITIONS)])

    def run(self) -> None:
        decode = WIRE.decoder(ORDERS)
        while not self._ending.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            at_ms = time.time() * 1000
            value = decode(message.value())
            jws = dict(message.headers() or ()).get(HEADER, b"").decode()
            self.seen.append((at_ms - value.created_ts_ms, jws, sweep_order.payload(value)))
        self._consumer.close()

    def wait_for(self, count: int) -> None:
        """Until so many orders were seen, or none comes any more."""
        last_s, seen = time.monotonic(), 0
        while len(self.seen) < count and time.monotonic() - last_s < 20:
            if len(self.seen) > seen:
                last_s, seen = time.monotonic(), len(self.seen)
            time.sleep(0.02)

    def stop(self) -> None:
        self._ending.set()
        self.join()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
