"""The recorded day with its kills and lost answers under every rule: nothing flows, and net worth
differs by what the policies did and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bench.memory_log import MemoryLog
from schemas.records import AttemptRecord, LoanState
from schemas.topics import TOPICS
from tests.weir.backtest.lists import WIRE
from tests.weir.day import Day
from weir.backtest import Course, compare, find
from weir.backtest.rulings import RULES
from weir.backtest.sources import ATTEMPTS, LOANS
from weir.replay import KafkaLog

WORDS = ("recorded", *RULES)


@pytest.fixture(scope="module")
def log(day: Day) -> MemoryLog:
    """What the day left, once nothing is open any more."""
    day.settled()
    return MemoryLog.of(KafkaLog(day.rig.bootstrap), [topic.name for topic in TOPICS])


def torn(log: MemoryLog) -> MemoryLog:
    """The same where each poll that is the first to show a repayment began before its call, as a
    poll does whose second request came late.
    """
    calls: dict[str, list[int]] = {}
    for record in _all(log, ATTEMPTS):
        said: AttemptRecord = WIRE.decode(ATTEMPTS, record.value or b"")
        if (said.kind, said.leg) == ("ATTEMPT", "main"):
            account_id = (record.key or b"").decode().split("|")[1]
            calls.setdefault(account_id, []).append(record.timestamp_ms)
    made = MemoryLog(log._partitions, ())
    made.records.update(log.records)
    owed: dict[str, int] = {}
    for at in [at for at in log.records if at[0] == LOANS]:
        moved = []
        for record in log.records[at]:
            state: LoanState = WIRE.decode(LOANS, record.value or b"")
            now = state.principal_amount_e18 + state.accrued_interest_e18
            since = [
                called for called in calls.get(state.account_id, ()) if called < state.as_of_ms
            ]
            if since and now < owed.get(state.account_id, 0):
                at_ms = since[-1] - 1
                value = WIRE.encode(LOANS, replace(state, as_of_ms=at_ms))
                record = record._replace(value=value, timestamp_ms=at_ms)
            owed[state.account_id] = now
            moved.append(record)
        moved.sort(key=lambda one: one.timestamp_ms)
        made.records[at] = [one._replace(offset=n) for n, one in enumerate(moved)]
    return made


def _all(log: MemoryLog, topic: str) -> list[Any]:
    return [record for at in sorted(log.records) if at[0] == topic for record in log.records[at]]


@pytest.mark.req("E-4")
@pytest.mark.parametrize("change", [lambda log: log, torn], ids=["as it was", "polls torn"])
def test_the_day_under_every_rule(log: MemoryLog, change: Any) -> None:
    past = change(log)
    courses: dict[str, Course] = {}
    rulings = {word: find(word, past, WIRE) for word in WORDS}
    for left, right in (WORDS[:2], WORDS[2:]):
        both = compare(past, WIRE, rulings[left], rulings[right])
        courses |= {left: both.left, right: both.right}
    assert any(one.repaid_e18 for one in courses["opt-v1"].totals)
    for word, course in courses.items():
        for one in course.totals:
            assert one.flows_e18 == 0, (word, one.account_id)
            assert one.debt_end_e18 == one.debt_start_e18 + one.interest_e18 - one.repaid_e18
