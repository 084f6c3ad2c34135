"""Accounts that were not flat, marks that freeze, adjustments to the venue's books."""

import pytest

from tests.streams.book_world import BookWorld

READY = "wallet USDT 1000000\nloan ltv=0.50"
LONG = "linear|BTCUSDT|0"


@pytest.mark.req("000-04")
def test_an_opening_sets_size_and_cost_and_leaves_profit_alone() -> None:
    BookWorld().play(f"""
        opening c1 BTCUSDT 2 at 100
        expect  position size=2 entry_price=100 realized_pnl=0
        expect  trade status=OPEN quantity=2 entry_price=100 cause=correction
        expect  no pnl
        opening c1 BTCUSDT 3 at 100          # the same again
        expect  nothing
        fill    f1 sell 1 at 130
        expect  pnl gross_pnl=30 realised_total=30
        opening c2 BTCUSDT 1.5 at 110        # one that only changes size keeps its trade
        expect  no trade
        table   book positions {LONG} qty=1.5 cost=165 realised=30 opened_by=c1
        opening c3 BTCUSDT -1 at 90
        expect  trade status=CLOSED side=Buy
        expect  trade status=OPEN side=Sell
        opening c4 BTCUSDT 0 at -
        expect  position size=0 realized_pnl=30
        opening c5 BTCUSD 1000 at 5000 category=inverse
        table   book positions inverse|BTCUSD|0 qty=1000 cost=0.2
        opening c6 BTCUSDT -1 at 90 idx=2
        expect  position idx=2 size=-1
        table   book pnl_book USDT realised=30
    """)


@pytest.mark.parametrize(
    "row",
    [
        "missing symbol opening c - 1 at 100",
        "missing size opening c BTCUSDT - at 100",
        "range entry_price opening c BTCUSDT 1 at -",
        "range entry_price opening c BTCUSDT 1 at 0",
        "range position_idx opening c BTCUSDT 1 at 100 idx=3",
        "range size opening c BTCUSDT -1 at 100 idx=1",
        "range size opening c BTCUSDT 1 at 100 idx=2",
        "range multiplier opening c BTCUSDT 1 at 100 multiplier=-1",
        "category category opening c BTCUSDT 1 at 100 category=UNKNOWN",
        "overflow size opening c BTCUSDT 1e12 at 1e12",
        "missing break_id adjust c BTCUSDT 1 at 100 settle_ccy=USDT",
        "missing settle_ccy adjust c BTCUSDT 1 at 100 break_id=b1",
        "verb verb request r1 SET_PEAK",
        "mark mark request r1 UNFREEZE mark=exec_type:linear|x",
        "mark mark request r1 UNFREEZE mark=break:b1",
    ],
)
def test_a_correction_that_does_not_say_enough_is_refused(row: str) -> None:
    BookWorld().play(f"refused {row}")


@pytest.mark.req("000-58")
def test_allocation_waits_while_book_and_venue_hold_something_else() -> None:
    BookWorld().play(f"""
        {READY}
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1 as_of=+1ms
        frozen                                  # compared when the next one comes
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1 as_of=+2ms
        frozen   position:BTCUSDT|0 position:ETHUSDT|2
        at       +1s
        opening  c1 BTCUSDT 2 at 100
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1 as_of=+2s
        frozen   position:ETHUSDT|2
        opening  c2 ETHUSDT -1 at 100 idx=2
        at       +4s
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1
        frozen
        fill     f1 sell 1 at 2100
        expect   allocation action=add_collateral available=2000
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1 as_of=+3s    # older than the last: not compared
        frozen
        at       +9s
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1
        frozen
        at       +10s
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1
        frozen   position:BTCUSDT|0
        refused  mark mark request r1 UNFREEZE mark=position:BTCUSDT|0
        request  r2 UNFREEZE
        frozen   position:BTCUSDT|0
        fill     f2 buy 1 at 100
        snapshot BTCUSDT|0=2 ETHUSDT|2=-1 as_of=+11s
        frozen
    """)


def test_a_snapshot_and_the_rows_of_its_time_travel_on_two_ways() -> None:
    """A busy account is never marked because one of them was quicker."""
    BookWorld().play("""
        at       +10s
        fill     f1 buy 1 at 100
        snapshot BTCUSDT|0=2 as_of=+11s        # knows a fill that is still on its way
        at       +11s
        fill     f2 buy 1 at 100
        fill     f3 buy 1 at 100
        snapshot BTCUSDT|0=1 as_of=+12s        # the rows were quicker
        frozen
        at       +13s
        fill     f4 buy 1 at 100
        snapshot BTCUSDT|0=4 as_of=+13s
        frozen
        at       +20s
        snapshot BTCUSDT|0=9 as_of=+20s
        snapshot BTCUSDT|0=4 as_of=+21s
        frozen   position:BTCUSDT|0
        snapshot BTCUSDT|0=4 as_of=+22s
        frozen
    """)


