"""What people are told of a lane, when it begins and when it ends, and that each is told once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.records import Alert
from streams.effects import Look
from streams.step import Emit, Entries
from tables.intents import INTENTS
from tests.streams.order_world import world as orders
from tests.streams.saga_world import LANE, World, answer, intent

ALERTS = "treasury.alerts.v1"


def alerts(world: World) -> list[Alert]:
    return [one.value for one in world.out if isinstance(one, Emit) and one.topic == ALERTS]


def told(world: World) -> list[tuple[str, str]]:
    return [(one.key.partition("|")[0], one.state) for one in alerts(world)]


def until_open(**fates: str) -> World:
    """A repayment up to the moment when its main leg is open."""
    world = World(fates={("main", 1): fates.get("main", "lost_before")})
    world.give(intent())
    while world.states()[-1:] not in (["UNKNOWN"], ["ACKED"]):
        world.fold(world.carry(world.pending.pop(0)))
    return world


def people(world: World, said: str) -> Any:
    facts = {"actors": "ann,bob"}
    record = answer(
        world.posts[-1], "HUMAN", world.now_ms, class_=said, message="seen", facts=facts
    )
    return replace(record, n=world.state().leg.n)


def test_an_unknown_outcome_is_told_after_thirty_seconds_and_its_end_too() -> None:
    world = until_open()
    since_ms = world.now_ms
    while not alerts(world):
        before_ms = world.now_ms
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()
    assert before_ms < since_ms + 30_000 == world.now_ms
    (alert,) = alerts(world)
    assert (alert.key, alert.state, alert.severity) == (
        f"unresolved|{LANE}",
        "firing",
        "warning",
    )
    assert alert.text == (
        "REPAY i1 of bybit:1: main#1 of 9500 USDT is UNKNOWN: ReadTimeout;"
        " the venue's records are read on"
    )
    assert alert.labels["decision_id"] == "d-i1"
    world.restart([])
    assert len(alerts(world)) == 1
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert told(world) == [("unresolved", "firing"), ("unresolved", "resolved")]
    for key, value in world.store.entries.items():
        assert INTENTS.loads(key, INTENTS.dumps(key, value)) == value


@pytest.mark.parametrize("main", ["ok", "lost_after"])
def test_what_is_found_within_thirty_seconds_is_no_news(main: str) -> None:
    world = until_open(main=main)
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert alerts(world) == []


def test_what_the_venue_processes_for_ever_is_told_and_stays_open() -> None:
    world = until_open(main="ok")
    since_ms = world.now_ms
    while world.now_ms < since_ms + 3_600_000:
        if world.pending:
            look = world.pending.pop(0)
            assert isinstance(look, Look)
            facts = {**world.venue.books(world.now_ms), "rows": "1"}
            world.fold(answer(look, "EVIDENCE", world.now_ms, class_="accepted", facts=facts))
        else:
            world.tick()
    assert world.states()[-1] == "ACKED"
    assert told(world) == [("unresolved", "firing")]
    assert alerts(world)[0].since_ms == since_ms + 30_000
    world.run()
    assert told(world) == [("unresolved", "firing"), ("unresolved", "resolved")]


@pytest.mark.parametrize(("said", "state"), [("done", "CONFIRMED"), ("refused", "REJECTED")])
def test_what_only_people_can_end_is_told_until_they_do(said: str, state: str) -> None:
    world = until_open()
    world.venue.debt_e18 -= 10**18
    while world.states()[-1] != "PARKED":
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()
    assert told(world) == [
        ("unresolved", "firing"),
        ("unresolved", "resolved"),
        ("parked", "firing"),
    ]
    alert = alerts(world)[-1]
    assert alert.severity == "critical"
    assert "main#1 of 9500 USDT is PARKED: movement_without_row; `weir resolve`" in alert.text
    world.fold(people(world, said))
    assert told(world)[3:] == [("parked", "resolved")]
    world.run()
    assert world.states()[-1] == state


def test_a_contradiction_is_told_until_two_people_have_answered() -> None:
    world = until_open(main="ok")
    world.run()
    call = world.posts[-1]
    late = answer(call, "RESULT", world.now_ms, class_="refused", code="148029")
    world.fold(late)
    world.fold(late)
    assert told(world) == [("double_effect", "firing")]
    assert alerts(world)[0].key == f"double_effect|i1|{LANE}"
    assert alerts(world)[0].text == (
        "REPAY i1 of bybit:1: main#1 of 9500 USDT is CONFIRMED: main#1 is said to be refused,"
        " was confirmed; nothing leaves this lane until two people answer for it"
    )
    world.fold(people(world, "done"))
    assert told(world)[1:] == [("double_effect", "resolved")]
    world.fold(late)
    assert told(world)[2:] == [("double_effect", "firing")]


def test_each_intent_that_halts_the_lane_is_told_until_it_is_answered_for() -> None:
    """People answer for one intent at a time: what still stands must not hide behind what they
    have answered, and what is new about the same intent must not hide behind what they know.
    """
    world = World()
    for name in ("i1", "i2"):
        world.give(intent(name))
    world.run()
    first, second = (call for call in world.posts if call.leg == "main")
    refused = {"class_": "refused", "code": "148029"}
    world.fold(answer(first, "RESULT", world.now_ms, **refused))
    world.fold(answer(second, "RESULT", world.now_ms, **refused))
    said = [(one.key.split("|")[1], one.state, one.labels["intent_id"]) for one in alerts(world)]
    assert said == [("i1", "firing", "i1"), ("i2", "firing", "i2")]
    rows = {**world.venue.books(world.now_ms), "rows": "2"}
    world.fold(answer(first, "EVIDENCE", world.now_ms, class_="done", facts=rows))
    again = alerts(world)[-1]
    assert (again.key, again.state) == (f"double_effect|i1|{LANE}", "firing")
    assert "is said to be refused, was confirmed; main#1 is said to have 2 rows" in again.text
    answered = replace(people(world, "done"), intent_id="i1")
    world.fold(answered)
    assert [(one.key, one.state) for one in alerts(world)[3:]] == [(again.key, "resolved")]
    assert world.lane().halted.startswith("i2: ")
    world.fold(replace(answered, attempt_id="h2", intent_id="i2"))
    assert [one.key for one in alerts(world)[4:]] == [f"double_effect|i2|{LANE}"]
    assert told(world)[4:] == [("double_effect", "resolved")]


def test_an_alert_of_the_lane_by_an_older_program_ends_too() -> None:
    world = until_open(main="ok")
    world.run()
    world.fold(answer(world.posts[-1], "RESULT", world.now_ms, class_="refused", code="148029"))
    entries = Entries(world.store, LANE)
    entries.put("alerting", entries.get("alerting", "double_effect|i1"), "double_effect")
    entries.delete("alerting", "double_effect|i1")
    world.fold(people(world, "done"))
    assert [(one.key, one.state) for one in alerts(world)[1:]] == [
        (f"double_effect|{LANE}", "resolved")
    ]


def test_what_moves_no_money_is_told_without_an_amount() -> None:
    world = orders("SET_LEVERAGE", "lost_before")
    while not alerts(world):
        if world.pending:
            effect = world.pending.pop(0)
            look = isinstance(effect, Look)
            unread = {"class_": "unknown", "message": "503"}
            record = answer(effect, "EVIDENCE", world.now_ms, **unread) if look else None
            world.fold(record or world.carry(effect))
        else:
            world.tick()
    assert "SET_LEVERAGE i1 of bybit:1: only#1 is UNKNOWN: " in alerts(world)[0].text
