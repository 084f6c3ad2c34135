"""A worker that stood still looks for an attempt that was given up long ago. What it finds may be
what a later attempt did: one row is one effect, two are not.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from streams.effects import Call, Look
from tests.streams.saga_world import World, answer, intent


def given_up(fate: str) -> tuple[World, Look]:
    """The first call of the main leg never arrived and was declared without effect; one of its
    looks is still in the hands of a worker that stands still.
    """
    world = World(fates={("main", 1): "lost_before", ("main", 2): fate})
    world.give(intent())
    kept: list[Look] = []
    while world.state().legs[-1].n == 1:
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        if isinstance(effect, Look):
            kept.append(effect)
        world.fold(world.carry(effect))
    return world, kept[0]


def run_until(world: World, state: str) -> None:
    """Goes on until the intent is told to be in this state."""
    while world.states()[-1] != state:
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()


@pytest.mark.parametrize(
    ("fate", "state"),
    [("ok", "ACKED"), ("ok", "CONFIRMED"), ("lost_after", "UNKNOWN"), ("lost_after", "CONFIRMED")],
)
@pytest.mark.req("000-56")
def test_a_stale_look_sees_the_row_of_the_later_attempt(fate: str, state: str) -> None:
    world, look = given_up(fate)
    run_until(world, state)
    found = world.carry(look)
    assert found.class_ == "done"
    world.fold(found)
    assert world.lane().halted == ""
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.moved() == ["transfer", "main"]


def test_a_stale_look_does_not_halt_what_people_decide() -> None:
    world, look = given_up("lost_after")
    run_until(world, "UNKNOWN")
    rows, world.venue.rows = world.venue.rows, []  # history is late: movement without a row
    run_until(world, "PARKED")
    world.venue.rows = rows
    world.fold(world.carry(look))
    assert world.lane().halted == ""
    assert world.states()[-1] == "PARKED"


@pytest.mark.parametrize(("ref", "halted"), [("1772", False), ("1773", True)])
def test_a_second_row_halts_the_lane_of_a_parked_intent_too(ref: str, halted: bool) -> None:
    world, look = given_up("lost_before")
    run_until(world, "UNKNOWN")
    while world.states()[-1] != "PARKED":
        if not world.pending:
            world.tick()
            continue
        shown = world.carry(world.pending.pop(0))
        facts = {**(shown.facts or {}), "rows": "1"}
        world.fold(replace(shown, class_="done", venue_ref="1772", facts=facts))
    assert world.state().reason == "row_without_movement"
    seen = replace(world.carry(look), class_="done", venue_ref=ref, amount_done_e18=None)
    world.fold(seen)
    assert bool(world.lane().halted) == halted


def test_a_row_of_its_own_halts_the_lane() -> None:
    world, look = given_up("ok")
    run_until(world, "CONFIRMED")
    world.venue.carry(world.posts[-1], world.now_ms)
    world.fold(world.carry(look))
    assert "2 rows" in world.lane().halted


def test_a_row_other_than_the_confirmed_one_halts_the_lane() -> None:
    world, look = given_up("ok")
    run_until(world, "CONFIRMED")
    world.venue.rows.clear()
    world.venue.carry(world.posts[-1], world.now_ms)
    other = world.carry(look)
    assert other.venue_ref != world.state().leg.venue_ref
    world.fold(other)
    assert "declared without effect" in world.lane().halted


def test_a_row_seen_before_the_next_call_halts_the_lane() -> None:
    world, look = given_up("ok")
    world.venue.carry(world.posts[-1], world.now_ms)
    world.fold(world.carry(look))
    assert "declared without effect" in world.lane().halted
    world.run()
    assert [call.n for call in world.posts if call.leg == "main"] == [1]


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.req("000-56")
def test_what_was_accepted_and_failed_since_may_be_said_again(lost: bool) -> None:
    """A repayment is processed and fails; the word that it was accepted comes again, or only then,
    from a worker that stood still.
    """
    world = World()
    world.give(intent())
    while not (world.pending and isinstance(world.pending[0], Call) and world.moved()):
        world.fold(world.carry(world.pending.pop(0)))
    call = world.pending[0]
    accepted = answer(call, "RESULT", world.now_ms, class_="accepted", venue_ref="1772")
    if lost:
        world.restart([])
    else:
        world.pending.clear()
        world.fold(accepted)
    while not world.pending:
        world.tick()
    facts = {**world.venue.books(world.now_ms), "rows": "0"}
    look = world.pending.pop(0)
    world.fold(
        answer(look, "EVIDENCE", world.now_ms, class_="refused", venue_ref="1772", facts=facts)
    )
    assert world.state().leg.leg == "return"
    world.fold(accepted)
    world.fold(answer(look, "EVIDENCE", world.now_ms, class_="accepted", venue_ref="1772"))
    assert world.lane().halted == ""
    world.run()
    assert world.states()[-1] == "REJECTED"
    world.fold(answer(call, "RESULT", world.now_ms, class_="accepted", venue_ref="1799"))
    assert "declared without effect" in world.lane().halted
