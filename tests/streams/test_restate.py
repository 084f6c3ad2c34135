"""Late, repeated and corrected rows: put in their place, said again, or refused."""

import pytest

from tests.streams.late_world import LateWorld

LATE_FILL = """
    fill   f1 buy  1 at 100 exec=+1s seq=1
    fill   f3 sell 1 at 120 exec=+3s seq=3
    expect pnl gross_pnl=20 realised_total=20
    fill   f2 buy  1 at 110 exec=+2s seq=2
"""


@pytest.mark.req("000-03", "000-33")
def test_a_late_fill_restates_what_followed() -> None:
    LateWorld().play(f"""
        {LATE_FILL}
        expect pnl exec_id=f2 gross_pnl=0 revision=0 delta_gross=null realised_total=20
        expect pnl exec_id=f3 gross_pnl=15 revision=1 delta_gross=-5 delta_fees=0 delta_funding=0
        expect pnl exec_id=f3 delta_net=-5 trade_view_net=15 realised_total=15
        expect position size=1 entry_price=105
        table  book positions linear|BTCUSDT|0 qty=1 cost=105
        table  book pnl_book USDT realised=15 highest=20
        table  book journal linear|BTCUSDT|0 first=0 next=3
        again
        expect nothing
        table  book repeats dropped=1
        fill   f3 sell 1 at 120 exec=+3s
        expect nothing
    """)


def test_a_late_row_that_changes_no_other_is_said_alone() -> None:
    world = LateWorld().play("""
        fill    f1 buy 1 at 100 exec=+1s
        fill    f3 buy 1 at 120 exec=+3s
        funding f2 buy 1 at 110 exec=+2s fee=0.5
        expect  pnl exec_id=f2 funding=0.5 realised_total=-0.5
        table   book positions linear|BTCUSDT|0 qty=2 realised=-0.5
    """)
    assert len(world.said("pnl")) == 1


def test_a_late_fill_before_everything_else() -> None:
    LateWorld().play("""
        fill   f2 buy  1 at 110 exec=+2s fee=0.1
        fill   f3 sell 1 at 120 exec=+3s fee=0.2
        fill   f1 sell 1 at 100 exec=+1s fee=0.3
        expect pnl exec_id=f2 gross_pnl=-10 delta_gross=-10 trade_view_net=-10.4 revision=1
        expect pnl exec_id=f3 gross_pnl=0 delta_gross=-10 trade_view_net=0 revision=1
        table  book positions linear|BTCUSDT|0 qty=-1 cost=120 open_fees=0.2
        table  book pnl_book USDT gross=-10 fees=0.6 realised=-10.6
    """)


def test_restated_twice() -> None:
    LateWorld().play(f"""
        {LATE_FILL}
        fill   f0 buy  1 at 90 exec=+0s
        expect pnl exec_id=f3 gross_pnl=20 delta_gross=5 revision=2
        table  book pnl_book USDT realised=20
    """)


@pytest.mark.req("000-03")
def test_fill_and_funding_of_one_moment_stand_by_sequence_then_id() -> None:
    for order in (
        ("fill a sell 1 at 110", "funding b buy 1 at 105 fee=1"),
        (
            "funding b buy 1 at 105 fee=1",
            "fill a sell 1 at 110",
        ),
    ):
        LateWorld().play(f"""
            fill f1 buy 1 at 100 exec=+1s seq=1
            {order[0]} exec=+2s seq=2
            {order[1]} exec=+2s seq=2
            table book positions linear|BTCUSDT|0 qty=0 cost=0 realised=9
            table book nth linear|BTCUSDT|0|1 exec_id=a
            table book nth linear|BTCUSDT|0|2 exec_id=b
        """)


def test_two_symbols_may_share_a_sequence_and_an_id_may_come_in_two_categories() -> None:
    LateWorld().play("""
        fill  f1 buy 1 at 100 seq=7
        fill  f2 buy 1 at 100 seq=7 symbol=ETHUSDT
        fill  f1 buy 1 at 100 seq=7 category=spot
        table book positions linear|BTCUSDT|0 qty=1
        table book positions linear|ETHUSDT|0 qty=1
        table book positions spot|BTCUSDT|0 qty=1
    """)


def test_corrected_rows() -> None:
    LateWorld().play("""
        fill   f1 buy  2 at 100 exec=+1s fee=0.1
        fill   f2 sell 1 at 120 exec=+2s fee=0.1
        expect pnl gross_pnl=20
        fill   f1 buy  2 at 110 exec=+1s fee=0.2 revision=1
        expect pnl exec_id=f1 revision=1 delta_gross=0 delta_fees=0.1 delta_net=-0.1
        expect pnl exec_id=f2 revision=1 gross_pnl=10 delta_gross=-10 realised_total=9.7
        refused exists_different exec_id fill f1 buy 2 at 111 exec=+1s fee=0.2 revision=1
        fill   f1 buy  2 at 100 exec=+1s fee=0.1
        expect nothing
        table  book repeats dropped=1
        resent c1 RESTATE fill f2 sell 2 at 120 exec=+2s fee=0.1
        expect pnl exec_id=f2 revision=2 gross_pnl=20 delta_gross=10
        table  book positions linear|BTCUSDT|0 qty=0 cost=0
        table  book pnl_book USDT gross=20 fees=0.3 realised=19.7
    """)


