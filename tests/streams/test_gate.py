"""The gate: limits reserved before an intent exists, and every answer told."""

import json
from hashlib import sha256

import pytest

from schemas.records import DeskInput, Request
from streams.gate import step
from streams.step import NOTHING_IN_FORCE, Entries, Event, Refused
from tables.memory import MemoryStore
from tests.streams.desk_world import T0_MS, World

FILLED = """
    policy   approvals.loan_usd=50000
    rate     USDT 1
    propose  c1 REPAY 10000
    outcome  CONFIRMED to=gate of=c1
    propose  c2 REPAY 10000
    outcome  CONFIRMED to=gate of=c2
    propose  c3 REPAY 10000
    outcome  CONFIRMED to=gate of=c3
    propose  c4 REPAY 8000
    outcome  CONFIRMED to=gate of=c4
    propose  h1 REPAY 7500
    table    gate used loan|2025-06-11 confirmed_usd=38000 held_usd=7500
    policy   approvals.loan_usd=5000
"""


@pytest.mark.req("000-52", "000-53", "000-54", "000-72")
def test_the_rest_of_the_day_is_granted_and_needs_no_checker() -> None:
    """38,000 confirmed and 7,500 held leave 4,500 of 50,000."""
    World().play(f"""
        {FILLED}
        propose p1 REPAY 6000
        expect  intent amount=4500 kind=REPAY executed_by=weir
        expect  state state=READY amount=4500 seed_status=NEW
        expect  answer state=READY granted=4500 asked=6000 final=false
        expect  decision outcome=READY node=gate
        table   gate used loan|2025-06-11 confirmed_usd=38000 held_usd=12000
        propose p2 REPAY 100
        expect  answer state=REFUSED reason=over_daily_limit granted=0 final=true
        expect  state state=REFUSED seed_status=FAILED reason=over_daily_limit
        expect  no intent
    """)


@pytest.mark.req("000-54")
def test_above_the_threshold_one_checker_is_asked() -> None:
    World().play(f"""
        {FILLED}
        outcome  CONFIRMED to=gate of=h1 done=6999.99
        table    gate used loan|2025-06-11 confirmed_usd=44999.99 held_usd=0
        propose  p1 REPAY 5000.01
        expect   answer state=AWAITING granted=5000.01 final=false
        expect   no intent
        propose  p2 REPAY 5000
        expect   answer state=REFUSED
    """)
    World().play("""
        rate    USDT 1
        propose p1 REPAY 5000.00
        expect  state state=READY
        propose p2 REPAY 5000.01
        expect  state state=AWAITING seed_status=NEW
        policy  approvals.loan_usd=0
        propose p3 REPAY 10
        expect  state state=AWAITING
    """)


@pytest.mark.req("000-52")
def test_a_single_operation_is_clipped_or_refused_by_its_class() -> None:
    World().play("""
        policy  approvals.loan_usd=100000 approvals.transfer_usd=1000000
        rate    USDT 1
        propose p1 ADD_COLLATERAL 19000
        expect  intent amount=10000 kind=ADD_COLLATERAL
        propose p2 TRANSFER 250000
        expect  intent amount=250000 class=transfer
        propose p3 TRANSFER 250000.01
        expect  answer reason=over_single_limit
    """)


@pytest.mark.req("000-52")
def test_a_clip_is_rounded_down_and_its_dollars_up() -> None:
    World().play("""
        policy  approvals.loan_usd=100000
        rate    USDT 1.003
        propose p1 REPAY 19000 precision=18
        expect  intent amount=9970.089730807577268195
        table   gate holds p1 held_usd=10000
    """)


def test_a_position_is_reduced_by_its_quantity_within_the_limit_in_dollars() -> None:
    """10,000 dollars of a coin at 60,000, in steps of 0.001; what was not filled is free again."""
    World().play("""
        rate    BTC 60000
        propose p1 REDUCE_POSITION 0.2 ccy=BTC precision=3
        expect  intent amount=0.166
        table   gate holds p1 held_usd=9960
        outcome CONFIRMED of=p1 granted=0.166 done=0.1 to=gate
        table   gate holds p1 confirmed_usd=6000 held_usd=0
    """)


