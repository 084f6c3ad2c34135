"""How fast the pure core is: bytes of events in, bytes of outputs and the table's hash out, on one
core, in one process, without a broker.

    python -m bench.core [--fills 100000] [--accounts 50] [--batch 1000] [--runs 3] [--idle]

Fills of several accounts and symbols, and after every 50 a loan and a wallet are read, under the
shipped policy; all encoded beforehand as they lie on their topics. Each batch is decoded, folded
(`fold(BOOK)`), its outputs encoded, and its changed entries written as the changelog holds them and
hashed: what a replay does, less reading and comparing. With `--idle` the policy does not list the
accounts, so a gain is booked and nothing is decided.

Prints one JSON line per run: events per second of CPU, microseconds per event by phase, and what
came out.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.market import Place
from bench.polls import loan, snapshot
from schemas import policy
from schemas.money import E18
from schemas.records import BookInput, ControlCopy, HedgeExecution, PolicyCopy
from schemas.wire import SchemaIds, Wire
from streams.node import fold
from streams.step import Emit, Event, Wake
from streams.topology import BOOK
from tables.spec import PARTITION_KEY
from weir.replay.part import Part

FILLS, LOANS, SNAPSHOTS, INBOX = BOOK.sources
BEGIN_MS, GAP_MS, POLLED_EVERY = 1_767_571_200_000, 20, 50
PRICES = {"BTCUSDT": 60_000 * E18, "ETHUSDT": 3_000 * E18, "SOLUSDT": 150 * E18}
WIRE = Wire(SchemaIds.from_lock())
_POLICY = Path(__file__).parents[1] / "deploy" / "policy.yaml"


def main() -> None:
    """Prints one JSON line per run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, count in (("fills", 100_000), ("accounts", 50), ("batch", 1000), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--idle", action="store_true")
    given = parser.parse_args()
    written = list(events(given.fills, given.accounts, given.seed, idle=given.idle))
    gc.freeze()
    for _ in range(given.runs):
        print(json.dumps(run(written, given.batch)), flush=True)


Written = tuple[str, str, bytes, int]
"""Topic, key, value, time."""


def events(count: int, accounts: int, seed: int, *, idle: bool = False) -> Iterator[Written]:
    """What lies on the topics of the book, in the order in which it is folded."""
    chance = random.Random(seed)
    names = [f"bybit:{number:06d}" for number in range(1, accounts + 1)]
    prices = {(name, symbol): price for name in names for symbol, price in PRICES.items()}
    held: Counter[tuple[str, str]] = Counter()
    yield from _in_force([] if idle else names)
    for number in range(count):
        at_ms = BEGIN_MS + number * GAP_MS
        name, symbol = chance.choice(names), chance.choice(list(PRICES))
        at = name, symbol
        price = prices[at] = prices[at] * chance.randrange(9_990, 10_011) // 10_000
        price -= price % (E18 // 100)
        size = chance.randrange(1, 400) * E18 // 1000
        buys = chance.random() < 0.5 - held[at] / (20 * E18)
        held[at] += size if buys else -size
        yield _written(FILLS, name, _fill(number, name, symbol, size, price, at_ms, buys=buys))
        if number % POLLED_EVERY == 0:
            each = names[number // POLLED_EVERY % accounts]
            yield _written(LOANS, each, loan(each, chance.randrange(20, 60), at_ms))
            places = [_place(each, one, held[each, one], prices[each, one]) for one in PRICES]
            yield _written(SNAPSHOTS, each, snapshot(each, places, at_ms))


def run(written: list[Written], batch: int) -> dict[str, Any]:
    """One pass over an empty table."""
    part = Part(BOOK.table)
    spent: Counter[str] = Counter()
    outputs = 0
    began = time.process_time()
    for start in range(0, len(written), batch):
        at_0 = time.process_time()
        taken = [
            Event(topic, 0, start + n, key, WIRE.decoder(topic)(data), at_ms, at_ms)
            for n, (topic, key, data, at_ms) in enumerate(written[start : start + batch])
        ]
        at_1 = time.process_time()
        given = [_folded(part, event) for event in taken]
        at_2 = time.process_time()
        outputs += sum(
            len(WIRE.encoder(one.topic)(one.value)) > 0
            for outs in given
            for one in outs
            if type(one) is Emit
        )
        at_3 = time.process_time()
        table_hash, _ = part.close()
        at_4 = time.process_time()
        spent["decode"] += at_1 - at_0
        spent["step"] += at_2 - at_1
        spent["encode"] += at_3 - at_2
        spent["hash"] += at_4 - at_3
    seconds = time.process_time() - began
    count = len(written)
    return {
        "events": count,
        "events_per_s": round(count / seconds),
        "us_per_event": {name: round(1e6 * each / count, 1) for name, each in spent.items()},
        "share_pct": {name: round(100 * each / seconds) for name, each in spent.items()},
        "outputs_per_event": round(outputs / count, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "table_hash": table_hash,
    }


def _folded(part: Part, event: Event) -> list[Any]:
    """What a worker does with one event: the step, and its wake-up."""
    part.begin()
    outputs = fold(BOOK, part, event)
    for output in outputs:
        if type(output) is Wake:
            part.due.wake(event.key, output.at_ms)
    return outputs


def _in_force(names: list[str]) -> Iterator[Written]:
    content = json.loads(policy.canonical(policy.from_yaml(_POLICY.read_text())))
    content["accounts"] = [{"account_id": name} for name in names]
    body = policy.canonical(policy.parse(json.dumps(content)))
    copy = PolicyCopy("bench", 1, policy.policy_hash(body), body)
    for one in (copy, ControlCopy("all", "ACTIVE", 1, "bench", BEGIN_MS)):
        yield _written(INBOX, PARTITION_KEY, BookInput(body=one))


def _place(name: str, symbol: str, size: int, price: int) -> Place:
    found = Place(name, "linear", symbol)
    found.held, found.price = size, price
    return found


def _fill(
    number: int, name: str, symbol: str, size: int, price: int, at_ms: int, *, buys: bool
) -> HedgeExecution:
    return HedgeExecution(
        exec_id=f"0197{number:012x}",
        account_id=name,
        venue="bybit",
        kind="FILL",
        category="linear",
        symbol=symbol,
        side="Buy" if buys else "Sell",
        exec_type="Trade",
        qty_e18=size,
        price_e18=price,
        fee_e18=size * price // E18 // 2000,
        fee_ccy="USDT",
        settle_ccy="USDT",
        exec_time_ms=at_ms,
        source="ws",
        seq=number,
    )


def _written(topic: str, key: str, record: Any) -> Written:
    at_ms = getattr(record, "exec_time_ms", None) or getattr(record, "as_of_ms", BEGIN_MS)
    return topic, key, WIRE.encode(topic, record), at_ms


if __name__ == "__main__":
    main()
