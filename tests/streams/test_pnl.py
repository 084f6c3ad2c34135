"""What executions earn: the worked examples, the venue's own figures, and what is refused."""

import pytest

from tests.streams.desk_world import World

SHORT_WITH_FUNDING = """
    fill    open  sell 0.4 at 6000 fee=1.32
    funding f1    sell 0.4 at 5500 fee=2.10
    expect  pnl   gross_pnl=0 fees=0 funding=2.10 net_pnl=-2.10 cause=funding
    expect  no position
    fill    close buy  0.4 at 5000 fee=1.10
    expect  pnl   gross_pnl=400 fees=1.10 net_pnl=398.90 trade_view_net=397.58 realised_total=395.48
    table   book  positions linear|BTCUSDT|0 qty=0 cost=0 open_fees=0 realised=395.48
"""


@pytest.mark.req("000-02", "000-03", "000-04", "000-33", "000-34")
def test_adds_reduces_and_flips() -> None:
    World().play("""
        fill    f1 buy 2 at 100 fee=0.12
        expect  pnl gross_pnl=0 trade_view_net=0 net_pnl=-0.12
        expect  position size=2 entry_price=100 open_fees=0.12
        fill    f2 buy 1 at 130 fee=0.078
        expect  position size=3 entry_price=110 open_fees=0.198
        fill    f3 sell 1.5 at 140 fee=0.126
        expect  pnl gross_pnl=45 trade_view_net=44.775 net_pnl=44.874
        expect  position size=1.5 entry_price=110 open_fees=0.099
        fill    f4 sell 2.5 at 90 fee=0.135
        expect  pnl gross_pnl=-30 trade_view_net=-30.18 cause=trade
        expect  position size=-1 entry_price=90 open_fees=0.054
        funding f5 sell 1 at 80 fee=0.05
        expect  pnl funding=0.05 trade_view_net=-0.05 realised_total=14.491 ccy=USDT
        table   book pnl_book USDT gross=15 fees=0.459 funding=0.05 realised=14.491 highest=44.676
    """)


@pytest.mark.req("000-30", "000-31", "000-32", "000-33")
def test_a_short_with_fees_and_funding() -> None:
    World().play(SHORT_WITH_FUNDING)


@pytest.mark.req("000-03", "000-31", "003-21", "003-71")
@pytest.mark.parametrize(
    "rows",
    [
        """# the venue's own closed-profit row: entry and exit values, fees of 0.0006
        fill f1 buy  1 at 3584.9255 fee=2.1509553
        fill f2 sell 1 at 3541.795  fee=2.125077
        expect pnl gross_pnl=-43.1305 trade_view_net=-47.4065323 realised_total=-47.4065323""",
        """# the venue's own execution: gross 0.05, fee of the closing fill alone
        fill f1 buy  0.5 at 95900.0
        fill f2 sell 0.5 at 95900.1 fee=26.3725275
        expect pnl gross_pnl=0.05 net_pnl=-26.3225275""",
        """# average of two entries
        fill f1 buy 0.5 at 5000
        fill f2 buy 0.3 at 6000
        expect position entry_price=5375
        fill f3 sell 0.2 at 7000
        expect position size=0.6 entry_price=5375""",
        """# a flip: the closing part bears a third of the fill's fee
        fill f1 buy  1 at 100
        fill f2 sell 3 at 110 fee=0.3
        expect pnl gross_pnl=10 trade_view_net=9.9 net_pnl=9.7
        expect position size=-2 entry_price=110 open_fees=0.2""",
        """# taken over by the venue
        fill f1 sell 1 at 3000
        fill f2 buy  1 at 2900 fee=0.5 exec_type=AdlTrade
        expect pnl net_pnl=99.5 cause=adl""",
        """# liquidated
        fill f1 buy  0.1 at 60000
        fill f2 sell 0.1 at 57300 fee=3.1515 exec_type=BustTrade
        expect pnl net_pnl=-273.1515 cause=liquidation""",
        """# a rebate earns
        fill f1 buy 1 at 100 fee=-0.01
        expect pnl fees=-0.01 net_pnl=0.01
        table book pnl_book USDT realised=0.01""",
        """# contracts of a hundredth
        fill f1 buy  3 at 100.5 multiplier=0.01
        fill f2 sell 3 at 101.5 multiplier=0.01
        expect pnl gross_pnl=0.03""",
        """# delivered
        fill f1 buy  1 at 100
        fill f2 sell 1 at 107 exec_type=Delivery
        expect pnl gross_pnl=7 cause=delivery""",
    ],
)
def test_venue_figures(rows: str) -> None:
    World().play(rows)


