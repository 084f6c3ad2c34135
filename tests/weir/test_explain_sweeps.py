"""`weir explain` for cash: the record gives the decision again, and what flips it does flip it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import cash_sim
from bench.cash_days import VARIANTS
from schemas.money import parse_e18, text_e18
from schemas.records import Decision
from streams import cash_body, sweep
from streams.node import in_force
from tests.streams.cash_world import CashWorld
from weir.explain import SweepReasons, sweeps, text
from weir.explain.sweep_flips import UNIT_E18, action, with_balance
from weir.explain.sweeps import Known

QUIET = "days 260 out=1000000 in=1000000"
SAFE = "policy sweep.rule=sweep-safe-v1"
LADDER = "policy sweep.rule=sweep-safe-v1 sweep.ladder=ladder-v1"
PLACE = {"topic": "treasury.decisions.v1", "partition": 3, "offset": 17}
PLACED = f"""
    {QUIET}
    {SAFE}
    report ITAV 2500000
    outcome CONFIRMED
    at +1h
    entry E1 -2200000 order=1 booked=2026-07-09
"""
"""Money lies in bills, and the bank has shown it."""
NEXT_DAY = f"{PLACED}\nat 2026-07-10T13:00:00Z"


def lived(rows: str) -> CashWorld:
    return CashWorld().play(rows)


def explained(world: CashWorld) -> SweepReasons:
    record: Decision = world.said("decision")[-1]
    known = Known(in_force(world.store).calendars, {"policy": PLACE})
    return sweeps.reasons(record.decision_id, PLACE, json.loads(record.body), [], known)


def done(world: CashWorld) -> str:
    """What the last decision did."""
    body = world.decision()
    return f"{body['outcome']} {body['order']['product']}" if body["order"] else "hold"


@pytest.mark.req("004-27", "004-28")
def test_it_says_the_rule_the_inputs_and_every_step() -> None:
    found = explained(lived(f"{QUIET}\nreport ITAV 2500000"))
    assert found.reproduced
    lines = text(found)
    for said in (
        "recorded  treasury.decisions.v1 3:17",
        "rule      sweep-seed-v1, policy weir-default@1",
        "action    SWEEP TBILL_4W 2200000 USD before 2026-07-09T15:30:00.000Z, moves 2026-07-10",
        "available  2500000 ITAV as of 2026-07-09T13:00:00.000Z (balance_events 0:",
        "forecast   2026-07-09: p50 1000000, p95 1000000 (weekday_median over 8)",
        "risk       VaR 0 = 0 bps, expected shortfall 0, 250 days OK",
        "guard stale_balance: 0 ms old, at most 3600000 = passes",
        "float: liq_buffer_pct · expected = 0.3 · 1000000, rounded up to 4 places = 300000",
        "excess: available - going out - floor_usd = 2500000 - 0 - 0 = 2500000",
        "above the limit: 10000 · 0 > var_limit_bps · available = 10 · 2500000 = no",
        "wanted: TBILL_4W: excess - float, at least 0 = 2200000",
        "working it out again gives the same record",
    ):
        assert said in lines, said


def test_both_rules_with_the_same_inputs() -> None:
    """Above the limit the seed keeps nothing, the safe rule the float."""
    world = CashWorld().play(f"policy sweep.var_limit_bps=1\n{QUIET}")
    for day in world.business_days(3):
        world.close_day(day, "997250", "1000000", f"R{day}")
    found = explained(world.play("report ITAV 2500000"))
    assert [(one.rule, one.product, one.amount) for one in found.alternatives] == [
        ("sweep-seed-v1", "FED_RRP", "2500000"),
        ("sweep-safe-v1", "FED_RRP", "2200000"),
    ]
    assert "* sweep-seed-v1: SWEEP FED_RRP 2500000, moves 2026-07-09" in text(found)


@pytest.mark.parametrize(
    ("before", "amount", "to", "flipped"),
    [
        (QUIET, "309999.99", "310000", "SWEEP TBILL_4W"),
        (QUIET, "2500000", "309999.9999", "hold"),
        (f"{QUIET}\n{SAFE}", "180000", "310000", "SWEEP TBILL_4W"),
        (f"{QUIET}\n{LADDER}", "330000", "340000", "SWEEP TBILL_4W"),
        (f"{QUIET}\n{LADDER}", "2500000", "339999.9999", "SWEEP FED_RRP"),
        (PLACED, "100000", "-0.0001", "REVERSE_SWEEP TBILL_4W"),
        (NEXT_DAY, "239999.9999", "240000", "hold"),
        (NEXT_DAY, "309000", "310000", "SWEEP TBILL_4W"),
    ],
)
def test_the_smallest_change_of_balance_flips_the_action(
    before: str, amount: str, to: str, flipped: str
) -> None:
    """Played once as it was, once with the balance that is said to flip it, once just before."""
    world = lived(f"{before}\nreport ITAV {amount}")
    found = explained(world)
    assert found.reproduced
    was, flip = done(world), next(one for one in found.flips if one.figure == "available")
    assert (flip.now, flip.to) == (amount, to)
    assert flip.action.startswith(flipped)
    assert done(lived(f"{before}\nreport ITAV {flip.to}")) == flipped != was
    back = UNIT_E18 if parse_e18(to) < parse_e18(amount) else -UNIT_E18
    just = text_e18(parse_e18(flip.to) + back)
    assert done(lived(f"{before}\nreport ITAV {just}")) == was


def test_another_cut_off_flips_the_action() -> None:
    """The auction is over at three in New York: what is sent later waits overnight."""
    world = lived(f"{QUIET}\n{LADDER}\nreport ITAV 2500000")
    flip = next(one for one in explained(world).flips if one.figure == "cutoff_utc")
    assert (flip.now, flip.to, flip.change) == ("15:30", "19:00", "+03:30")
    assert (done(world), flip.action) == ("SWEEP TBILL_4W", "SWEEP FED_RRP 2200000")
    for clock, expected in ((flip.to, "SWEEP FED_RRP"), ("18:59:59", "SWEEP TBILL_4W")):
        changed = f"policy sweep.cutoffs_utc=['00:30','{clock}']".replace("'", '"')
        assert done(lived(f"{QUIET}\n{LADDER}\n{changed}\nreport ITAV 2500000")) == expected


@pytest.mark.parametrize(
    ("rows", "outcome", "said"),
    [
        (f"control PAUSED\n{QUIET}\nreport ITAV 9", "paused", "mode is PAUSED = holds: paused"),
        (f"{QUIET}\nfreeze b1 on\nreport ITAV 9", "frozen", "holds: frozen"),
        (f"{QUIET}\nreport ITAV 5 as_of=-2h", "stale_balance", "7200000 ms old, at most 3600000"),
        (f"{QUIET}\nreport ITAV -5", "stale_balance", "of more than 0: mode ACTIVE, available -5"),
        ("report ITAV 2500000", "no_forecast", "float: no outflow can be forecast = none"),
        (f"{QUIET}\n{SAFE}\nreport ITAV 180000", "cash_short", "180000 < trigger_pct · float"),
        (
            f"{QUIET}\npolicy sweep.esg_pref=true\nreport ITAV 2500000",
            "class_disabled",
            "ordered: something is in the way = class_disabled",
        ),
    ],
)
def test_a_hold_is_explained_too(rows: str, outcome: str, said: str) -> None:
    world = lived(rows)
    found = explained(world)
    assert found.reproduced
    assert found.said["outcome"] == outcome
    assert said in text(found)


def test_what_is_open_waits_and_comes_back_is_shown() -> None:
    world = lived(f"{QUIET}\nreport ITAV 2500000\nat +1s\nreport ITAV 2500000")
    found = explained(world)
    assert (found.said["outcome"], found.reproduced) == ("in_flight", True)
    assert f"open       {world.orders[0].intent_id}" in text(found)
    world.play("outcome REJECTED reason=venue_refused\nat +1s\nreport ITAV 2500000")
    assert "waits      SWEEP after venue_refused" in text(explained(world))
    found = explained(lived(f"{PLACED}\nreport ITAV 100000"))
    lines = text(found)
    assert "placed     TBILL_4W 2200000, matures 2026-08-04" in lines
    assert "today      money was placed" in lines
    assert "lacks: float - usable = 300000 - 100000 = 200000" in lines


WAITS = f"{QUIET}\nreport ITAV 2500000\noutcome AWAITING\nat +1s"


@pytest.mark.req("004-04")
@pytest.mark.parametrize(
    ("rows", "outcome", "flip", "said"),
    [
        (f"{WAITS}\nreport ITAV 2440000", "in_flight", ("2439999.9999", "take back"),
         ("open       ORDER, 2200000 that has not gone out",
          "carried of the open order: what the rule lets go without it, keeping 0.8 of the float"
          " = 2200000", "too little: 2200000 < 2200000 = no")),
        (f"{WAITS}\nreport ITAV 1000000", "withdrawn", ("2440000", "hold"),
         ("action    takes back 2200000 USD: floor_breach, 760000 can go (order ORDER)",
          "too little: 760000 < 2200000 = yes", "action: the open order: floor_breach = taken back",
          "* sweep-seed-v1: take back (floor_breach)")),
        (f"{WAITS}\ntick", "withdrawn", None,
         ("takes back 2200000 USD: stale_balance, 0 can go (order ORDER)",
          "the balance is 3600001 ms old, at most 3600000 = nobody knows")),
    ],
)  # fmt: skip
def test_that_an_order_is_taken_back_is_explained(
    rows: str, outcome: str, flip: tuple[str, str] | None, said: tuple[str, ...]
) -> None:
    """Or that it stands, and at which balance it would not."""
    world = lived(rows)
    found = explained(world)
    assert (found.said["outcome"], found.reproduced) == (outcome, True)
    for line in said:
        assert line.replace("ORDER", world.orders[0].intent_id) in text(found), line
    flips = {one.to: one.action for one in found.flips if one.figure == "available"}
    if flip is None:
        assert flips == {}
    else:
        to, action_then = flip
        assert flips[to].startswith(action_then)


def test_what_the_balance_may_count_already_is_in_the_record() -> None:
    """The bank held the money before it was confirmed: nothing is to come back."""
    ordered = f"{QUIET}\n{SAFE}\nreport ITAV 2500000\nreport ITAV 300000 as_of=+1s"
    world = lived(f"{ordered}\nat +2s\noutcome CONFIRMED")
    found = explained(world)
    assert (found.said["outcome"], found.reproduced) == ("below_min", True)
    assert "           of it 2200000 (above 0: out) the balance may count already" in text(found)


def test_a_record_that_does_not_follow_from_its_inputs_is_said_to_differ() -> None:
    world = lived(f"{QUIET}\nreport ITAV 2500000")
    body = world.decision()
    for path, value in (
        (("order", "amount"), "2100000"),
        (("sums", "float"), "1"),
        (("inputs", "available", "amount"), "2500001"),
    ):
        changed = json.loads(json.dumps(body))
        place: Any = changed
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        known = Known(in_force(world.store).calendars, {})
        found = sweeps.reasons("d", PLACE, changed, [], known)
        assert not found.reproduced
        assert "DIFFERS FROM THE RECORD" in text(found)
    without = sweeps.reasons("d", PLACE, body, [], Known((), {}))
    assert not without.reproduced, "no calendar, no such decision"


def test_without_a_policy_there_is_no_arithmetic() -> None:
    body = {**lived(f"{QUIET}\nreport ITAV 2500000").decision(), "terms": None, "rule": None}
    found = sweeps.reasons("d", PLACE, body, [], Known((), {}))
    assert "no policy was in force: nothing was computed" in text(found)
    assert found.as_json()["flips"] == ()


class Heard(cash_sim.Sim):
    """A life whose decisions are explained as they are made."""

    again = 0

    def hear(self, record: Any) -> None:
        if isinstance(record, Decision):
            body = json.loads(record.body)
            policy = cash_body.policy_of(body)
            facts = cash_body.facts_of(body, in_force(self.store).calendars)
            assert policy is not None
            assert sweeps.again(body, policy, facts) == record.body
            self.again += 1
        super().hear(record)


@pytest.mark.parametrize("variant", ["seed", "safe, ladder", "safe, faults"])
def test_every_decision_of_many_days_follows_from_its_record(variant: str) -> None:
    sim = Heard(seed=11, **VARIANTS[variant])
    sim.run(20)
    assert sim.again > 300


@settings(max_examples=60, deadline=None)
@given(
    available=st.integers(-(10**6), 4 * 10**8).map(lambda cents: cents * 10**16),
    others=st.lists(st.integers(-(10**6), 4 * 10**8), min_size=30, max_size=30),
    rows=st.sampled_from([QUIET, f"{QUIET}\n{SAFE}", f"{QUIET}\n{LADDER}", PLACED]),
)
def test_no_nearer_balance_flips_it(available: int, others: list[int], rows: str) -> None:
    world = lived(f"{rows}\nreport ITAV {text_e18(available)}")
    found, body = explained(world), world.decision()
    facts = cash_body.facts_of(body, in_force(world.store).calendars)
    policy = cash_body.policy_of(body)
    assert policy is not None
    assert found.reproduced
    was = action(sweep.decide(policy, facts))
    far = [
        abs(parse_e18(one.change.lstrip("+"))) for one in found.flips if one.figure == "available"
    ]
    for other in others:
        amount = other * 10**16
        if abs(amount - available) < min(far, default=10**30):
            assert action(sweep.decide(policy, with_balance(facts, amount))) == was
