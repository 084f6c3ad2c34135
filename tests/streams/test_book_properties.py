"""What must hold on every path of the book: exact sums, no effect twice, profit used once."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18
from schemas.records import HedgeExecution
from streams import executions
from streams.available import available_e18
from streams.step import NOTHING_IN_FORCE, Entries, Event
from tables.memory import MemoryStore
from tests.streams.desk_world import ACCOUNT, T0_MS, World
from tests.table import Row

NANO = 10**9
_amounts = st.integers(1, 10**15).map(lambda units: units * NANO)
_fills = st.lists(
    st.tuples(
        st.sampled_from(["Buy", "Sell"]),
        st.one_of(_amounts, st.sampled_from([E18, 2 * E18, E18 // 2])),
        _amounts,
        st.integers(-(10**15), 10**15),
        st.sampled_from(["Trade", "Trade", "Trade", "Funding", "AdlTrade"]),
        st.sampled_from(["BTCUSDT", "ETHUSDT"]),
    ),
    max_size=30,
)


def execution(number: int, fill: tuple[str, int, int, int, str, str]) -> HedgeExecution:
    side, qty, price, fee, exec_type, symbol = fill
    return HedgeExecution(
        exec_id=f"e{number}",
        account_id=ACCOUNT,
        venue="bybit",
        kind="FILL",
        category="linear",
        symbol=symbol,
        side=side,
        exec_type=exec_type,
        qty_e18=qty,
        price_e18=price,
        fee_e18=fee,
        fee_ccy="USDT",
        settle_ccy="USDT",
        exec_time_ms=T0_MS + number,
        source="rest",
    )


def fold_all(rows: list[HedgeExecution]) -> tuple[MemoryStore, list[object]]:
    store, out = MemoryStore(), []
    for offset, row in enumerate(rows):
        event = Event("hedge-executions", 0, offset, ACCOUNT, row, row.exec_time_ms, T0_MS)
        out += executions.step(Entries(store, ACCOUNT), event, NOTHING_IN_FORCE)
    return store, out


class Reference:
    """The same profit from its definition, in fractions: what was sold less what it had cost."""

    def __init__(self) -> None:
        self.held: dict[str, Fraction] = {}
        self.cost: dict[str, Fraction] = {}
        self.realised = self.cash = Fraction(0)

    def take(self, row: HedgeExecution) -> None:
        self.realised -= Fraction(row.fee_e18, E18)
        self.cash -= Fraction(row.fee_e18, E18)
        if row.exec_type == "Funding":
            return
        sign = 1 if row.side == "Buy" else -1
        left, price = Fraction(row.qty_e18, E18), Fraction(row.price_e18, E18)
        self.cash -= sign * left * price
        held = self.held.get(row.symbol, Fraction(0))
        cost = self.cost.get(row.symbol, Fraction(0))
        if held * sign < 0:
            closed = min(left, abs(held))
            released = cost if closed == abs(held) else units(cost * closed / abs(held))
            self.realised += sign * (released - closed * price)
            held, cost, left = held + sign * closed, cost - released, left - closed
        self.held[row.symbol], self.cost[row.symbol] = held + sign * left, cost + left * price


def units(value: Fraction) -> Fraction:
    """Rounded to 18 places, half to even."""
    return Fraction(round(value * E18), E18)


@pytest.mark.req("000-03", "000-04", "000-76")
@given(_fills)
@settings(max_examples=150, deadline=None)
def test_profit_equals_a_fold_in_fractions_and_no_unit_is_lost(fills: list) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    store, _ = fold_all(rows)
    reference = Reference()
    for row in rows:
        reference.take(row)
    entries = Entries(store, ACCOUNT)
    book = entries.get("pnl_book", "USDT")
    if book is None:
        assert not rows
        return
    assert Fraction(book.realised_e18, E18) == reference.realised
    assert book.realised_e18 == book.gross_e18 - book.fees_e18 - book.funding_e18
    positions = dict(entries.range("positions"))
    for symbol, held in reference.held.items():
        position = positions[f"linear|{symbol}|0"]
        assert Fraction(position.qty_e18, E18) == held
        assert Fraction(position.cost_e18, E18) == reference.cost[symbol]
    at_cost = sum(
        position.cost_e18 if position.qty_e18 > 0 else -position.cost_e18
        for position in positions.values()
    )
    assert Fraction(book.realised_e18 - at_cost, E18) == reference.cash


@given(_fills)
@settings(max_examples=75, deadline=None)
def test_trade_view_and_cash_view_agree_but_for_fees_still_open(fills: list) -> None:
    store, out = fold_all([execution(number, fill) for number, fill in enumerate(fills)])
    records = [item.value for item in out if item.topic == "treasury.pnl.v1"]
    assert len(records) == len(fills)
    pools = sum(
        position.open_fees_e18 for _, position in Entries(store, ACCOUNT).range("positions")
    )
    trade_view = sum(record.trade_view_net_e18 for record in records)
    assert trade_view - pools == sum(record.net_pnl_e18 for record in records)


@pytest.mark.req("000-02")
@given(_fills, st.data())
@settings(max_examples=75, deadline=None)
def test_a_repeat_of_any_row_anywhere_changes_nothing(fills: list, data: st.DataObject) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    repeated = list(rows)
    for row in data.draw(st.lists(st.sampled_from(rows), max_size=10)) if rows else []:
        place = data.draw(st.integers(rows.index(row) + 1, len(repeated)))
        while repeated.index(row) >= place:
            place += 1
        repeated.insert(place, row)
    once, twice = fold_all(rows), fold_all(repeated)
    for store in (once[0], twice[0]):
        store.delete(f"repeats|{ACCOUNT}")
    assert once[0].entries == twice[0].entries
    assert [said(item) for item in once[1]] == [said(item) for item in twice[1]]


def said(item: object) -> tuple[str, dict]:
    """An output without the offset its input had."""
    value = item.value
    fields = {name: getattr(value, name) for name in value.__struct_fields__ if name != "meta"}
    return value.meta.event_id, fields


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("earn"), st.sampled_from([1_000_00, 2_500_01, 999_99, -300_00, 77])),
        st.tuples(st.sampled_from(["REFUSED", "REJECTED", "VOID", "REVERSED"]), st.just(0)),
        st.tuples(st.just("READY"), st.sampled_from([100, 99, 33])),
        st.tuples(st.just("CONFIRMED"), st.sampled_from([100, 100, 100, 50, 0])),
        st.tuples(st.just("CONFIRMED"), st.just(100)),
        st.tuples(st.just("ltv"), st.sampled_from(["0.30", "0.40", "0.50", "0.60"])),
        st.tuples(st.just("f"), st.sampled_from(["0.95", "0.95", "0.90", "0.333333333333333333"])),
        st.tuples(st.just("tick"), st.just(0)),
    ),
    min_size=10,
    max_size=50,
)


@pytest.mark.req("000-51")
@given(_steps)
@settings(max_examples=100, deadline=None)
def test_five_percent_of_the_highest_profit_are_never_allocated(steps: list) -> None:
    world = World()
    world.play("wallet USDT 100000000\nloan ltv=0.50")
    for number, (verb, value) in enumerate(steps):
        take(world, number, verb, value)
        book = world.book.get(f"pnl_book|{ACCOUNT}|USDT")
        if book is None:
            continue
        operations = [v for k, v in world.book.entries.items() if k.startswith("operations|")]
        claims = sum(leg.claim_e18 for operation in operations for leg in operation.legs)
        assert book.allocated_e18 == claims
        assert book.retained_e18 == sum(operation.kept_e18 for operation in operations)
        assert 100 * book.allocated_e18 <= 95 * book.highest_e18
        if world.said("proposal"):
            assert book.allocated_e18 + book.retained_e18 <= book.realised_e18
            assert available_e18(book) >= 0


def take(world: World, number: int, verb: str, value: object) -> None:
    """One step of a random path; outcomes go to any operation made so far."""
    world.now_ms += 1000
    if verb == "earn":
        close = 10_000_00 + int(value)
        world.fill(Row(0, "fill", (f"o{number}", "buy", "1", "at", "10000"), {}))
        world.fill(Row(0, "fill", (f"c{number}", "sell", "1", "at", cents(close)), {}))
    elif verb == "ltv":
        world.play(f"loan ltv={value}")
    elif verb == "f":
        world.play(f"policy allocation.f_high={value} allocation.f_low={value}")
    elif verb == "tick":
        world.play("tick book now")
    elif world.proposals:
        settle(world, number, verb, int(value))


def settle(world: World, number: int, state: str, percent: int) -> None:
    proposal = world.proposals[-1 - number % min(3, len(world.proposals))]
    operation = world.book.get(f"operations|{ACCOUNT}|{proposal.decision_id}")
    leg = next(leg for leg in operation.legs if leg.intent_id == proposal.intent_id)
    allowed = ("REVERSED",) if leg.state == "CONFIRMED" else ()
    if leg.final and state not in (*allowed, leg.state, "READY"):
        return
    if not leg.final and state == "REVERSED":
        return
    part = leg.claim_e18 * percent // 100 if not leg.final else leg.claim_e18
    fields = {"of": proposal.intent_id}
    fields["done" if state == "CONFIRMED" else "granted"] = f"{part}e-18"
    if part == 0 and state == "READY":
        return
    world.outcome(Row(0, "outcome", (state,), fields))


def cents(value: int) -> str:
    return f"{value // 100}.{value % 100:02d}"
