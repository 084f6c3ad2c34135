"""What becomes of an order: pending until the bank shows it, one at a time, returned, missing."""

import pytest

from schemas.jsonform import parse_time
from streams.cash import step
from streams.step import NOTHING_IN_FORCE, Entries, Event, InvariantBroken, Refused
from tests.streams.cash_world import ACCOUNT, CashWorld

READY = """
    days   260 out=1000000 in=1000000
    policy guards.balance_age_max_s=864000
    report ITAV 2500000
    expect order asked=2200000
"""


@pytest.mark.req("004-35")
def test_an_order_is_pending_until_the_bank_shows_its_entry_and_a_balance_with_it() -> None:
    CashWorld().play(f"""
        {READY}
        report    ITAV 2500000 as_of=+1s
        report    ITAV 2500001 as_of=+2s
        expect    position pending_out=2200000 investable_usd=1
        expect    hold in_flight
        outcome   RESERVED
        expect    position pending_out=2200000
        expect    hold in_flight
        outcome   ATTEMPTED
        outcome   ACKED
        outcome   UNKNOWN
        expect    hold in_flight
        outcome   CONFIRMED
        expect    hold below_min
        expect    position pending_out=2200000
        at        2026-07-10T20:00:00Z
        report    ITAV 300000 as_of=-1s         # taken, but not booked yet: counted twice, safely
        expect    position pending_out=2200000 investable_usd=0
        entry     E1 -2200000 booked=2026-07-10 order=1
        report
        expect    position pending_out=2200000  # booked after that balance
        report    ITAV 300001
        expect    position pending_out=0 pending_in=0 investable_usd=1
        order     1 state=CONFIRMED left=2200000
    """)


@pytest.mark.req("004-35")
@pytest.mark.parametrize("state", ["REFUSED", "REJECTED", "VOID", "EXPIRED"])
def test_an_order_without_effect_frees_its_amount(state: str) -> None:
    CashWorld().play(f"""
        {READY}
        outcome {state} reason=limit
        expect  position pending_out=0 investable_usd=2200000
        order   1 state={state} amount=0 left=0
        outcome {state} reason=limit of=1
        expect  nothing
        outcome CONFIRMED of=1
        expect  nothing
    """)


def test_what_is_granted_and_done_lowers_what_is_pending() -> None:
    CashWorld().play(f"""
        {READY}
        outcome RESERVED granted=2000000
        expect  position pending_out=2000000
        outcome CONFIRMED done=1999999.99
        expect  position pending_out=1999999.99
        expect  order asked=200000              # the rest is asked for at once
        order   1 left=1999999.99
    """)


@pytest.mark.parametrize(
    ("outcome", "then"),
    [
        ("REFUSED reason=paused", ("2026-07-09T13:00:59.999Z", "2026-07-09T13:01:00Z")),
        ("REFUSED reason=over_daily_limit", ("2026-07-09T23:59:59Z", "2026-07-10T00:00:00Z")),
        ("REFUSED reason=screening", ("2026-07-09T15:24:59Z", "2026-07-09T15:25:00Z")),
        ("VOID reason=denied", ("2026-07-09T15:24:59Z", "2026-07-09T15:25:00Z")),
        ("VOID reason=expired", ("2026-07-09T15:24:59Z", "2026-07-09T15:25:00Z")),
        ("REJECTED reason=AC01", ("2026-07-09T15:24:59Z", "2026-07-09T15:25:00Z")),
    ],
)
def test_after_a_refusal_the_direction_waits(outcome: str, then: tuple[str, str]) -> None:
    reason = outcome.partition("reason=")[2]
    CashWorld().play(f"""
        {READY}
        outcome {outcome}
        expect  hold {reason}
        at      {then[0]}
        report  ITAV 2500000
        expect  hold {reason}
        at      {then[1]}
        report  ITAV 2500000
        expect  order asked=2200000
    """)


def test_another_policy_ends_the_wait() -> None:
    CashWorld().play(f"""
        {READY}
        outcome VOID reason=denied
        expect  hold denied
        policy  sweep.min_sweep_usd=10001
        report  ITAV 2500000 as_of=+1s
        expect  order asked=2200000
    """)


