"""What the gate and the intents node make of a node's word that it takes an order back."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from schemas.records import Revoke
from streams.step import Emit
from tests.streams.bank_books import FATES, order, world
from tests.streams.saga_world import World, in_force
from tests.streams.sweep_world import BANK, Bank

LOW = {"approvals": {"sweep_usd": "1000000"}}


@pytest.mark.req("004-03", "000-72")
def test_what_waits_for_a_checker_ends_and_frees_what_it_held() -> None:
    Bank(**LOW).play("""
        sweep    o1 OUT 2000000
        expect   cash state=AWAITING
        sweep    o2 OUT 1500000 deadline=+900m
        table    gate used sweep|2025-06-11 held_usd=3500000
        withdraw o1
        expect   cash state=VOID reason=withdrawn final=true amount_done=0
        expect   state state=VOID reason=withdrawn seed_status=FAILED
        expect   decision outcome=withdrawn decision_id=d-o1 node=gate kind=DECISION
        expect   wake +4h                                # o2 is woken for as before
        expect   no revoke
        expect   no order
        table    gate used sweep|2025-06-11 held_usd=1500000
        withdraw o2
        expect   wake none
        table    gate used sweep|2025-06-11 held_usd=0
        withdraw o2
        expect   nothing                                 # it has ended
        approve  o2 by=ann
        letter   not_awaiting intent_id
        sweep    o3 OUT 2000000
        approve  o3 by=ann
        expect   order order_id=o3
    """)


def test_half_of_the_signatures_do_not_keep_it() -> None:
    Bank(approvals={"sweep_usd": "1000000", "dual_usd": "1500000"}).play("""
        sweep    o1 OUT 2000000
        approve  o1 by=ann
        withdraw o1 reason=stale_balance
        expect   cash state=VOID reason=withdrawn
        approve  o1 by=bob
        letter   not_awaiting intent_id
    """)


def test_what_all_have_signed_under_a_pause_ends_too() -> None:
    Bank(**LOW).play("""
        sweep    o1 OUT 2000000
        control  PAUSED
        approve  o1 by=ann
        expect   no order
        withdraw o1
        expect   cash state=VOID reason=withdrawn
        control  ACTIVE
        at       +2s
        tick     gate now
        expect   no order
    """)


def test_what_was_handed_over_is_for_the_intents_node_to_end() -> None:
    """Its hold stays until that has answered: it may have been in time or not."""
    Bank(**LOW).play(f"""
        sweep    o1 OUT 20000
        expect   order order_id=o1
        withdraw o1
        expect   revoke intent_id=o1 approver=weir:weir-default@1 reason=withdrawn
        expect   decision outcome=withdrawn decision_id=d-o1
        expect   no cash
        table    gate holds o1 state=READY final=false held_usd=20000
        withdraw o1
        expect   revoke intent_id=o1
        outcome  VOID of=o1 to=gate reason=withdrawn
        table    gate holds o1 state=VOID final=true held_usd=0
        withdraw o1
        expect   nothing
        sweep    o2 OUT 20000
        outcome  CONFIRMED of=o2 to=gate
        withdraw o2
        expect   nothing
        table    gate holds o2 account_id={BANK} state=CONFIRMED
    """)


def test_the_intents_node_is_told_on_the_lane_of_the_order() -> None:
    found = Bank(**LOW).play("""
        sweep    o1 OUT 20000
        withdraw o1
    """)
    (emit,) = [one for one in found.out if getattr(one, "topic", "") == REVOKES]
    assert emit.key == f"bank|{BANK}|USD"


REVOKES = "treasury.intent-inputs.v1"


@pytest.mark.parametrize(
    ("row", "cause", "field"),
    [
        ("withdraw zz", "unknown_intent", "intent_id"),
        ("withdraw o1 key=bank:9", "not_proposer", "origin_key"),
        ("withdraw o1 origin=book", "not_proposer", "origin_key"),
        ("withdraw b1", "kind", "intent_id"),
    ],
)
def test_only_who_proposed_it_takes_back_and_only_what_goes_out(
    row: str, cause: str, field: str
) -> None:
    Bank(**LOW).play(f"""
        sweep    o1 OUT 2000000
        sweep    b1 BACK 2000000
        refused  {cause} {field} {row}
        table    gate used sweep|2025-06-11 held_usd=2000000
    """)


# At the intents node

WITHDRAWN = Revoke("i1", "weir:weir-default@1", "withdrawn")


def given(mode: str = "ACTIVE", **more: Any) -> World:
    found = world(_1="ok")
    found.force = in_force(mode)
    found.give(order(**more))
    return found


def told(found: World, topic: str) -> list[Any]:
    return [one.value for one in found.out if isinstance(one, Emit) and one.topic == topic]


@pytest.mark.req("004-35")
@pytest.mark.parametrize(("mode", "before"), [("ACTIVE", []), ("PAUSED", ["HELD"])])
def test_what_has_not_begun_is_void_and_says_why(mode: str, before: list[str]) -> None:
    found = given(mode)
    for _ in range(2):
        found.fold(WITHDRAWN, REVOKES)
    found.force = in_force("ACTIVE", 2)
    found.run()
    assert found.states() == [*before, "VOID"]
    assert (found.state().reason, found.posts, found.moved()) == ("withdrawn", [], [])
    for inbox in ("treasury.cash-inputs.v1", "treasury.desk-inputs.v1"):
        assert told(found, inbox)[-1].body.reason == "withdrawn"


def test_what_waits_behind_another_is_void_and_the_other_goes_on() -> None:
    found = given()
    found.give(order(intent_id="i2"))
    found.fold(Revoke("i2", "weir:weir-default@1", "withdrawn"), REVOKES)
    found.run()
    assert (found.state("i2").state, found.state("i1").state) == ("VOID", "CONFIRMED")
    assert len(found.moved()) == 1


def test_a_word_that_comes_before_its_intent_waits_for_it() -> None:
    """The two lie on two topics: a worker that was away may read the second first."""
    found = world(_1="ok")
    found.fold(WITHDRAWN, REVOKES)
    assert (found.states(), found.pending) == ([], [])
    found.give(order())
    found.run()
    assert (found.states(), found.state().reason, found.posts) == (["VOID"], "withdrawn", [])
    assert not [key for key in found.store.entries if key.startswith("revoked|")]
    found.give(order())  # a copy of it finds the first
    found.fold(WITHDRAWN, REVOKES)
    found.run()
    assert (found.states(), found.moved()) == (["VOID"], [])


@pytest.mark.parametrize(("fate", "at"), list(product(FATES, range(1, 12))))
def test_whenever_the_word_comes_it_is_never_double_and_never_lost(fate: str, at: int) -> None:
    """VOID only if the bank has nothing; once it may have something, the bank's books decide."""
    found = world(_1=fate)
    found.give(order())
    for step in range(400):
        if step == at:
            found.fold(WITHDRAWN, REVOKES)
        if found.pending:
            found.fold(found.carry(found.pending.pop(0)))
        elif not found.tick() and step > at:
            break
    state = found.state().state
    assert state in ("CONFIRMED", "REJECTED", "VOID"), found.states()
    assert len(found.moved()) == (state == "CONFIRMED"), found.states()
    assert found.lane().halted == ""


