"""Whatever arrives twice, late or out of order: one call at the venue, and the same end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18
from schemas.records import AttemptRecord
from streams import requests
from streams.step import InvariantBroken, Refused
from tests.streams.saga_world import FATES, T0_MS, World, intent
from tests.streams.test_intents_enumeration import verdict

FATE_LISTS = st.fixed_dictionaries(
    {
        ("transfer", 1): st.sampled_from(FATES),
        ("main", 1): st.sampled_from(FATES),
        ("main", 2): st.sampled_from(FATES),
    }
)


@pytest.mark.req("000-63")
@settings(max_examples=60, deadline=None)
@given(FATE_LISTS, st.lists(st.integers(0, 30), max_size=12), st.randoms(use_true_random=False))
def test_repeats_change_nothing(
    fates: dict[tuple[str, int], str], repeats: list[int], random: Any
) -> None:
    once, again = World(fates=fates), World(fates=fates)
    once.give(intent())
    once.run()
    again.give(intent())
    heard: list[AttemptRecord] = []
    for number in range(300):
        if again.pending:
            record = again.carry(again.pending.pop(0))
            heard.append(record)
            again.fold(record)
        elif not again.tick():
            break
        for _ in range(repeats.count(number)):
            again.give(intent())
            if heard:
                again.fold(random.choice(heard))
    assert again.states() == once.states()
    assert [call.request_hash for call in again.posts] == [call.request_hash for call in once.posts]
    assert again.moved() == once.moved()
    assert again.lane().halted == ""
    assert verdict(again) == verdict(once)


CLASSES = st.sampled_from(["accepted", "done", "refused", "transient", "not_sent", "unknown", None])


@pytest.mark.req("000-63")
@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["transfer", "main", "return"]),
            st.integers(1, 3),
            st.sampled_from(["PREPARED", "ATTEMPT", "RESULT", "EVIDENCE", "WEBHOOK"]),
            CLASSES,
            st.dictionaries(
                st.sampled_from(["fund", "debt", "server_ms", "last_id", "rows", "collateral"]),
                st.sampled_from(["0", "1", "2", "9500", "x", ""]),
            ),
        ),
        max_size=25,
    )
)
def test_no_record_of_a_stranger_breaks_the_worker(rows: list[Any]) -> None:
    """Any record may be written by anyone: it is folded, ignored or refused, never a crash."""
    world = World()
    world.give(intent())
    for number, (leg, n, kind, class_, facts) in enumerate(rows):
        record = AttemptRecord(
            f"x{number}",
            "i1",
            leg,
            n,
            kind,
            T0_MS,
            class_=class_,
            facts=facts,
            watermark=facts,
            venue_ref="1",
        )
        try:
            world.fold(record)
        except Refused:
            continue
        except InvariantBroken as broken:
            pytest.fail(str(broken))
        if world.pending:
            world.fold(world.carry(world.pending.pop(0)))
        else:
            world.tick()
    assert world.moved().count("main") <= 1


@given(
    st.integers(1, 10**24),
    st.integers(0, 18),
    st.lists(st.integers(0, 98), max_size=98),
)
def test_a_fingerprint_is_new_lower_and_within_precision(
    most_e18: int, precision: int, taken: list[int]
) -> None:
    unit = 10 ** (18 - precision)
    top = most_e18 // unit * unit
    used = {top - steps * unit for steps in taken}
    chosen = requests.choose(most_e18, precision, used)
    if top == 0:
        assert chosen == 0
    elif chosen is not None:
        assert 0 < chosen <= most_e18
        assert chosen % unit == 0
        assert chosen not in used
        assert top - chosen <= requests.FINGERPRINT_STEPS * unit


@pytest.mark.parametrize(
    ("steps_taken", "amount"), [(0, "9500"), (7, "9499.9993"), (98, "9499.9902"), (99, None)]
)
def test_the_fingerprint_of_the_worked_example(steps_taken: int, amount: str | None) -> None:
    used = [9500 * E18 - step * 10**14 for step in range(steps_taken)]
    chosen = requests.choose(9500 * E18, 4, used)
    sent = requests.body("bybit", "REPAY", requests.Terms("USDT", chosen or 0))
    assert (sent["amount"] if chosen else None) == amount