@pytest.mark.req("000-47", "000-52", "000-53", "000-59", "000-66", "000-72")
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("control PAUSED\npropose p REPAY 100", "paused"),
        ("control PAUSED scope=class:loan\npropose p REPAY 100", "paused"),
        ("control PAUSED scope=venue:bybit\npropose p REPAY 100", "paused"),
        ("control PAUSED scope=account:bybit:12345678\npropose p REPAY 100", "paused"),
        ("control REDUCING\npropose p TRANSFER 1000", "paused"),
        ("propose p CONVERT 100 class=conversion", "class_disabled"),
        ("propose p SET_LEVERAGE 0 class=control leverage=2", "no_check"),
        ("propose p SET_LEVERAGE 0 class=control check_id=c leverage=5.01", "over_max_leverage"),
        ("propose p SET_LEVERAGE 0 class=control check_id=c leverage=0", "over_max_leverage"),
        ("propose p SET_LEVERAGE 0 class=control check_id=c leverage=x", "over_max_leverage"),
        ("propose p SET_LEVERAGE 0 class=control check_id=c", "over_max_leverage"),
        (
            "policy risk.max_leverage=3\npropose p SET_LEVERAGE 0 check_id=c leverage=3.5",
            "over_max_leverage",
        ),
        ("control PAUSED\npropose p CANCEL_ORDER 0 class=control", "paused"),
        ("control REDUCING\npropose p CANCEL_ORDER 0 class=control", "paused"),
        ("propose p CANCEL_ORDER 0 class=control deadline=+0ms", "past_cutoff"),
        ("propose p TRANSFER 1000 event=+60001ms", "stale_input"),
        (
            "policy limits.deleverage.over=refuse\npropose p REDUCE_POSITION 10000.01",
            "over_single_limit",
        ),
        ("propose p REPAY 100 valid=-1ms", "stale_input"),
        ("propose p TRANSFER 1000 beneficiary=bybit:666", "screening"),
        ("propose p REPAY 100 ccy=USDC", "stale_mark"),
        ("at +30001ms\npropose p REPAY 100", "stale_mark"),
        ("at +1s\nrate USDT 1.0101\npropose p REPAY 100", "peg_break"),
        ("at +1s\nrate USDT 0.9899\npropose p REPAY 100", "peg_break"),
        ("propose p REPAY 100 deadline=+0ms", "past_cutoff"),
        ("propose p REPAY 100 room=99.9999", "floor_breach"),
        ("policy limits.loan.over=refuse\npropose p REPAY 10000.01", "over_single_limit"),
        ("propose p REPAY 9.99", "below_min"),
        ("propose p REPAY 10.9 precision=0\npropose q REPAY 9.9 precision=0", "below_min"),
        ("policy limits.loan.min_usd=0\npropose p REPAY 0.5 precision=0", "below_min"),
    ],
)
def test_each_check_has_its_reason(rows: str, reason: str) -> None:
    World().play(f"""
        rate    USDT 1
        {rows}
        expect  answer state=REFUSED reason={reason} final=true granted=0
        expect  decision outcome={reason}
        expect  no intent
    """)


@pytest.mark.req("000-59")
@pytest.mark.parametrize(
    "rows",
    [
        "control REDUCING\npropose p REPAY 100",
        "control REDUCING\npropose p ADD_COLLATERAL 100",
        "control REDUCING\npropose p REDUCE_POSITION 10000",
        "policy approvals.loan_usd=0\npropose p REDUCE_POSITION 10000",
        "propose p SET_LEVERAGE 0 class=control check_id=c1 ccy=BTC leverage=5",
        "propose p CANCEL_ORDER 0 class=control ccy=BTC",
        "propose p TRANSFER 1000 event=+60s",
        "control PAUSED scope=class:transfer\npropose p REPAY 100",
        "at +30s\npropose p REPAY 100",
        "at +1s\nrate USDT 1.01\npropose p REPAY 100",
        "at +1s\nrate USDT 0.99\npropose p REPAY 101.02",
        "propose p REPAY 100 valid=0ms",
        "propose p TRANSFER 1000 beneficiary=bybit:12345678",
        "propose p TRANSFER 1000 ccy=USD",
        "rate BTC 100000\npropose p ADD_COLLATERAL 0.001 ccy=BTC",
    ],
)
def test_just_inside_each_check_passes(rows: str) -> None:
    World().play(f"rate USDT 1\n{rows}\nexpect answer state=READY")


@pytest.mark.req("000-66")
def test_who_is_on_the_list_may_receive_money() -> None:
    World(screening={"mode": "allowlist", "allow": ["bank:0123"]}).play("""
        rate    USDT 1
        propose p1 TRANSFER 1000 beneficiary=bank:0123
        expect  answer state=READY
        propose p2 TRANSFER 1000 beneficiary=bank:01234
        expect  answer state=REFUSED reason=screening
    """)


def test_the_first_reason_in_the_list_is_told() -> None:
    World().play("""
        control PAUSED
        propose p REPAY 1 valid=-1s deadline=-1s room=0
        expect  answer reason=paused
    """)


def test_nothing_is_granted_without_a_policy() -> None:
    world = World().play("propose p REPAY 100")
    event = Event("treasury.proposals.v1", 0, 1, "desk", world.last[2], T0_MS, T0_MS)
    out = step(Entries(MemoryStore(), "desk"), event, NOTHING_IN_FORCE)
    state, answer, decision = (item.value for item in out)
    assert (state.state, answer.body.reason, decision.outcome) == ("REFUSED",) + ("no_policy",) * 2


@pytest.mark.req("000-53")
def test_what_is_left_below_the_minimum_is_the_daily_limit_s_doing() -> None:
    World().play("""
        policy  limits.loan.daily_usd=10005 approvals.loan_usd=100000
        rate    USDT 1
        propose p1 REPAY 10000
        propose p2 REPAY 100
        expect  answer reason=over_daily_limit
    """)


