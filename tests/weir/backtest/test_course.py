"""The same past under another policy: what each repays, adds and keeps, and what follows."""

from __future__ import annotations

import pytest

from agents.standing import CONTROLS
from schemas.jsonform import parse_time
from schemas.records import Control
from streams.step import IMPORTED
from tests.weir.backtest.lists import WIRE, ListLog
from tests.weir.backtest.past import ACCOUNT, START, Past
from weir.backtest import Span, compare, find, run
from weir.errors import WeirError

BEGAN_MS = parse_time(START)
TWO_MORNINGS = """
    loan   debt=46000 collateral=100000        # above the high band
    wallet 50000
    earns  10000
    at +60s
    wallet 50000
    loan   debt=46000 collateral=100000
    earns  2000
    at +10m
    loan   debt=46000 collateral=100000
    """


@pytest.mark.req("E-4")
def test_what_is_repaid_first_changes_what_is_decided_next() -> None:
    """seed-v1 pledges at 0.46 and splits at 0.42; opt-v1 repays to its target, and then rests."""
    Past().play(
        TWO_MORNINGS
        + """
        runs A seed-v1
        decided A 1 action=add_collateral pledge=9500 ltv=0.46 reason=ltv_risk_reduction
        decided A 2 action=split repay=900 pledge=900 ltv=0.420091
        total   A repaid=900 added=10399.9999 debt_end=45100 orders=3  # no amount twice a day
        runs B opt-v1
        decided B 1 action=repay_principal repay=9500 ltv=0.46 reason=ltv_target
        decided B 2 action=repay_principal repay=1500 ltv=0.365
        total   B repaid=11000 added=0 debt_end=35000 ltv_last=0.35 ltv_max=0.46
        """
    )


@pytest.mark.req("E-4")
def test_a_comparison_is_two_runs() -> None:
    """Byte for byte; and each decision that differs stands beside the one it differs from."""
    past = Past().play(TWO_MORNINGS)
    left, right = (find(rule, past.log, WIRE) for rule in ("seed-v1", "opt-v1"))
    both = compare(past.log, WIRE, left, right)
    alone = run(past.log, WIRE, left), run(past.log, WIRE, right)
    assert (both.left.text(), both.right.text()) == (alone[0].text(), alone[1].text())
    first = both.pairs[0]
    assert first.left is not None
    assert first.right is not None
    assert (first.left.action, first.right.action) == ("add_collateral", "repay_principal")
    assert first.left.at_ms == first.right.at_ms == first.at_ms
    ours, theirs = alone[0].totals[0], alone[1].totals[0]
    assert both.difference[0].repaid_e18 == theirs.repaid_e18 - ours.repaid_e18
    same = compare(past.log, WIRE, left, left)
    assert not same.pairs
    assert not same.difference[0].repaid_e18


def test_interest_runs_on_what_is_still_owed() -> None:
    """Ten hours at 0.00001: 46,000 owe 4.6 more, 36,500 owe 3.65 more; interest is paid first."""
    hours = """
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        at +10h
        loan   debt=46000 interest=4.6 collateral=100000
        wallet 50000
        at +10s
        earns 1000
        at +60s
        wallet 50000
        """
    Past().play(hours + "runs A seed-v1\n total A interest=4.6 flows=0 debt_end=45554.6 repaid=450")
    Past().play(
        hours
        + """
        runs B opt-v1
        total B interest=3.65 flows=0
        decided B 2 action=repay_principal ltv=0.365036
        """
    )


def test_interest_follows_the_venues_own_minute() -> None:
    """The venue charges at half past: what we expected at the full hour is taken back and comes
    later, as much less as less is owed; none of it is a flow.
    """
    charged = [f"{hour * 46 / 100:.2f}" for hour in range(5)]
    said = "".join(
        f"at +1800s\n loan debt=46000 collateral=100000 interest={charged[hour]}\n"
        f"at +1800s\n loan debt=46000 collateral=100000 interest={charged[hour + 1]}\n"
        for hour in range(4)
    )
    Past().play(
        """
        at +30m
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        """
        + said
        + """
        runs A seed-v1
        total A repaid=0 interest=1.84 flows=0
        runs B opt-v1
        total B repaid=9500 interest=1.46 flows=0
        """
    )


def test_what_people_did_happens_under_every_policy() -> None:
    """A person borrows 5,000 and pledges for 20,000: a flow, beside what a policy repaid."""
    Past().play(
        """
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        at +60s
        loan   debt=51000 collateral=120000
        runs B opt-v1
        total B repaid=9500 flows=5000 debt_end=41500 ltv_last=0.345833
        """
    )


