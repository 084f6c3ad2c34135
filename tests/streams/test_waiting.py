"""Who waits for a signature: void after its time, expired after its deadline, hold freed."""

import pytest

from schemas.records import Proposal
from streams import waiting
from streams.step import NOTHING_IN_FORCE, Entries, Event, InvariantBroken
from tables.memory import MemoryStore
from tests.streams.desk_world import World


@pytest.mark.req("000-54")
def test_void_when_nobody_signs() -> None:
    World().play("""
        policy  approvals.ttl_s=600
        rate    USDT 1
        propose p1 REPAY 6000
        expect  wake +600s
        table   gate used loan|2025-06-11 held_usd=6000
        tick    gate
        expect  state state=VOID seed_status=FAILED reason=expired amount=6000
        expect  answer state=VOID final=true granted=6000
        expect  decision outcome=VOID
        expect  no intent
        table   gate used loan|2025-06-11 held_usd=0
        table   gate holds p1 state=VOID held_usd=0 final=true
        again
        expect  nothing
    """)


def test_expired_when_its_deadline_comes_first() -> None:
    World().play("""
        rate    USDT 1
        propose p1 REPAY 6000
        expect  wake +1h
        tick    gate
        expect  answer state=EXPIRED final=true
    """)


def test_one_wake_up_serves_all_that_wait() -> None:
    World().play("""
        policy  approvals.ttl_s=600 limits.loan.daily_usd=100000
        rate    USDT 1
        propose p1 REPAY 6000
        at      +10s
        propose p2 REPAY 6000
        expect  answer state=AWAITING
        expect  wake same
        policy  approvals.ttl_s=60
        propose p3 REPAY 6000
        expect  wake +70s
        tick    gate
        expect  answer intent_id=p3 state=VOID
        expect  wake +600s
        tick    gate
        expect  answer intent_id=p1
        expect  wake +610s
        tick    gate
        expect  answer intent_id=p2
        table   gate used loan|2025-06-11 held_usd=0
    """)


def test_a_takeover_ends_nothing() -> None:
    World().play("""
        rate    USDT 1
        propose p1 REPAY 6000
        started gate
        expect  nothing
    """)


def test_waiting_without_a_policy_stops_the_worker() -> None:
    world = World().play("propose p1 REPAY 6000")
    proposal: Proposal = world.last[2]
    event = Event("treasury.proposals.v1", 0, 1, "desk", proposal, 0, 0)
    with pytest.raises(InvariantBroken, match="no policy"):
        waiting.begin(Entries(MemoryStore(), "desk"), event, NOTHING_IN_FORCE, proposal, "{}")
