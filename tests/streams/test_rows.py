"""Each kind of row: what it does to a position, and what freezes the account."""

import pytest

from tests.streams.book_world import BookWorld


@pytest.mark.req("000-30", "000-33")
@pytest.mark.parametrize(
    "rows",
    [
        """# liquidated: a long of 0.1 taken at 57,300
        fill f1 buy  0.1 at 60000
        fill f2 sell 0.1 at 57300 fee=3.1515 exec_type=BustTrade
        expect pnl net_pnl=-273.1515 cause=liquidation
        expect risk type=LIQUIDATION value=-273.1515 symbol=BTCUSDT
        expect trade status=CLOSED cause=liquidation realized_pnl=-273.1515""",
        """# taken over by the venue
        fill f1 sell 1 at 3000
        fill f2 buy  1 at 2900 fee=0.5 exec_type=AdlTrade
        expect pnl net_pnl=99.5 cause=adl
        expect risk type=ADL value=99.5""",
        """# these are fills like any other
        fill f1 buy  1 at 100 exec_type=BlockTrade
        fill f2 sell 1 at 103 exec_type=MovePosition
        expect pnl gross_pnl=3 cause=trade
        expect no risk""",
        """# delivered
        fill f1 buy  1 at 100
        fill f2 sell 1 at 107 exec_type=Delivery
        expect pnl gross_pnl=7 cause=delivery""",
        """# a settlement that closes
        fill f1 buy  2 at 100
        fill f2 sell 1 at 110 exec_type=Settle closed_size=1 fee=0.1
        expect pnl gross_pnl=10 net_pnl=9.9 cause=settle
        expect position size=1 entry_price=100""",
        """# a settlement that only sets a new base
        fill f1 buy  2 at 100 fee=0.2
        fill f2 buy  2 at 110 exec_type=Settle closed_size=0
        expect pnl gross_pnl=20 cause=settle
        expect position size=2 entry_price=110 open_fees=0.2
        fill f3 sell 2 at 105
        expect pnl gross_pnl=-10 realised_total=9.8
        expect trade entry_price=100 exit_price=105 realized_pnl=9.8""",
        """# a short set to a new base
        fill f1 sell 2 at 100
        fill f2 sell 2 at 90 exec_type=Settle closed_size=0
        expect pnl gross_pnl=20
        expect position size=-2 entry_price=90""",
    ],
)
def test_what_the_venue_does_without_an_order(rows: str) -> None:
    BookWorld().play(rows)


@pytest.mark.req("000-58")
@pytest.mark.parametrize(
    "row",
    [
        "exec_type fill x buy 1 at 100 exec_type=FutureSpread",
        "exec_type fill x buy 1 at 100 exec_type=CorporateAction",
        "exec_type fill x buy 1 at 100 exec_type=UNKNOWN",
        "exec_type fill x buy 0 at 0   exec_type=SomethingNew",
        "settle_ambiguous fill x sell 1 at 100 exec_type=Settle",
        "settle_ambiguous fill x sell 1 at 100 exec_type=Settle closed_size=",
        "settle_ambiguous fill x sell 1 at 100 exec_type=Settle closed_size=0",
        "settle_ambiguous fill x sell 3 at 100 exec_type=Settle closed_size=3",
        "settle_ambiguous fill x sell 1 at 100 exec_type=Settle closed_size=2",
        "settle_ambiguous fill x buy  1 at 100 exec_type=Settle closed_size=1",
        "hedge_leg        fill x sell 3 at 100 idx=1",
    ],
)
def test_what_may_have_moved_the_account_freezes_it(row: str) -> None:
    world = BookWorld().play("""
        fill f1 buy 2 at 100
        fill f2 buy 2 at 100 idx=1
    """)
    before = dict(world.book.entries)
    world.play(f"unsafe {row}")
    after = {key: value for key, value in world.book.entries.items() if key[:7] != "frozen|"}
    assert after == before


def test_hedge_mode_is_inferred_from_what_closes() -> None:
    BookWorld().play("""
        fill    f1 buy  2 at 100 idx=1
        fill    f2 sell 2 at 110                  # closes nothing: opens the short leg
        expect  position size=-2 idx=2
        fill    f3 sell 1 at 120 closed_size=1    # closes the long leg
        expect  position size=1 idx=1
        expect  pnl gross_pnl=20
        fill    f4 buy 1 at 100 closed_size=1
        expect  position size=-1 idx=2
        fill    f5 buy 1 at 100 closed_size=0
        expect  position size=2 idx=1
        funding f6 sell 1 at 100 fee=0.1 closed_size=0
        expect  pnl position_idx=2
        unsafe  hedge_leg fill f7 sell 3 at 100 closed_size=3
        fill    s1 sell 1 at 100 symbol=ETHUSDT   # another symbol, one-way
        expect  position size=-1 idx=0
    """)


