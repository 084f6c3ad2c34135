"""Which entry of a bank is which movement, and what people are told of it: told in two ways it is
one, in doubt it is two.
"""

import pytest

from tests.streams.cash_world import ACCOUNT, CashWorld
from tests.streams.test_sweep_orders import READY

TOLD = "2026-07-10 valued=2026-07-10 order=1"
SAME = f"-2200000 booked={TOLD}"


@pytest.mark.parametrize(
    ("then", "alert"),
    [
        (f"entry derived-b {SAME}", False),
        (f"entry B1 {SAME}", False),  # by night the bank gives references
        (f"entry derived-b {SAME}; entry derived-bb {SAME}", True),  # paid twice that day
        (f"entry derived-b {SAME}; entry derived-c {SAME}", True),
        (f"entry derived-b -2200000 booked={TOLD.replace('-10 v', '-11 v')}", True),
        (f"entry derived-b -2200000 booked={TOLD.replace('-10 o', '-11 o')}", True),
        ("entry derived-b -2200000 booked=2026-07-10 order=1", True),
        (f"entry derived-b -2200000.01 booked={TOLD}", True),
    ],
)
def test_what_a_bank_tells_in_two_ways_without_a_reference_is_one_entry(
    then: str, alert: bool
) -> None:
    """JSON by day and camt by night: each has its own derived reference. It is the same movement if
    amount and both days are the same and this way told no other; in doubt people look.
    """
    world = CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   derived-a {SAME}
        report  ITAV 300000 by=api
        entry   derived-a {SAME}
        report  ITAV 300000 by=api as_of=+1s
        expect  no alert
        at      2026-07-12T12:00:00Z
    """)
    world.play("\n".join([*then.split("; "), "statement 2026-07-11 as_of=2026-07-12T03:59:59Z"]))
    assert [one.state for one in world.said("alert")] == ["firing"] * alert
    assert not world.said("evidence")
    world.play(f"""
        at      2026-07-12T13:00:00Z
        {then.replace("; ", chr(10))}
        report
        expect  no alert
        entry   derived-aa {SAME}
        report  ITAV 200000 by=api
    """)
    assert [one.state for one in world.said("alert")] == ["firing"]


def test_a_second_entry_that_was_none_does_not_hide_a_third() -> None:
    """In doubt people are told, and find that it is one movement; the next may be none."""
    world = CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   derived-a {SAME}
        report  ITAV 300000 by=api
        entry   derived-b -2200000 booked=2026-07-10 order=1
        report  ITAV 300000 as_of=+1s
        expect  alert double_entry firing
        entry   derived-b -2200000 booked=2026-07-10 order=1
        report  ITAV 300000 as_of=+2s
        expect  no alert
        entry   derived-b -2200000 booked=2026-07-10 order=1
        entry   E3 {SAME}
        entry   E4 {SAME}
        report  ITAV -1900000 as_of=+3s
    """)
    assert [one.text.rsplit(" ", 1)[1] for one in world.said("alert")] == ["E4"]
    world.play(f"""
        entry   E4 {SAME}
        report  ITAV -1900000 as_of=+4s
        expect  no alert
    """)


def test_two_references_of_a_bank_are_two_entries_whichever_way_they_come() -> None:
    CashWorld().play(f"""
        {READY}
        outcome CONFIRMED
        at      2026-07-10T20:00:00Z
        entry   A1 {SAME}
        report  ITAV 300000 by=api
        entry   derived-b {SAME}
        report  by=webhook
        expect  no alert
        entry   B1 {SAME}
        report
        expect  alert double_entry firing
    """)


CONFIRMED = "outcome CONFIRMED"
BOOKED = """
    at      2026-07-10T20:00:00Z
    entry   A1 -2200000 booked=2026-07-10 order=1
    report  ITAV 300000
"""
LATER = "at 2026-07-13T14:00:00Z"


@pytest.mark.parametrize(
    ("then", "text"),
    [
        (
            f"{CONFIRMED}{BOOKED}{LATER}\nentry B1 -2200000 booked=2026-07-13 order=1\nreport",
            "it is booked as A1, and again 2200000 USD on 2026-07-13 as B1",
        ),
        (
            f"outcome REJECTED reason=x{BOOKED}",
            "it ended as REJECTED, but is booked, 2200000 USD on 2026-07-10 as A1",
        ),
        (
            f"{CONFIRMED} done=2199975{BOOKED}",
            "2199975 USD are confirmed, booked 2200000 USD on 2026-07-10 as A1",
        ),
        (
            f"{CONFIRMED}{BOOKED}{LATER}\nentry B1 2199975 order=1\nreport",
            "the bank has returned it, 2199975 USD as B1",
        ),
        (
            f"{CONFIRMED}{BOOKED}{LATER}\nentry B1 25 order=1\nreport",
            "of 2200000 USD only 25 USD as B1 came back",
        ),
        (
            f"{CONFIRMED}\n{LATER}\nreport ITAV 300000",
            "2200000 USD were to move on 2026-07-10, but the bank shows no entry of them",
        ),
        (
            f"{CONFIRMED}{BOOKED}at 2026-08-06T14:00:00Z\nreport ITAV 300000",
            "2200000 USD were to come back on 2026-08-04, but the bank shows no entry of them",
        ),
    ],
)
def test_an_alert_says_which_order_of_which_account_and_how_much(then: str, text: str) -> None:
    world = CashWorld().play(READY)
    order = world.orders[0]
    (alert,) = world.play(then).said("alert")
    assert alert.text == f"SWEEP {order.intent_id} of {ACCOUNT}: {text}"
    assert alert.labels == {
        "account": ACCOUNT,
        "intent_id": order.intent_id,
        "decision_id": order.decision_id,
    }
