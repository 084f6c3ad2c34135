"""The life of an intent: worked examples as rows, each judged by the venue's own books."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from schemas.money import E18, parse_e18
from schemas.records import AttemptRecord
from streams.saga import after
from streams.step import Emit, InvariantBroken
from tables.intents import INTENTS
from tests.streams.saga_world import LANE, T0_MS, World, answer, in_force, intent

DONE = ["ATTEMPTED", "READY", "ATTEMPTED", "ACKED", "CONFIRMED"]
LOST = ["ATTEMPTED", "READY", "ATTEMPTED", "UNKNOWN"]


def lived(**fates: str) -> World:
    """One repayment with the fates of its calls: `main_1="late"`."""
    named = {(key.split("_")[0], int(key.split("_")[1])): fate for key, fate in fates.items()}
    world = World(fates=named)
    world.give(intent())
    world.run()
    return world


@pytest.mark.parametrize(
    ("fates", "states", "moved"),
    [
        ({}, DONE, ["transfer", "main"]),
        ({"main_1": "lost_after"}, [*LOST, "CONFIRMED"], ["transfer", "main"]),
        ({"main_1": "late"}, [*LOST, "CONFIRMED"], ["transfer", "main"]),
        ({"main_1": "lost_before"}, [*LOST, "READY", *DONE[2:]], ["transfer", "main"]),
        (
            {"main_1": "refused"},
            ["ATTEMPTED", "READY", "ATTEMPTED", "READY", "ATTEMPTED", "REJECTED"],
            ["transfer", "return"],
        ),
        ({"transfer_1": "refused"}, ["ATTEMPTED", "REJECTED"], []),
        (
            {"transfer_1": "lost_after"},
            ["ATTEMPTED", "UNKNOWN", "READY", *DONE[2:]],
            ["transfer", "main"],
        ),
        (
            {"main_1": "refused", "return_1": "refused"},
            ["ATTEMPTED", "READY", "ATTEMPTED", "READY", "ATTEMPTED", "PARKED"],
            ["transfer"],
        ),
    ],
)
@pytest.mark.req("000-25", "000-40", "000-57")
def test_a_repayment_ends_as_the_venue_says(
    fates: dict[str, str], states: list[str], moved: list[str]
) -> None:
    world = lived(**fates)
    assert world.states() == states
    assert world.moved() == moved


@pytest.mark.req("000-08")
def test_a_lost_answer_found_in_history_is_one_post() -> None:
    world = lived(main_1="lost_after")
    assert [call.leg for call in world.posts] == ["transfer", "main"]
    assert world.state().leg.venue_ref == "1772"
    assert world.state().amount_done_e18 == 9500 * E18
    assert world.now_ms - T0_MS <= 5_000


def test_absence_takes_900_seconds_and_five_looks() -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    while world.states()[-1:] != ["UNKNOWN"]:
        world.fold(world.carry(world.pending.pop(0)))
    t0_ms = world.now_ms
    while world.state().leg.n == 1:
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()
    assert 900_000 <= world.now_ms - t0_ms <= 960_000
    assert world.state().state == "READY"
    assert "19 looks" in world.state().reason or "20 looks" in world.state().reason


@pytest.mark.parametrize(
    ("disturb", "state"),
    [
        (lambda venue: setattr(venue, "fund_e18", venue.fund_e18 - 100 * E18), "PARKED"),
        (lambda venue: setattr(venue, "debt_e18", venue.debt_e18 - 1 * E18), "PARKED"),
        (lambda venue: setattr(venue, "debt_e18", venue.debt_e18 + 500 * E18), "PARKED"),
        (lambda venue: setattr(venue, "debt_e18", venue.debt_e18 + parse_e18("0.03")), "CONFIRMED"),
    ],
    ids=["funding moved", "debt fell", "borrowed meanwhile", "interest only"],
)
def test_absence_needs_untouched_books(disturb: Any, state: str) -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    while "UNKNOWN" not in world.states():
        world.fold(world.carry(world.pending.pop(0)))
    disturb(world.venue)
    world.run()
    assert world.states()[-1] == state


def test_a_row_without_movement_is_parked() -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    while "UNKNOWN" not in world.states():
        world.fold(world.carry(world.pending.pop(0)))
    world.venue.rows.append((1772, "REPAY", 9500 * E18, world.now_ms))
    world.run()
    assert (world.states()[-1], world.state().reason) == ("PARKED", "row_without_movement")


def test_unreadable_history_is_parked_at_the_horizon() -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    for _ in range(200):
        if world.states()[-1:] == ["PARKED"]:
            break
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        if "UNKNOWN" in world.states():
            world.fold(answer(effect, "EVIDENCE", world.now_ms, class_="unknown", message="503"))
        else:
            world.fold(world.carry(effect))
    assert world.states()[-1] == "PARKED"
    assert world.wake_ms is None


def test_a_row_after_declared_absence_halts_the_lane() -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    while world.state().legs[-1].n == 1:
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()
    call = world.posts[-1]
    world.venue.carry(call, world.now_ms)
    world.run()
    assert "1772" in world.lane().halted
    assert len(world.posts) == 2, "nothing was sent again"
    assert world.states()[-1] == "PARKED"
    world.fold(human("done", 2))
    assert world.lane().halted == ""
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.moved() == ["transfer", "main"]


def human(class_: str, n: int) -> AttemptRecord:
    """Two people's word on the main leg."""
    facts = {"actors": "ann,bob"}
    return AttemptRecord(
        f"h-{class_}",
        "i1",
        "main",
        n,
        "HUMAN",
        T0_MS,
        class_=class_,
        facts=facts,
        message="statement of the venue",
    )


