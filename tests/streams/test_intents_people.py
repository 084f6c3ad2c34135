"""What two people say of an intent: it is taken once, for that intent alone, and what is under way
goes on being read while their answer is awaited.
"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.records import AttemptRecord
from streams import saga
from streams.effects import Call
from tests.streams.saga_world import World, answer, intent
from tests.streams.test_intents_late import given_up, run_until
from weir.resolve import CLASS, SAYS


def word(world: World, class_: str, name: str = "h1", intent_id: str = "i1") -> AttemptRecord:
    """Two people answer for an intent as it stands."""
    leg = world.state(intent_id).legs[-1]
    facts = {"actors": "ann,bob"}
    said: Any = class_
    return AttemptRecord(
        name, intent_id, leg.leg, leg.n, "HUMAN", world.now_ms, class_=said,
        facts=facts, message="seen",
    )  # fmt: skip


def contradicted(world: World, call: Call) -> None:
    """The venue takes back what was confirmed."""
    world.fold(answer(call, "RESULT", world.now_ms, class_="refused", code="148029"))


@pytest.mark.req("000-20")
def test_a_word_of_people_is_taken_once() -> None:
    world = World()
    world.give(intent())
    world.run()
    contradicted(world, world.posts[-1])
    said = word(world, "done")
    world.fold(said)
    assert world.lane().halted == ""
    contradicted(world, world.posts[-1])
    world.fold(said)
    assert "was confirmed" in world.lane().halted
    world.fold(word(world, "done", "h2"))
    assert world.lane().halted == ""


@pytest.mark.req("000-20")
def test_a_word_on_one_intent_answers_for_no_other() -> None:
    world = World(fates={("main", 1): "ok"})
    world.give(intent())
    world.run()
    call = world.posts[-1]
    world.give(intent("i2"))
    world.give(intent("i3"))
    while not isinstance(world.pending[0], Call):
        world.fold(world.carry(world.pending.pop(0)))
    world.pending.clear()  # nobody will ever hear of it, and nothing of it is on any page
    contradicted(world, call)
    while world.state("i2").state != "PARKED":
        assert world.tick(), world.state("i2").state
        world.pending.clear()
    world.fold(word(world, "refused", "h1", "i2"))
    assert world.state("i2").state == "REJECTED"
    assert world.lane().halted.startswith("i1: ")
    assert world.pending == []
    world.fold(word(world, "done", "h2"))
    assert world.lane().halted == ""
    world.run()
    assert world.states()[-1] == "CONFIRMED"


def test_each_reason_to_halt_wants_its_own_answer() -> None:
    world = World()
    for name in ("i1", "i2"):
        world.give(intent(name))
    world.run()
    for call in [one for one in world.posts if one.leg == "main"]:
        contradicted(world, call)
        contradicted(world, call)
    assert [line[:4] for line in world.lane().halted.splitlines()] == ["i1: ", "i2: "]
    world.fold(word(world, "done", "h1", "i2"))
    assert world.lane().halted.startswith("i1: ")
    world.fold(word(world, "done", "h1"))
    assert world.lane().halted == ""


@pytest.mark.req("000-56")
def test_what_is_under_way_is_read_on_while_the_lane_is_halted() -> None:
    world, look = given_up("lost_after")
    run_until(world, "ATTEMPTED")
    early = answer(look, "EVIDENCE", world.now_ms, class_="done", venue_ref="9999",
                   facts={**world.venue.books(world.now_ms), "rows": "2"})  # fmt: skip
    world.fold(early)
    assert "2 rows" in world.lane().halted
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.lane().halted


def test_nothing_starts_while_the_lane_is_halted() -> None:
    world = World()
    world.give(intent())
    world.run()
    contradicted(world, world.posts[-1])
    world.give(intent("i2"))
    world.run()
    assert world.state("i2").state == "EXPIRED"
    assert len(world.posts) == 2


def test_people_can_answer_for_whatever_has_ended_or_not_begun() -> None:
    assert {*CLASS, *SAYS} == saga.FINAL | saga.WAITING
    assert set(SAYS.values()) <= set(CLASS)
