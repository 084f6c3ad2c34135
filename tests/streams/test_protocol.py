"""The protocol with the venue, one situation after the other: what each word leads to, and what
waits for what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from agents.connectors.bybit.reads import Row, matching
from schemas.money import E18, parse_e18, text_e18
from schemas.policy import Policy
from schemas.records import AttemptRecord, Request
from streams import saga
from streams.effects import Call, Look, Prepare
from streams.step import InForce
from tests.streams.saga_world import T0_MS, Venue, World, answer, in_force, intent

SECOND, HOUR = 1_000, 3_600_000


def execution(**changed: Any) -> InForce:
    """ACTIVE under the default policy with changes to how operations are carried out."""
    force = in_force()
    rule = Policy().execution.model_copy(update=changed)
    return replace(force, policy=Policy().model_copy(update={"execution": rule}))


def lived_until(holds: Callable[[World], bool], **fields: Any) -> World:
    """One repayment up to the first event after which something holds."""
    world = World(**fields)
    world.give(intent())
    while not holds(world):
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            assert world.tick(), world.states()
    return world


def has(state: str) -> Callable[[World], bool]:
    return lambda world: world.states()[-1:] == [state]


def look(world: World, class_: str, **more: Any) -> None:
    """What the venue's history shows at the next look."""
    while not world.pending:
        assert world.tick()
    effect = world.pending.pop(0)
    assert isinstance(effect, Look)
    facts = {**world.venue.books(world.now_ms), "rows": "1"}
    world.fold(answer(effect, "EVIDENCE", world.now_ms, class_=class_, facts=facts, **more))


LOST = {("main", 1): "lost_before"}


@pytest.mark.req("000-57")
@pytest.mark.parametrize("kind", ["REPAY", "ADD_COLLATERAL"])
def test_what_history_calls_failed_comes_back(kind: str) -> None:
    """An accepted operation fails at the venue: the transfer is undone by one of its own."""
    world = World()
    world.give(intent(kind=kind))
    while world.states()[-1:] != ["ACKED"]:
        world.fold(world.carry(world.pending.pop(0)))
    world.venue.fund_e18 += 9500 * E18  # it was never carried out
    world.venue.effects.pop()
    look(world, "refused", code="3")
    world.run()
    assert world.states()[-1] == "REJECTED"
    assert world.moved() == ["transfer", "return"]
    assert (world.venue.fund_e18, world.venue.unified_e18) == (0, 100_000 * E18)


@pytest.mark.parametrize(
    ("class_", "states"),
    [
        ("accepted", ["ACKED", "CONFIRMED"]),
        ("refused", ["READY", "ATTEMPTED", "REJECTED"]),
        ("done", ["UNKNOWN", "CONFIRMED"]),
    ],
)
def test_what_history_says_of_a_lost_answer(class_: str, states: list[str]) -> None:
    """Still processing, failed, or done: here the last is believed once the balances agree."""
    world = lived_until(has("UNKNOWN"), fates=LOST)
    call, before = world.posts[-1], len(world.states())
    look(world, class_, venue_ref="1772")
    if class_ != "refused":
        world.venue.carry(call, world.now_ms)
    world.run()
    assert world.states()[before - (class_ == "done") :] == states
    assert len([one for one in world.posts if one.leg == "main"]) == 1


@pytest.mark.parametrize(("class_", "state"), [("done", "CONFIRMED"), ("refused", "REJECTED")])
def test_a_webhook_may_be_quicker_than_the_answer(class_: str, state: str) -> None:
    """An effect is believed at once; a refusal nobody asked for proves nothing, the answer does."""
    world = lived_until(lambda world: has("ATTEMPTED")(world) and world.state().leg.leg == "main")
    call = world.pending.pop(0)
    assert isinstance(call, Call)
    late = world.venue.post(call, "ok" if class_ == "done" else "refused", world.now_ms)
    told = AttemptRecord(
        "w1", "i1", "main", 1, "WEBHOOK", world.now_ms, class_=class_, venue_ref="1772", code="3"
    )
    world.fold(told)
    assert world.states()[-1] == ("CONFIRMED" if class_ == "done" else "ATTEMPTED")
    world.fold(late)
    before = len(world.states())
    world.fold(told)
    world.fold(late)
    assert len(world.states()) == before
    assert world.lane().halted == ""
    world.run()
    assert world.states()[-1] == state


