"""Whatever happened to an account: money is conserved, and the same past gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.money import E18
from tests.table import Row
from tests.weir.backtest.lists import WIRE, ListLog
from tests.weir.backtest.past import Past
from weir.backtest import find, fold, paired, run
from weir.backtest.candles import Candle, Plan, records

RULES = ("seed-v1", "seed-v1-narrative", "opt-v1")
ROOT = Path(__file__).parents[3]
T0_MS = 1_546_300_800_000


def fallen(rows: int = 60) -> ListLog:
    """A price that falls by two percent a day and rises again by three."""
    log, price = ListLog(), 10_000
    candles = []
    for number in range(rows):
        price = price * (98 if number % 40 < 24 else 103) // 100
        candles.append(Candle(T0_MS + number * 86_400_000, price * E18))
    for one in records(candles, Plan(roll_rows=7, draw_rows=20, mean_rows=5)):
        log.put(one.topic, one.record, at_ms=one.at_ms)
    return log


def digest(log: ListLog) -> str:
    """Three courses and what they differ in, as one hash. Events are more where a copy of the
    policy goes to more partitions.
    """
    courses = [replace(run(log, WIRE, find(rule, log, WIRE)), events=0) for rule in RULES]
    said = "".join(course.text() for course in courses)
    said += str(paired(courses[0], courses[2]).as_json())
    return hashlib.sha256(said.encode()).hexdigest()


events = st.lists(
    st.tuples(
        st.sampled_from(("loan", "earns", "wallet", "at")),
        st.integers(0, 60_000),
        st.integers(1, 5_000),
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(events, st.sampled_from(RULES))
def test_money_is_conserved(happened: list[tuple[str, int, int]], rule: str) -> None:
    """debt_end = debt_start + interest − repaid + flows, to the unit, and what left the wallet
    lies in the loan; `runs` checks the first of them for every past.
    """
    past = Past()
    for what, amount, minutes in happened:
        if what == "loan":
            past.loan(Row(0, what, (), {"debt": str(amount), "collateral": "90000.000001"}))
        elif what == "at":
            past.at(Row(0, what, (f"+{minutes}s",), {}))
        else:
            past.play(f"{what} {amount - 20_000 if what == 'earns' else amount}")
    past.runs(Row(0, "runs", ("A", rule), {}))
    course = past.courses["A"]
    again = run(past.log, WIRE, find(rule, past.log, WIRE))
    assert again.text() == course.text()
    for one in course.totals:
        assert one.repaid_e18 >= 0 <= one.added_e18
        assert one.debt_end_e18 >= 0 <= one.interest_e18
        assert one.repaid_e18 + one.added_e18 + one.kept_e18 <= _highest(happened), "earned once"


def _highest(happened: list[tuple[str, int, int]]) -> int:
    """The most that was ever earned."""
    profits = [amount - 20_000 for what, amount, _ in happened if what == "earns"]
    return max(accumulate(profits, initial=0)) * E18


def test_the_same_in_another_process_with_other_hashes() -> None:
    expected = digest(fallen())
    for seed in ("0", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import *; print(digest(fallen()))"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize("partitions", [1, 3])
def test_the_same_with_other_partitions(partitions: int) -> None:
    """Where a key lies decides nothing."""
    few = fallen()
    other = ListLog(partitions)
    for (topic, _), lying in few.records.items():
        for record in lying:
            value = WIRE.decode(topic, record.value or b"")
            other.put(topic, value, (record.key or b"").decode(), record.timestamp_ms)
    assert digest(other) == digest(few)


def test_foreign_records_are_folded_by_the_whole_topology(tmp_path: Path) -> None:
    """What the nodes write lies in files as `weir consume` prints it; twice the same bytes."""
    log = fallen()
    folded = fold(log, WIRE, tmp_path / "a")
    assert folded == fold(log, WIRE, tmp_path / "b")
    written = {file.stem: file.read_bytes() for file in (tmp_path / "a").iterdir()}
    assert written == {file.stem: file.read_bytes() for file in (tmp_path / "b").iterdir()}
    assert {"treasury.pnl.v1", "treasury.allocations.v1", "treasury.audit.v1"} <= written.keys()
    for topic, count in folded.outputs.items():
        assert written[topic].count(b"\n") == count
    assert not folded.letters