@pytest.mark.parametrize(
    ("class_", "state"), [("done", "CONFIRMED"), ("refused", "REJECTED"), ("not_sent", "CONFIRMED")]
)
def test_people_resolve_what_is_parked(class_: str, state: str) -> None:
    world = World(fates={("main", 1): "lost_before"})
    world.give(intent())
    while "UNKNOWN" not in world.states():
        world.fold(world.carry(world.pending.pop(0)))
    world.venue.fund_e18 -= 1
    world.run()
    assert world.states()[-1] == "PARKED"
    world.fold(human(class_, 1))
    world.run()
    assert world.states()[-1] == state
    assert world.wake_ms is None


def test_two_rows_for_one_attempt_halt_the_lane() -> None:
    world = World()
    world.give(intent())
    while world.moved() != ["transfer", "main"]:
        world.fold(world.carry(world.pending.pop(0)))
    world.venue.carry(world.posts[-1], world.now_ms)
    world.run()
    assert world.states()[-1] == "PARKED"
    assert "more than one row" in world.lane().halted


@pytest.mark.req("000-79")
def test_a_takeover_makes_a_sent_call_unknown_and_asks_reads_again() -> None:
    world = World()
    world.give(intent())
    world.fold(world.carry(world.pending.pop(0)))
    assert world.states() == ["ATTEMPTED"]
    world.restart([])
    assert world.states() == ["ATTEMPTED", "UNKNOWN"]
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.moved() == ["transfer", "main"]

    other = World()
    other.give(intent())
    other.restart([])
    assert [type(one).__name__ for one in other.pending] == ["Prepare"]


@pytest.mark.req("000-59")
def test_paused_waits_and_resumes_under_the_new_epoch() -> None:
    world = World(force=in_force("PAUSED"))
    world.give(intent())
    assert world.states() == ["HELD"]
    for _ in range(5):
        world.tick()
    assert world.posts == []
    world.force = in_force("ACTIVE", epoch=7)
    world.run()
    assert world.states()[:2] == ["HELD", "READY"]
    assert world.states()[-1] == "CONFIRMED"
    assert {call.pause_epoch for call in world.posts} == {7}


@pytest.mark.req("000-59")
@pytest.mark.parametrize(("kind", "passes"), [("REPAY", True), ("TRANSFER", False)])
def test_reducing_lets_pass_what_lowers_risk(kind: str, passes: bool) -> None:
    world = World(force=in_force("REDUCING"))
    world.give(intent(kind=kind))
    assert bool(world.pending) is passes


@pytest.mark.req("000-59")
def test_a_pause_between_prepare_and_attempt_is_obeyed() -> None:
    world = World()
    world.give(intent())
    prepared = world.carry(world.pending.pop(0))
    world.force = in_force("PAUSED", epoch=2)
    world.fold(prepared)
    assert (world.states(), world.pending) == (["HELD"], [])


def test_the_deadline_ends_what_has_not_started() -> None:
    world = World(force=in_force("PAUSED"))
    world.give(intent(deadline_ms=T0_MS + 60_000))
    world.run()
    assert world.states() == ["HELD", "EXPIRED"]
    assert world.wake_ms is None


