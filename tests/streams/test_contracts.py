"""Inverse contracts and spot: the venue's own figures, fees in coin, and what has no price."""

import pytest

from tests.streams.book_world import BookWorld

INVERSE = "category=inverse symbol=BTCUSD settle_ccy=BTC fee_ccy=BTC"
SPOT = "category=spot"


@pytest.mark.req("000-03", "000-30")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# 10,000 contracts from 8,000 to 12,500: 1.25 - 0.8
        fill f1 buy  10000 at 8000  {INVERSE}
        expect position size=10000 entry_price=8000 category=inverse
        fill f2 sell 10000 at 12500 {INVERSE}
        expect pnl gross_pnl=0.45 ccy=BTC realised_total=0.45 category=inverse
        table book pnl_book BTC realised=0.45
        table book pnl_book USDT""",
        f"""# the same with both fees, the trade view
        fill f1 buy  10000 at 8000  fee=0.00075 {INVERSE}
        fill f2 sell 10000 at 12500 fee=0.00048 {INVERSE}
        expect pnl trade_view_net=0.44877 realised_total=0.44877
        expect trade entry_price=8000 exit_price=12500 realized_pnl=0.44877 ccy=BTC""",
        f"""# the average is harmonic; what is split is rounded once, half to even
        fill f1 buy  1000 at 5000 {INVERSE}
        fill f2 buy  2000 at 6000 {INVERSE}
        expect position size=3000 entry_price=5625.000000000000003516
        table book positions inverse|BTCUSD|0 cost=0.533333333333333333
        fill f3 sell 1500 at 6000 {INVERSE}
        expect pnl gross_pnl=0.016666666666666666
        table book positions inverse|BTCUSD|0 cost=0.266666666666666667""",
        f"""# a short gains when the coin falls
        fill f1 sell 10000 at 12500 {INVERSE}
        fill f2 buy  10000 at 8000  {INVERSE}
        expect pnl gross_pnl=0.45
        expect trade side=Sell entry_price=12500 exit_price=8000""",
        f"""# turned over: the rest opens the other side at its price
        fill f1 buy  1000 at 5000 {INVERSE}
        fill f2 sell 3000 at 10000 fee=0.0003 {INVERSE}
        expect pnl gross_pnl=0.1 trade_view_net=0.0999
        expect position size=-2000 entry_price=10000 open_fees=0.0002""",
        f"""# contracts of ten dollars
        fill f1 buy  100 at 5000  multiplier=10 {INVERSE}
        expect position entry_price=5000
        fill f2 sell 100 at 10000 multiplier=10 {INVERSE}
        expect pnl gross_pnl=0.1""",
    ],
)
def test_inverse(rows: str) -> None:
    BookWorld().play(rows)


@pytest.mark.req("000-31")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# the fee takes coins: less is held at the whole price paid
        fill f1 buy 1 at 100 fee=0.2 fee_ccy=BTC {SPOT}
        expect pnl fees=0 net_pnl=0 fee_native=0.2 fee_ccy=BTC
        expect position size=0.8 entry_price=125
        fill f2 sell 0.8 at 150 fee=0.12 {SPOT}
        expect pnl gross_pnl=20 fees=0.12 realised_total=19.88 fee_native=null""",
        f"""# a rebate in coin gives more of it
        fill f1 buy 1 at 100 fee=-0.25 fee_ccy=BTC {SPOT}
        expect position size=1.25 entry_price=80""",
        f"""# sold, and the fee taken from the coin too
        fill f1 buy  2 at 100 {SPOT}
        fill f2 sell 1 at 150 fee=0.5 fee_ccy=BTC {SPOT}
        expect pnl gross_pnl=0 fees=0
        expect position size=0.5 entry_price=100""",
        f"""# turned over by a purchase whose fee is in coin: of 1.9 received 1 closes
        fill f1 sell 1 at 100 {SPOT}
        fill f2 buy  2 at 95 fee=0.1 fee_ccy=BTC {SPOT}
        expect pnl gross_pnl=0 trade_view_net=0
        expect position size=0.9 entry_price=100""",
        f"""# names with a separator
        fill f1 buy 1 at 100 fee=0.2 fee_ccy=ETH symbol=ETH/USDT {SPOT}
        expect position size=0.8""",
        f"""# of one name with a contract, but another thing
        fill f1 buy 1 at 100 {SPOT}
        fill f1 buy 2 at 100
        expect position size=2 category=linear
        table book positions spot|BTCUSDT|0   qty=1
        table book positions linear|BTCUSDT|0 qty=2""",
    ],
)
def test_spot(rows: str) -> None:
    BookWorld().play(rows)


@pytest.mark.req("000-31")
def test_a_fee_without_a_price_withholds_the_profit_of_its_row() -> None:
    BookWorld().play("""
        fill   f1 buy  1 at 100 fee=0.001 fee_ccy=BNB
        expect pnl fees=0 flags=('fee_unpriced',) fee_native=0.001 fee_ccy=BNB
        fill   f2 sell 1 at 150 fee=0.002 fee_ccy=BNB
        expect pnl gross_pnl=50 realised_total=50 available=0 fee_native=0.002
        table  book pnl_book USDT realised=50 withheld=50
        fill   g1 buy  1 at 100
        fill   g2 sell 1 at 130
        expect pnl realised_total=80 available=30
        fill   h1 buy  1 at 100
        fill   h2 sell 1 at 90 fee=0.002 fee_ccy=BNB
        expect pnl gross_pnl=-10 realised_total=70 available=20
    """)
    BookWorld().play("""
        closed c1 buy 1 from 100 to 150 fee=0.002 fee_ccy=BNB funding=5
        expect pnl net_pnl=45 available=0 flags=('fee_unpriced',)
    """)


def test_a_contract_that_names_no_fee_coin_pays_in_its_own() -> None:
    BookWorld().play("""
        fill   f1 buy 1 at 100 fee=0.12 fee_ccy=
        expect pnl fees=0.12 fee_native=null
    """)


def test_an_average_no_record_can_hold_is_refused() -> None:
    BookWorld().play(f"""
        refused overflow price fill f1 buy 117 at 90000000000000000000 {INVERSE}
    """)