def test_too_late_is_made_again_for_the_next_cutoff() -> None:
    CashWorld().play(f"""
        {READY}
        expect  order cutoff_utc=2026-07-09T15:30:00.000Z
        at      2026-07-09T15:25:00Z
        outcome EXPIRED reason=past_cutoff
        expect  order cutoff_utc=2026-07-10T00:30:00.000Z asked=2200000
    """)


def test_two_orders_of_one_moment_have_two_ids() -> None:
    """A report and a statement with one as-of: the first is refused, the second asks again."""
    world = CashWorld()
    world.play(f"""
        {READY}
        outcome EXPIRED reason=past_cutoff
        outcome EXPIRED reason=past_cutoff of=1
        expect  nothing
        outcome REFUSED reason=past_cutoff
        more    CLBD 7
        report  ITAV 2500000
    """)
    assert len({order.intent_id for order in world.orders}) == len(world.orders) >= 3


@pytest.mark.req("004-35")
def test_a_booked_entry_is_evidence_until_the_order_is_confirmed() -> None:
    world = CashWorld()
    world.play(f"""
        {READY}
        outcome ACKED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        expect  evidence kind=EVIDENCE class=done amount_done=2200000 venue_ref=E1 leg=only n=1
        expect  hold in_flight
        entry   E1 -2200000 booked=2026-07-10 order=1
        report
        expect  nothing
        outcome CONFIRMED
        expect  no evidence
        expect  position pending_out=0
    """)
    assert world.store.get(f"active|{ACCOUNT}") is not None


def test_a_pending_entry_is_no_evidence() -> None:
    CashWorld().play(f"""
        {READY}
        outcome ACKED
        entry   E1 -2200000 status=PDNG order=1
        report  ITAV 2500000 as_of=+1s
        expect  no evidence
        expect  position pending_out=2200000
    """)


def test_a_second_entry_of_one_order_is_told_to_people() -> None:
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        expect  no alert
        entry   E2 -2200000 booked=2026-07-10 order=1
        report  ITAV -1900000 as_of=+1s
        expect  alert double_entry firing
    """)


def test_an_entry_that_never_comes_is_missed_after_a_day() -> None:
    CashWorld().play(f"""
        {READY}
        expect  order value_date=2026-07-10
        outcome CONFIRMED
        at      2026-07-12T03:59:59.999Z
        report  ITAV 300000
        expect  no alert
        expect  wake 2026-07-12T04:00:00Z
        tick
        expect  alert entry_missing firing
        expect  position pending_out=2200000
        at      2026-07-13T14:00:00Z
        entry   E1 -2200000 booked=2026-07-13 order=1
        report  ITAV 300001
        expect  alert entry_missing resolved
        expect  position pending_out=0
    """)


@pytest.mark.req("004-35")
def test_a_payment_returned_after_three_days() -> None:
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2026-07-13T14:00:00Z
        entry   E2 2200000 booked=2026-07-13 order=1
        report  ITAV 2500000
        expect  alert returned firing
        expect  evidence class=refused code=returned venue_ref=E2 amount_done=2200000
        expect  position pending_out=0 pending_in=0 investable_usd=2200000
        expect  order asked=2200000
        outcome REVERSED of=1
        expect  alert returned resolved
        order   1 state=REVERSED left=0 amount=0
        outcome REVERSED of=1
        expect  nothing
    """)


def test_a_bill_that_matures_comes_back_and_is_placed_again() -> None:
    CashWorld().play(f"""
        {READY}
        expect  order matures_on=2026-08-04
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2026-08-04T13:00:00Z
        report  ITAV 300000
        expect  position pending_in=2200000 investable_usd=0
        entry   E2 2200000 booked=2026-08-04 order=1
        report  ITAV 2500000 as_of=+1s
        expect  no evidence
        expect  no alert
        expect  position pending_in=0
        expect  order asked=2200000
    """)


