"""What a fill of one account costs when its history is long, and whether the sums are exact.

    python -m bench.state curve [--fills 1000000] [--every 100000] [--store memory|rocks]
    python -m bench.state check [--fills 1000000]

`curve` drives the book's step with fills of one position and prints one JSON line per `--every`:
the cost of a fill, entries and bytes of state. `rocks` is the engine's own table, sealed and stored
every BATCH fills as a commit would. `check` folds the same fills in exact fractions, written apart
from the product, and compares positions, costs and profits to the last unit.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from agents.exact.store import Part
from schemas.money import E18
from schemas.records import HedgeExecution
from streams import executions
from streams.step import NOTHING_IN_FORCE, Entries, Event
from tables.book import BOOK
from tables.memory import MemoryStore
from tests.fill import fill

ACCOUNT = "bybit:000001"
BATCH = 1000
START_MS = 1_749_600_000_000
GAP_MS = 50
"""A fill every 50 ms: a million of them are more than half a day, and no horizon helps."""


def main() -> int:
    """Runs one of the two; the exit code is 1 when a sum differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("curve", "check"))
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=100_000)
    parser.add_argument("--store", choices=("memory", "rocks"), default="memory")
    parser.add_argument("--path", choices=("walk", "grow"), default="walk")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.what == "check":
        return check(given.fills, given.seed)
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        store = Memory() if given.store == "memory" else Rocks(Path(folder) / "book-0")
        for line in curve(given, store):
            print(json.dumps(line), flush=True)
    return 0


def fills(count: int, seed: int, path: str = "walk") -> Iterator[HedgeExecution]:
    """Random fills of one symbol: `walk` crosses zero now and then, `grow` buys more than it sells,
    so that open lots grow with the history.
    """
    chance = random.Random(seed)
    held, price = 0, 500_000
    for number in range(count):
        price = max(1000, price + chance.randrange(-500, 501))
        quantity = chance.randrange(1, 1000)
        buys = chance.random() < (0.7 if path == "grow" else 0.5 - held / 200_000)
        held += quantity if buys else -quantity
        yield fill(
            f"0197{number:012x}",
            ACCOUNT,
            "Buy" if buys else "Sell",
            quantity * E18 // 1000,
            price * E18 // 10,
            START_MS + number * GAP_MS,
            fee_e18=quantity * price * E18 // (10**7 * 2),
            source="ws",
            seq=number,
        )


