"""The store of replays against its definition: a dict whose keys are searched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tables.memory import OrderedStore

WORDS = st.sampled_from(["", "a", "b", "ab", "@due", "é", "\U0010ffff"])
KEYS = st.lists(WORDS, min_size=1, max_size=4).map("|".join)


@given(st.lists(st.tuples(st.sampled_from(["put", "delete"]), KEYS)), st.lists(KEYS))
def test_it_finds_what_a_search_finds(writes: list[tuple[str, str]], asked: list[str]) -> None:
    store, model = OrderedStore(), dict[str, int]()
    for number, (what, key) in enumerate(writes):
        if what == "put":
            store.put(key, number)
            model[key] = number
        else:
            store.delete(key)
            model.pop(key, None)
    for prefix in ["", *asked, *(f"{one}|" for one in asked), *model]:
        expected = sorted((key, value) for key, value in model.items() if key.startswith(prefix))
        assert list(store.range(prefix)) == expected
        assert store.get(prefix) == model.get(prefix)
