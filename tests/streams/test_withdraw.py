"""An order that has not gone out is taken back when the balance no longer carries it."""

import json

import pytest

from schemas.money import parse_e18
from schemas.policy import Policy, from_content
from streams import sweep
from streams.cash_facts import Facts
from streams.orders import WAITING, Pending, Unsent
from tables.allocation import Coordinates
from tables.cash import Balance
from tests.streams.cash_world import CashWorld

# The float is 300,000, money is brought back below 240,000 of it: the order leaves 300,000.
ASKED = """
    days   260 out=1000000 in=1000000
    report ITAV 2500000
    expect order asked=2200000
"""
WAITS = f"{ASKED}\noutcome AWAITING"


@pytest.mark.req("004-22", "004-62")
@pytest.mark.parametrize("state", sorted(WAITING))
def test_it_is_taken_back_below_what_money_would_be_brought_back_for(state: str) -> None:
    CashWorld().play(f"""
        {ASKED}
        outcome {state}
        expect  hold in_flight
        at      +10m
        report  ITAV 2440000               # 240,000 would be left: enough
        expect  hold in_flight
        expect  no withdrawal
        at      +10m
        report  ITAV 2439999.9999
        expect  hold withdrawn
        expect  withdrawal origin=cash origin_key=bank:0123456789 reason=floor_breach
        order   1 state={state} withdrawn=1783603200000
        at      +10m
        report  ITAV 1000000               # said once
        expect  hold in_flight
        expect  no withdrawal
        outcome VOID reason=withdrawn
        expect  order asked=700000         # anew, at once, from the balance of now
    """)


@pytest.mark.parametrize("state", ["PROPOSED", "ATTEMPTED", "ACKED", "UNKNOWN", "PARKED"])
def test_what_the_gate_has_not_answered_or_what_may_have_been_called_is_not(state: str) -> None:
    CashWorld().play(f"""
        {ASKED}
        outcome {state}
        at      +10m
        report  ITAV 5
        expect  hold in_flight
        expect  no withdrawal
    """)


def test_the_answer_of_the_gate_is_looked_at_with_the_balance_of_now() -> None:
    """It fell while the proposal was on its way."""
    CashWorld().play(f"""
        {ASKED}
        at      +1s
        report  ITAV 1000000
        expect  no withdrawal
        outcome AWAITING
        expect  withdrawal reason=floor_breach
    """)


@pytest.mark.parametrize(
    "rows",
    ["control PAUSED", "control REDUCING", "freeze b1 on"],
)
def test_it_is_taken_back_whatever_else_stands_in_the_way(rows: str) -> None:
    """Under a pause it would go out with the resume, before anything is decided again."""
    CashWorld().play(f"""
        {WAITS}
        {rows}
        at      +1s
        report  ITAV 1000000
        expect  withdrawal reason=floor_breach
    """)


@pytest.mark.req("004-22")
def test_a_balance_that_grows_old_carries_nothing() -> None:
    CashWorld().play(f"""
        {WAITS}
        expect  wake 2026-07-09T14:00:00.001Z
        tick                               # an hour after the balance, and none has come since
        expect  hold withdrawn
        expect  withdrawal reason=stale_balance
        outcome VOID reason=withdrawn
        expect  hold stale_balance
        at      +1s
        report  ITAV 2500000
        expect  order asked=2200000
    """)


def test_as_long_as_balances_come_it_may_wait_for_its_checkers() -> None:
    CashWorld().play(f"""
        {WAITS}
        at      +50m
        report  ITAV 2500000
        at      +50m                       # later than the proposal was valid for the gate
        report  ITAV 2500000
        expect  hold in_flight
        expect  no withdrawal
    """)


def test_after_its_deadline_it_goes_nowhere_and_needs_no_withdrawal() -> None:
    CashWorld().play(f"""
        {WAITS}
        at      2026-07-09T15:24:59.999Z
        report  ITAV 2500000
        at      2026-07-09T15:25:00Z
        report  ITAV 1000000
        expect  hold in_flight
        expect  no withdrawal
    """)


def test_a_payment_that_becomes_known_takes_it_back() -> None:
    CashWorld().play(f"""
        {WAITS}
        scheduled F1 -199000 due=+2h       # of the float of 359,700 the 287,760 are not left...
        expect  hold in_flight             # ...but they are: 300,000 are
        scheduled F2 -5000 due=+2h
        expect  hold in_flight
        scheduled F3 -100000 due=+2h
        expect  withdrawal reason=floor_breach
    """)


def test_what_is_granted_counts_and_not_what_was_asked() -> None:
    CashWorld().play(f"""
        {ASKED}
        outcome READY granted=1000000
        report  ITAV 1240000 as_of=+1s
        expect  no withdrawal
        report  ITAV 1239999 as_of=+2s
        expect  withdrawal reason=floor_breach
    """)


