"""Lots under four methods: the worked example, the directions, and what must hold on every path."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18, mul_div_e18
from schemas.records import HedgeExecution, LotEvent
from streams import executions
from streams.step import NOTHING_IN_FORCE, Emit, Entries, Event
from tables.journal import TAKES_MAX
from tables.lots import HEAP_WIDTH, METHODS
from tables.memory import MemoryStore
from tests.streams.desk_world import ACCOUNT, T0_MS
from tests.streams.late_world import LateWorld
from tests.streams.test_book_properties import execution

PLACE = "linear|BTCUSDT|0"
FOUR = (*METHODS, "ACB")


@pytest.mark.req("000-65")
def test_buys_at_three_prices_and_one_sale() -> None:
    LateWorld().play("""
        fill   f1 buy  1 at 100
        expect lot method=ALL action=open qty=1 cost=100 proceeds=null gain=null closed_at=null
        fill   f2 buy  1 at 130
        fill   f3 buy  1 at 110
        fill   f4 sell 1 at 120
        expect lot method=FIFO action=close lot_id=linear|BTCUSDT|0|f1 proceeds=120 cost=100 gain=20
        expect lot method=LIFO lot_id=linear|BTCUSDT|0|f3 cost=110 gain=10
        expect lot method=HIFO lot_id=linear|BTCUSDT|0|f2 cost=130 gain=-10
        expect lot method=ACB lot_id=linear|BTCUSDT|0 gain=6.666666666666666667
        expect lot method=ACB cost=113.333333333333333333 ccy=USDT asset=BTCUSDT
    """)


@pytest.mark.parametrize(
    "rows",
    [
        """# short: sold first, bought back later
        fill   f1 sell 2 at 100
        fill   f2 buy  1 at 90
        expect lot method=FIFO cost=90 proceeds=100 gain=10""",
        """# a flip closes one side and opens a lot of the other
        fill   f1 buy  1 at 100
        fill   f2 sell 3 at 110
        expect lot method=HIFO qty=1 gain=10
        expect lot method=ALL action=open qty=2 cost=220""",
        """# inverse: what a long position holds costs more coin than it returns
        fill   f1 buy  10000 at 8000  category=inverse symbol=BTCUSD settle_ccy=BTC fee_ccy=BTC
        fill   f2 sell 10000 at 12500 category=inverse symbol=BTCUSD settle_ccy=BTC fee_ccy=BTC
        expect lot method=LIFO gain=0.45 proceeds=1.25 cost=0.8 ccy=BTC""",
        """# spot: a fee in the coin makes the lot smaller, not cheaper
        fill   f1 buy  1 at 100 category=spot fee=0.001 fee_ccy=BTC
        expect lot qty=0.999 cost=100""",
        """# a sale over several lots: one part is rounded, the last is the rest
        fill   f1 buy  1 at 100
        fill   f2 buy  2 at 100
        fill   f3 sell 3 at 33.333333333333333333
        expect lot method=FIFO lot_id=linear|BTCUSDT|0|f1 proceeds=33.333333333333333333
        expect lot method=FIFO lot_id=linear|BTCUSDT|0|f2 proceeds=66.666666666666666666""",
        """# a closed trade is a lot of its own under every method
        closed c1 buy 2 from 100 to 110
        expect lot method=ALL action=close qty=2 cost=200 proceeds=220 gain=20""",
    ],
)
def test_what_a_lot_says(rows: str) -> None:
    LateWorld().play(rows)


@pytest.mark.req("000-65")
def test_a_late_fill_restates_lots() -> None:
    world = LateWorld().play("""
        fill   f2 buy  1 at 110 exec=+2s
        fill   f3 sell 1 at 120 exec=+3s
        fill   f1 buy  1 at 100 exec=+1s
        expect lot action=open lot_id=linear|BTCUSDT|0|f1 qty=1
        expect lot method=FIFO action=restated lot_id=linear|BTCUSDT|0|f2 qty=0 gain=0 revision=1
        expect lot method=FIFO action=close lot_id=linear|BTCUSDT|0|f1 gain=20 revision=1
        expect lot method=ACB action=restated gain=15 revision=1
    """)
    assert not [lot for lot in world.said("lot") if lot.method in ("LIFO", "HIFO")]
    world.play("""
        fill   f2 buy  2 at 110 exec=+2s revision=1
        expect lot method=ALL action=restated qty=2 cost=220 revision=1
    """)


def test_what_was_held_before_is_one_lot() -> None:
    LateWorld().play("""
        opening c1 BTCUSDT 2 at 100
        fill   f1 sell 1 at 110
        expect lot method=FIFO gain=10 lot_id=linear|BTCUSDT|0|c1
        fill   f2 sell 1 at 110
        expect lot method=LIFO gain=10
        table  book lots linear|BTCUSDT|0|0
    """)


def test_one_sale_of_many_lots() -> None:
    """What one fill took may be more than one entry names, and a late row gives it all back."""
    count = 2 * TAKES_MAX + 3
    world = LateWorld()
    for number in range(count):
        world.play(f"fill f{number} buy 1 at {100 + number * 7 % 50} exec=+{number + 1}s")
    world.play(f"fill s sell {count} at 200 exec=+900s")
    world.play("table book positions linear|BTCUSDT|0 qty=0")
    assert not list(world.entries().range("lots"))
    assert not list(world.entries().range("lots_heap"))
    assert len(list(world.entries().range("takes"))) == (3 * count + 1) // TAKES_MAX
    world.play("fill late buy 1 at 60 exec=+901s\nfill first sell 1 at 100 exec=+0s")
    open_lots = {
        m: sum(lot.qty_e18[i] for _, lot in world.entries().range("lots"))
        for i, m in enumerate(METHODS)
    }
    assert set(open_lots.values()) == {0}
    assert world.entries().get("positions", PLACE).qty_e18 == 0


class Methods:
    """The four methods in the plainest form: a list of lots, sorted at each sale."""

    def __init__(self) -> None:
        self.lots: dict[str, list[list]] = {method: [] for method in METHODS}
        self.gain = dict.fromkeys(METHODS, 0)
        self.held = 0

    def take(self, number: int, signed: int, value: int) -> None:
        size = abs(signed)
        if self.held * signed < 0:
            closed = min(size, abs(self.held))
            exit_ = value * closed // size
            for method in METHODS:
                self.close(method, closed, exit_, 1 if self.held > 0 else -1)
            size, value = size - closed, value - exit_
        self.held += signed
        if size:
            for method in METHODS:
                self.lots[method].append([number, size, value, Fraction(value, size)])

    def close(self, method: str, closed: int, exit_: int, sign: int) -> None:
        order = {
            "FIFO": lambda lot: lot[0],
            "LIFO": lambda lot: -lot[0],
            "HIFO": lambda lot: (-lot[3], lot[0]),
        }[method]
        for lot in sorted(self.lots[method], key=order):
            if not closed:
                break
            part = min(closed, lot[1])
            cost = lot[2] if part == lot[1] else mul_div_e18(lot[2], part, lot[1])
            out = exit_ if part == closed else mul_div_e18(exit_, part, closed)
            self.gain[method] += sign * (out - cost)
            closed, exit_ = closed - part, exit_ - out
            lot[1], lot[2] = lot[1] - part, lot[2] - cost
        self.lots[method] = [lot for lot in self.lots[method] if lot[1]]


_UNITS = st.integers(1, 20).map(lambda units: units * E18)
_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Buy", "Sell"]),
        _UNITS,
        _UNITS,
        st.just(0),
        st.just("Trade"),
        st.just("BTCUSDT"),
    ),
    max_size=40,
)


@pytest.mark.req("000-65")
@given(_ROWS)
@settings(max_examples=200, deadline=None)
def test_lots_equal_the_plain_form_and_four_totals_are_equal_once_flat(fills: list) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    held = sum(row.qty_e18 * (1 if row.side == "Buy" else -1) for row in rows)
    plain = Methods()
    for number, row in enumerate(rows):
        plain.take(
            number,
            row.qty_e18 * (1 if row.side == "Buy" else -1),
            row.qty_e18 * row.price_e18 // E18,
        )
    store, out = folded(rows)
    gains = totals(out)
    assert {method: gains[method] for method in METHODS} == plain.gain
    for index, method in enumerate(METHODS):
        kept = [lot for _, lot in Entries(store, ACCOUNT).range("lots") if lot.qty_e18[index]]
        assert sum(lot.qty_e18[index] for lot in kept) == abs(held)
        assert sorted((lot.qty_e18[index], lot.cost_e18[index]) for lot in kept) == sorted(
            (lot[1], lot[2]) for lot in plain.lots[method]
        )
    if held:
        side = "Sell" if held > 0 else "Buy"
        last = execution(len(rows), (side, abs(held), 7 * E18, 0, "Trade", "BTCUSDT"))
        store, out = folded([*rows, last])
        gains = totals(out)
    assert len({gains[method] for method in FOUR}) == 1
    left = {key.partition("|")[0] for key in store.entries}
    assert not left & {"lots", "lots_heap"}


@given(st.lists(st.integers(1, 9), min_size=HEAP_WIDTH, max_size=HEAP_WIDTH**2 + 5))
@settings(max_examples=50, deadline=None)
def test_the_dearest_goes_first(prices: list[int]) -> None:
    buys = [
        execution(n, ("Buy", E18, price * E18, 0, "Trade", "BTCUSDT"))
        for n, price in enumerate(prices)
    ]
    sales = [
        execution(len(prices) + n, ("Sell", E18, E18, 0, "Trade", "BTCUSDT"))
        for n in range(len(prices))
    ]
    _, out = folded(buys + sales)
    costs = [event.cost_e18 // E18 for event in events(out) if event.method == "HIFO"]
    assert costs == sorted(prices, reverse=True)


def folded(rows: list[HedgeExecution]) -> tuple[MemoryStore, list[Emit]]:
    store, out = MemoryStore(), []
    for offset, row in enumerate(rows):
        event = Event("hedge-executions", 0, offset, ACCOUNT, row, row.exec_time_ms, T0_MS)
        out += executions.step(Entries(store, ACCOUNT), event, NOTHING_IN_FORCE)
    return store, out


def events(out: list[Emit]) -> list[LotEvent]:
    return [item.value for item in out if item.topic == "treasury.tax-lots.v1"]


def totals(out: list[Emit]) -> dict[str, int]:
    """The gain of each method, from what is valid on the topic."""
    valid = {}
    for event in events(out):
        valid[event.method, event.lot_id, event.exec_id] = event.gain_e18 or 0
    return {method: sum(g for key, g in valid.items() if key[0] == method) for method in FOUR}