def test_a_bill_that_does_not_come_back_is_missed_after_a_day() -> None:
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2026-08-05T13:00:00Z
        report  ITAV 300000
        expect  no alert
        expect  wake 2026-08-05T15:25:00Z
        at      2026-08-06T04:00:00Z
        report  ITAV 300000
        expect  alert entry_missing firing
        entry   E2 2200000 booked=2026-08-06 order=1
        report  ITAV 2500000 as_of=+1s
        expect  alert entry_missing resolved
    """)


def test_an_answer_to_no_order_of_ours_is_refused() -> None:
    CashWorld().play(f"""
        {READY}
        refused unknown_intent intent_id outcome CONFIRMED intent=0-1
    """)


def test_what_cash_does_not_take_is_refused() -> None:
    world = CashWorld()
    event = Event("balance_events", 0, 1, ACCOUNT, object(), world.now_ms, world.now_ms)
    with pytest.raises(Refused, match="unsupported"):
        step(Entries(world.store, ACCOUNT), event, NOTHING_IN_FORCE)


def test_an_order_that_is_named_and_gone_stops_the_worker() -> None:
    world = CashWorld()
    world.play(READY)
    for key in [key for key in world.store.entries if key.startswith("orders|")]:
        world.store.delete(key)
    with pytest.raises(InvariantBroken, match="is named, but is not there"):
        world.play("report ITAV 5 as_of=+1s")


def test_an_answer_without_a_policy_stops_the_worker() -> None:
    world = CashWorld()
    world.play(READY)
    del world.store.entries["@partition"]
    with pytest.raises(InvariantBroken, match="no policy is in force"):
        world.play("outcome REJECTED")


@pytest.mark.parametrize("state", ["REJECTED", "EXPIRED", "VOID", "REFUSED"])
def test_a_booked_entry_of_an_order_that_had_ended_is_told_to_everyone(state: str) -> None:
    """The intents node halts the lane; nothing is placed on what the bank's books contradict."""
    CashWorld().play(f"""
        {READY}
        outcome {state} reason=x
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        expect  evidence class=done amount_done=2200000 venue_ref=E1
        expect  alert entry_of_ended firing
        entry   E1 -2200000 booked=2026-07-10 order=1
        report
        expect  nothing
    """)


def test_the_entries_of_a_reversed_order_contradict_nothing() -> None:
    """Told by the other side first, then listed."""
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        outcome REVERSED of=1
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        entry   E2 2200000 booked=2026-07-10 order=1
        report  ITAV 2500000
        expect  evidence class=refused
    """)


def test_another_amount_than_was_confirmed_is_told_to_people() -> None:
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200025 booked=2026-07-10 order=1
        report  ITAV 299975
        expect  alert entry_differs firing
        expect  no evidence
        expect  position pending_out=0
    """)


@pytest.mark.parametrize(
    ("amount", "alert", "then"),
    [
        ("2199975", "returned", "no order"),  # less a fee
        ("1100000", "returned", "no order"),
        ("1099999.99", "part_returned", "order"),
        ("25", "part_returned", "order"),
    ],
)
def test_a_small_part_that_comes_back_is_no_return(amount: str, alert: str, then: str) -> None:
    """A fee given back under the order's id: the placement is still there, and can be sold."""
    world = CashWorld().play(f"""
        policy  sweep.rule=sweep-safe-v1
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2026-07-13T14:00:00Z
        entry   E2 {amount} booked=2026-07-13 order=1
        report  ITAV 100000
        expect  alert {alert} firing
    """)
    sold = [one.kind for one in world.said("proposal")]
    assert sold == (["REVERSE_SWEEP"] if then == "order" else [])
    assert bool(world.said("evidence")) is (alert == "returned")


@pytest.mark.parametrize(("marked", "what"), [("true", "alert"), ("false", "no alert")])
def test_a_return_on_the_day_of_maturity_is_known_by_its_mark(marked: str, what: str) -> None:
    world = CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2026-08-04T14:00:00Z
        entry   E2 2200000 booked=2026-08-04 order=1 reversal={marked}
        report  ITAV 2500000
    """)
    assert bool(world.said("evidence")) is (what == "alert")


def test_an_alert_about_long_ago_is_stamped_with_when_it_is_said() -> None:
    """Alerts are kept for thirty days: one with last year's time would be gone at once."""
    world = CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 300000
        at      2027-07-12T14:00:00Z
        entry   E2 -2200000 booked=2026-07-10 order=1
        statement 2026-07-10 CLBD 7 as_of=2026-07-10T20:00:01Z
        expect  alert double_entry firing
    """)
    said = [one for one in world.out if getattr(one, "topic", "") == "treasury.alerts.v1"]
    assert {one.value.since_ms for one in said} == {parse_time("2026-07-10T20:00:01Z")}
    assert {one.timestamp_ms for one in said} == {parse_time("2027-07-12T14:00:00Z")}
