"""How far apart the lines of a course lie: near while it is short, a day once it is long."""

from __future__ import annotations

from itertools import pairwise

import pytest

from schemas.money import E18
from tests.weir.backtest.lists import WIRE, ListLog
from weir.backtest import Course, find, run
from weir.backtest.candles import Candle, records
from weir.backtest.course import Day
from weir.backtest.grain import DAY_MS, HOUR_MS, QUARTER_MS, Lines, begins_ms, every_ms, name

T0_MS = 1_767_225_600_000  # 2026-01-01


@pytest.mark.parametrize(
    ("passed", "grain"),
    [
        (0, QUARTER_MS),
        (2 * DAY_MS - 1, QUARTER_MS),
        (2 * DAY_MS, HOUR_MS),
        (10 * DAY_MS - 1, HOUR_MS),
        (10 * DAY_MS, DAY_MS),
    ],
)
def test_a_stretch_is_as_long_as_the_whole_asks_for(passed: int, grain: int) -> None:
    assert every_ms(passed) == grain


@pytest.mark.parametrize(
    ("grain", "said"),
    [
        (QUARTER_MS, "2026-01-01T13:45"),
        (HOUR_MS, "2026-01-01T13:00"),
        (DAY_MS, "2026-01-01"),
    ],
)
def test_a_stretch_is_named_by_its_beginning(grain: int, said: str) -> None:
    at_ms = T0_MS + 13 * HOUR_MS + 59 * 60_000
    assert name(at_ms, grain) == said
    assert begins_ms(said) == at_ms // grain * grain


def test_of_a_longer_stretch_the_last_line_stays_with_the_most_it_saw() -> None:
    lines = Lines()
    for minute, most in ((0, 5), (15, 9), (30, None), (60, 2)):
        said = name(T0_MS + minute * 60_000, QUARTER_MS)
        lines.put(Day(said, "a", equity_e18=minute, ltv_max_e18=most))
    lines.put(Day(name(T0_MS, QUARTER_MS), "b", equity_e18=7))
    lines.coarser(HOUR_MS)
    assert [
        (one.day[11:], one.account_id, one.equity_e18, one.ltv_max_e18) for one in lines.all()
    ] == [
        ("00:00", "a", 30, 9),
        ("01:00", "a", 60, 2),
        ("00:00", "b", 7, None),
    ]


def lived(rows: int, step_ms: int) -> Course:
    """Prices that rise and fall, a row so often."""
    log = ListLog()
    prices = [10_000 + 50 * (row % 20) - 100 * (row % 7) for row in range(rows)]
    candles = [Candle(T0_MS + row * step_ms, price * E18) for row, price in enumerate(prices)]
    for one in records(candles):
        log.put(one.topic, one.record, at_ms=one.at_ms)
    return run(log, WIRE, find("seed-v1", log, WIRE))


@pytest.mark.parametrize(
    ("rows", "step_ms", "grain_ms"),
    [(60, 600_000, QUARTER_MS), (80, HOUR_MS, HOUR_MS), (24 * 11, HOUR_MS, DAY_MS)],
)
def test_a_course_has_a_line_for_each_stretch(rows: int, step_ms: int, grain_ms: int) -> None:
    course = lived(rows, step_ms)
    begins = [begins_ms(one.day) for one in course.days]
    assert {after - before for before, after in pairwise(begins)} == {grain_ms}
    assert begins[0] == T0_MS
    last, (totals,) = course.days[-1], course.totals
    assert (last.repaid_e18, last.added_e18) == (totals.repaid_e18, totals.added_e18)
    assert max(one.ltv_max_e18 or 0 for one in course.days) == totals.ltv_max_e18