@pytest.mark.req("000-32")
@pytest.mark.parametrize(
    ("row", "funding"),
    [
        ("funding f buy 932 at 0.01565 fee=-0.00005586 symbol=VETUSDT", "-0.00005586"),
        ("funding f buy 100 at 0.3676 fee=0.003676 symbol=XRPUSDT", "0.003676"),
    ],
)
def test_funding_is_never_a_fill(row: str, funding: str) -> None:
    World().play(f"""
        {row}
        expect pnl gross_pnl=0 fees=0 funding={funding} cause=funding
        expect no position
    """)


def test_hedge_mode_keeps_two_legs() -> None:
    World().play("""
        fill f1 buy  1 at 100 idx=1
        fill f2 sell 1 at 110 idx=2
        expect position size=-1 idx=2
        table book positions linear|BTCUSDT|1 qty=1
        unsafe  hedge_leg fill f3 sell 2 at 100 idx=1
        unsafe  hedge_leg fill f4 buy  2 at 100 idx=2
        frozen  hedge_leg:linear|f3 hedge_leg:linear|f4
        table book positions linear|BTCUSDT|1 qty=1
    """)


@pytest.mark.req("000-02")
def test_the_same_execution_counts_once() -> None:
    World().play("""
        fill   f1 buy 2 at 100 fee=0.12
        again
        expect nothing
        fill   f1 buy 2 at 100 fee=0.12 source=rest
        expect nothing
        table  book repeats dropped=2
        table  book positions linear|BTCUSDT|0 qty=2
        refused exists_different exec_id fill f1 buy 3 at 100 fee=0.12
        fill   f1 buy 2 at 100 fee=0.13 revision=1
        expect pnl revision=1 delta_fees=0.01 delta_net=-0.01
        fill   f1 buy 2 at 100 category=spot fee=0.12
        expect position size=2 category=spot
    """)


@pytest.mark.req("000-58")
@pytest.mark.parametrize(
    "row",
    [
        "range qty fill f buy 0 at 100",
        "range qty fill f buy -1 at 100",
        "range price fill f buy 1 at 0",
        "range multiplier fill f buy 1 at 1 multiplier=0",
        "side side fill f unknown 1 at 100",
        "future exec_time fill f buy 1 at 100 time=281474976710656",
        "range position_idx fill f buy 1 at 100 idx=3",
        "range fee_ccy fill f buy 1 at 100 fee=1 fee_ccy= category=spot",
        "range fee fill f buy 1 at 100 fee=1 fee_ccy=BTC category=spot",
        "funding_ccy fee_ccy funding f buy 1 at 100 fee=1 fee_ccy=BNB",
        "range size fill f buy 1 at 100 kind=CLOSED_TRADE",
        "category category fill f buy 1 at 100 category=UNKNOWN",
        "kind kind fill f buy 1 at 100 kind=UNKNOWN",
        "overflow price fill f buy 1000000000000 at 1000000000000",
    ],
)
def test_what_cannot_be_folded_changes_nothing(row: str) -> None:
    world = World()
    before = dict(world.book.entries)
    world.play(f"refused {row}")
    assert world.book.entries == before


def test_a_fee_of_nothing_has_no_currency() -> None:
    World().play("""
        fill   f1 buy 1 at 100 fee_ccy=BNB
        expect pnl fees=0
    """)
