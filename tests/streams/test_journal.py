"""The journal: any order of arrival ends in one state, repeats change nothing, and its length costs
nothing.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.money import E18
from schemas.policy import Policy
from schemas.records import HedgeExecution
from streams import executions, journal
from streams.step import Entries, Event, InForce, Refused
from tables.journal import AFTER_EVERY
from tables.memory import MemoryStore
from tests.streams.desk_world import ACCOUNT, T0_MS
from tests.streams.late_world import LateWorld
from tests.streams.test_book_properties import execution
from tests.streams.test_lots import events, totals

PLACE = "linear|BTCUSDT|0"


def in_force(**pnl: int) -> InForce:
    return InForce(Policy.model_validate({"pnl": pnl}), "test@1", "", ())


@dataclass
class Book:
    """One account, fed row by row; it counts writes."""

    in_force: InForce = field(default_factory=in_force)
    store: MemoryStore = field(default_factory=MemoryStore)
    out: list[Any] = field(default_factory=list)
    offset: int = 0

    def take(self, row: HedgeExecution) -> list[Any]:
        self.offset += 1
        event = Event(
            "hedge-executions", 0, self.offset, ACCOUNT, row, row.exec_time_ms, T0_MS + 10**9
        )
        out = executions.step(Entries(self.store, ACCOUNT), event, self.in_force)
        self.out += out
        return out

    def entries(self) -> Entries:
        return Entries(self.store, ACCOUNT)

    def state(self) -> dict[str, Any]:
        """What must not depend on the order of arrival."""
        found: dict[str, Any] = {}
        for part in ("positions", "nth"):
            found |= {f"{part}|{rest}": value for rest, value in self.entries().range(part)}
        for rest, book in self.entries().range("pnl_book"):
            found[f"pnl_book|{rest}"] = replace(book, highest_e18=0)
        for rest, fill in self.entries().range("fills"):
            found[f"fills|{rest}"] = (fill.at, fill.gross_e18, fill.trade_view_e18)
        for rest, lot in self.entries().range("lots"):
            found[f"lots|{rest}"] = lot
        return found


_FILLS = st.lists(
    st.tuples(
        st.sampled_from(["Buy", "Sell"]),
        st.integers(1, 12).map(lambda units: units * E18),
        st.integers(1, 12).map(lambda units: units * E18 + 1),
        st.integers(-100, 100),
        st.sampled_from(["Trade", "Trade", "Trade", "Trade", "Funding"]),
        st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"]),
    ),
    max_size=25,
)


@pytest.mark.req("000-02", "000-03", "000-65")
@given(_FILLS, st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_order_of_arrival_ends_in_one_state(fills: list, chance: Any, ties: bool) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    if ties:
        rows = [replace(row, exec_time_ms=T0_MS + n // 3) for n, row in enumerate(rows)]
    in_order, shuffled = Book(), Book()
    for row in sorted(rows, key=journal.at):
        in_order.take(row)
    mixed = [*rows, *rows[:5]]
    chance.shuffle(mixed)
    for row in mixed:
        shuffled.take(row)
    assert shuffled.state() == in_order.state()
    assert totals(shuffled.out) == totals(in_order.out)
    assert valid(shuffled.out) == valid(in_order.out)
    assert latest(shuffled.out) == latest(in_order.out)
    assert trades(shuffled.out) == trades(in_order.out)


@given(_FILLS, st.randoms(use_true_random=False), st.data())
@settings(max_examples=75, deadline=None)
def test_corrected_rows_end_as_if_they_had_come_so(
    fills: list, chance: Any, data: st.DataObject
) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    corrections = [
        replace(row, revision=1, **change)
        for row in rows
        if (
            change := data.draw(
                st.sampled_from(
                    [
                        {},
                        {"price_e18": 5 * E18},
                        {"side": "Sell"},
                        {"symbol": "SOLUSDT"},
                        {"exec_time_ms": T0_MS + 7},
                    ]
                )
            )
        )
    ]
    final = {row.exec_id: row for row in [*rows, *corrections]}
    plain, corrected = Book(), Book()
    for row in sorted(final.values(), key=journal.at):
        plain.take(row)
    mixed = [*rows, *corrections]
    chance.shuffle(mixed)
    for row in mixed:
        corrected.take(row)
    wanted, found = plain.state(), corrected.state()
    for state in (wanted, found):
        for name in [name for name, value in state.items() if empty(value)]:
            del state[name]
    assert found == wanted
    assert totals(corrected.out) == totals(plain.out)
    assert latest(corrected.out) == latest(plain.out)


@given(_FILLS, st.integers(1, 8))
@settings(max_examples=75, deadline=None)
def test_a_short_journal_folds_the_same_and_knows_where_it_begins(fills: list, most: int) -> None:
    rows = [execution(number, fill) for number, fill in enumerate(fills)]
    whole, short = Book(), Book(in_force(journal_max=most))
    for row in rows:
        whole.take(row)
        short.take(row)
    kept = list(short.entries().range("nth"))
    assert short.entries().get("pnl_book", "USDT") == whole.entries().get("pnl_book", "USDT")
    for _, head in short.entries().range("journal"):
        assert head.next - head.first <= most
    assert len(list(short.entries().range("fills"))) == len(kept)
    for row in rows:
        symbol = f"linear|{row.symbol}|0"
        head = journal.head(short.entries(), symbol)
        before = dict(short.store.entries)
        if head.floor is not None and journal.at(row) <= head.floor:
            with pytest.raises(Refused, match="late"):
                short.take(row)
            assert short.store.entries == before
        else:
            assert short.take(row) == []


def test_a_journal_over_its_length_lets_the_oldest_go() -> None:
    LateWorld().play("""
        policy  pnl.journal_max=3
        fill    f1 buy 1 at 100 exec=+1s
        fill    f2 buy 1 at 110 exec=+2s
        fill    f3 buy 1 at 120 exec=+3s
        fill    f4 buy 1 at 130 exec=+4s
        table   book journal linear|BTCUSDT|0 first=1 next=4
        table   book fills linear|f1
        table   book nth linear|BTCUSDT|0|0
        refused late exec_time fill f1 buy 1 at 100 exec=+1s
        refused late exec_time fill f0 buy 1 at 100 exec=+0s
        fill    f1b sell 1 at 105 exec=+1500ms
        expect  pnl exec_id=f1b gross_pnl=5
        table   book positions linear|BTCUSDT|0 qty=3 cost=360
    """)


def test_what_is_older_than_the_horizon_goes_two_at_a_time() -> None:
    book = Book(in_force(late_horizon_s=100))
    for number in range(50):
        book.take(execution(number, ("Buy", E18, E18, 0, "Trade", "BTCUSDT")))
    first = execution(50, ("Buy", E18, E18, 0, "Trade", "BTCUSDT"))
    book.take(replace(first, exec_time_ms=T0_MS + 200_000))
    assert journal.head(book.entries(), PLACE).first == journal.LET_GO_MAX
    for number in range(51, 51 + 24):
        row = execution(number, ("Buy", E18, E18, 0, "Trade", "BTCUSDT"))
        book.take(replace(row, exec_time_ms=T0_MS + 200_000 + number))
    assert journal.head(book.entries(), PLACE).first == 50


class Counting(MemoryStore):
    """Counts what a step asks of its entries, and allows no search."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def get(self, key: str) -> Any:
        self.calls += 1
        return super().get(key)

    def put(self, key: str, value: Any) -> None:
        self.calls += 1
        super().put(key, value)

    def delete(self, key: str) -> None:
        self.calls += 1
        super().delete(key)

    def range(self, prefix: str) -> Any:
        raise AssertionError(f"a fill searches {prefix}")


