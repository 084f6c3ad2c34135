"""What proves absence when the venue's own word cannot be trusted: its clock is set, a row is there
and then is not, a call was said to be refused and has a row.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.effects import Call, Look
from tests.streams.saga_world import World, answer, intent

HOUR_MS = 3_600_000


def lost(fate: str = "lost_before") -> World:
    """A repayment whose call was posted and never answered."""
    world = World(fates={("main", 1): fate})
    world.give(intent())
    while world.states()[-1:] != ["UNKNOWN"]:
        world.fold(world.carry(world.pending.pop(0)))
    return world


def look_with(world: World, **facts: str) -> Any:
    """The answer to the next look with other facts; None when nobody looks any more."""
    while not (world.pending and isinstance(world.pending[0], Look)):
        if not world.tick():
            return None
    record = world.carry(world.pending.pop(0))
    return replace(record, facts={**(record.facts or {}), **facts})


@pytest.mark.req("000-56")
def test_a_venue_whose_clock_is_set_ahead_proves_no_absence() -> None:
    world = lost()
    since_ms = world.now_ms
    while world.state().leg.n == 1 and world.state().state == "UNKNOWN":
        world.fold(look_with(world, server_ms=str(world.now_ms + HOUR_MS)))
    assert (world.state().state, world.state().leg.n) == ("READY", 2)
    assert world.now_ms - since_ms >= 900_000


def test_nor_does_our_clock_when_the_venue_has_not_got_there() -> None:
    world = lost()
    began_ms = int(world.state().leg.watermark["server_ms"])
    while (record := look_with(world, server_ms=str(began_ms + 899_999))) is not None:
        world.fold(record)
    assert world.states()[-1] == "PARKED"


def seen(world: World) -> None:
    """A row of the call is shown, and nothing has moved: the page is ahead of the books, or it is
    wrong.
    """
    record = look_with(world, rows="1")
    world.fold(replace(record, class_="done", venue_ref="1772"))
    assert world.states()[-1] == "UNKNOWN"


@pytest.mark.req("000-56")
def test_a_row_that_is_gone_again_is_for_people() -> None:
    world = lost()
    seen(world)
    world.run()
    assert world.states()[-1] == "PARKED"
    assert world.state().reason == "row_is_gone"
    assert [call.n for call in world.posts if call.leg == "main"] == [1]


@pytest.mark.parametrize("class_", ["refused", "transient", "not_sent"])
def test_a_call_said_not_to_be_executed_that_has_a_row_is_for_people(class_: Any) -> None:
    world = lost()
    call = next(one for one in reversed(world.posts) if isinstance(one, Call))
    seen(world)
    world.fold(answer(call, "RESULT", world.now_ms, class_=class_))
    assert world.states()[-1] == "PARKED"
    assert world.state().reason == f"row 1772, said to be {class_}"


def test_a_row_that_stays_is_the_effect_when_the_books_follow() -> None:
    world = lost("lost_after")
    world.run()
    assert world.states()[-1] == "CONFIRMED"


def test_a_record_without_an_id_is_no_answer_to_a_look() -> None:
    world = lost()
    facts = {**world.venue.books(world.now_ms), "rows": "0"}
    call = world.posts[-1]
    nameless = replace(answer(call, "EVIDENCE", world.now_ms, class_="refused", facts=facts),
                       attempt_id="")  # fmt: skip
    assert world.state().leg.awaits == ""
    world.fold(nameless)
    assert world.states()[-1] == "UNKNOWN"


@pytest.mark.req("000-56")
@pytest.mark.parametrize("kind", ["RESULT", "EVIDENCE"])
def test_an_effect_of_nothing_is_for_people(kind: str) -> None:
    """Not the whole amount, as if none were told, and not an end that frees what was reserved."""
    world = lost("lost_after")
    record = look_with(world, rows="1")
    world.fold(replace(record, kind=kind, class_="done", amount_done_e18=0, venue_ref="1772"))
    assert (world.states()[-1], world.state().reason) == ("PARKED", "an effect of nothing is told")
    world.run()
    assert [call.n for call in world.posts if call.leg == "main"] == [1]