@pytest.mark.req("000-30", "000-35")
def test_closed_trades_are_the_whole_profit() -> None:
    BookWorld().play("""
        closed  c1 sell 0.4 from 6000 to 5000 fee=2.42 funding=2.10
        expect  pnl gross_pnl=400 fees=2.42 funding=2.10 net_pnl=395.48 trade_view_net=395.48
        expect  trade side=Sell entry_price=6000 exit_price=5000 quantity=0.4 status=CLOSED
        expect  trade fee_paid=2.42 funding_paid=2.10 realized_pnl=395.48
        expect  no position
        closed  c2 buy 1 from 100 to 90
        expect  pnl gross_pnl=-10 realised_total=385.48
        closed  c3 buy 10000 from 8000 to 12500 category=inverse settle_ccy=BTC
        expect  pnl gross_pnl=0.45 ccy=BTC
        refused mixed_feed kind fill f1 buy 1 at 100
        refused mixed_feed kind funding f2 buy 1 at 100 fee=1
    """)
    BookWorld().play("""
        fill    f1 buy 1 at 100
        refused mixed_feed kind closed c1 buy 1 from 100 to 90
        refused range entry_price closed c2 buy 1 from 0 to 90
        refused range exit_price closed c3 buy 1 from 90 to 0
        refused range size closed c4 buy 0 from 90 to 80
        refused overflow size closed c5 buy 1e12 from 1 to 1e12
    """)


@pytest.mark.req("003-19", "003-24")
def test_a_row_that_names_the_mark_tells_what_is_not_realised_yet() -> None:
    BookWorld().play("""
        fill    f1 buy 0.2 at 7000 mark_price=7500
        expect  position unrealized_pnl=100 mark=7500
        fill    f2 sell 1.2 at 90 mark_price=80
        expect  position unrealized_pnl=10 mark=80 size=-1
        fill    f3 buy 1 at 90 mark_price=0
        expect  position unrealized_pnl=null size=0
        fill    f4 buy 10000 at 8000 mark_price=12500 category=inverse symbol=BTCUSD
        expect  position unrealized_pnl=0.45
        fill    f5 buy 1 at 1
        expect  position unrealized_pnl=null mark=null
        refused overflow mark_price fill f6 buy 1e9 at 1 mark_price=1e19
    """)


@pytest.mark.req("003-18", "003-20", "003-22", "003-23", "003-26")
def test_trades_from_flat_to_flat() -> None:
    world = BookWorld().play("""
        fill    f1 buy 0.1 at 60000 fee=2.4
        expect  trade status=OPEN side=Buy entry_price=60000 quantity=0.1 fee_paid=2.4
        expect  trade exit_price=null exit_time=null realized_pnl=0
        at      +60s
        fill    f2 sell 0.1 at 60500 fee=2.42
        expect  trade status=CLOSED entry_price=60000 exit_price=60500 fee_paid=4.82
        expect  trade realized_pnl=45.18 funding_paid=0 cause=trade
    """)
    opened, closed = world.trades
    assert opened.id == closed.id
    assert closed.exit_time_ms - closed.entry_time_ms == 60_000


@pytest.mark.req("003-21", "003-22", "003-29")
def test_a_trade_takes_in_all_its_fills_and_a_flip_ends_one_and_begins_the_next() -> None:
    world = BookWorld().play("""
        fill    f1 buy  2 at 100 fee=0.12
        fill    f2 buy  1 at 130 fee=0.078
        expect  no trade
        fill    f3 sell 1.5 at 140 fee=0.126
        expect  no trade
        funding f4 buy  1.5 at 100 fee=0.05
        fill    f5 sell 2.5 at 90 fee=0.135
        expect  trade status=CLOSED quantity=3 entry_price=110 exit_price=115 fee_paid=0.405
        expect  trade status=CLOSED funding_paid=0.05 realized_pnl=14.545
        expect  trade status=OPEN side=Sell quantity=1 entry_price=90 fee_paid=0.054
        funding f6 sell 1 at 80 fee=-0.01
        fill    f7 buy  1 at 80
        expect  trade status=CLOSED funding_paid=-0.01 realized_pnl=9.956 side=Sell
        table   book pnl_book USDT realised=24.501
        funding f8 sell 1 at 80 fee=0.01
        fill    f9 buy  1 at 80
        fill    f10 sell 1 at 80
        expect  trade status=CLOSED funding_paid=0 realized_pnl=0
    """)
    assert len({trade.id for trade in world.trades}) == 3


def test_one_id_in_two_categories_is_two_rows_and_two_trades() -> None:
    world = BookWorld().play("""
        fill   f1 buy 1 at 100
        fill   f1 buy 1 at 100 category=spot
        fill   f1 buy 1 at 100 category=inverse settle_ccy=BTC fee_ccy=BTC symbol=BTCUSD
        expect pnl realised_total=0
    """)
    assert len({trade.id for trade in world.trades}) == 3
