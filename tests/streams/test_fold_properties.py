"""What must hold on every path of the fold, in every category, one-way or in legs: no unit is lost,
and nothing but the rows themselves matters.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.money import E18
from schemas.records import HedgeExecution
from streams.book import step
from streams.fills import FLAT, fold
from streams.step import NOTHING_IN_FORCE, Emit, Entries, Event
from streams.topology import BOOK
from tables.memory import MemoryStore
from tables.position import Position
from tests.streams.desk_world import ACCOUNT, T0_MS

SETTLE = {"linear": "USDT", "inverse": "BTC", "spot": "USDT"}
_amounts = st.one_of(
    st.integers(1, 10**9).map(lambda units: units * 10**9),
    st.sampled_from([E18, 2 * E18, E18 // 2]),
)
_prices = st.integers(10**8, 10**12).map(lambda units: units * 10**9)
_fills = st.lists(
    st.tuples(
        st.sampled_from(["Buy", "Sell"]),
        _amounts,
        _prices,
        st.integers(-(10**8), 10**8),
        st.sampled_from(["Trade", "Trade", "Trade", "Funding", "AdlTrade", "Settle"]),
        st.booleans(),
    ),
    max_size=25,
)
_categories = st.sampled_from(["linear", "inverse", "spot"])


def execution(number: int, category: str, fill: tuple[Any, ...]) -> HedgeExecution:
    side, qty, price, fee, exec_type, in_base = fill
    base_fee = category == "spot" and in_base and exec_type != "Funding"
    return HedgeExecution(
        exec_id=f"e{number}",
        account_id=ACCOUNT,
        venue="bybit",
        kind="FILL",
        category=category,
        symbol="BTCUSD" if category == "inverse" else "BTCUSDT",
        side=side,
        exec_type=exec_type,
        qty_e18=qty,
        price_e18=price,
        fee_e18=fee,
        fee_ccy="BTC" if base_fee else SETTLE[category],
        settle_ccy=SETTLE[category],
        exec_time_ms=T0_MS + number,
        source="rest",
        closed_size_e18=0 if exec_type == "Settle" else None,
    )


def path(category: str, fills: list[tuple[Any, ...]]) -> list[HedgeExecution]:
    """The rows of a path; a settlement takes the size that is held then, and is dropped if flat."""
    rows, position = [], FLAT
    for number, fill in enumerate(fills):
        row = execution(number, category, fill)
        if row.exec_type == "Settle":
            held = position.qty_e18
            if held == 0:
                continue
            side = "Buy" if held > 0 else "Sell"
            row = replace(row, qty_e18=abs(held), side=side, fee_ccy=row.settle_ccy)
        position, _ = fold(position, row)
        rows.append(row)
    return rows


def worth(category: str, qty: Fraction, price: Fraction) -> Fraction:
    return qty / price if category == "inverse" else qty * price


def units(value: Fraction) -> Fraction:
    """Rounded to 18 places, half to even."""
    return Fraction(round(value * E18), E18)


class Reference:
    """The same fold from its definition, in fractions: what was paid, what came back, what is
    held."""

    def __init__(self, category: str) -> None:
        self.category = category
        self.qty = self.cost = self.realised = self.cash = Fraction(0)

    def take(self, row: HedgeExecution) -> None:
        qty, price = Fraction(row.qty_e18, E18), Fraction(row.price_e18, E18)
        fee, sign = Fraction(row.fee_e18, E18), 1 if row.side == "Buy" else -1
        if row.fee_ccy == row.settle_ccy:
            self.realised -= fee
            self.cash -= fee
            moved = sign * qty
        else:
            moved = sign * qty - fee
        if row.exec_type == "Funding":
            return
        value = units(worth(self.category, qty, price))
        if row.exec_type == "Settle":
            self.realise(self.cost, value)
            self.cost = value  # as if sold and bought back at that price: no cash moves
            return
        self.cash -= (1 if moved > 0 else -1) * self.way() * value
        self.move(moved, value, qty, price)

    def move(self, moved: Fraction, value: Fraction, qty: Fraction, price: Fraction) -> None:
        if self.qty * moved >= 0:
            self.qty, self.cost = self.qty + moved, self.cost + value
            return
        closed = min(abs(moved), abs(self.qty))
        whole = closed == abs(self.qty)
        released = self.cost if whole else units(self.cost * closed / abs(self.qty))
        out = value
        if closed < abs(moved):
            split = abs(moved) == qty
            out = units(
                worth(self.category, closed, price) if split else value * closed / abs(moved)
            )
        self.realise(released, out)
        self.cost = self.cost - released + (value - out)
        self.qty += moved

    def realise(self, entry: Fraction, out: Fraction) -> None:
        self.realised += self.direction() * self.way() * (out - entry)

    def direction(self) -> int:
        return 1 if self.qty > 0 else -1

    def way(self) -> int:
        """An inverse contract is bought with its value in coin: a rise of that value is a loss."""
        return -1 if self.category == "inverse" else 1


def fold_all(rows: list[HedgeExecution]) -> tuple[Position, int]:
    position, realised = FLAT, 0
    for row in rows:
        position, result = fold(position, row)
        realised += result.net_e18
    return position, realised


@pytest.mark.req("000-03", "000-04", "000-76", "003-33")
@given(_categories, _fills)
@settings(max_examples=250, deadline=None)
def test_the_fold_equals_one_in_fractions(category: str, fills: list) -> None:
    rows = path(category, fills)
    reference = Reference(category)
    for row in rows:
        reference.take(row)
    position, realised = fold_all(rows)
    assert Fraction(position.qty_e18, E18) == reference.qty
    assert Fraction(position.cost_e18, E18) == reference.cost
    assert Fraction(realised, E18) == reference.realised == Fraction(position.realised_e18, E18)


@pytest.mark.req("000-41")
@given(_categories, _fills, _prices)
@settings(max_examples=250, deadline=None)
def test_realised_and_unrealised_are_cash_and_what_is_held(
    category: str, fills: list, mark: int
) -> None:
    rows = path(category, fills)
    reference = Reference(category)
    for row in rows:
        reference.take(row)
    position, realised = fold_all(rows)
    side = (1 if position.qty_e18 > 0 else -1) * reference.way()
    value = worth(category, Fraction(abs(position.qty_e18), E18), Fraction(mark, E18))
    unrealised = side * (value - Fraction(position.cost_e18, E18))
    assert Fraction(realised, E18) + unrealised == reference.cash + side * value


@given(_categories, _fills)
@settings(max_examples=150, deadline=None)
def test_a_trade_earns_what_its_rows_do(category: str, fills: list) -> None:
    """When flat, the trade view and the cash view are one, and so are the trades' results."""
    rows = path(category, fills)
    _, out = drive(rows)
    position, realised = fold_all(rows)
    records = [emit.value for emit in out if emit.topic == "treasury.pnl.v1"]
    views = sum(record.trade_view_net_e18 for record in records)
    assert views - position.open_fees_e18 == realised
    trades = [emit.value for emit in out if emit.topic == "treasury.trades.v1"]
    closed = sum(trade.realized_pnl_e18 for trade in trades if trade.status == "CLOSED")
    paid = sum(trade.fee_paid_e18 for trade in trades if trade.status == "CLOSED")
    assert paid + position.fees_e18 == sum(record.fees_e18 for record in records)
    held = position.gross_e18 - position.fees_e18 - position.funding_e18
    while_flat = realised - closed - held
    flat, idle = FLAT, 0
    for row in rows:
        if row.exec_type == "Funding" and flat.qty_e18 == 0:
            idle -= row.fee_e18
        flat, _ = fold(flat, row)
    assert while_flat == idle
    assert [trade.status for trade in trades][::2] == ["OPEN"] * ((len(trades) + 1) // 2)
    assert len({trade.id for trade in trades}) == (len(trades) + 1) // 2


@given(_categories, _fills, st.data())
@settings(max_examples=100, deadline=None)
def test_a_fill_in_two_parts_is_the_same_position(
    category: str, fills: list, data: st.DataObject
) -> None:
    """Size is exact; cost and profit differ by what rounding once more can: units of 10^-18."""
    rows = [row for row in path(category, fills) if row.exec_type == "Trade"]
    halves = []
    for row in rows:
        first = row.qty_e18 * data.draw(st.integers(1, 9)) // 10
        part = row.fee_e18 * first // row.qty_e18
        if first == 0 or abs(row.fee_e18) > row.qty_e18 // 10:
            halves.append(row)
            continue
        halves.append(replace(row, qty_e18=first, fee_e18=part))
        rest = row.qty_e18 - first
        halves.append(
            replace(row, exec_id=f"{row.exec_id}b", qty_e18=rest, fee_e18=row.fee_e18 - part)
        )
    one, realised = fold_all(rows)
    two, in_parts = fold_all(halves)
    assert one.qty_e18 == two.qty_e18
    room = 2 * (len(halves) + 1) * (1 + max((row.price_e18 // E18 for row in rows), default=0))
    assert abs(one.cost_e18 - two.cost_e18) <= room
    assert abs(realised - in_parts) <= room


def drive(
    rows: list[HedgeExecution], store: MemoryStore | None = None, first: int = 0
) -> tuple[MemoryStore, list[Emit]]:
    """The whole step of the book over a store, from an offset."""
    store, out = store or MemoryStore(), []
    for offset, row in enumerate(rows, first):
        at_ms = row.exec_time_ms
        event = Event("hedge-executions", 0, offset, row.account_id, row, at_ms, at_ms)
        entries = Entries(store, row.account_id)
        out += [item for item in step(entries, event, NOTHING_IN_FORCE) if isinstance(item, Emit)]
    return store, out


@given(_categories, _fills, _fills, st.data())
@settings(max_examples=75, deadline=None)
def test_accounts_do_not_touch_each_other(
    category: str, mine: list, yours: list, data: st.DataObject
) -> None:
    """However two accounts' rows lie among each other, each comes out as if it were alone."""
    first = path(category, mine)
    second = [replace(row, account_id="bybit:2") for row in path("linear", yours)]
    mixed, left, right = [], list(first), list(second)
    while left or right:
        take_left = bool(left) and (not right or data.draw(st.booleans()))
        mixed.append(left.pop(0) if take_left else right.pop(0))
    store, _ = drive(mixed)
    alone = {**drive(first)[0].entries, **drive(second)[0].entries}
    assert store.entries == alone


@given(_categories, _fills, st.integers(0, 25))
@settings(max_examples=75, deadline=None)
def test_a_restart_anywhere_changes_nothing(category: str, fills: list, cut: int) -> None:
    """State written down as changelog bytes and read again gives the same outputs."""
    rows = path(category, fills)
    whole, out = drive(rows)
    store, before = drive(rows[:cut])
    copy = MemoryStore()
    for key, value in store.entries.items():
        copy.put(key, BOOK.table.loads(key, BOOK.table.dumps(key, value)))
    copy, after = drive(rows[cut:], copy, len(rows[:cut]))
    assert copy.entries == whole.entries
    plain = [(emit.topic, replace(emit.value, meta=None)) for emit in out]
    assert [(emit.topic, replace(emit.value, meta=None)) for emit in before + after] == plain
