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


@given(st.randoms(use_true_random=False), st.sampled_from([1, 40, 100]))
@settings(max_examples=20, deadline=None)
def test_a_short_journal_folds_the_same_and_knows_where_it_begins(chance: Any, most: int) -> None:
    rows = [
        execution(
            number,
            (
                chance.choice(["Buy", "Sell"]),
                chance.randrange(1, 9) * E18,
                E18,
                1,
                "Trade",
                chance.choice(["BTCUSDT", "ETHUSDT"]),
            ),
        )
        for number in range(300)
    ]
    whole, short = Book(), Book(in_force(journal_max=most))
    for row in rows:
        whole.take(row)
        short.take(row)
    kept = list(short.entries().range("nth"))
    assert short.entries().get("pnl_book", "USDT") == whole.entries().get("pnl_book", "USDT")
    for _, head in short.entries().range("journal"):
        assert head.next - head.first <= max(most, 2 * AFTER_EVERY)
        assert head.first > 0 or head.next <= max(most, 2 * AFTER_EVERY)
    assert len(list(short.entries().range("fills"))) == len(kept)
    for row in rows:
        head = journal.head(short.entries(), f"linear|{row.symbol}|0")
        before = dict(short.store.entries)
        if head.floor is not None and journal.at(row) <= head.floor:
            with pytest.raises(Refused, match="late"):
                short.take(row)
            assert short.store.entries == before
        else:
            assert short.take(row) == []


def buy(number: int, **change: Any) -> HedgeExecution:
    row = execution(number, ("Buy", E18, (100 + number) * E18, 0, "Trade", "BTCUSDT"))
    return replace(row, **change)


def test_a_journal_over_its_length_lets_the_oldest_go() -> None:
    book = Book(in_force(journal_max=AFTER_EVERY))
    for number in range(2 * AFTER_EVERY):
        book.take(buy(number, exec_time_ms=T0_MS + 10 * number))
    head = journal.head(book.entries(), PLACE)
    assert (head.first, head.next) == (AFTER_EVERY + 1, 2 * AFTER_EVERY)
    assert journal.find(book.entries(), "linear", f"e{AFTER_EVERY}") is None
    for ms in (0, 10 * AFTER_EVERY):
        with pytest.raises(Refused, match="the journal begins later"):
            book.take(buy(999, exec_time_ms=T0_MS + ms))
    late = buy(999, side="Sell", exec_time_ms=T0_MS + 10 * AFTER_EVERY + 5, price_e18=0 + E18)
    gross = book.take(late)[0].value.gross_pnl_e18
    first = [100 + number for number in range(AFTER_EVERY + 1)]
    assert gross == E18 - sum(first) * E18 // len(first)
    assert journal.head(book.entries(), PLACE).next == 2 * AFTER_EVERY + 1


def test_what_is_older_than_the_horizon_goes_a_part_at_a_time() -> None:
    book = Book(in_force(late_horizon_s=100))
    lengths = []
    for number in range(8 * AFTER_EVERY):
        ms = number if number < 4 * AFTER_EVERY else 200_000 + number
        book.take(buy(number, exec_time_ms=T0_MS + ms))
        head = journal.head(book.entries(), PLACE)
        lengths.append(head.next - head.first)
    assert max(lengths) == 5 * AFTER_EVERY - 1
    assert head.first == 3 * AFTER_EVERY + 1
    assert journal.head(book.entries(), PLACE).base.qty_e18 == head.first * E18


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
    for start in (1000, 2000):
        later = costs[start : start + 1000]
        assert sum(later) < 1.2 * sum(costs[:1000]) + 1000 * 5
        assert max(later) < max(costs[:100]) + 5 * journal.LET_GO_MAX
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
