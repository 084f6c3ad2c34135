"""Years of real prices as an account that lived through them, from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.money import E18, parse_e18
from tests import tidy
from tests.weir.backtest.lists import WIRE, ListLog
from weir.backtest import Course, compare, find, run
from weir.backtest.candles import Plan, records
from weir.backtest.market import Candle, Funding, candles, fundings
from weir.cli import app
from weir.errors import WeirError

SHORT = """date,open,high,low,close,volume
2017-12-15,16749.79,17899,16745,17738.67,24941.29697636
2017-12-16,17738.68,19797,17630,19650.01,21833.08470224
2017-12-17,19650.02,19891.99,19010,19378.99,19085.14649173
2017-12-18,19378.99,19385,18201.39,19039.01,22825.17668284
2017-12-19,19039.01,19099,16800,17838.73,27818.49329626
2017-12-20,17838.73,17890,14001,16496.89,40116.26722379
2017-12-21,16496.9,17364.57,15151,15758.8,25113.23231591
2017-12-22,15758.8,15974.95,10400,14210.57,78717.90711791
"""
MARKET = tidy.ROOT.parent / "shared" / "data" / "market"
RULES = ("seed-v1", "seed-v1-narrative", "opt-v1")
PLAN = ("--mean-rows", "3", "--roll-rows", "2", "--draw-rows", "4", "--ltv", "0.42")


def weir(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The week after the top of 2017, as lines of JSON."""
    file, folder = tmp_path / "week.csv", tmp_path / "week"
    file.write_text(SHORT)
    weir("backtest", "prices", str(file), "--to", str(folder), *PLAN)
    return folder


def test_a_week_under_two_policies(folder: Path) -> None:
    """From a file of prices to what differs, in two commands; the figures are those of two runs."""
    words = ("policy", "diff", "seed-v1", "opt-v1", "--input", str(folder))
    said: dict[str, Any] = json.loads(weir(*words, "--json"))
    (seed,), (best,) = said["left"]["totals"], said["right"]["totals"]
    assert seed["interest"] >= best["interest"]
    assert float(best["repaid"]) > float(seed["repaid"]) > 0
    assert said["difference"][0]["orders"] == best["orders"] - seed["orders"]
    text = weir(*words)
    assert f"{seed['repaid']:>22}{best['repaid']:>22}" in text
    assert f"{len(said['differences'])} decisions differ" in text
    assert "* The hedge is what it was" in text
    for pair in said["differences"]:
        assert pair["left"] != pair["right"]
    alone = json.loads(weir("policy", "diff", "opt-v1", "opt-v1", "--input", str(folder), "--json"))
    assert alone["left"] == alone["right"] == said["right"]
    assert alone["differences"] == []


