"""A day that was really lived through, with kills, lost answers and a new policy in the middle: the
models explain every recorded change of a loan by what Weir itself did, and nothing flows.
"""

from __future__ import annotations

import json

from schemas.money import E18, parse_e18
from tests.weir.day import WORKED, Day
from tests.weir.rig import WIRE
from weir.backtest import compare, find
from weir.replay import KafkaLog


def test_a_recorded_day_under_another_policy(day: Day) -> None:
    """The recorded operations leave the record whole, so the other policy starts from what there
    would have been; the command's figures are those of two runs.
    """
    day.settled()
    log = KafkaLog(day.rig.bootstrap)
    both = compare(log, WIRE, None, find("opt-v1", log, WIRE))
    venue = [one for one in both.left.totals if one.account_id != WORKED]
    assert {one.account_id for one in venue} == set(day.sandbox.accounts)
    for course in (both.left, both.right):
        for one in course.totals:
            assert abs(one.flows_e18) < E18, "an hour's interest at most, which comes back"
            moved = one.interest_e18 - one.repaid_e18 + one.flows_e18
            assert one.debt_end_e18 == one.debt_start_e18 + moved
    assert sum(one.orders for one in venue) > 0
    done = day.rig.weir("policy", "diff", "recorded", "opt-v1", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    shown = [parse_e18(one["repaid"]) for one in said["right"]["totals"]]
    assert shown == [one.repaid_e18 for one in both.right.totals]