def test_a_fill_costs_the_same_at_any_length() -> None:
    book = Book(in_force(journal_max=1000), Counting())
    costs = []
    for number in range(3000):
        side = ("Buy", "Sell")[number % 2]
        row = execution(number, (side, E18, (number % 97 + 1) * E18, 0, "Trade", "BTCUSDT"))
        before = book.store.calls
        book.take(row)
        costs.append(book.store.calls - before)
    assert max(costs[2000:]) <= max(costs[:50]) + 2 + 2 * (2 + 2)
    assert len(book.store.entries) < 2 * 1000 + 20


def test_a_late_fill_costs_as_much_as_what_follows_it() -> None:
    book = Book(in_force(), Counting())
    for number in range(2000):
        row = execution(number, ("Buy", E18, E18, 0, "Trade", "BTCUSDT"))
        book.take(replace(row, exec_time_ms=T0_MS + 10 * number))
    before = book.store.calls
    row = execution(9999, ("Buy", E18, E18, 0, "Trade", "BTCUSDT"))
    book.take(replace(row, exec_time_ms=T0_MS + 10 * 1990 + 5))
    assert book.store.calls - before < 40 + 2 * AFTER_EVERY + 9 * 40


def latest(out: list[Any]) -> dict[str, Any]:
    """What the last record of each execution says, but for the totals of its moment."""
    apart = {"meta", "realised_total_e18", "available_e18", "shortfall_e18", "hwm_e18", "revision"}
    found = {}
    for item in out:
        if item.topic == "treasury.pnl.v1":
            names = item.value.__struct_fields__
            found[item.value.exec_id] = {
                name: getattr(item.value, name)
                for name in names
                if name not in apart and not name.startswith("delta_")
            }
    return found


def valid(out: list[Any]) -> dict[tuple[str, ...], Any]:
    """The lot events that are valid, without the voided ones."""
    found = {}
    for event in events(out):
        key = (event.method, event.lot_id, event.exec_id)
        found[key] = (event.qty_e18, event.cost_e18, event.gain_e18, event.opened_at_ms)
    return {key: numbers for key, numbers in found.items() if numbers[0]}


def trades(out: list[Any]) -> dict[str, Any]:
    """The trades as last told, without the voided ones."""
    found = {}
    for item in out:
        if item.topic == "treasury.trades.v1":
            trade = item.value
            found[trade.id] = (
                trade.status,
                trade.quantity_e18 if trade.status == "CLOSED" else None,
                trade.realized_pnl_e18,
                trade.fee_paid_e18 if trade.status == "CLOSED" else None,
            )
    return {key: told for key, told in found.items() if told[1] != 0}


def empty(value: Any) -> bool:
    """A position that no row speaks of any more."""
    return getattr(value, "qty_e18", 1) == 0 and getattr(value, "realised_e18", 1) == 0
