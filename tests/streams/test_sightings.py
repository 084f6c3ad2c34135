"""Which entry of a bank is which movement: told in two ways it is one, in doubt it is two."""

import pytest

from tests.streams.cash_world import CashWorld
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
    assert [one.state for one in world.said("alert")] == ["firing"] * (not alert)


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