@pytest.mark.req("004-39")
@pytest.mark.parametrize("early", [False, True])
def test_what_another_side_was_shown_is_not_void_and_people_are_told(early: bool) -> None:
    """It lies on sweep_intent since the hand-over: they may have paid it."""
    found = world()
    if early:
        found.fold(WITHDRAWN, REVOKES)
    found.give(order(executed_by="external"))
    if not early:
        found.fold(WITHDRAWN, REVOKES)
    found.fold(WITHDRAWN, REVOKES)
    assert found.states() == ["ATTEMPTED"]
    (alert,) = told(found, "treasury.alerts.v1")
    assert (alert.key.split("|")[:2], alert.severity) == (["shown_already", "i1"], "critical")
    assert f"SWEEP i1 of {BANK} of 750000 USD: the balance no longer carries it" in alert.text
    while found.states()[-1] != "PARKED":
        assert found.tick()
    assert found.states() == ["ATTEMPTED", "UNKNOWN", "PARKED"], "nobody has said anything"


def test_the_decision_of_the_gate_names_the_one_that_took_it_back() -> None:
    found = Bank(**LOW).play("""
        sweep    o1 OUT 2000000
        withdraw o1
    """)
    (decision,) = found.said("decision")
    body = json.loads(decision.body)
    named = {name: body[name] for name in ("intent_id", "withdrawn_by", "reason", "state")}
    assert named == {
        "intent_id": "o1",
        "withdrawn_by": "w-o1",
        "reason": "floor_breach",
        "state": "AWAITING",
    }
