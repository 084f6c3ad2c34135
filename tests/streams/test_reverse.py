"""When placed money is brought back, which, and how much."""

import pytest

from tests.streams.cash_world import CashWorld

# 2,200,000 overnight since this morning, 300,000 on the account; under the safe rule
OVERNIGHT = """
    policy  sweep.rule=sweep-safe-v1 var.min_obs=249
    days    249 out=1000000 in=1000000
    product TBILL_4W enabled=false
    policy  var.min_obs=250
    at      2026-07-09T00:10:00Z
    report  ITAV 2500000
    expect  order target_product=FED_RRP asked=2200000 value_date=2026-07-09 matures_on=2026-07-10
    outcome CONFIRMED
    at      2026-07-09T13:00:00Z
    entry   E1 -2200000 booked=2026-07-09 order=1
    report  ITAV 300000
    expect  hold below_min
"""
# the same in bills that mature on 2026-08-04, since two days
BILLS = """
    at      2026-07-06T13:00:00Z
    policy  sweep.rule=sweep-safe-v1
    days    260 out=1000000 in=1000000
    report  ITAV 2500000
    expect  order target_product=TBILL_4W asked=2200000 value_date=2026-07-07 matures_on=2026-08-04
    outcome CONFIRMED
    at      2026-07-07T13:00:00Z
    entry   E1 -2200000 booked=2026-07-07 order=1
    report  ITAV 300000
    expect  hold below_min
    at      2026-07-08T13:00:00Z
"""


@pytest.mark.req("004-29")
@pytest.mark.parametrize(
    ("available", "expected"),
    [
        ("240000", "hold below_min"),  # 80 % of the float is not below it
        ("239999.99", "order asked=61000 kind=REVERSE_SWEEP direction=BACK"),
        ("180000", "order asked=120000 kind=REVERSE_SWEEP"),
        ("-50000", "order asked=350000 kind=REVERSE_SWEEP"),
        ("300000", "hold below_min"),
    ],
)
def test_the_example(available: str, expected: str) -> None:
    """Float 300,000, trigger 240,000: at 180,000 available 120,000 come back."""
    CashWorld().play(f"""
        {BILLS}
        report  ITAV {available}
        expect  {expected}
    """)


def test_what_an_order_back_carries() -> None:
    world = CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        expect  order target_product=TBILL_4W instrument=TBILL_4W source_account=0123456789
        expect  order counterparty=021000021/222 beneficiary=bank:0123456789
        expect  order cutoff_utc=2026-07-08T15:30:00.000Z value_date=2026-07-09
        expect  no alert
        order   1 left=2200000 taken=120000
        report  ITAV 180000 as_of=+1s
        expect  hold in_flight
        expect  position pending_in=120000 pending_out=0
        outcome CONFIRMED of=2
        expect  position pending_in=120000
        expect  hold below_min
        order   1 left=2080000 taken=0
        at      2026-07-09T13:00:00Z
        entry   E2 120000 booked=2026-07-09 order=2
        report  ITAV 300000
        expect  position pending_in=0
        expect  hold below_min
        expect  no alert
    """)
    assert "matures_on" not in world.orders[1].params


@pytest.mark.parametrize(
    ("row", "order", "left", "taken"),
    [
        ("outcome REFUSED reason=screening", "amount=0", "2200000", "0"),
        ("outcome REJECTED reason=x", "amount=0", "2200000", "0"),
        ("outcome RESERVED granted=100000", "amount=100000", "2200000", "100000"),
        ("outcome UNKNOWN", "amount=120000", "2200000", "120000"),
        ("outcome CONFIRMED done=100000", "amount=100000", "2100000", "0"),
    ],
)
def test_a_placement_follows_the_order_that_brings_it_back(
    row: str, order: str, left: str, taken: str
) -> None:
    CashWorld().play(f"""
        {BILLS}
        report ITAV 180000
        {row}
        order  2 {order}
        order  1 left={left} taken={taken}
    """)


def test_money_that_came_back_and_was_taken_again() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        outcome CONFIRMED
        at      2026-07-09T13:00:00Z
        entry   E2 120000 booked=2026-07-09 order=2
        report  ITAV 300000
        at      2026-07-10T13:00:00Z
        entry   E3 -120000 booked=2026-07-10 order=2
        report  ITAV 180000
        expect  alert returned firing
        expect  evidence class=refused code=returned
        expect  order asked=120000
        outcome REVERSED of=2
        expect  alert returned resolved
        order   1 left=2200000 taken=120000
    """)


def test_the_seed_brings_nothing_back_unless_it_is_told_to() -> None:
    rows = BILLS.replace("sweep-safe-v1", "sweep-seed-v1")
    CashWorld().play(f"""
        {rows}
        report ITAV 180000
        expect hold below_min
        policy sweep.reverse.enabled=true
        report ITAV 180000 as_of=+1s
        expect order asked=120000 kind=REVERSE_SWEEP
    """)
    CashWorld().play(f"""
        {BILLS}
        policy sweep.reverse.enabled=false
        report ITAV 180000
        expect hold below_min
    """)