def test_what_the_recorded_policy_did_is_taken_out() -> None:
    """It repaid 9,000 itself; the policy under test pledges instead, and nothing flows."""
    text = """
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        intent i1 REPAY 9000
        called i1 transfer 9000
        answered i1 transfer done
        at +1s
        {first}
        called i1 main 9000
        at +1s
        {second}
        answered i1 main done
        at +10s
        wallet 41000
        loan   debt=37000 collateral=100000
        runs A seed-v1
        total A repaid=0 added=9500 flows=0 debt_end=46000 ltv_last=0.420091 net_last=104000
        """
    seen, unseen = "loan debt=37000 collateral=100000", "loan debt=46000 collateral=100000"
    for first, second in ((unseen, unseen), (unseen, seen), (seen, seen)):
        Past().play(text.format(first=first, second=second))


def test_the_recorded_policy_that_was_refused_moved_nothing() -> None:
    Past().play(
        """
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        intent i1 REPAY 9000
        called i1 main 9000
        answered i1 main refused
        at +10s
        loan   debt=46000 collateral=100000
        at +10s
        loan   debt=37000 collateral=100000    # people, later
        runs A seed-v1
        total A repaid=0 added=9500 flows=-9000 debt_end=37000
        """
    )


def test_a_span_begins_under_the_recorded_policy() -> None:
    """Until `from` the recorded policy decides, and nothing is counted; `to` ends it."""
    Past().play(
        TWO_MORNINGS
        + """
        runs A opt-v1 from=+30s
        total A debt_start=46000 repaid=1900 added=0
        decided A 1 action=repay_principal repay=1900 ltv=0.420091
        runs B opt-v1 to=+30s
        total B repaid=9500 orders=1
        decided B all 1
        """
    )


def test_a_pause_holds_under_every_policy() -> None:
    Past().play(
        """
        control PAUSED
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        at +10m
        earns  1
        runs A seed-v1
        decided A 1 action=hold reason=paused
        total   A orders=0 repaid=0
        """
    )


def test_a_log_that_was_imported_is_run_as_any_other() -> None:
    """Its first control keeps signatures away; nobody signs in a back-test."""
    log = ListLog()
    log.put(CONTROLS, Control(IMPORTED, "PAUSED", 0, "imported", (), (), BEGAN_MS))
    Past(log).play(f"{TWO_MORNINGS}\nruns A seed-v1\ndecided A 1 action=add_collateral")


def test_recorded_versions_one_after_the_other() -> None:
    past = Past().play(
        """
        loan   debt=46000 collateral=100000
        wallet 50000
        earns  10000
        at +60s
        policy allocation.rule=opt-v1
        at +1s
        wallet 50000
        loan   debt=46000 collateral=100000
        earns  2000
        runs A recorded
        decided A 1 rule=seed-v1 action=add_collateral
        decided A 2 rule=opt-v1  action=repay_principal
        runs B weir-default@1
        decided B 2 rule=seed-v1 action=split
        """
    )
    assert past.courses["A"].policy == "recorded"


def test_large_amounts_wait_for_nobody() -> None:
    """10,000 is above the threshold of approval: it is taken as approved, and that is said."""
    past = Past().play(TWO_MORNINGS + "runs A seed-v1")
    assert any("approved at once" in sentence for sentence in past.courses["A"].assumptions)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("weir-default@7", "weir-default@7 is not on orch_config_updates; there are: weir-defau"),
        ("no-such-file.yaml", "'no-such-file.yaml' is no policy: a YAML file, name@version, reco"),
    ],
)
def test_a_policy_that_is_not_there(said: str, why: str) -> None:
    with pytest.raises(WeirError, match=why.replace("?", r"\?")):
        find(said, Past().log, WIRE)


def test_what_cannot_be_whole_is_refused() -> None:
    past = Past().play(TWO_MORNINGS)
    seed = find("seed-v1", past.log, WIRE)
    with pytest.raises(WeirError, match="nothing is recorded from 20"):
        run(past.log, WIRE, seed, Span(from_ms=past.now_ms + 3_600_000))
    with pytest.raises(WeirError, match="there is nothing to run"):
        run(past.log, WIRE, seed, Span(to_ms=1))
    place = next(at for at in past.log.records if at[0] == "hedge-executions")
    past.log.lows[place] = 5
    with pytest.raises(WeirError, match=rf"hedge-executions\[{place[1]}\] begins at offset 5"):
        run(past.log, WIRE, seed)
    assert ACCOUNT in past.log.records[place][0].key.decode()