@pytest.mark.parametrize(("amount", "carried"), [("2200000", "2200000"), ("5", "5"), ("-1", "-1")])
def test_without_a_forecast_only_the_floor_counts(amount: str, carried: str) -> None:
    """Nothing is known of what will be needed; that there is no more than this is known."""
    balance = Balance("ITAV", parse_e18(amount), 0, Coordinates("balance_events", 0, 1))
    unsent = Unsent("o1", parse_e18("2200000"), "FED_RRP", 1)
    pending = Pending(unsent.amount_e18, 0)
    facts = Facts("bank:1", 0, "ACTIVE", balance=balance, pending=pending, unsent=unsent)
    assert sweep.carried_e18(Policy(), facts, unsent) == parse_e18(carried)
    taken = sweep.taken_back(Policy(), facts)
    assert (taken is None) == (amount == "2200000")


def test_money_on_its_way_back_is_not_taken_back() -> None:
    CashWorld().play("""
        days    260 out=1000000 in=1000000
        policy  sweep.rule=sweep-safe-v1 guards.balance_age_max_s=864000
        report  ITAV 2500000
        outcome CONFIRMED
        at      2026-07-10T13:00:00Z
        entry   E1 -2200000 order=1 booked=2026-07-09
        report  ITAV 100000
        expect  order direction=BACK
        outcome AWAITING
        at      +1m
        report  ITAV 5000000
        expect  hold in_flight
        expect  no withdrawal
    """)


def test_what_the_bank_shows_already_is_not_taken_back() -> None:
    CashWorld().play(f"""
        {ASKED}
        outcome READY
        at      +1m
        entry   E1 -2200000 order=1 booked=2026-07-09
        report  ITAV 5
        expect  hold in_flight
        expect  no withdrawal
    """)


def test_a_rung_of_the_ladder_stands_while_the_money_is_there() -> None:
    """What another rung would now take is no question of money."""
    CashWorld().play("""
        days    260 out=1000000 in=1000000
        policy  sweep.rule=sweep-safe-v1 sweep.ladder=ladder-v1
        report  ITAV 2500000
        expect  order target_product=TBILL_4W
        outcome AWAITING
        at      +1m
        report  ITAV 1000000
        expect  no withdrawal
        at      +1m
        report  ITAV 700000
        expect  withdrawal reason=floor_breach
    """)


@pytest.mark.parametrize(
    ("amount", "risen", "carried"),
    [("600000", False, "1000000"), ("1000000", True, "1000000"), ("700000", True, "700000")],
)
def test_what_has_matured_pays_a_rung_once(amount: str, risen: bool, carried: str) -> None:
    """Before the bank tells its entry the balance may hold it already: then it is not to come."""
    day, came = 20_644, parse_e18("400000")
    balance = Balance("ITAV", parse_e18(amount), 0, Coordinates("balance_events", 0, 1))
    unsent = Unsent("o1", parse_e18("1000000"), "TBILL_4W", day)
    unsure = ((day, -came),) if risen else ()
    pending = Pending(unsent.amount_e18, came, unsure=unsure)
    facts = Facts("bank:1", 0, "ACTIVE", balance=balance, pending=pending, unsent=unsent)
    policy = from_content({"sweep": {"ladder": "ladder-v1"}})
    assert sweep.carried_e18(policy, facts, unsent) == parse_e18(carried)


def test_the_record_tells_the_balance_the_order_and_what_could_go() -> None:
    world = CashWorld().play(f"""
        {WAITS}
        at      +1s
        report  ITAV 1000000
    """)
    (decision,) = world.said("decision")
    (order,) = world.orders
    body = json.loads(decision.body)
    assert decision.outcome == body["outcome"] == "withdrawn"
    assert body["withdrawal"] == {
        "order": order.intent_id,
        "amount": "2200000",
        "room": "760000",
        "reason": "floor_breach",
    }
    assert body["inputs"]["available"]["amount"] == "1000000"
    assert body["inputs"]["unsent"] == {
        "order": order.intent_id,
        "amount": "2200000",
        "product": "TBILL_4W",
        "value_date": "2026-07-10",
    }
    (word,) = world.said("withdrawal")
    assert (word.intent_id, word.decision_id) == (order.intent_id, decision.decision_id)


def test_a_record_of_before_is_kept_as_it_was() -> None:
    """No word of a withdrawal where there is none: old records give the same bytes again."""
    world = CashWorld().play(ASKED)
    assert "unsent" not in world.decision()["inputs"]
    assert "withdrawal" not in world.decision()


def test_after_a_takeover_it_is_not_said_again() -> None:
    CashWorld().play(f"""
        {WAITS}
        at      +1s
        report  ITAV 1000000
        expect  withdrawal reason=floor_breach
        again
        expect  nothing
        started
        expect  nothing
        tick
        expect  no withdrawal
    """)