class Memory:
    """Entries as a replay holds them."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def commit(self) -> None:
        """Nothing is to be done in memory."""

    def size(self) -> tuple[int, int]:
        entries = self.store.entries
        sample = random.Random(1).sample(sorted(entries), min(len(entries), 2000))
        written = sum(len(key) + len(BOOK.dumps(key, entries[key])) for key in sample)
        return len(entries), written * len(entries) // max(1, len(sample))


class Rocks:
    """Entries as a worker holds them; each batch gives its changelog rows and is stored."""

    def __init__(self, path: Path) -> None:
        self._journal: list[Any] = []
        self.store = Part(path, BOOK.dumps, BOOK.loads, 200_000, self._journal)
        self._live: dict[bytes, int] = {}
        self._position = 0

    def commit(self) -> None:
        """What the engine does with a batch, without Kafka."""
        self._journal.clear()
        self.store.seal(START_MS)
        rows = self.store.rows(START_MS, {})
        self._position += len(rows)
        self.store.store(rows, self._position, self._position - 1)
        self.store.stored()
        for key, value in rows:
            if value is None:
                self._live.pop(key, None)
            else:
                self._live[key] = len(key) + len(value)

    def size(self) -> tuple[int, int]:
        return len(self._live), sum(self._live.values())


def curve(given: argparse.Namespace, held: Memory | Rocks) -> Iterator[dict[str, Any]]:
    """One line for each `--every` fills."""
    entries = Entries(held.store, ACCOUNT)
    outputs, spent_s, began = 0, 0.0, 0
    for number, row in enumerate(fills(given.fills, given.seed, given.path), start=1):
        event = Event("hedge-executions", 0, number, ACCOUNT, row, row.exec_time_ms, START_MS * 2)
        before = time.process_time()
        outputs += len(executions.step(entries, event, NOTHING_IN_FORCE))
        if number % BATCH == 0:
            held.commit()
        spent_s += time.process_time() - before
        if number % given.every == 0:
            count, size = held.size()
            yield {
                "fills": number,
                "us_per_fill": round(1e6 * spent_s / (number - began), 1),
                "outputs_per_fill": round(outputs / (number - began), 2),
                "entries": count,
                "mb": round(size / 1e6, 2),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            outputs, spent_s, began = 0, 0.0, number


class Judge:
    """The same account from its definition in exact fractions, lots as plain lists."""

    def __init__(self) -> None:
        self.held = self.cost = self.gross = self.fees = Fraction(0)

    def take(self, row: HedgeExecution) -> None:
        """Sold less what it had cost on average, each share rounded once to 18 places."""
        left, price = Fraction(row.qty_e18, E18), Fraction(row.price_e18, E18)
        sign = 1 if row.side == "Buy" else -1
        self.fees += Fraction(row.fee_e18, E18)
        if self.held * sign < 0:
            closed = min(left, abs(self.held))
            released = self.cost
            if closed != abs(self.held):
                released = rounded(self.cost * closed / abs(self.held))
            self.gross += sign * (released - rounded(closed * price))
            self.held += sign * closed
            self.cost -= released
            left -= closed
        self.held += sign * left
        self.cost += rounded(left * price)


def rounded(value: Fraction) -> Fraction:
    """To 18 places, half to even."""
    return Fraction(round(value * E18), E18)


def check(count: int, seed: int) -> int:
    """Compares after every fill; prints the units of difference."""
    entries, judge = Entries(MemoryStore(), ACCOUNT), Judge()
    gains = {"FIFO": 0, "LIFO": 0, "HIFO": 0, "ACB": 0}
    most = 0
    for number, row in enumerate(flat_at_last(count, seed), start=1):
        event = Event("hedge-executions", 0, number, ACCOUNT, row, row.exec_time_ms, START_MS * 2)
        for item in executions.step(entries, event, NOTHING_IN_FORCE):
            if item.topic == "treasury.tax-lots.v1" and item.value.gain_e18 is not None:
                gains[item.value.method] += item.value.gain_e18
        judge.take(row)
        position = entries.get("positions", "linear|BTCUSDT|0")
        book = entries.get("pnl_book", "USDT")
        pairs = (
            (position.qty_e18, judge.held),
            (position.cost_e18, judge.cost),
            (book.gross_e18, judge.gross),
            (book.fees_e18, judge.fees),
            (book.realised_e18, judge.gross - judge.fees),
        )
        most = max(most, *(abs(found - wanted * E18) for found, wanted in pairs))
    lots = max(abs(gain - judge.gross * E18) for gain in gains.values())
    print(json.dumps({"fills": number, "units_off": int(most), "lots_units_off": int(lots)}))
    return 1 if most or lots else 0


def flat_at_last(count: int, seed: int) -> Iterator[HedgeExecution]:
    """The fills, and one that closes what is left: then four methods have one total."""
    held, row = 0, None
    for row in fills(count, seed):
        held += row.qty_e18 if row.side == "Buy" else -row.qty_e18
        yield row
    if held and row is not None:
        side = "Sell" if held > 0 else "Buy"
        yield HedgeExecution(
            **{
                **{name: getattr(row, name) for name in row.__struct_fields__},
                "exec_id": "last",
                "side": side,
                "qty_e18": abs(held),
                "exec_time_ms": row.exec_time_ms + 1,
            }
        )


if __name__ == "__main__":
    sys.exit(main())
