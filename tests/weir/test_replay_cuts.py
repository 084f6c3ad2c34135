"""A run taken up again anywhere, by another process under another hash seed, goes on the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from bench.cuts import prove, taken, taken_up
from bench.recorded import recorded


@pytest.mark.req("003-45")
def test_from_random_places_the_run_goes_on_the_same_in_any_process(tmp_path: Path) -> None:
    """`python -m bench.cuts` does it from 1,000 places; WEIR_PYTHON_OTHER adds an interpreter."""
    found = prove(recorded(tmp_path, seed=3, turns=150, accounts=6), count=100, more=3, seed=7)
    assert found["ok"], found
    assert found["policies"] >= 4
    assert found["resumed"] > 290
    assert len(found["pythons"]) >= 2


def test_a_state_of_another_place_is_noticed(tmp_path: Path) -> None:
    log = recorded(tmp_path, turns=40, accounts=3)
    marks, cuts = taken(log, 6, 3, seed=1)
    shifted = [one._replace(states=before.states) for before, one in pairwise(cuts)]
    right, wrong = taken_up(log, cuts[1:], 3), taken_up(log, shifted, 3)
    assert right["transcript"] == wrong["transcript"]
    meant = {str(cut.place): marks[cut.place : cut.place + 3] for cut in cuts[1:]}
    assert right["marks"] == meant
    noticed = [place for place, each in meant.items() if wrong["marks"][place] != each]
    assert len(noticed) >= 3  # where nothing happened between, the state is the same