@pytest.mark.req("004-59")
def test_overnight_money_of_the_same_day_waits_unless_the_floor_would_break() -> None:
    """Placed today: nothing comes back for the float's sake; below the floor it does."""
    CashWorld().play(f"""
        {OVERNIGHT}
        at     2026-07-09T14:00:00Z
        report ITAV 180000
        expect hold dead_time
        report ITAV 0 as_of=+1s
        expect hold dead_time
        report ITAV -0.01 as_of=+2s
        expect order kind=REVERSE_SWEEP target_product=FED_RRP asked=301000 value_date=2026-07-09
    """)


@pytest.mark.req("004-59")
def test_a_balance_that_may_count_a_placement_already_brings_nothing_back() -> None:
    """The bank holds an accepted payment's money at once. Before a balance comes that was counted
    after the confirmation, taking the order off it once more would break the floor on paper alone.
    """
    CashWorld().play(f"""
        {OVERNIGHT.partition("    outcome CONFIRMED")[0]}
        report  ITAV 300000 as_of=+1s
        expect  hold in_flight
        at      +2s
        outcome CONFIRMED
        expect  position pending_out=2200000
        expect  hold below_min
        at      +1s
        entry   E1 -2200000 booked=2026-07-08 order=1
        report  ITAV 300000
        expect  position pending_out=0
        expect  hold below_min
        report  ITAV -0.01 as_of=+1s
        expect  order kind=REVERSE_SWEEP asked=301000
    """)


# A bank that lists the entries of a day only in its statement
UNLISTED = f"""
    {OVERNIGHT.partition("    outcome CONFIRMED")[0]}
    outcome CONFIRMED
    at      2026-07-09T12:00:00Z
"""


@pytest.mark.req("004-59")
def test_a_balance_that_fell_by_a_placement_has_it_whatever_the_bank_lists() -> None:
    """All that was placed would come back on the same day; nothing is placed on it either."""
    CashWorld().play(f"""
        {UNLISTED}
        report  ITAV 300000
        expect  position pending_out=2200000
        expect  hold below_min
        at      2026-07-09T13:00:00Z
        report  ITAV 1500000                    # customers paid in: it keeps having it
        expect  hold below_min
        report  ITAV -1000 as_of=+1s
        expect  order kind=REVERSE_SWEEP asked=301000
    """)


@pytest.mark.req("004-59")
def test_a_balance_that_did_not_fall_does_not_have_it() -> None:
    CashWorld().play(f"""
        {UNLISTED}
        report  ITAV 2150000
        expect  order kind=REVERSE_SWEEP asked=350000
    """)


@pytest.mark.req("004-59")
def test_a_balance_that_rose_has_what_matured_whatever_the_bank_lists() -> None:
    CashWorld().play(f"""
        {OVERNIGHT}
        at      2026-07-10T00:10:00Z
        report  ITAV 310000
        expect  order target_product=FED_RRP asked=10000 value_date=2026-07-10
        outcome CONFIRMED
        at      2026-07-10T04:00:00Z
        report  ITAV 300000
        expect  position pending_in=2200000
        policy  sweep.min_sweep_usd=9000000
        at      2026-07-10T12:00:00Z
        report  ITAV 2500000
        expect  position pending_in=2200000
        expect  hold below_min
        report  ITAV -1000 as_of=+1s
        expect  order kind=REVERSE_SWEEP asked=10000
    """)


def test_the_floor_counts_as_the_policy_says() -> None:
    CashWorld().play(f"""
        {OVERNIGHT}
        policy sweep.floor_usd=100000
        at     2026-07-09T14:00:00Z
        report ITAV 99999
        expect order kind=REVERSE_SWEEP asked=301000
    """)


def test_what_matures_before_money_could_move_is_left_alone() -> None:
    """After the day's last cut-off the overnight money comes back tomorrow by itself."""
    CashWorld().play(f"""
        {OVERNIGHT}
        at     2026-07-09T16:00:00Z
        report ITAV -5000
        expect hold stale_balance
        expect no alert
    """)


def test_no_money_is_placed_on_the_day_it_came_back() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        outcome CONFIRMED
        report  ITAV 900000 as_of=+1s
        expect  hold dead_time
        at      2026-07-09T13:00:00Z
        report  ITAV 900000
        expect  order kind=SWEEP asked=600000
    """)


def test_an_order_in_vain_begins_no_dead_time() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        outcome REJECTED reason=x
        report  ITAV 900000 as_of=+1s
        expect  order kind=SWEEP asked=600000
    """)


def test_an_order_in_vain_does_not_end_the_dead_time_of_the_one_before() -> None:
    CashWorld().play(f"""
        {OVERNIGHT}
        at      2026-07-09T14:00:00Z
        report  ITAV 900000
        expect  order asked=600000
        outcome REJECTED reason=x
        policy  sweep.min_sweep_usd=10001       # another policy: it is tried again
        report  ITAV 900000 as_of=+1s
        expect  order asked=600000
        outcome REJECTED reason=x
        report  ITAV 180000 as_of=+2s
        expect  hold dead_time
    """)


def test_reducing_lets_money_come_back() -> None:
    CashWorld().play(f"""
        {BILLS}
        control REDUCING
        report  ITAV 180000
        expect  order kind=REVERSE_SWEEP
        outcome REFUSED reason=paused
        expect  hold paused
        at      +59s
        report  ITAV 900000
        expect  hold paused
    """)


def test_after_a_refusal_only_the_same_direction_waits() -> None:
    CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        outcome VOID reason=denied
        expect  hold denied
        report  ITAV 900000 as_of=+1s
        expect  order kind=SWEEP
    """)
