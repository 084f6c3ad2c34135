"""The table of a back-test behaves as any other: what is refused leaves nothing behind."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tables.memory import MemoryStore
from weir.backtest.table import Table

keys = st.sampled_from(["a|k", "a|k|1", "a|k|2", "a|kk|1", "b|k|1", "b|k|x|y", "@partition"])
writes = st.lists(st.tuples(keys, st.one_of(st.none(), st.integers())), max_size=12)
wakes = st.lists(st.tuples(st.sampled_from(["k", "k|x"]), st.one_of(st.none(), st.integers(0, 99))))


def all_of(store: Any) -> dict[str, list[tuple[str, Any]]]:
    return {prefix: list(store.range(prefix)) for prefix in ("a|k|", "a|", "b|k|", "@due|")}


def write(store: Any, changes: list[tuple[str, int | None]]) -> None:
    for key, value in changes:
        if value is None:
            store.delete(key)
        else:
            store.put(key, value)


@given(writes, writes, wakes, wakes)
def test_what_is_taken_back_was_never_there(
    first: list[tuple[str, int | None]],
    second: list[tuple[str, int | None]],
    pending: list[tuple[str, int | None]],
    refused: list[tuple[str, int | None]],
) -> None:
    table, plain = Table(), MemoryStore()
    write(table, first)
    write(plain, first)
    for key, at_ms in pending:
        table.due.wake(key, at_ms)
    assert {name: all_of(table)[name] for name in ("a|k|", "a|", "b|k|")} == {
        name: all_of(plain)[name] for name in ("a|k|", "a|", "b|k|")
    }
    before, waiting = all_of(table), table.due.pending()
    table.begin()
    write(table, second)
    for key, at_ms in refused:
        table.due.wake(key, at_ms)
    table.take_back()
    assert (all_of(table), table.due.pending()) == (before, waiting)
    assert [table.get(key) for key, _ in first] == [plain.get(key) for key, _ in first]