@pytest.mark.req("000-57")
def test_an_expired_main_leg_brings_the_money_back() -> None:
    world = World()
    world.give(intent(deadline_ms=T0_MS + 60_000))
    while world.moved() != ["transfer"]:
        world.fold(world.carry(world.pending.pop(0)))
    world.now_ms = T0_MS + 60_000
    world.run()
    assert world.states()[-1] == "EXPIRED"
    assert world.moved() == ["transfer", "return"]
    assert world.venue.fund_e18 == 0


def test_one_in_flight_and_the_rest_in_order() -> None:
    world = World()
    for name in ("i1", "i2", "i3"):
        world.give(intent(name))
    assert len(world.pending) == 1
    world.run()
    ended = [
        one.value.intent_id
        for one in world.out
        if isinstance(one, Emit)
        and one.topic == "treasury.intent-states.v1"
        and one.value.state in ("CONFIRMED", "REJECTED")
    ]
    assert ended == ["i1", "i2", "i3"]


def test_equal_amounts_are_told_apart_by_their_last_places() -> None:
    world = World()
    world.venue.debt_e18 = 100_000 * E18
    for number in range(3):
        world.give(intent(f"i{number}"))
    world.run()
    amounts = [call.body["amount"] for call in world.posts if call.leg == "main"]
    assert amounts == ["9500", "9499.9999", "9499.9998"]


@pytest.mark.req("000-26")
def test_never_more_than_the_debt() -> None:
    world = World()
    world.venue.debt_e18 = parse_e18("120.00005")
    world.give(intent())
    world.run()
    assert [call.body["amount"] for call in world.posts] == ["120", "120"]
    assert world.states()[-1] == "CONFIRMED"
    assert world.state().amount_done_e18 == 120 * E18


def test_nothing_owed_is_nothing_to_do() -> None:
    world = World()
    world.venue.debt_e18 = 0
    world.give(intent())
    world.run()
    assert (world.states(), world.posts) == (["REJECTED"], [])


@pytest.mark.req("000-56")
def test_transient_answers_are_tried_again_up_to_the_limit() -> None:
    world = World()
    world.give(intent())
    seen = []
    while world.states()[-1:] != ["REJECTED"]:
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        if hasattr(effect, "body"):
            seen.append(world.now_ms)
            world.fold(answer(effect, "RESULT", world.now_ms, class_="transient", code="10002"))
        else:
            world.fold(world.carry(effect))
    assert [later - earlier for earlier, later in pairwise(seen)] == [
        2_000,
        4_000,
        8_000,
    ][: len(seen) - 1]
    assert len(seen) == 4


@pytest.mark.parametrize("said", [("not_sent", None), ("transient", "10006")])
def test_what_was_never_executed_counts_no_retry(said: tuple[str, str | None]) -> None:
    world = World()
    world.give(intent())
    sent = 0
    while sent < 10:
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        if hasattr(effect, "body"):
            sent += 1
            record = answer(effect, "RESULT", world.now_ms, class_=said[0], code=said[1])
            world.fold(record)
        else:
            world.fold(world.carry(effect))
    assert world.state().leg.retries == 0
    world.run()
    assert world.states()[-1] == "CONFIRMED"


@pytest.mark.req("000-29")
def test_every_change_is_told_to_origin_and_desk() -> None:
    world = lived()
    topics = [one.topic for one in world.out if isinstance(one, Emit)]
    changes = topics.count("treasury.intent-states.v1")
    assert changes == 5
    assert topics.count("treasury.book-inputs.v1") == changes
    assert topics.count("treasury.desk-inputs.v1") == changes
    assert topics.count("treasury.decisions.v1") == changes
    final = [
        one.value.body
        for one in world.out
        if getattr(one, "topic", "") == "treasury.desk-inputs.v1"
    ][-1]
    assert final.facts["debt_after"] == "10500"
    assert final.venue_refs[1] == "1772"


def test_state_survives_its_own_json() -> None:
    world = lived(main_1="lost_after")
    for key, value in world.store.entries.items():
        assert INTENTS.loads(key, INTENTS.dumps(key, value)) == value
    assert f"lanes|{LANE}" in world.store.entries


def test_a_pair_that_is_not_in_the_table_stops_the_worker() -> None:
    with pytest.raises(InvariantBroken, match="READY cannot take 'effect'"):
        after("main", "READY", "effect")
