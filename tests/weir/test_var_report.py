"""Value at risk against the days that followed: which day is held against which value, Kupiec's
test at his own bounds, stress by hand, and the verb on a real topic.
"""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.jsonform import iso_date, to_json
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyUpdate
from schemas.topics import BY_NAME, key_of
from schemas.wire import SchemaIds, Wire
from tests.streams.cash_world import ACCOUNT, CashWorld
from weir import var_report
from weir.topics import ensure

pytestmark = pytest.mark.req("004-33", "E-12")

WIRE = Wire(SchemaIds.from_lock())
Q99 = Decimal("0.99")


class Told(CashWorld):
    """An account whose value at risk is kept in the order of the topic."""

    def __init__(self, **changes: Any) -> None:
        self.kept: list[Any] = []
        super().__init__(**changes)

    def send(self, *rest: Any, **more: Any) -> None:
        super().send(*rest, **more)
        self.kept += self.said("var")

    def live(self, losses: list[int]) -> list[int]:
        """A statement of each business day; the days."""
        days = self.business_days(len(losses))
        for day, loss in zip(days, losses, strict=True):
            self.close_day(day, "1000", str(1000 + loss))
        return days

    def lines(self) -> list[dict[str, Any]]:
        return [{"value": to_json(one)} for one in self.kept]


def test_a_day_is_held_against_what_was_said_before_it() -> None:
    world = Told(var={"min_obs": 3, "window": 3})
    days = world.live([5, 1, 2, 9, 3])
    found = var_report.days(world.lines())[ACCOUNT]
    assert [one.day for one in found] == [iso_date(day) for day in days[1:]]
    told = [(one.n, one.status, int(one.var_usd), int(one.loss_usd)) for one in found]
    assert told == [
        (1, "INSUFFICIENT", 5, 1),
        (2, "INSUFFICIENT", 5, 2),
        (3, "OK", 5, 9),
        (3, "OK", 9, 3),
    ]
    assert [one.exceeded for one in found] == [False, False, True, False]
    assert found[-1].policy == world.kept[-1].meta.policy
    known = {found[-1].policy: Q99}
    first, second = var_report.tested(found, known)
    assert first.startswith("2 days tested at 0.99: 1 worse than value at risk, 0.02 expected;")
    assert second == "2 days at 0.99 not tested: said of too few observations"
    assert list(var_report.tested(found, {})) == [
        "4 days not tested: their policy is not on the topic"
    ]


def test_a_restated_day_counts_as_it_stands_and_another_account_not() -> None:
    world = Told()
    *_, last = world.live([1, 2, 3])
    world.close_day(last, "0", "70", msg_id="again")
    (found,) = var_report.days(world.lines()).values()
    assert [int(one.loss_usd) for one in found] == [2, 70]
    assert var_report.days(world.lines(), "bank:9") == {}


@pytest.mark.parametrize(
    ("n", "passes"),
    [(255, range(1, 7)), (510, range(2, 11)), (1000, range(5, 17))],
)
def test_kupiec_rejects_outside_his_own_bounds(n: int, passes: range) -> None:
    """His table of what is not rejected at 5 % for a 99 % value at risk (Kupiec 1995); it names no
    lower bound for 255 days, where the ratio of none at all is 5.13.
    """
    found = [worse for worse in range(40) if not var_report.kupiec(n, worse, Q99).rejected]
    assert found == list(passes)


def test_kupiec_at_the_ends() -> None:
    assert var_report.kupiec(250, 0, Q99).ratio == pytest.approx(
        Decimal("5.0252"), abs=Decimal("1e-4")
    )
    assert var_report.kupiec(100, 1, Q99).ratio == 0
    assert var_report.kupiec(100, 1, Q99).p_value == 1
    assert var_report.kupiec(1, 1, Q99).rejected


def test_the_test_holds_its_level() -> None:
    """Of 1,000 years with the chance that was promised, about one in twenty is rejected."""
    chance = Random(7)
    years = [sum(chance.random() < 0.05 for _ in range(250)) for _ in range(1000)]
    rejected = sum(var_report.kupiec(250, worse, Decimal("0.95")).rejected for worse in years)
    assert 30 <= rejected <= 75


def test_stress_repeats_the_worst_runs() -> None:
    world = Told()
    world.live([1, 40, 50, -20, 10, 60, 2])
    (found,) = var_report.days(world.lines()).values()
    assert list(var_report.stressed(found, "100")) == [
        "the worst 1 of 6 days again: 60 USD, leaves 40 USD",
        "the worst 5 of 6 days again: 140 USD, leaves -40 USD",
    ]
    assert var_report.worst_run([Decimal(-3), Decimal(-1)], 2) == 0


def test_how_often_a_forecast_held() -> None:
    rows = [("2026-01-05", "10", "9"), ("2026-01-06", "10", "11"), ("2026-01-05", "10", "10")]
    lines = [
        {"value": {"account_id": "bank:1", "for_date": day, "p95": p95, "actual": actual}}
        for day, p95, actual in [*rows, ("2026-01-07", "10", None)]
    ]
    assert var_report.covered(lines) == {"bank:1": "1 of 2 forecast outflows were within P95"}


def test_from_the_command_line(broker: str) -> None:
    ensure(broker, 8, 1)
    world = Told(var={"min_obs": 3, "window": 3})
    world.live([5, 1, 2, 9, 3])
    body = canonical(Policy())
    name, _, version = world.kept[-1].meta.policy.partition("@")
    update = PolicyUpdate(name, int(version), policy_hash(body), body, "rest", "ann", (), "", 1)
    producer = Producer({"bootstrap.servers": broker, "log_level": 0})
    for topic, records in (("orch_config_updates", [update]), (var_report.VARS, world.kept)):
        for one in records:
            producer.produce(topic, WIRE.encode(topic, one), key_of(BY_NAME[topic], one), 0)
    assert producer.flush(30) == 0
    done = subprocess.run(
        [sys.executable, "-m", "weir.cli", "--bootstrap", broker, "report", "var",
         "--account", ACCOUNT],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    heading, *rows = done.stdout.splitlines()
    assert heading.startswith("account,day,loss_usd,var_usd,es_usd,band_low_usd")
    assert [row.rpartition(",")[2] for row in rows] == ["false", "false", "true", "false"]
    said = done.stderr.splitlines()
    assert said[0].startswith(f"{ACCOUNT}: 2 days tested at 0.99: 1 worse than value at risk")
    assert said[-1] == f"{ACCOUNT}: no forecast outflow is known yet"
