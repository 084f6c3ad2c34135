"""A sweep at the bank: one payment whatever is lost, judged by the bank's own books."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.money import E18
from streams.effects import Call
from streams.step import Emit, InvariantBroken, Refused
from tests.streams.bank_books import FATES, LANE, order, word, world
from tests.streams.saga_world import T0_MS, World, in_force, intent

DONE = ["ATTEMPTED", "ACKED", "CONFIRMED"]


def lived(**fates: str) -> World:
    found = world(**fates)
    found.give(order())
    found.run()
    return found


@pytest.mark.parametrize(
    ("fates", "states", "moved"),
    [
        ({}, DONE, 1),
        ({"_1": "lost_after"}, ["ATTEMPTED", "UNKNOWN", "ACKED", "CONFIRMED"], 1),
        ({"_1": "late"}, ["ATTEMPTED", "UNKNOWN", "ACKED", "CONFIRMED"], 1),
        ({"_1": "lost_before"}, ["ATTEMPTED", "UNKNOWN", "READY", *DONE], 1),
        ({"_1": "refused"}, ["ATTEMPTED", "REJECTED"], 0),
        ({"_1": "unavailable"}, ["ATTEMPTED", "READY", *DONE], 1),
        ({f"_{n}": "unavailable" for n in range(1, 5)},
         ["ATTEMPTED", "READY"] * 3 + ["ATTEMPTED", "REJECTED"], 0),
    ],
)  # fmt: skip
@pytest.mark.req("004-35", "004-57")
def test_a_payment_ends_as_the_bank_says(
    fates: dict[str, str], states: list[str], moved: int
) -> None:
    found = lived(**fates)
    assert found.states() == states
    assert len(found.moved()) == moved
    assert found.state().amount_done_e18 == (750_000 * E18 if moved else 0)


def test_the_body_of_a_payment_is_fixed_before_it_is_sent() -> None:
    (call,) = lived().posts
    assert call.body == {
        "order_id": "i1",
        "created": "2025-10-09T08:53:20.000Z",
        "direction": "OUT",
        "source_account": "0123456789",
        "counterparty": "026009593/987654321",
        "counterparty_name": "GOVT FUND",
        "target_product": "TBILL_4W",
        "instrument": "TBILL_4W",
        "value_date": "2025-06-12",
        "tag.bsa": "own",
        "tags_in": "remittance",
        "ccy": "USD",
        "amount": "750000",
    }
    assert call.deadline_ms == T0_MS + 3_600_000


def test_equal_amounts_need_not_be_told_apart() -> None:
    """Each carries its own id: a cent less would be a cent that the order does not say."""
    found = world()
    for name in ("i1", "i2", "i3"):
        found.give(order(name))
    found.run()
    assert [call.body["amount"] for call in found.posts] == ["750000"] * 3
    assert len(found.moved()) == 3


def test_absence_takes_900_seconds_whatever_else_moves_on_the_account() -> None:
    found = lived(_1="lost_before")
    first, second = found.posts
    assert (first.n, second.n) == (1, 2)
    assert first.body["order_id"] == second.body["order_id"]
    assert found.now_ms - T0_MS >= 900_000


def test_a_booked_entry_confirms_without_an_answer() -> None:
    found = world(_1="lost_after")
    found.give(order())
    found.fold(found.carry(found.pending.pop(0)))
    assert found.states() == ["ATTEMPTED"]
    found.fold(word("done", amount_done_e18=750_000 * E18, venue_ref="E-77"))
    assert found.states()[-1] == "CONFIRMED"
    assert found.state().leg.venue_ref == "E-77"
    found.run()
    assert found.states()[-1] == "CONFIRMED"
    assert found.lane().halted == ""


def test_a_booked_entry_of_an_attempt_thought_absent_is_the_effect_of_the_order() -> None:
    found = world(_1="lost_before", _2="lost_before")
    found.give(order())
    while found.states().count("ATTEMPTED") < 2:
        if found.pending:
            found.fold(found.carry(found.pending.pop(0)))
        else:
            found.tick()
    assert found.state().leg.n == 2
    found.fold(word("done", amount_done_e18=750_000 * E18))
    assert found.states()[-1] == "CONFIRMED"
    assert found.lane().halted == ""


def test_another_amount_on_the_books_goes_to_people() -> None:
    found = world(_1="lost_after")
    found.give(order())
    found.fold(found.carry(found.pending.pop(0)))
    found.fold(word("done", amount_done_e18=749_999 * E18))
    assert found.states()[-1] == "PARKED"
    assert found.state().reason == "749999 were booked, 750000 ordered"


@pytest.mark.req("004-35")
def test_money_that_comes_back_days_later_is_reversed() -> None:
    found = lived()
    assert found.states()[-1] == "CONFIRMED"
    found.now_ms += 3 * 86_400_000
    back = word("refused", code="returned", message="AC03", amount_done_e18=749_975 * E18)
    found.fold(back)
    assert found.states()[-1] == "REVERSED"
    (outcome,) = [
        one.value.body
        for one in found.out[-12:]
        if isinstance(one, Emit) and one.topic == "treasury.cash-inputs.v1"
        and one.value.body.state == "REVERSED"
    ]  # fmt: skip
    assert (outcome.final, outcome.amount_done_e18) == (True, 750_000 * E18)
    for repeat in (back, word("done", amount_done_e18=750_000 * E18)):
        found.fold(repeat)
    assert found.states()[-1] == "REVERSED"
    assert found.lane().halted == ""


def test_a_small_part_that_comes_back_goes_to_people() -> None:
    """The rest is still placed: an order that counts as reversed would forget it."""
    part = word("refused", "WEBHOOK", code="returned", amount_done_e18=374_999 * E18)
    found = lived()
    found.fold(part)
    assert (found.states()[-1], "only a part" in found.lane().halted) == ("CONFIRMED", True)
    found = world(_1="lost_after")
    found.give(order())
    found.fold(found.carry(found.pending.pop(0)))
    found.fold(part)
    assert found.states() == ["ATTEMPTED", "PARKED"]
    found.fold(part)
    assert found.states() == ["ATTEMPTED", "PARKED"]


def test_sent_and_returned_before_we_saw_it_is_both() -> None:
    found = world(_1="lost_after")
    found.give(order())
    found.fold(found.carry(found.pending.pop(0)))
    found.fold(word("refused", code="returned", message="AC03"))
    assert found.states() == ["ATTEMPTED", "CONFIRMED", "REVERSED"]


def test_a_statement_ends_what_time_had_parked_and_people_need_not() -> None:
    found = world(_1="lost_before")
    found.give(order())
    found.fold(found.carry(found.pending.pop(0)))
    while found.states()[-1] != "PARKED":
        found.pending.clear()
        assert found.tick()
    found.fold(word("accepted"))
    assert found.states()[-1] == "PARKED"
    found.fold(word("done", amount_done_e18=750_000 * E18))
    assert found.states()[-1] == "CONFIRMED"


def test_a_booked_entry_of_a_rejected_order_halts_the_lane() -> None:
    found = lived(_1="refused")
    found.fold(word("done", amount_done_e18=750_000 * E18))
    assert "is said to be done" in found.lane().halted


# What another side carries out


def handed(mode: str = "ACTIVE") -> World:
    found = world()
    found.force = in_force(mode)
    found.give(order(executed_by="external"))
    return found


@pytest.mark.req("004-11", "004-39")
def test_what_another_side_pays_is_never_called() -> None:
    found = handed()
    assert found.states() == ["ATTEMPTED"]
    found.fold(word("accepted", "WEBHOOK", venue_ref="B-1"))
    assert found.states() == ["ATTEMPTED", "ACKED"]
    assert not found.tick()
    found.fold(word("accepted", "WEBHOOK", venue_ref="B-1"))
    found.fold(word("done", "WEBHOOK", amount_done_e18=750_000 * E18))
    assert found.states() == DONE
    assert found.state().amount_done_e18 == 750_000 * E18
    found.fold(word("done", amount_done_e18=750_000 * E18))
    assert (found.states(), found.posts, found.pending) == (DONE, [], [])


def test_a_refusal_of_the_other_side_ends_it() -> None:
    found = handed()
    found.fold(word("refused", "WEBHOOK", code="AM04"))
    assert found.states() == ["ATTEMPTED", "REJECTED"]


def test_no_word_by_the_cut_off_is_unknown_and_a_day_later_people_are_asked() -> None:
    found = handed()
    found.tick()
    assert found.now_ms == T0_MS + 3_900_000 + 120_000
    assert found.states() == ["ATTEMPTED", "UNKNOWN"]
    while found.states()[-1] != "PARKED":
        assert found.tick()
    assert found.now_ms >= T0_MS + 86_400_000
    assert not found.tick()
    found.fold(word("done", amount_done_e18=750_000 * E18))
    assert found.states()[-1] == "CONFIRMED"


def test_a_takeover_of_the_worker_says_nothing_about_the_other_side() -> None:
    found = handed()
    found.restart([])
    assert found.states() == ["ATTEMPTED"]


def test_only_orders_are_handed_to_another_side() -> None:
    with pytest.raises(Refused, match="nobody else does this"):
        World().give(intent(executed_by="external"))


def test_people_cannot_say_that_the_other_side_did_not_send() -> None:
    """It has the order: that it will not pay is for the other side to say."""
    found = handed()
    while found.states()[-1] != "PARKED":
        assert found.tick()
    human = word("not_sent", "HUMAN", n=1, message="phoned", facts={"actors": "ann,bob"})
    with pytest.raises(Refused, match="done, refused or not_sent"):
        found.fold(human)


# Everything that can go wrong, at once


@pytest.mark.parametrize(("first", "second"), list(product(FATES, FATES)))
def test_every_pair_of_fates_with_a_crash_after_each_event(first: str, second: str) -> None:
    """0 double, 0 lost: a payment is booked once if the order is confirmed, and never otherwise."""
    for crash_at, handed_over in product(range(1, 9), (False, True)):
        found = world(_1=first, _2=second)
        found.give(order())
        crashed = False
        for _ in range(400):
            if not crashed and found.folded >= crash_at:
                crashed, late = True, []
                for effect in list(found.pending) if handed_over else []:
                    record = found.carry(effect)
                    late += [record] if isinstance(effect, Call) else []
                found.restart(late)
            elif found.pending:
                found.fold(found.carry(found.pending.pop(0)))
            elif not found.tick():
                break
        state = found.state().state
        assert state in ("CONFIRMED", "REJECTED"), (state, found.states())
        assert len(found.moved()) == (state == "CONFIRMED"), found.states()
        assert found.lane().halted == ""


CLASSES = ["accepted", "done", "refused", "transient", "not_sent", "unknown", None]


@settings(max_examples=120, deadline=None)
@given(
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(["only", "main"]),
            st.integers(0, 3),
            st.sampled_from(["PREPARED", "RESULT", "EVIDENCE", "WEBHOOK"]),
            st.sampled_from(CLASSES),
            st.sampled_from([None, "returned", "AM04"]),
            st.sampled_from([None, 750_000 * E18, 1]),
            st.dictionaries(
                st.sampled_from(["server_ms", "rows", "late_ref"]),
                st.sampled_from(["0", "1", "2", "x", ""]),
            ),
        ),
        max_size=20,
    ),
)
def test_no_record_of_a_stranger_breaks_the_lane(external: bool, rows: list[Any]) -> None:
    found = world()
    found.give(order(executed_by="external" if external else "weir"))
    for number, (leg, n, kind, class_, code, done, facts) in enumerate(rows):
        row = word(class_, kind, n, leg=leg, code=code, amount_done_e18=done, facts=facts)
        try:
            found.fold(row if number % 2 else replace(row, watermark=facts))
        except Refused:
            continue
        except InvariantBroken as broken:
            pytest.fail(str(broken))
        if found.pending:
            found.fold(found.carry(found.pending.pop(0)))
        else:
            found.tick()
    assert len(found.moved()) <= 1
    assert not (external and found.posts)
    assert found.lane_key == LANE
