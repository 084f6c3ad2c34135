"""Records that are gone from the middle of a topic: an error where they were folded, else told."""

from __future__ import annotations

import pytest

from agents.wiring import ORDER_TOPIC
from schemas.records import MergeRun, Run
from tests.weir.backtest.lists import WIRE, ListLog
from tests.weir.backtest.past import ACCOUNT, Past
from weir.backtest import find, run
from weir.backtest.sources import EXECUTIONS, LOANS
from weir.errors import WeirError
from weir.replay.log import At

TRADES = 9


def traded() -> tuple[ListLog, At]:
    """Nine executions at offsets 0 to 8, and where they lie."""
    past = Past().play("loan debt=46000 collateral=100000\nwallet 50000\n" + "earns 10\n" * TRADES)
    return past.log, next(at for at in past.log.records if at[0] == EXECUTIONS)


def folded(log: ListLog, at: At, *ends: tuple[int, int]) -> None:
    """The merge order: the book took these runs, each in a transaction of its own."""
    for first, stop in ends:
        runs = (Run(at[0], first, stop), Run("@tick", 5, 5))
        order = MergeRun("book", at[1], 0, "weir-default@1", "", "", runs, "")
        log.put(ORDER_TOPIC, order, ACCOUNT)


def without(log: ListLog, at: At, *offsets: int) -> ListLog:
    log.records[at] = [one for one in log.records[at] if one.offset not in offsets]
    return log


def told(log: ListLog) -> list[str]:
    course = run(log, WIRE, find("seed-v1", log, WIRE))
    return [sentence for sentence in course.assumptions if "lacks records" in sentence]


@pytest.mark.parametrize(
    ("ends", "gone", "said"),
    [
        (((0, 9),), (0,), "@0 was folded and is gone: the log is cut"),
        (((0, 4), (4, 9)), (4,), "@4 was folded and is gone: the log is cut"),  # begins a run
        (((0, 4), (4, 9)), (3,), "@3 was folded and is gone: the log is cut"),  # ends one
        (((0, 4), (4, 9)), (3, 4, 5), "@3 was folded and is gone: the log is cut"),
        (((0, 1), (1, 2), (2, 9)), (1,), "@1 was folded and is gone: the log is cut"),
        (((0, 9),), (8,), " ends before offset 8, which was folded"),
    ],
)
def test_what_was_folded_and_is_gone(
    ends: tuple[tuple[int, int], ...], gone: tuple[int, ...], said: str
) -> None:
    log, at = traded()
    folded(log, at, *ends)
    assert told(log) == []
    with pytest.raises(WeirError) as raised:
        run(without(log, at, *gone), WIRE, find("seed-v1", log, WIRE))
    assert str(raised.value) == f"{at[0]}[{at[1]}]{said}"


def test_offsets_that_nobody_speaks_of_are_told() -> None:
    """Markers of transactions take offsets as well: without a merge order nothing tells them
    from records.
    """
    log, at = traded()
    assert told(log) == []
    (sentence,) = told(without(log, at, 2, 3, 6))
    assert sentence.startswith(f"{EXECUTIONS}[{at[1]}] lacks records at 2..3, 6: markers of a")
    folded(log, at, (0, 2), (4, 6), (7, 9))
    assert told(log) == [sentence], "what the book took is whole"


def test_what_retention_took_from_the_beginning_of_a_poll_is_no_gap() -> None:
    """A loan state that is older than its topic reaches is not needed."""
    past = Past().play("loan debt=46000 collateral=100000\n" * 3 + "wallet 50000\nearns 10")
    at = next(at for at in past.log.records if at[0] == LOANS)
    folded(past.log, at, (0, 1), (1, 3))
    without(past.log, at, 0).lows[at] = 1
    assert told(past.log) == []
    with pytest.raises(WeirError, match="@1 was folded and is gone"):
        run(without(past.log, at, 1), WIRE, find("seed-v1", past.log, WIRE))
