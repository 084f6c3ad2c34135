"""Entries under an order's id that are too small to be it: fees, and notes of nothing."""

import pytest

from tests.streams.cash_world import CashWorld
from tests.streams.test_reverse import BILLS

READY = """
    days    260 out=1000000 in=1000000
    report  ITAV 2500000
    expect  order asked=2200000
"""


@pytest.mark.parametrize("state", ["ACKED", "CONFIRMED"])
def test_a_fee_booked_before_its_payment_is_not_the_payment(state: str) -> None:
    """Else the payment would count as made for 25, or as shown by a balance that still holds it."""
    CashWorld().play(f"""
        {READY}
        outcome {state}
        at      2026-07-10T19:00:00Z
        entry   F1 -25 booked=2026-07-10 order=1
        report  ITAV 2499975
        expect  alert entry_differs firing
        expect  no evidence
        expect  no proposal
        expect  position pending_out=2200000
        entry   F1 -25 booked=2026-07-10 order=1
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 299975 as_of=+1s
        expect  position pending_out=0
        order   1 seen_ref=E1
    """)


def test_an_entry_of_nothing_says_nothing() -> None:
    world = CashWorld().play(f"""
        {BILLS}
        report  ITAV 180000
        expect  order kind=REVERSE_SWEEP asked=120000
        outcome ACKED
        entry   N1 0 booked=2026-07-08 order=2
        entry   N2 0 booked=2026-07-08 order=1
        report  ITAV 180000 as_of=+1s
        expect  no evidence
        expect  no alert
        expect  position pending_in=120000
    """)
    assert world.said("position")


def test_a_fee_does_not_hide_that_the_payment_differs() -> None:
    """Both are told under one name: what is known of the fee is not all there is to know."""
    world = CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T19:00:00Z
        entry   F1 -25 booked=2026-07-10 order=1
        report  ITAV 2499975
        expect  alert entry_differs firing
        entry   F1 -25 booked=2026-07-10 order=1
        entry   E1 -1900000 booked=2026-07-10 order=1
        report  ITAV 599975 as_of=+1s
        expect  alert entry_differs firing
    """)
    (alert,) = world.said("alert")
    assert "2200000 USD are confirmed, booked 1900000 USD on 2026-07-10 as E1" in alert.text


@pytest.mark.parametrize("state", ["ACKED", "CONFIRMED"])
def test_what_is_told_of_a_fee_ends_with_the_payment(state: str) -> None:
    CashWorld().play(f"""
        {READY}
        outcome {state}
        at      2026-07-10T19:00:00Z
        entry   F1 -25 booked=2026-07-10 order=1
        report  ITAV 2499975
        expect  alert entry_differs firing
        entry   E1 -2200000 booked=2026-07-10 order=1
        report  ITAV 299975 as_of=+1s
        expect  alert entry_differs resolved
    """)
