"""The speed of a back-test: how many fills of a hedger it folds in a second of one core, and how
its memory grows with the length of the past.

    python -m bench.backtest [--fills 200000] [--accounts 8] [--rule seed-v1]
    python -m bench.backtest --prices CSV        three rules over the whole file, their totals

The past is made while it is read: fills of eight accounts that hedge well, a loan state and a
snapshot of each every 10 s, as the pollers write them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agents.wiring import partition_of
from bench.memory_log import MemoryLog
from bench.rig import peak_mb
from schemas.money import E18
from schemas.policy import Account, Policy, canonical, policy_hash
from schemas.records import Control, PolicyUpdate
from schemas.topics import BY_NAME, key_of, partitions_of
from schemas.wire import SchemaIds, Wire
from tests.fill import fill
from weir.backtest import find, run
from weir.backtest.candles import Plan, Said, records
from weir.backtest.course import plain
from weir.backtest.market import Candle, candles
from weir.backtest.sources import CONTROLS, EXECUTIONS, POLICIES
from weir.errors import WeirError
from weir.replay.log import FROM_THE_BEGINNING, At, Record

WIRE = Wire(SchemaIds.from_lock())
PARTITIONS, POLL_MS, FILL_MS = 8, 10_000, 40
T0_MS = 1_700_000_000_000


class Past:
    """A log whose records are made when they are asked for, so that only the back-test holds any.

    The times are those of the plan, so two readings give the same.
    """

    def __init__(self, fills: int, accounts: int) -> None:
        self._fills = fills // accounts
        self._accounts = [f"bybit:{700_001 + number}" for number in range(accounts)]

    def partitions(self, topic: str) -> int:
        """As of `Log`."""
        return partitions_of(BY_NAME[topic], PARTITIONS)

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        """As of `Log`; how many there are is not known."""
        return {at: (0, 0) for at in places}

    def read(
        self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING
    ) -> PastReader:
        """As of `Log`."""
        return PastReader({topic: self._made(topic) for topic in topics})

    def _made(self, topic: str) -> dict[int, Iterator[Record]]:
        found: dict[int, list[str]] = {}
        for name in self._accounts:
            lies = 0 if topic in (POLICIES, CONTROLS) else partition_of(name, PARTITIONS)
            found.setdefault(lies, []).append(name)
        return {number: self._records(topic, number, names) for number, names in found.items()}

    def _records(self, topic: str, number: int, names: list[str]) -> Iterator[Record]:
        for offset, one in enumerate(self._said(topic, names)):
            key = (key_of(BY_NAME[topic], one.record) or "").encode()
            yield Record(topic, number, offset, key, WIRE.encode(topic, one.record), one.at_ms)

    def _said(self, topic: str, names: list[str]) -> Iterator[Said]:
        if topic == EXECUTIONS:
            for fill in range(self._fills):
                for name in names:
                    yield from self._fill(name, fill)
            return
        if topic in (POLICIES, CONTROLS):
            yield self._rules(topic)
            return
        polls = self._fills * FILL_MS // POLL_MS
        for poll in range(polls + 1):
            for name in names:
                candle = [Candle(T0_MS + poll * POLL_MS, 20_000 * E18)]
                told = records(candle, Plan(account_id=name))
                yield from (one for one in told if one.topic == topic)

    def _rules(self, topic: str) -> Said:
        """The mode, and the shipped policy with all accounts."""
        if topic == CONTROLS:
            return Said(topic, Control("all", "ACTIVE", 1, "bench", (), (), T0_MS), T0_MS)
        accounts = tuple(Account(account_id=name) for name in self._accounts)
        body = canonical(Policy(accounts=accounts))
        update = ("weir-default", 1, policy_hash(body), body, "file", "bench", (), "", T0_MS)
        return Said(topic, PolicyUpdate(*update), T0_MS)

    def _fill(self, name: str, number: int) -> Iterator[Said]:
        """Buys and sells in turn, four after four, the sale dearer."""
        buys = number % 8 < 4
        at_ms = T0_MS + number * FILL_MS
        price = (20_000 + number * 7919 % 61 + (0 if buys else 40)) * E18
        row = fill(
            f"x{number:09d}",
            name,
            "Buy" if buys else "Sell",
            E18 // 1000,
            price,
            at_ms,
            fee_e18=E18 // 10_000,
            seq=number,
            source="ws",
        )
        yield Said(EXECUTIONS, row, at_ms)


class PastReader:
    """Reads a past that is being made."""

    def __init__(self, made: dict[str, dict[int, Iterator[Record]]]) -> None:
        self._made = made

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        """As of `Reader`."""
        return next(self._made[topic].get(partition, iter(())), None)

    def close(self) -> None:
        """Nothing is open."""


def speed(fills: int, accounts: int, rule: str) -> dict[str, Any]:
    """One course over a past of so many fills."""
    log = Past(fills, accounts)
    ruling = find(rule, log, WIRE)
    making_s = _making_s(log)
    began_s = time.process_time()
    course = run(log, WIRE, ruling)
    took_s = time.process_time() - began_s - making_s
    return {
        "fills": fills,
        "events": course.events,
        "cpu_s": round(took_s, 2),
        "fills_per_s": round(fills / took_s),
        "events_per_s": round(course.events / took_s),
        "peak_mb": peak_mb(os.getpid()),
        "decisions": len(course.decisions),
        "letters": course.letters,
    }


def _making_s(log: Past) -> float:
    """What it costs to make the past, which is not the back-test's."""
    began_s = time.process_time()
    reader = log.read((EXECUTIONS,))
    for number in range(PARTITIONS):
        while reader.next(EXECUTIONS, number) is not None:
            pass
    return time.process_time() - began_s


def prices(file: Path) -> Iterator[dict[str, Any]]:
    """The totals of three rules over the candles of a file."""
    log = MemoryLog({topic: partitions_of(BY_NAME[topic], 1) for topic in BY_NAME}, ())
    for one in records(candles(file)):
        lying = log.records[one.topic, 0]
        key = (key_of(BY_NAME[one.topic], one.record) or "").encode()
        value = WIRE.encode(one.topic, one.record)
        lying.append(Record(one.topic, 0, len(lying), key, value, one.at_ms))
    for rule in ("seed-v1", "seed-v1-narrative", "opt-v1"):
        for total in run(log, WIRE, find(rule, log, WIRE)).totals:
            yield {"rule": rule, **plain(total)}


def main() -> None:
    """Prints one JSON line per course."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=8)
    parser.add_argument("--rule", default="seed-v1")
    parser.add_argument("--prices", type=Path)
    args = parser.parse_args()
    try:
        if args.prices is None:
            print(json.dumps(speed(args.fills, args.accounts, args.rule)))
            return
        for line in prices(args.prices):
            print(json.dumps(line))
    except WeirError as why:
        parser.error(str(why))


if __name__ == "__main__":
    main()