@pytest.mark.req("000-59")
@pytest.mark.parametrize("mode", ["PAUSED", "REDUCING"])
@pytest.mark.parametrize("fate", ["lost_after", "lost_before"])
def test_what_is_open_is_resolved_under_a_pause_and_nothing_is_sent(mode: str, fate: str) -> None:
    """Reads go on; what is proven without effect waits for the resume before it is sent again."""
    world = lived_until(has("UNKNOWN"), fates={("main", 1): fate})
    posts = len(world.posts)
    world.force = in_force(mode, epoch=2)
    for _ in range(200):
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        elif world.states()[-1] in ("CONFIRMED", "HELD") or not world.tick():
            break
    if fate == "lost_after":
        assert world.states()[-1] == "CONFIRMED"
        assert len(world.posts) == posts
    elif mode == "PAUSED":
        assert world.states()[-2:] == ["READY", "HELD"]
        assert len(world.posts) == posts
        world.force = in_force("ACTIVE", epoch=3)
        world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.moved() == ["transfer", "main"]


@pytest.mark.req("000-57", "000-59")
def test_money_on_its_way_back_waits_for_the_resume_and_has_no_deadline() -> None:
    world = lived_until(has("ACKED"), fates={("main", 1): "ok"})
    world.force = in_force("PAUSED", epoch=2)
    world.venue.fund_e18 += 9500 * E18
    world.venue.effects.pop()
    look(world, "refused", code="3")
    for _ in range(3):
        world.tick()
    world.now_ms += 2 * HOUR
    world.tick()
    assert (world.state().leg.leg, world.states()[-1]) == ("return", "HELD")
    assert world.moved() == ["transfer"]
    world.force = in_force("REDUCING", epoch=3)
    world.run()
    assert world.states()[-1] == "REJECTED"
    assert world.moved() == ["transfer", "return"]


@pytest.mark.req("000-57")
@pytest.mark.parametrize(
    ("compensate", "moved"), [("return", ["transfer", "return"]), ("keep", ["transfer"])]
)
def test_a_policy_may_keep_what_was_transferred(compensate: str, moved: list[str]) -> None:
    world = World(fates={("main", 1): "refused"}, force=execution(compensate=compensate))
    world.give(intent())
    world.run()
    assert world.states()[-1] == "REJECTED"
    assert world.moved() == moved


@pytest.mark.parametrize("when", ["ready", "held"])
def test_a_cancelled_intent_that_has_not_started_is_void(when: str) -> None:
    world = World(force=in_force("PAUSED" if when == "held" else "ACTIVE"))
    world.give(intent())
    world.fold(Request("r1", "CANCEL", {"intent_id": "i1"}, ("ann",), "no longer wanted"))
    world.run()
    assert (world.states()[-1], world.posts) == ("VOID", [])


def test_cancelling_what_was_sent_changes_nothing() -> None:
    world = lived_until(has("ACKED"))
    world.fold(Request("r1", "CANCEL", {"intent_id": "i1"}, ("ann",), "too late"))
    world.run()
    assert world.states()[-1] == "CONFIRMED"


def test_a_debt_that_has_shrunk_lowers_the_main_leg() -> None:
    world = lived_until(lambda world: world.moved() == ["transfer"])
    world.venue.debt_e18 = parse_e18("9000.00005")
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert [call.body["amount"] for call in world.posts] == ["9500", "9000"]
    assert world.state().amount_done_e18 == 9000 * E18


def test_a_lane_without_a_free_amount_waits_until_none_is_a_day_old() -> None:
    """Whole coins only: 3, 2 and 1 are used, and history could not tell a fourth from the first."""
    world = World()
    for number in range(4):
        world.give(intent(f"i{number}", amount="3", precision=0, deadline_ms=T0_MS + 30 * HOUR))
    while world.state("i2").state != "CONFIRMED":
        world.fold(world.carry(world.pending.pop(0))) if world.pending else world.tick()
    while world.now_ms < T0_MS + 23 * HOUR:
        world.fold(world.carry(world.pending.pop(0))) if world.pending else world.tick()
    sent = [call.body["amount"] for call in world.posts if call.leg == "main"]
    assert sent == ["3", "2", "1"]
    assert world.state("i3").state == "READY"
    world.run()
    assert world.state("i3").state == "CONFIRMED"
    assert world.posts[-1].body["amount"] == "3"
    assert 24 * HOUR <= world.now_ms - T0_MS < 24 * HOUR + 60 * SECOND