def test_spot_holdings_and_closed_trades_are_no_positions_to_compare() -> None:
    BookWorld().play("""
        fill     f1 buy 1 at 100 category=spot
        snapshot as_of=+5s
        snapshot as_of=+6s
        frozen
    """)
    BookWorld().play("""
        closed   c1 buy 1 from 100 to 110
        snapshot BTCUSDT|0=5 as_of=+5s
        snapshot BTCUSDT|0=5 as_of=+6s
        frozen
    """)


@pytest.mark.req("000-58")
def test_people_release_a_mark_and_the_same_row_never_sets_it_again() -> None:
    BookWorld().play("""
        unsafe   exec_type fill x1 buy 1 at 100 exec_type=FutureSpread
        unsafe   exec_type fill x2 buy 1 at 100 exec_type=FutureSpread
        frozen   exec_type:linear|x1 exec_type:linear|x2
        fill     f1 buy 1 at 100                 # the fold goes on
        expect   pnl net_pnl=0
        request  r1 UNFREEZE mark=exec_type:linear|x1
        frozen   exec_type:linear|x2
        request  r1 UNFREEZE mark=exec_type:linear|x1
        fill     x1 buy 1 at 100 exec_type=FutureSpread
        frozen   exec_type:linear|x2
        freeze   b1 on
        freeze   b1 on
        frozen   break:b1 exec_type:linear|x2
        request  r2 UNFREEZE
        frozen   break:b1
        freeze   b1 off
        frozen
        fill     x1 buy 1 at 100                 # redriven as what it was
        expect   position size=2
    """)


@pytest.mark.req("000-47")
def test_a_frozen_account_holds() -> None:
    BookWorld().play(f"""
        {READY}
        freeze   b1 on
        fill     f1 buy  1 at 1000
        fill     f2 sell 1 at 2000
        expect   allocation action=hold reason=frozen
        freeze   b1 off
        tick     book
        expect   allocation action=add_collateral amount=950
    """)


def test_an_adjustment_is_profit_only_once_people_accept_it() -> None:
    BookWorld().play(f"""
        {READY}
        fill     f1 buy 2 at 100 fee=0.2
        adjust   c1 BTCUSDT 2 at 1100 break_id=b1 settle_ccy=USDT
        expect   position size=2 entry_price=1100 realized_pnl=-0.2
        expect   pnl gross_pnl=0 net_pnl=0 recon_pnl=2000 realised_total=-0.2 available=0
        expect   no allocation
        freeze   b1 on
        accept   b2
        expect   nothing
        frozen   break:b1
        accept   b1
        frozen
        expect   pnl gross_pnl=2000 delta_net=2000 realised_total=1999.8 cause=correction
        expect   allocation action=add_collateral available=1999.8
        table    book positions {LONG} qty=2 cost=2200 realised=1999.8
        accept   b1
        expect   nothing
    """)


@pytest.mark.parametrize(
    ("held", "venue", "change"),
    [
        ("buy 2 at 100", "3 at 110", "0"),  # it only grew
        ("buy 2 at 100", "1 at 100", "0"),  # what left, left at its own cost
        ("buy 2 at 100", "1 at 90", "-10"),
        ("buy 2 at 100", "0 at -", "0"),
        ("buy 2 at 100", "-1 at 90", "-20"),  # turned over at the new entry
        ("sell 2 at 100", "-2 at 90", "20"),
        ("sell 2 at 100", "1 at 90", "20"),
    ],
)
def test_what_an_adjustment_changes(held: str, venue: str, change: str) -> None:
    BookWorld().play(f"""
        fill   f1 {held}
        adjust c1 BTCUSDT {venue} break_id=b1 settle_ccy=USDT
        expect pnl recon_pnl={change}
        adjust c1 BTCUSDT {venue} break_id=b1 settle_ccy=USDT
        expect nothing
    """)
    BookWorld().play("""
        adjust c1 BTCUSDT 2 at 100 break_id=b1 settle_ccy=USDT
        expect pnl recon_pnl=0
    """)
