"""The same account under three rules of allocation: what each repays, adds and keeps."""

from __future__ import annotations

import pytest

from schemas.money import E18
from tests.weir.backtest.lists import WIRE, ListLog
from weir.backtest import Course, compare, find, run
from weir.backtest.candles import Candle, records

DAY_MS = 86_400_000
T0_MS = 1_546_300_800_000


@pytest.fixture(scope="module")
def log() -> ListLog:
    """A year in which the price falls for half of the time and rises again."""
    prices = [10_000 - 40 * day if day < 150 else 4_000 + 30 * (day - 150) for day in range(300)]
    made = ListLog()
    for one in records([Candle(T0_MS + n * DAY_MS, p * E18) for n, p in enumerate(prices)]):
        made.put(one.topic, one.record, at_ms=one.at_ms)
    return made


def test_a_comparison_is_two_runs(log: ListLog) -> None:
    """Byte for byte, and the same again."""
    left, right = (find(rule, log, WIRE) for rule in ("seed-v1", "opt-v1"))
    both = compare(log, WIRE, left, right)
    alone = run(log, WIRE, left), run(log, WIRE, right)
    assert (both.left.text(), both.right.text()) == (alone[0].text(), alone[1].text())
    assert both.pairs
    for one in alone:
        _conserved(one)


def _conserved(course: Course) -> None:
    for one in course.totals:
        moved = one.interest_e18 - one.repaid_e18 + one.flows_e18
        assert one.debt_end_e18 == one.debt_start_e18 + moved
