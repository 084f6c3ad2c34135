"""How state is written down: readable, the same bytes for the same value, back as it was."""

import json

import msgspec
import pytest

from tables.allocation import Allocating, Coordinates, Leg, Operation, Wallets
from tables.book import BOOK, PnlBook
from tables.gate import GATE
from tables.memory import MemoryStore
from tables.partition import ControlEntry, PartitionEntry
from tables.spec import PARTITION_KEY, TableSpec
from tables.state import State

HERE = Coordinates("treasury.account-snapshots.v1", 3, 7)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pnl_book|bybit:1|USDT", PnlBook(10**30, -(10**25), 3, -4, 5, 6, 7)),
        ("allocating|bybit:1", Allocating("d", "paused", 17, "weir-default@1")),
        (
            "operations|bybit:1|d",
            Operation("USDT", 9, 8, 7, (Leg("i", "REPAY", 10**21), Leg("j", "REPAY", 0))),
        ),
        ("wallets|bybit:1", Wallets(1, {"USDT": 10**24, "BTC": 0}, HERE)),
        (
            PARTITION_KEY,
            PartitionEntry("p", 2, "h", "{}", (ControlEntry("all", "ACTIVE", 1, "why"),)),
        ),
    ],
)
def test_an_entry_reads_back_as_it_was(key: str, value: msgspec.Struct) -> None:
    data = BOOK.dumps(key, value)
    assert BOOK.loads(key, data) == value
    assert BOOK.dumps(key, BOOK.loads(key, data)) == data


def test_units_are_text_because_browsers_round_large_numbers() -> None:
    written = json.loads(BOOK.dumps("pnl_book|bybit:1|USDT", PnlBook(realised_e18=10**21)))
    assert written["realised_e18"] == "1" + "0" * 21
    wallets = json.loads(BOOK.dumps("wallets|bybit:1", Wallets(5, {"USDT": 10**24}, HERE)))
    assert wallets["transferable_e18"] == {"USDT": "1" + "0" * 24}
    assert wallets["as_of_ms"] == 5


@pytest.mark.parametrize("table", [BOOK, GATE])
def test_a_part_that_is_not_declared_is_named(table: TableSpec) -> None:
    with pytest.raises(KeyError, match=f"table {table.name} declares no part 'nothing'"):
        table.loads("nothing|bybit:1", b"{}")


class Floating(State, frozen=True):
    """A state value that must not be."""

    price: float


class Many(State, frozen=True):
    """Lists and maps of plain values."""

    names: tuple[str, ...]
    counts: dict[str, int]


def test_binary_floats_are_no_state() -> None:
    table = TableSpec("wrong", {"prices": Floating})
    with pytest.raises(TypeError, match="field price"):
        table.dumps("prices|k", Floating(1.5))


def test_plain_lists_and_maps_stay_what_they_are() -> None:
    table = TableSpec("plain", {"many": Many})
    value = Many(("a", "b"), {"x": 1})
    assert table.dumps("many|k", value) == b'{"names":["a","b"],"counts":{"x":1}}'
    assert table.loads("many|k", table.dumps("many|k", value)) == value


class Older(State, frozen=True):
    """What an older program knows of an entry."""

    names: tuple[str, ...]


def test_a_field_that_is_not_known_is_never_dropped() -> None:
    newer = TableSpec("newer", {"many": Many}).dumps("many|k", Many(("a",), {"x": 1}))
    with pytest.raises(msgspec.ValidationError, match="counts"):
        TableSpec("older", {"many": Older}).loads("many|k", newer)


def test_a_field_that_is_missing_has_its_default() -> None:
    assert BOOK.loads("pnl_book|bybit:1|USDT", b'{"gross_e18":"7"}') == PnlBook(7)


class Loose(msgspec.Struct, frozen=True):
    """Frozen, but of another base."""

    name: str


def test_a_value_of_another_base_is_no_state() -> None:
    table = TableSpec("loose", {"many": Loose})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="Loose is no State"):
        table.dumps("many|k", Loose("a"))  # type: ignore[arg-type]


def test_the_entries_in_memory_are_ordered_by_key() -> None:
    store = MemoryStore()
    for rest in ("2", "10", "1"):
        store.put(f"a|k|{rest}", rest)
    store.put("b|k|1", "other")
    store.delete("a|k|2")
    store.delete("a|k|2")
    assert list(store.range("a|k|")) == [("a|k|1", "1"), ("a|k|10", "10")]
    assert store.get("b|k|1") == "other"