def test_a_corrected_row_may_move_in_time_and_to_another_instrument() -> None:
    LateWorld().play("""
        fill  f1 buy  1 at 100 exec=+1s
        fill  f2 buy  1 at 130 exec=+2s
        fill  f3 sell 1 at 120 exec=+3s
        table book pnl_book USDT realised=5
        fill  f1 buy  1 at 100 exec=+4s revision=1
        table book pnl_book USDT realised=-10
        table book nth linear|BTCUSDT|0|2 exec_id=f1
        fill  f2 buy  1 at 130 exec=+2s revision=1 symbol=ETHUSDT
        table book pnl_book USDT realised=20
        table book positions linear|BTCUSDT|0 qty=0 cost=0
        table book positions linear|ETHUSDT|0 qty=1 cost=130
        table book journal linear|BTCUSDT|0 next=2
    """)


@pytest.mark.req("000-33")
def test_beyond_the_horizon_a_person_decides() -> None:
    world = LateWorld()
    world.play("""
        at      +9d
        fill    f1 buy  1 at 100 exec=+1s
        fill    f2 sell 1 at 120 exec=+9d
        refused late exec_time fill f0 buy 1 at 110 exec=+23h
    """)
    before = dict(world.book.entries)
    world.play("refused late exec_time fill f0 buy 1 at 110 exec=+23h")
    assert world.book.entries == before
    world.play("""
        resent  c1 LATE fill f0 buy 1 at 110 exec=+23h fee=0.1
        expect  pnl exec_id=f0 flags=('late',) fees=0.1 revision=0
        expect  position size=1 entry_price=110
        again
        expect  nothing
        resent  c2 LATE fill f0 buy 1 at 110 exec=+23h fee=0.1
        expect  nothing
        refused exists_different exec_id resent c3 LATE fill f0 buy 2 at 110 exec=+23h fee=0.1
        at      +30d
        fill    f3 sell 1 at 130 exec=+30d
        expect  pnl gross_pnl=20
        fill    f4 sell 1 at 130 exec=+30d
        resent  c4 LATE fill f0 buy 1 at 110 exec=+23h fee=0.1
        expect  nothing
    """)


def test_an_execution_of_the_future_is_refused() -> None:
    LateWorld().play("refused future exec_time fill f buy 1 at 100 exec=+2d")


def test_a_policy_says_how_far_back_a_row_may_belong() -> None:
    LateWorld().play("""
        policy  pnl.late_horizon_s=60
        at      +10m
        fill    f1 buy 1 at 100 exec=+5m
        refused late exec_time fill f0 buy 1 at 100 exec=+239s
        fill    f0 buy 1 at 100 exec=+4m
        expect  pnl exec_id=f0
    """)


def test_profit_that_was_allocated_is_not_clawed_back() -> None:
    LateWorld().play("""
        loan    ltv=0.50
        wallet  USDT 1000000
        fill    f1 buy  1 at 1000 exec=+1s
        at      +3s
        fill    f3 sell 1 at 2000 exec=+3s
        expect  proposal asked=950
        outcome CONFIRMED
        table   book pnl_book USDT allocated=950 retained=50
        fill    f2 buy  1 at 1200 exec=+2s
        expect  pnl exec_id=f3 delta_gross=-100 available=0 shortfall=100 hwm=1000
        expect  no proposal
        table   book pnl_book USDT realised=900 highest=1000 allocated=950 retained=50
    """)


def test_a_leg_that_would_turn_over_takes_no_late_row() -> None:
    world = LateWorld().play("""
        fill  f1 buy  1 at 100 exec=+1s idx=1
        fill  f3 sell 1 at 110 exec=+3s idx=1
        fill  f2 sell 1 at 110 exec=+2s idx=1
        table book positions linear|BTCUSDT|1 qty=0 cost=0
        table book journal linear|BTCUSDT|1 next=2
    """)
    assert [type(item).__name__ for item in world.out] == ["DeadLetter"]


def test_trades_follow() -> None:
    LateWorld().play("""
        fill   f2 buy  1 at 110 exec=+2s
        fill   f4 sell 1 at 120 exec=+4s
        expect trade status=CLOSED quantity=1 realized_pnl=10
        fill   f1 buy  1 at 100 exec=+1s
        expect trade quantity=0 realized_pnl=0 entry_price=110 revision=1
        expect trade status=OPEN quantity=1 entry_price=100 revision=0
        fill   f3 sell 1 at 115 exec=+3s
        expect trade status=CLOSED quantity=2 realized_pnl=25
    """)