@pytest.mark.req("003-47")
def test_an_account_whose_venue_is_away_sends_nothing_and_resumes_alone() -> None:
    """Ten minutes without an answer to any read: asked again at most every minute."""
    world = World()
    world.give(intent())
    asked = []
    while world.now_ms < T0_MS + 600 * SECOND:
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        assert isinstance(effect, Prepare)
        asked.append(world.now_ms)
        world.fold(answer(effect, "PREPARED", world.now_ms, class_="unknown", message="refused"))
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert waits[:4] == [2_000, 4_000, 8_000, 16_000]
    assert max(waits) == 60_000
    assert world.posts == []
    world.run()
    assert world.states()[-1] == "CONFIRMED"
    assert world.now_ms < T0_MS + 670 * SECOND


@dataclass
class Skewed(Venue):
    """A venue whose clock is not ours."""

    skew_ms: int = 0

    def books(self, now_ms: int) -> dict[str, str]:
        return super().books(now_ms + self.skew_ms)

    def carry(self, call: Call, now_ms: int) -> None:
        super().carry(call, now_ms + self.skew_ms)


@pytest.mark.parametrize("skew_ms", [-HOUR, -1, 1, HOUR])
@pytest.mark.parametrize("fate", ["lost_before", "lost_after"])
def test_another_clock_at_the_venue_changes_nothing(skew_ms: int, fate: str) -> None:
    fates = {("main", 1): fate}
    here, there = World(fates=fates), World(Skewed(skew_ms=skew_ms), fates)
    for world in (here, there):
        world.give(intent())
        world.run()
    assert there.states() == here.states()
    assert there.now_ms == here.now_ms
    assert there.moved() == here.moved() == ["transfer", "main"]


@pytest.mark.req("000-56")
def test_the_pause_between_two_tries_doubles_up_to_the_longest() -> None:
    world = World(force=execution(max_retries=8))
    world.give(intent(deadline_ms=T0_MS + 24 * HOUR))
    tried = []
    while world.states()[-1:] != ["REJECTED"]:
        if not world.pending:
            world.tick()
            continue
        effect = world.pending.pop(0)
        if isinstance(effect, Call):
            tried.append(world.now_ms)
            world.fold(answer(effect, "RESULT", world.now_ms, class_="transient", code="10002"))
        else:
            world.fold(world.carry(effect))
    assert [(later - earlier) // SECOND for earlier, later in pairwise(tried)] == [
        2, 4, 8, 16, 32, 60, 60, 60,
    ]  # fmt: skip
    assert world.moved() == []


def test_every_state_has_its_word_in_the_old_language() -> None:
    words = {
        "NEW": {"READY", "HELD"},
        "SENT": {"ATTEMPTED", "UNKNOWN", "PARKED"},
        "ACK": {"ACKED", "CONFIRMED"},
        "FAILED": {"REJECTED", "VOID", "EXPIRED", "REVERSED"},
    }
    for word, states in words.items():
        assert {state for state, seed in saga.SEED_STATUS.items() if seed == word} == states
    world = World(fates=LOST)
    world.give(intent())
    world.run()
    told = [one.value for one in world.out if getattr(one, "topic", "").endswith("states.v1")]
    assert {(one.state, one.seed_status) for one in told} <= set(saga.SEED_STATUS.items())


AMOUNT = parse_e18("9499.9993")
MARK = {"last_id": "1771", "server_ms": "1000000"}


@pytest.mark.req("000-08")
@pytest.mark.parametrize(
    ("row", "ours"),
    [
        (Row(1772, AMOUNT, 1_000_400, 1, True), True),
        (Row(1772, AMOUNT, 998_000, 1, True), True),
        (Row(1772, AMOUNT, 997_999, 1, True), False),
        (Row(1771, AMOUNT, 1_000_400, 1, True), False),
        (Row(1772, AMOUNT + 10**14, 1_000_400, 1, True), False),
        (Row(1772, AMOUNT - 1, 1_000_400, 1, True), False),
        (Row(1772, AMOUNT, 1_000_400, 1, False), False),
        (Row(1772, AMOUNT, 1_000_400, 3, True), True),
    ],
    ids=[
        "the worked example", "two seconds of another clock", "a millisecond more", "known before",
        "one unit of the last place more", "less", "the venue's own liquidation", "failed",
    ],
)  # fmt: skip
def test_a_row_is_ours_by_id_time_amount_and_type(row: Row, ours: bool) -> None:
    assert (matching([row], AMOUNT, MARK) == [row]) is ours, text_e18(row.amount_e18)
