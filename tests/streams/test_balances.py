"""What a bank says: which balance counts, what replaces it, and what is refused whole."""

import pytest

from tests.streams.cash_world import CashWorld


@pytest.mark.req("004-01", "004-34", "004-37")
@pytest.mark.parametrize(
    "rows",
    [
        """# interim available before all others, whatever their order
        more   CLBD 1
        more   ITBD 2
        more   CLAV 3
        report ITAV 4 avail=5
        table  balances avail  amount=4 code=ITAV
        table  balances booked amount=2 code=ITBD
        expect position avail_usd=4 booked_usd=2
        """,
        """# then one that the bank names without a code, then closing available, then booked ones
        more   CLAV 3
        report ITBD 2 avail=5
        table  balances avail amount=5 code=AVAIL
        more   CLBD 8 as_of=+1s
        report CLAV 9 as_of=+1s
        table  balances avail  amount=9 code=CLAV
        table  balances booked amount=8 code=CLBD
        more   CLBD 7 as_of=+1s
        report ITBD 6 as_of=+2s
        table  balances avail  amount=6 code=ITBD
        report CLBD 5 as_of=+3s
        table  balances avail  amount=5 code=CLBD
        expect position avail_usd=5 booked_usd=5
        """,
        """# opening, forward and expected balances are not usable
        more   OPAV 1
        more   FWAV 2
        report XPCD 3
        table  balances avail
        expect nothing
        """,
        """# an overdraft
        report ITAV -1234.5678
        table  balances avail amount=-1234.5678
        expect position avail_usd=-1234.5678 booked_usd=null investable_usd=0
        """,
        """# of one code the newest
        more   ITAV 1 as_of=-2s
        report ITAV 2 as_of=-1s
        table  balances avail amount=2
        """,
        """# an older one never replaces a newer one
        report ITAV 10
        report ITAV 20 as_of=-1s
        expect nothing
        table  balances avail amount=10
        report CLAV 30 as_of=-1ms
        table  balances avail amount=10 code=ITAV
        """,
        """# the same as-of: the better code counts, the worse does not
        report ITBD 10
        report ITAV 9
        table  balances avail  amount=9
        table  balances booked amount=10
        report CLBD 8
        table  balances avail  amount=9
        table  balances booked amount=10
        """,
        """# said again by another message: nothing new
        report ITAV 10
        report ITAV 10
        expect nothing
        """,
        """# the very same message
        report ITAV 10 msg=A
        again
        expect nothing
        """,
        """# the widest amount there is
        report ITAV 9999999999999999.9999
        expect position avail_usd=9999999999999999.9999
        report ITAV -9999999999999999.9999 as_of=+1s
        expect position avail_usd=-9999999999999999.9999
        """,
    ],
)
def test_which_balance_counts(rows: str) -> None:
    CashWorld().play(rows)


@pytest.mark.req("004-36", "004-01")
@pytest.mark.parametrize(
    "row",
    [
        "unknown_account account_id report ITAV 5 account=bank:999",
        "unknown_account account_id report ITAV 5 account=bybit:1",
        "currency ccy report ITAV 5 ccy=EUR",
        "future as_of report ITAV 5 as_of=2026-07-09T13:01:00.001Z",
        "range as_of report ITAV 5 as_of=2007-01-01T12:00:00Z",
        "missing msg_id report ITAV 5 msg=",
        "exists_different balances report ITAV 11",
        "exists_different msg_id report ITAV 12 msg=A",
        "future statement_date statement 2026-07-10 CLAV 5",
        "range statement_date statement 2006-12-31 CLAV 5",
    ],
)
def test_what_cannot_be_used_is_refused_whole(row: str) -> None:
    world = CashWorld("2026-07-09T13:00:00Z")
    world.settings["accounts"].append({"account_id": "bybit:1"})
    world.put_policy()
    world.play(f"report ITAV 10 msg=A\nrefused {row}\ntable balances avail amount=10")


def test_a_minute_ahead_is_clocks_and_not_the_future() -> None:
    world = CashWorld()
    at_ms = world.now_ms
    world.play("report ITAV 5 as_of=+60s")
    assert world.store.get("balances|bank:0123456789|avail").as_of_ms == at_ms + 60_000


@pytest.mark.parametrize(
    ("entry", "refused"),
    [
        ("E1 5 ccy=EUR", "currency ccy"),
        ("E1 5 booked=2026-07-10", "future booking_date"),
        ("E1 5 booked=2006-01-01", "range booking_date"),
        ("- 5", "missing ref"),
        ("E1 1000000000000000", "overflow entries"),
    ],
)
def test_an_entry_that_cannot_be_used_refuses_its_message(entry: str, refused: str) -> None:
    CashWorld().play(f"""
        entry   {entry}
        refused {refused} report ITAV 5
        table   balances avail
    """)


def test_two_amounts_of_one_balance_in_one_message() -> None:
    CashWorld().play("""
        more    ITAV 5
        refused exists_different balances report ITAV 6
        more    ITAV 6
        report  ITAV 6
        table   balances avail amount=6
    """)


def test_before_any_policy_the_account_cannot_be_judged_and_is_kept() -> None:
    world = CashWorld()
    del world.store.entries["@partition"]
    world.play("""
        report ITAV 5 account=bank:0123456789
        table  balances avail amount=5
    """)


def test_an_account_is_no_part_of_another_accounts_state() -> None:
    """Statements name any text as account; before any policy all are kept, by keys with bars."""
    world = CashWorld()
    del world.store.entries["@partition"]
    world.play("""
        refused   invalid account_id statement 2026-07-08 account=bank:0123456789|x
        statement 2026-07-08
        report    ITAV 5
    """)


def test_a_booking_date_may_be_today_in_new_york() -> None:
    CashWorld("2026-07-10T01:00:00Z").play("""
        entry   E1 5 booked=2026-07-09
        report  ITAV 5
        entry   E2 5 booked=2026-07-10
        refused future booking_date report ITAV 6
    """)


@pytest.mark.req("004-01")
def test_restated_closing_balances_replace_their_own() -> None:
    CashWorld().play("""
        statement 2026-07-08 CLAV 100 as_of=2026-07-09T04:00:00Z msg=S1
        statement 2026-07-08 CLAV 150 as_of=2026-07-09T04:00:00Z msg=S2
        table     balances avail amount=150
        refused   exists_different balances report CLAV 160 as_of=2026-07-09T04:00:00Z
        refused   exists_different balances statement 2026-07-07 CLAV 9 as_of=2026-07-09T04:00:00Z
    """)
