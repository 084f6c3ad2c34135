"""The amounts of a lane: told apart for 24 hours, then forgotten, and no burden to an event."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.money import E18
from streams.step import Entries
from tables.intents import INTENTS, LaneEntry, UsedAmount
from tests.streams.saga_world import LANE, T0_MS, World, intent

DAY_MS = 24 * 3_600_000


def used(world: World) -> list[UsedAmount]:
    return [one for _, one in Entries(world.store, LANE).range("used")]


def repay(world: World, name: str, amount: str = "100") -> str:
    """Lives one repayment and says what it was for in the end."""
    world.give(intent(name, amount=amount, deadline_ms=world.now_ms + 3_600_000))
    world.run()
    return str(world.state(name).amount_done_e18 / E18)


@pytest.mark.req("000-56")
def test_an_amount_is_used_once_in_24_hours_to_the_millisecond() -> None:
    world = World()
    assert repay(world, "i1") == "100.0"
    (first,) = used(world)
    world.now_ms = first.at_ms + DAY_MS - 1
    assert repay(world, "i2") == "99.9999"
    world.now_ms = first.at_ms + DAY_MS
    assert repay(world, "i3") == "100.0"
    assert [one.amount_e18 for one in used(world)] == [999_999 * E18 // 10_000, 100 * E18]


def test_what_an_older_program_kept_in_one_entry_still_counts() -> None:
    world = World()
    kept = (
        UsedAmount(100 * E18, T0_MS - DAY_MS),
        UsedAmount(100 * E18, T0_MS - DAY_MS + 1_000_000),
        UsedAmount(999_999 * E18 // 10_000, T0_MS - 1),
    )
    data = INTENTS.dumps(f"lanes|{LANE}", LaneEntry(used=kept))
    world.store.put(f"lanes|{LANE}", INTENTS.loads(f"lanes|{LANE}", data))
    assert repay(world, "i1") == "99.9998"
    assert world.lane().used == ()
    assert [one.amount_e18 for one in used(world)][:2] == [kept[1].amount_e18, kept[2].amount_e18]
    assert len(used(world)) == 3


def test_a_payment_takes_an_old_entry_apart_too() -> None:
    world = World()
    world.store.put(f"lanes|{LANE}", LaneEntry(used=(UsedAmount(1, T0_MS - 1),)))
    world.give(intent(kind="TRANSFER"))
    world.run()
    assert world.lane().used == ()
    assert len(used(world)) == 2


def test_an_event_of_a_busy_lane_writes_no_more_than_one_of_a_quiet_lane() -> None:
    world = World()
    for number in range(1_000):
        one = UsedAmount(number, T0_MS - number)
        world.store.put(f"used|{LANE}|{one.at_ms:016d}|{number}", one)
    repay(world, "i1")
    assert len(INTENTS.dumps(f"lanes|{LANE}", replace(world.lane(), wake_ms=0))) < 100
