"""Simulated days, judged by the bank's own books; all of them: `python -m bench.cash_days`."""

from __future__ import annotations

import pytest

from bench.cash_bank import Bank, Payment
from bench.cash_days import SAFE, VARIANTS, differences, judge, verdict
from bench.cash_sim import Day, Sim
from schemas.records import Proposal
from streams.topology import CASH
from tests.streams.desk_world import assert_storable


@pytest.mark.req("004-20", "004-57")
@pytest.mark.parametrize("name", [name for name, one in VARIANTS.items() if one["rule"] == SAFE])
def test_money_is_back_before_the_last_cutoff(name: str) -> None:
    """No day ends below the floor while money that could still come back stays placed."""
    found = judge(name, days=120, run=60)
    assert found["days"] == 120
    assert found["breaches"] == 0
    assert found["differs"] == found["uncovered"] == 0
    assert found["payments"] > 60
    assert found["brought_back"] > 0


@pytest.mark.req("004-28")
def test_the_seed_runs_short_and_it_is_counted() -> None:
    found = judge("seed", days=60, run=60)
    assert found["brought_back"] == 0
    assert found["breaches"] > 0
    assert found["below"] == found["breaches"] + found["later_flow"] + found["nothing_left"]
    assert found["worst_usd"] < 0


@pytest.mark.req("004-03", "004-57")
@pytest.mark.parametrize("name", ["safe, waits", "seed, waits"])
def test_no_order_that_waited_for_people_goes_out_uncovered(name: str) -> None:
    """And it is the withdrawal that sees to it: nobody hears of one, and the bank is short."""
    found = judge(name, days=60, run=60)
    assert (found["uncovered"], found["differs"]) == (0, 0)
    assert found["withdrawn"] > 10
    assert found["payments"] > 60
    deaf = Sim(seed=0, deaf=True, **VARIANTS[name])
    deaf.run(60)
    assert deaf.uncovered > 0


class Watched(Sim):
    """A life in which it is looked at whether an order falls although nothing has happened."""

    calm = 0

    def _answer(self, order: Proposal, state: str) -> None:
        before = self.withdrawn
        super()._answer(order, state)
        if state == "AWAITING" and self.told_ms <= order.meta.event_time_ms:
            assert self.withdrawn == before, order
            self.calm += 1


@pytest.mark.parametrize("name", ["safe, ladder, waits", "seed, waits"])
def test_an_order_stands_as_long_as_nothing_has_happened(name: str) -> None:
    """Also one that is paid by what matures until then: there is one within these days."""
    sim = Watched(seed=0, **{**VARIANTS[name], "waits": 1.0})
    sim.run(12)
    assert sim.calm > 20


def test_every_entry_of_a_life_is_storable() -> None:
    sim = Sim(seed=3, **VARIANTS["safe, faults"])
    sim.run(20)
    assert_storable(CASH, sim.store)


def a_day(**what: int) -> Day:
    day = Day(1)
    for name, value in what.items():
        setattr(day, name, value)
    return day


def test_the_judge_can_find_a_breach() -> None:
    assert verdict(a_day(end=0, at_cutoff=0), 0) == []
    assert verdict(a_day(end=-1, at_cutoff=-1, recallable=1), 0) == ["below", "breaches"]
    assert verdict(a_day(end=-1, at_cutoff=-1), 0) == ["below", "nothing_left"]
    assert verdict(a_day(end=-1, at_cutoff=0, recallable=1), 0) == ["below", "later_flow"]
    assert verdict(a_day(end=-1, at_cutoff=-1, recallable=1, faulty=True), 0)[1] == "faulty"


def test_the_judge_can_find_a_difference() -> None:
    sim = Sim(seed=1, **VARIANTS["safe"])
    sim.run(5)
    assert differences(sim) == []
    stray = Payment("f" * 32, "OUT", "FED_RRP", 5, 1, 2, 5)
    sim.bank.send(stray)
    sim.bank.execute(stray, 1)
    assert len(differences(sim)) == 2


def test_the_bank_pays_once_and_not_what_it_has_not() -> None:
    bank = Bank("bank:1", 100)
    out = Payment("a", "OUT", "FED_RRP", 60, 1, 2, 60)
    bank.send(out)
    bank.send(out)
    bank.execute(out, 1)
    bank.execute(out, 1)
    assert (bank.balance, bank.placed) == (40, {"a": 60})
    with pytest.raises(ValueError, match="sells 1 more than is placed"):
        bank.take(Payment("b", "BACK", "FED_RRP", 61, 1, None, 61))
