"""What the recorded policy did itself is taken out of the record, whenever that shows it: nothing
flows then, and no policy is told to have done what another one did.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.money import E18, parse_e18
from tests.weir.backtest.past import Past
from weir.backtest import Course

RULES = ("seed-v1", "seed-v1-narrative", "opt-v1")
BEFORE, AFTER = (
    f"loan {debt} collateral=100000\n"
    for debt in ("debt=46000 interest=12.3456789", "debt=45512.3456789")
)
MORNING = """
    loan   debt=46000 interest=12.3456789 collateral=100000
    wallet 50000
    earns  10000
    at +60s
    """
ENDS = f"""
    at +10s
    wallet 49500
    {AFTER}
    """


def course(text: str, rule: str, **changes: Any) -> Course:
    """What the rows come to under a rule."""
    return Past(**changes).play(text + f"\nruns A {rule}").courses["A"]


def money(one: Course) -> tuple[int, ...]:
    """What a policy answers for."""
    (total,) = one.totals
    return (
        total.repaid_e18,
        total.added_e18,
        total.interest_e18,
        total.flows_e18,
        total.debt_end_e18,
    )


@pytest.mark.req("E-4")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("early", "between", "late"),
    [
        (BEFORE, BEFORE, AFTER),
        (BEFORE, AFTER, AFTER),
        (AFTER, AFTER, AFTER),  # a poll that began before the call read the debt after it
        (BEFORE, BEFORE, BEFORE),  # the venue books it later than it says
    ],
)
def test_a_repayment_flows_nowhere_whenever_it_is_seen(
    early: str, between: str, late: str, rule: str
) -> None:
    """500 of which 12.3456789 are interest, which the policy under test has paid already."""
    text = f"""{MORNING}
        intent i1 REPAY 500
        called i1 transfer 500
        answered i1 transfer done
        {early}
        called i1 main 500
        at +1s
        {between}
        answered i1 main done
        {late}
        {ENDS}"""
    plain = MORNING + BEFORE + "at +1s\n" + BEFORE + BEFORE + "at +10s\nwallet 50000\n" + BEFORE
    assert money(course(text, rule)) == money(course(plain, rule))
    assert money(course(text, rule))[3] == 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("op", ["REPAY", "ADD_COLLATERAL"])
def test_what_ended_without_effect_is_looked_for_no_more(op: str, rule: str) -> None:
    """A first call was refused, the second one asks for less: only that is taken out."""
    after = {"REPAY": AFTER, "ADD_COLLATERAL": BEFORE.strip() + " usdt=500\n"}[op]
    text = f"""{MORNING}
        intent i1 {op} 800
        called i1 main 800
        answered i1 main refused
        intent i2 {op} 900
        called i2 main 900
        at +5s
        {BEFORE}
        called i2 main 500
        {after}
        answered i2 main done
        at +10s
        {after}
        """
    plain = MORNING + "at +5s\n" + BEFORE + "at +10s\n" + BEFORE
    assert money(course(text, rule)) == money(course(plain, rule))


@pytest.mark.req("000-72", "E-4")
@pytest.mark.parametrize("said", ["main done 1", "main refused"])
def test_an_answer_that_nobody_believed_tells_of_nothing(said: str) -> None:
    text = f"""{MORNING}
        intent i1 REPAY 500
        called i1 transfer 500
        answered i1 transfer done
        {BEFORE}
        called i1 main 500
        %s
        at +1s
        answered i1 main done
        {AFTER}
        {ENDS}"""
    forged = money(course(text % f"forged i1 {said}", "opt-v1"))
    assert forged == money(course(text % "at +1ms", "opt-v1"))


def test_what_the_recorded_policy_had_on_its_way_is_there_to_be_spent() -> None:
    """Its transfer is in the snapshot before the answer is found, its repayment in neither."""
    (total,) = course(
        """
        loan   debt=46000 collateral=100000
        wallet 10000
        at +1s
        intent i1 REPAY 9000
        called i1 transfer 9000
        at +1s
        wallet 1000 fund=9000
        earns  10000
        at +30s
        wallet 1000 fund=9000
        answered i1 transfer done
        called i1 main 9000
        wallet 1000
        answered i1 main refused
        at +10s
        wallet 1000 fund=9000
        """,
        "opt-v1",
    ).totals
    assert (total.repaid_e18, total.refused, total.flows_e18) == (9500 * E18, 0, 0)
    assert total.net_last_e18 == (10000 + 100000 - 46000) * E18


@pytest.mark.parametrize("rule", RULES)
def test_a_repayment_that_came_back_and_one_that_was_made_in_part(rule: str) -> None:
    """The first was refused and its money returned; of 900 the venue took 500."""
    text = f"""{MORNING}
        intent i1 REPAY 700
        called i1 transfer 700
        answered i1 transfer done
        called i1 main 700
        wallet 49300 fund=700
        answered i1 main refused
        called i1 return 700
        answered i1 return done
        wallet 50000
        intent i2 REPAY 900
        called i2 transfer 900
        answered i2 transfer done
        called i2 main 900
        {AFTER}
        answered i2 main done 500
        at +10s
        wallet 49100 fund=400
        {AFTER}
        """
    plain = MORNING + BEFORE + "at +10s\nwallet 50000\n" + BEFORE
    ours, theirs = course(text, rule), course(plain, rule)
    assert money(ours) == money(theirs)
    assert ours.totals[0].net_last_e18 == theirs.totals[0].net_last_e18


@pytest.mark.parametrize("rule", RULES)
def test_a_state_that_is_not_newer_says_nothing(rule: str) -> None:
    """A poll that was written late, or a second time: the book does not apply it either."""
    text = f"""{MORNING}
        intent i1 REPAY 500
        called i1 main 500
        {AFTER}
        answered i1 main done
        loan debt=46000 interest=12.3456789 collateral=100000 late=5s
        wallet 50000 late=5s
        {ENDS}"""
    plain = MORNING + BEFORE + "at +10s\nwallet 50000\n" + BEFORE
    assert money(course(text, rule)) == money(course(plain, rule))


@pytest.mark.parametrize("rule", RULES)
def test_interest_that_became_principal_is_no_flow(rule: str) -> None:
    """The venue states the same debt in other parts."""
    (total,) = course(
        MORNING + "loan debt=46012.3456789 collateral=100000\nat +10s\nwallet 50000", rule
    ).totals
    assert total.flows_e18 == 0
    assert total.debt_end_e18 == parse_e18("46012.3456789") - total.repaid_e18


def test_interest_of_the_venues_own_minute_is_no_flow_when_it_is_repaid_with() -> None:
    """0.46 that we expect at the full hour are charged at half past; 900 are repaid between."""
    (total,) = course(
        """
        at +30m
        loan   debt=46000 interest=1 collateral=100000
        wallet 50000
        at +45m
        intent i1 REPAY 900
        called i1 main 900
        loan   debt=45101 collateral=100000
        answered i1 main done
        at +30m
        loan   debt=45101 interest=0.45101 collateral=100000
        """,
        "seed-v1",
    ).totals
    assert (total.flows_e18, total.repaid_e18) == (0, 0)
    assert total.interest_e18 == total.debt_end_e18 - 46001 * E18


@pytest.mark.parametrize("rule", RULES)
def test_what_a_person_repaid_is_a_flow_and_no_more_than_is_owed(rule: str) -> None:
    """By hand, of which the recorded loan took 12.3456789 as interest: 500 under every policy."""
    (total,) = course(MORNING + AFTER + "at +10s\nwallet 50000", rule).totals
    assert total.flows_e18 == -500 * E18
    repaid_all = MORNING + "loan debt=0 collateral=100000\nat +10s\nwallet 50000"
    (total,) = course(repaid_all, rule).totals
    assert total.flows_e18 == total.repaid_e18 - parse_e18("46012.3456789")
    assert total.debt_end_e18 == 0


steps = st.lists(
    st.tuples(
        st.sampled_from(("REPAY", "ADD_COLLATERAL")),
        st.integers(1, 900),
        st.integers(-1_500, 1_500),
        st.integers(1, 4_000),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@example([("REPAY", 500, -900, 10)], "opt-v1")
@given(steps, st.sampled_from(RULES))
def test_nothing_flows_however_polls_and_answers_lie(
    happened: list[tuple[str, int, int, int]], rule: str
) -> None:
    """Each operation is seen by polls from some time before or after its call on, and its answer
    comes when it has been seen, or later. No policy is richer than the other by it.
    """
    rows, at_ms, repaid, pledged = [], 0, 0, 0
    polls: list[tuple[int, int, int]] = [(0, 0, 0)]
    for number, (op, amount, seen_ms, answered_ms) in enumerate(happened):
        at_ms += 8_000
        done_ms = max(0, seen_ms) + answered_ms
        rows.append((at_ms - 2_000, f"intent i{number} {op} {amount}"))
        rows.append((at_ms, f"called i{number} main {amount}"))
        rows.append((at_ms + done_ms, f"answered i{number} main done"))
        repaid, pledged = (
            repaid + amount * (op == "REPAY"),
            pledged + amount * (op != "REPAY"),
        )
        polls.append((at_ms + seen_ms, repaid, pledged))
    for poll_ms in range(500, at_ms + 8_000, 1_000):
        _, less, more = max(one for one in polls if one[0] <= poll_ms)
        debt = f"debt={46_000 - max(0, less - 12)}" + (" interest=12" if not less else "")
        if 0 < less < 12:
            debt = f"debt=46000 interest={12 - less}"
        rows.append((poll_ms, f"loan {debt} collateral=100000 usdt={more}"))
    text, last_ms = (
        MORNING.replace("12.3456789", "12").replace("earns  10000", "earns  9999.1234567"),
        0,
    )
    for row_ms, row in sorted(rows):
        text += f"at +{row_ms - last_ms}ms\n{row}\n"
        last_ms = row_ms
    past = Past().play(f"{text}\nwallet 50000\nruns A {rule}\nruns B recorded")
    (ours,), (theirs,) = past.courses["A"].totals, past.courses["B"].totals
    assert ours.flows_e18 == theirs.flows_e18 == 0
    assert ours.net_last_e18 == theirs.net_last_e18, "within the hour no interest is saved"
