"""Lives of a whole desk over the real steps, with a faulty venue, faulty clocks and restarts, and
the judge's own trial: each planted mistake is found. The whole is `python -m bench.simulation`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from bench.simulation.__main__ import promises, summary
from bench.simulation.bugs import BUGS, planted
from bench.simulation.world import live
from streams import saga

LIVES = 500
SEEDS_MAX = 1000
UNSEEN = {
    "ACKED disagreement",  # two rows of one call, or a row that comes after the venue's promise
    "ATTEMPTED disagreement",
    "READY late_row",
    "HELD deadline",  # rare: seen in a thousand lives
    "UNKNOWN exhausted",
    "READY impossible",
    "HELD revoked",
    "CONFIRMED returned",  # payments of a bank, which these lives have none of
    "READY accepted",
    "READY handed_over",
}


@pytest.mark.req("000-20")
def test_nothing_is_doubled_lost_or_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    total, edges, found = Counter[str](), Counter[str](), []
    for seed in range(LIVES):
        lived = live(seed)
        total += lived.counts
        edges += lived.edges
        found += [(seed, *fault) for fault in lived.faults]
    told = summary(total, edges)
    with capsys.disabled():
        words = ("intents", "calls", "ambiguous_pct", "crashes", "ends", "parked", "edges")
        print(f"\n{LIVES} lives: { ({word: told[word] for word in words}) }")
    assert found == []
    assert promises(Counter())["faults"] == 0
    assert told["ambiguous_pct"] >= 30
    assert {f"{state} {trigger}" for state, trigger in saga.TABLE} - edges.keys() <= UNSEEN


@pytest.mark.parametrize("name", sorted(BUGS))
def test_a_planted_bug_is_found(name: str) -> None:
    build = planted(name)
    for seed in range(SEEDS_MAX):
        kinds = {kind for kind, _ in live(seed, build).faults}
        if kinds & set(BUGS[name].kinds):
            return
    pytest.fail(f"{name} was not found in {SEEDS_MAX} lives")


def test_there_are_a_dozen_bugs_and_more() -> None:
    assert len(BUGS) >= 20


def test_a_life_is_the_same_each_time() -> None:
    for seed in range(20):
        first, second = live(seed), live(seed)
        assert (first.digest, first.counts) == (second.digest, second.counts)
