"""On random lives of an account at least 5 % of the highest profit are never allocated.

A few hundred lives in an ordinary run; `WEIR_PATHS=100000` for the long one.
"""

import os

import pytest

from tests.streams.paths import Life

PATHS = int(os.environ.get("WEIR_PATHS", "300"))
MOVES = 40


@pytest.mark.req("000-51", "000-04", "000-76")
def test_five_percent_are_kept_on_every_path() -> None:
    ends: set[str] = set()
    restated = splits = 0
    for seed in range(PATHS):
        life = Life(seed).run(MOVES)
        for _, operation in life.operations():
            ends |= {leg.state for leg in operation.legs}
            splits += len(operation.legs) == 2
        restated += sum(row.revision > 0 for row in life.rows)
    assert {"CONFIRMED", "REVERSED", "REFUSED", "REJECTED", "VOID", "EXPIRED", ""} <= ends
    assert splits > PATHS // 10
    assert restated > PATHS