def test_a_policy_file_of_ones_own(folder: Path, tmp_path: Path) -> None:
    """A typo in the low band: what was split is repaid, and the file's name stands in the table."""
    shipped = weir("policy", "defaults")
    file = tmp_path / "mine.yaml"
    file.write_text(shipped.replace("accounts: []", "accounts: [{account_id: 'bybit:candles'}]"))
    text = weir("policy", "diff", "candles@1", str(file), "--input", str(folder))
    assert "A = candles@1 (seed-v1), B = mine.yaml (seed-v1)" in text
    only = weir("policy", "diff", "seed-v1", "opt-v1", "--input", str(folder), "--to", "2017-12-19")
    assert "to 2017-12-19T00:00:00.000Z" in only


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2017-12-22,1,1,1,none,1", "line 10: 'none' is not a decimal number"),
        ("2017-12-22,1,1,1,0,1", "line 10: close=0 is no price"),
        ("2017-12-22,1,1,1,5,1", "line 10: 2017-12-22 does not come after the row before"),
        ("2017-13-22,1,1,1,5,1", "line 10: .*no ISO-8601 date"),
    ],
)
def test_a_line_that_is_no_candle(line: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(SHORT + line + "\n")
    with pytest.raises(WeirError, match=why):
        candles(file)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    for text, why in (("a,b\n1,2\n", "the header names no"), ("date,close\n", "no candles below")):
        file.write_text(text)
        with pytest.raises(WeirError, match=why):
            candles(file)
    with pytest.raises(WeirError, match="No such file"):
        candles(tmp_path / "none.csv")


def days(prices: list[str]) -> list[Candle]:
    return [
        Candle(1_500_000_000_000 + number * 86_400_000, parse_e18(price))
        for number, price in enumerate(prices)
    ]


def lived(rows: list[Candle], plan: Plan, paid: Sequence[Funding] = ()) -> ListLog:
    log = ListLog()
    for one in records(rows, plan, list(paid)):
        log.put(one.topic, one.record, at_ms=one.at_ms)
    return log


def test_the_recorded_account_is_what_no_policy_touched() -> None:
    """With nothing to allocate the model shows the recorded states unchanged: interest to the unit,
    draws as flows.
    """
    rising = [str(1_000 + 10 * day) for day in range(200)]
    log = lived(days(rising), Plan(draw_rows=50))
    course = run(log, WIRE, find("seed-v1", log, WIRE))
    (total,) = course.totals
    last = log.records["treasury.loan-states.v1", _lies(log)][-1]
    shown = WIRE.decode("treasury.loan-states.v1", last.value or b"")
    assert total.debt_end_e18 == shown.total_debt_usd_e18
    assert total.ltv_last_e18 == shown.ltv_ratio_e18
    assert total.flows_e18 > 0 == total.repaid_e18
    assert total.interest_e18 == total.debt_end_e18 - total.debt_start_e18 - total.flows_e18


@pytest.mark.parametrize("file", sorted(MARKET.glob("btcusd-daily-*.csv")), ids=lambda f: f.stem)
def test_the_crash_of_2018_under_three_rules(file: Path) -> None:
    """Eight months of real candles from the top on: with every rule debt and interest add up, and
    they differ in what was repaid alone.
    """
    log = lived(candles(file)[-240:], Plan(ltv_e18=parse_e18("0.35")))
    seed, told, best = (_of(run(log, WIRE, find(rule, log, WIRE))) for rule in RULES)
    assert seed.added_e18 > 0
    for one in (seed, told, best):
        assert one.realised_e18 == seed.realised_e18 > 0
        moved = one.interest_e18 - one.repaid_e18 + one.flows_e18
        assert one.debt_end_e18 == one.debt_start_e18 + moved
        owed = seed.debt_end_e18 - one.debt_end_e18
        spared = seed.interest_e18 - one.interest_e18
        assert owed == one.repaid_e18 - seed.repaid_e18 + spared
        assert one.net_last_e18 == seed.net_last_e18 + spared


def _lies(log: ListLog) -> int:
    return next(number for topic, number in log.records if topic == "treasury.loan-states.v1")


def test_a_crash_under_three_rules() -> None:
    """Those that repay owe less, pay less interest and are further from liquidation than the one
    that pledges; what each realised and paid in fees is the same.
    """
    crash = [str(20_000 - 250 * day) for day in range(48)] + ["8000"] * 12
    log = lived(days(crash), Plan(mean_rows=10, roll_rows=10, ltv_e18=parse_e18("0.38")))
    seed, told, best = (run(log, WIRE, find(rule, log, WIRE)) for rule in RULES)
    for course in (told, best):
        assert _of(course).repaid_e18 > _of(seed).repaid_e18
        assert _of(course).debt_end_e18 < _of(seed).debt_end_e18
        assert _of(course).interest_e18 < _of(seed).interest_e18
        assert _of(course).distance_last_e18 > _of(seed).distance_last_e18
    for field in ("realised_e18", "fees_e18", "funding_e18", "flows_e18"):
        assert len({getattr(_of(course), field) for course in (seed, told, best)}) == 1
    both = compare(log, WIRE, find("seed-v1", log, WIRE), find("opt-v1", log, WIRE))
    assert both.left == seed
    assert both.right == best
    assert _of(best).net_last_e18 - _of(seed).net_last_e18 == (
        _of(seed).interest_e18 - _of(best).interest_e18
    ), "what one policy is richer by is the interest it did not pay"


def _of(course: Course) -> Any:
    (total,) = course.totals
    return total


def test_funding_is_paid_by_who_is_long(tmp_path: Path) -> None:
    """Short at 900 for 50,000 dollars: 0.1 % of it is earned, and 0.2 % is paid."""
    file = tmp_path / "funding.csv"
    file.write_text("funding_time_utc,funding_rate\n2017-07-18T02:40:00Z,0.001\n")
    (first,) = fundings(file)
    second = Funding(first.at_ms + 86_400_000, -first.rate_e18 * 2)
    falling = days([str(1_000 - 10 * day) for day in range(10)])
    pasts = lived(falling, Plan(mean_rows=3), [first, second]), lived(falling, Plan(mean_rows=3))
    total, plain = (_of(run(log, WIRE, find("seed-v1", log, WIRE))) for log in pasts)
    assert total.fees_e18 == plain.fees_e18
    at = {one.at_ms: one.close_e18 for one in falling}
    size = 50 * E18
    rates = (first, second)
    expected = -sum(size * _next(at, one.at_ms) // E18 * one.rate_e18 // E18 for one in rates)
    assert total.funding_e18 == expected
    assert total.realised_e18 == plain.realised_e18 - expected


def _next(closes: dict[int, int], at_ms: int) -> int:
    return min((time, close) for time, close in closes.items() if time >= at_ms)[1]
