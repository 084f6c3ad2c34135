"""A day of a thousand operations through gate and lane: all done, within the day's limit, one call
for each leg.
"""

import pytest

from schemas.money import E18
from schemas.records import DeskInput, Intent
from streams.step import Emit, Entries
from tables.gate import Used
from tests.streams.desk_world import ACCOUNT, T0_MS
from tests.streams.saga_world import Venue, World
from tests.streams.test_gate_properties import Desk

OPERATIONS, APART_MS = 1000, 86_000


@pytest.mark.req("000-53", "000-61")
def test_a_thousand_operations_in_a_day() -> None:
    desk = Desk()
    lane = World(Venue(debt_e18=100_000 * E18), lane_key=f"bybit|{ACCOUNT}|USDT")
    for number in range(OPERATIONS):
        desk.now_ms = T0_MS + number * APART_MS
        desk.rate("USDT", E18)
        asked_e18 = 49 * E18 + number * 37 % 10_000 * 10**14
        (intent,) = [one.value for one in desk.propose(asked_e18, "USDT") if _is_intent(one)]
        lane.now_ms, told = desk.now_ms, len(lane.out)
        lane.give(intent)
        lane.run()
        for one in lane.out[told:]:
            if isinstance(one, Emit) and isinstance(one.value, DeskInput):
                desk.send(one.value.body)
        del lane.out[:]
        assert lane.now_ms < desk.now_ms + APART_MS
    ends = [hold.state for _, hold in desk.holds()]
    assert ends == ["CONFIRMED"] * OPERATIONS
    assert lane.moved() == ["transfer", "main"] * OPERATIONS
    assert len(lane.posts) == 2 * OPERATIONS
    used: Used = Entries(desk.store, "desk").get("used", "loan|2025-06-11")
    assert used.held_usd_e18 == 0
    assert used.confirmed_usd_e18 == 100_000 * E18 - lane.venue.debt_e18 <= 50_000 * E18


def _is_intent(one: object) -> bool:
    return isinstance(one, Emit) and isinstance(one.value, Intent)
