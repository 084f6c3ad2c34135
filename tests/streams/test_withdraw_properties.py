"""No order goes out above what the last balance known before it carries, whatever happens when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams.whole_world import Whole

STEP = st.one_of(
    st.tuples(st.just("balance"), st.integers(-1, 40).map(lambda k: k * 100_000)),
    st.tuples(st.just("sign"), st.sampled_from(["ann", "bob"])),
    st.tuples(st.just("mode"), st.sampled_from(["ACTIVE", "PAUSED", "REDUCING"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 10, 45])),
    st.tuples(st.just("run"), st.integers(1, 4)),
)


def lived(steps: list[tuple[str, Any]], *policy: Any) -> Whole:
    world = Whole(*policy)
    for verb, word in steps:
        getattr(world, verb)(word)
    return world


@pytest.mark.req("004-03", "004-22", "004-62")
@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0, 1, 2]), st.lists(STEP, min_size=10, max_size=40))
def test_no_order_goes_out_above_what_the_last_balance_carries(
    checkers: int, steps: list[tuple[str, Any]]
) -> None:
    """The world itself looks at each hand-over and each call."""
    world = lived(steps, "weir", checkers)
    assert not world.desk.letters.keys() - {"treasury.approvals.v1: replayed"}
    for intent_id in world.orders:
        if world.states[intent_id].state == "VOID":
            assert intent_id not in world.bank.payments
            assert "ATTEMPTED" not in world.history[intent_id]


@settings(max_examples=20, deadline=None)
@given(st.lists(STEP, min_size=10, max_size=40))
def test_what_others_were_shown_never_becomes_void(steps: list[tuple[str, Any]]) -> None:
    world = lived(steps, "external", 1)
    for intent_id in world.orders:
        assert world.history[intent_id][-1] in ("ATTEMPTED", "UNKNOWN", "PARKED")
    assert (world.called, world.bank.payments) == ([], {})


@pytest.mark.req("000-72")
def test_an_order_signed_hours_later_is_the_one_that_the_balance_carries() -> None:
    """The case this is for: at nine 2.5 million are there, at noon, when the second checker has
    time, they are not.
    """
    world = Whole()
    world.balance(2_500_000)
    world.sign("ann")
    world.wait(45)
    world.balance(2_450_000)  # customers drew what the float is for
    world.wait(45)
    assert [one.state for one in world.states.values()] == ["AWAITING"]
    world.balance(1_000_000)
    world.sign("bob")
    world.run(9)
    first, second = world.history.values()
    assert (first[-1], second) == ("VOID", ["AWAITING", "AWAITING"])
    assert (world.orders, world.bank.payments) == ({}, {})
    world.sign("ann")
    (order,) = world.orders.values()
    assert order.amount_usd_e4 == 700_000 * 10**4
    world.run(2)
    (payment,) = world.bank.payments.values()
    assert payment.amount_e18 == 700_000 * 10**18


def test_the_world_finds_an_order_that_was_let_out_all_the_same() -> None:
    """So that the silence above means something: a withdrawal that is lost is seen."""
    world = Whole()
    world.balance(2_500_000)
    readers: Any = world.desk._readers
    gate = readers.pop("treasury.desk-inputs.v1")
    world.balance(1_000_000)
    readers["treasury.desk-inputs.v1"] = gate
    world.sign("ann")
    with pytest.raises(AssertionError, match="handed over: 2200000"):
        world.sign("bob")
