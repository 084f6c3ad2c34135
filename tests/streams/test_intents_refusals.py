"""Records that are late, contradict what was declared, or that nobody asked for."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import replace

from schemas.records import AttemptRecord, Proposal, Request, Revoke
from streams.canonical import hash_of
from streams.handover import body_of
from streams.step import Refused
from tests.streams.saga_world import T0_MS, World, answer, intent


def test_a_late_result_is_evidence() -> None:
    world = World()
    world.give(intent())
    world.fold(world.carry(world.pending.pop(0)))
    call = world.pending[0]
    world.restart([answer(call, "RESULT", world.now_ms, class_="refused", code="131212")])
    assert world.states()[-1] == "REJECTED"


def test_a_contradiction_of_an_end_halts_the_lane() -> None:
    world = World()
    world.give(intent())
    world.run()
    call = world.posts[-1]
    world.fold(answer(call, "RESULT", world.now_ms, class_="refused", code="148029"))
    assert "was confirmed" in world.lane().halted
    world.give(intent("i2"))
    assert world.pending == []


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (AttemptRecord("a", "nobody", "main", 1, "RESULT", T0_MS, class_="done"), "unknown_intent"),
        (AttemptRecord("a", "i1", "main", 1, "RESULT", T0_MS, class_="done"), "unknown_attempt"),
        (AttemptRecord("a", "i1", "transfer", 9, "RESULT", T0_MS), "unknown_attempt"),
        (AttemptRecord("a", "i1", "transfer", 1, "HUMAN", T0_MS, class_="done"), "approval"),
        (Request("r", "SELL", {}, (), ""), "verb"),
        (Request("r", "CANCEL", {"intent_id": "nobody"}, (), ""), "unknown_intent"),
    ],
)
def test_what_nobody_asked_for_is_a_dead_letter(record: Any, cause: str) -> None:
    world = World()
    world.give(intent())
    with pytest.raises(Refused) as refused:
        world.fold(record)
    assert refused.value.cause == cause


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"amount_e18": 1}, "altered"),
        ({"ccy": "BTC"}, "lane"),
        ({"lane": "bybit|bybit:2|USDT"}, "lane"),
        ({"amount_e18": 0}, "altered"),
        ({"class_": "deleverage", "params": {"symbol": "BTCUSDT"}}, "lane"),
        ({"beneficiary": "mallory"}, "altered"),
        ({"kind": "ADD_COLLATERAL"}, "altered"),
        ({"precision": 8}, "altered"),
        ({"account_id": "bybit:2"}, "lane"),
        ({"executed_by": "external"}, "altered"),
    ],
)
def test_an_altered_intent_is_refused(changes: dict[str, Any], cause: str) -> None:
    world = World()
    with pytest.raises(Refused) as refused:
        world.give(replace(intent(), **changes))
    assert refused.value.cause == cause
    assert world.pending == []


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_only_what_moves_no_money_has_no_amount(amount: str) -> None:
    with pytest.raises(Refused, match="must be above 0"):
        World().give(intent(amount=amount))


def test_orders_and_positions_have_a_lane_by_symbol() -> None:
    world = World()
    lane = "bybit|bybit:1|BTCUSDT"
    one = intent(kind="CANCEL_ORDER", class_="control", amount="0", params={"symbol": "BTCUSDT"})
    body = body_of(cast(Proposal, replace(one, lane=lane)), 0)
    world.give(replace(one, lane=lane, body_hash=hash_of(body)))
    assert world.states() == ["REJECTED"]  # no connector does it yet: said, not forgotten


def test_what_no_connector_does_frees_its_hold() -> None:
    world = World()
    world.give(intent(kind="CONVERT"))
    assert world.states() == ["REJECTED"]
    outcomes = [
        one.value.body for one in world.out if getattr(one, "topic", "").endswith("inputs.v1")
    ]
    assert {one.final for one in outcomes} == {True}


@pytest.mark.parametrize(
    "wish",
    [
        Request("r1", "CANCEL", {"intent_id": "i1"}, ("ann",), "no longer wanted"),
        Revoke("i1", "ann", "changed my mind"),
    ],
)
def test_a_cancelled_intent_is_void_before_its_attempt(wish: Any) -> None:
    world = World()
    world.give(intent())
    world.fold(wish, "treasury.intent-inputs.v1")
    world.run()
    assert (world.states(), world.moved()) == (["VOID"], [])