def test_a_policy_that_lowers_the_limit_keeps_the_holds() -> None:
    World().play("""
        policy  approvals.loan_usd=100000
        rate    USDT 1
        propose p1 REPAY 10000
        propose p2 REPAY 10000
        policy  limits.loan.daily_usd=15000
        propose p3 REPAY 100
        expect  answer reason=over_daily_limit
        table   gate used loan|2025-06-11 held_usd=20000
    """)


@pytest.mark.req("000-72")
def test_a_hold_ends_once() -> None:
    World().play("""
        rate    USDT 0.9995
        propose p1 REPAY 1000
        table   gate holds p1 granted=1000 held_usd=999.5 state=READY
        outcome ACKED to=gate
        outcome UNKNOWN to=gate
        table   gate used loan|2025-06-11 held_usd=999.5
        outcome CONFIRMED to=gate done=999.9993
        outcome CONFIRMED to=gate done=999.9993
        table   gate used loan|2025-06-11 confirmed_usd=999.49930035 held_usd=0
        table   gate holds p1 state=CONFIRMED confirmed_usd=999.49930035 held_usd=0 final=true
        outcome REVERSED to=gate
        outcome REVERSED to=gate
        outcome CONFIRMED to=gate done=999.9993
        table   gate used loan|2025-06-11 confirmed_usd=999.49930035
        propose p2 REPAY 1000
        outcome REJECTED to=gate
        outcome REJECTED to=gate
        table   gate used loan|2025-06-11 confirmed_usd=999.49930035 held_usd=0
    """)


def test_outcomes_that_contradict_are_refused() -> None:
    World().play("""
        rate    USDT 1
        propose p1 REPAY 1000
        refused unknown_intent intent_id outcome CONFIRMED to=gate intent_id=zz
        refused above_hold amount_done outcome CONFIRMED to=gate done=1000.0001
        refused above_hold amount_done outcome CONFIRMED to=gate done=-1
        refused state state outcome REVERSED to=gate
        refused above_hold amount_done outcome ACKED to=gate done=1000.0001
        outcome REJECTED to=gate
        refused final_state state outcome CONFIRMED to=gate
        propose p3 REPAY 100
        outcome CONFIRMED to=gate done=99
        refused final_state amount_done outcome CONFIRMED to=gate done=98
        refused above_hold amount_done outcome CONFIRMED to=gate done=100.0001
        outcome REVERSED to=gate
        refused final_state amount_done outcome CONFIRMED to=gate done=98
        propose p2 REPAY 6000
        expect  answer state=AWAITING
        refused not_out intent_id outcome REJECTED to=gate
        refused not_out intent_id outcome CONFIRMED to=gate done=1
        refused not_out intent_id outcome ACKED to=gate
        table   gate holds p2 state=AWAITING held_usd=6000 final=false
    """)


def test_the_same_proposal_is_answered_once() -> None:
    World().play("""
        rate    USDT 1
        propose p1 REPAY 1000
        again
        expect  nothing
        table   gate used loan|2025-06-11 held_usd=1000
        refused exists_different intent_id propose p1 REPAY 999
        propose p2 REPAY 1
        again
        expect  nothing
    """)


@pytest.mark.parametrize(
    "row",
    [
        "range asked propose p REPAY 0",
        "range asked propose p REPAY -5",
        "range precision propose p REPAY 5 precision=19",
        "range precision propose p REPAY 5 precision=-1",
        "unsupported origin propose p CONVERT 5 origin=buffers",
        "class class propose p REPAY 5 class=transfer",
        "range rate rate USDT 0",
        "range asked propose p CANCEL_ORDER 5 class=control",
        "class class propose p CANCEL_ORDER 5 class=loan",
    ],
)
def test_what_is_no_proposal_is_refused(row: str) -> None:
    world = World()
    before = dict(world.gate.entries)
    world.play(f"refused {row}")
    assert world.gate.entries == before


def test_other_messages_are_not_taken() -> None:
    with pytest.raises(Refused, match="unsupported"):
        World().to_gate("treasury.desk-inputs.v1", DeskInput(body=Request("r", "v", {}, (), "")))


def test_an_older_rate_never_replaces_a_newer() -> None:
    World().play("""
        at    +10s
        rate  USDT 1.001
        rate  USDT 0.999 as_of=+9s
        table gate rates USDT rate=1.001
    """)


def test_the_body_is_what_a_checker_signs() -> None:
    """Canonical JSON of the intent; its hash travels with the intent, the pause epoch does not."""
    world = World().play("rate USDT 1\npropose p1 REPAY 1000.5")
    (intent,), (state,) = world.said("intent"), world.said("state")
    body = json.loads(state.body)
    assert state.body == json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert intent.body_hash == state.body_hash == sha256(state.body.encode()).hexdigest()
    assert (body["amount"], body["kind"], body["account_id"]) == (
        "1000.5",
        "REPAY",
        "bybit:12345678",
    )
    assert "pause_epoch" not in body
    assert intent.pause_epoch > 0
