"""After an operation: did it do what it was for, and what became of the decision."""

import pytest

from schemas.money import parse_e18
from schemas.records import BookInput, Request
from tests.streams.loan_world import LoanWorld

OPEN = """
    policy  limits.loan.min_usd=100
    wallet  USDT 1000000
    owes    USDT 50000 interest=1 rate=0.00001
    pledged BTC  1 usd=100002
    pool    ltv={ltv}
    fill    a1 buy  1 at 1000
    fill    a2 sell 1 at 2000
    at      +5s
"""
HIGH, MIDDLE = OPEN.format(ltv="0.50"), OPEN.format(ltv="0.40")


@pytest.mark.req("000-01", "000-16", "000-28", "000-36")
def test_an_action_tells_what_became_of_a_decision() -> None:
    world = LoanWorld().play(f"""
        {HIGH}
        expect  no action
        outcome CONFIRMED done=949.9993 ltv_before=0.5 ltv_after=0.495292 ref=t1,1772
        expect  action action_type=add_collateral result=DONE ccy=USDT timestamp=1749600005000
        expect  no risk
    """)
    (action,) = world.said("action")
    assert action.amounts_e18 == {"ADD_COLLATERAL": parse_e18("949.9993")}
    assert action.transaction_ids == ("t1", "1772")
    before, after = action.loan_state_before, action.loan_state_after
    assert (before.ltv_ratio_e18, after.ltv_ratio_e18) == (parse_e18("0.5"), parse_e18("0.495292"))
    assert before.accrued_interest_e18 == parse_e18("1")
    assert before.principal_amount_e18 == parse_e18("50000")
    assert after.as_of_ms == 1749600005000
    assert [row.coin for row in after.collaterals] == ["BTC", "USDT"]
    assert action.decision_id == world.proposals[-1].decision_id


@pytest.mark.req("000-22", "000-36")
def test_of_a_split_one_part_may_fail_alone() -> None:
    world = LoanWorld().play(f"""
        {MIDDLE}
        outcome CONFIRMED part=REPAY ltv_before=0.5 ltv_after=0.4955 ref=1772
        expect  no action
        outcome REJECTED part=ADD_COLLATERAL reason=148006
        expect  action action_type=split result=PARTIAL
    """)
    (action,) = world.said("action")
    assert action.amounts_e18 == {"REPAY": parse_e18("450"), "ADD_COLLATERAL": 0}
    assert action.loan_state_after is not None


@pytest.mark.parametrize("state", ["REFUSED", "REJECTED", "VOID", "EXPIRED"])
def test_without_effect_it_failed_and_nothing_is_read(state: str) -> None:
    world = LoanWorld().play(f"""
        {HIGH}
        outcome {state}
        expect  action result=FAILED loan_state_after=null
    """)
    assert world.said("action")[0].transaction_ids == ()


def test_a_hold_is_no_action_and_a_repeat_no_second_one() -> None:
    LoanWorld().play(f"""
        control PAUSED
        {HIGH}
        expect  no action
        control ACTIVE
        tick    book
        outcome CONFIRMED
        expect  action loan_state_after=null
        again
        expect  nothing
        outcome REVERSED
        expect  nothing
    """)


@pytest.mark.req("000-17")
@pytest.mark.parametrize(
    ("part", "facts"),
    [
        ("ADD_COLLATERAL", "ltv_before=0.5 ltv_after=0.5"),
        ("ADD_COLLATERAL", "ltv_after=0.6"),
        ("ADD_COLLATERAL", "ltv_before=0.5"),
        # Prices fell meanwhile: the debt says that the repayment did what it was for.
        ("REPAY", "ltv_before=0.5 ltv_after=0.51 debt_before=50001 debt_after=49551"),
    ],
)
def test_what_kept_its_bounds_goes_on(part: str, facts: str) -> None:
    LoanWorld().play(f"""
        {HIGH if part == "ADD_COLLATERAL" else MIDDLE}
        outcome CONFIRMED part={part} {facts}
        expect  no risk
        table   book frozen
    """)


@pytest.mark.req("000-17")
@pytest.mark.parametrize(
    ("part", "facts"),
    [
        ("ADD_COLLATERAL", "ltv_before=0.5 ltv_after=0.500001"),
        ("REPAY", "ltv_before=0.5 ltv_after=0.500001"),
        ("REPAY", "ltv_before=0.5 ltv_after=0.500001 debt_before=50001 debt_after=50001"),
    ],
)
def test_a_higher_loan_to_value_freezes_the_account(part: str, facts: str) -> None:
    world = LoanWorld().play(f"""
        {HIGH if part == "ADD_COLLATERAL" else MIDDLE}
        outcome CONFIRMED part={part} {facts}
        expect  risk type=POST_CHECK_FAILED level=0.5 value=0.500001
        expect  alert key=post_check_failed|bybit:12345678 severity=critical state=firing
    """)
    (mark,) = world.book.get("frozen|bybit:12345678").marks
    assert mark == f"post_check_failed:{world.proposals[-1].decision_id}"


def test_a_frozen_account_holds_until_people_release_it() -> None:
    world = LoanWorld().play(f"""
        {HIGH}
        outcome CONFIRMED ltv_before=0.5 ltv_after=0.500001
        fill    b1 buy  1 at 1000
        fill    b2 sell 1 at 2000
        expect  allocation action=hold reason=frozen
        expect  no proposal
    """)
    request = Request("r1", "UNFREEZE", {}, ("ann",), "looked at it")
    world.to_book("treasury.book-inputs.v1", BookInput(body=request))
    world.play("""
        tick    book
        expect  allocation action=add_collateral
        outcome CONFIRMED ltv_before=0.5 ltv_after=0.49
        expect  alert key=post_check_failed|bybit:12345678 state=resolved
    """)


@pytest.mark.req("000-71")
@pytest.mark.parametrize(
    ("facts", "failed"),
    [
        ("ltv_before=0.4 ltv_after=0.35", False),
        ("ltv_before=0.4 ltv_after=0.349999", True),
        ("ltv_after=0.349999", True),
        ("ltv_before=0.34 ltv_after=0.33", False),  # prices had brought it there before
    ],
)
def test_the_optimum_never_goes_below_its_floor(facts: str, failed: bool) -> None:
    world = LoanWorld().play(f"""
        policy  allocation.rule=opt-v1
        wallet  USDT 1000000
        owes    USDT 40000 rate=0.00001
        pledged BTC 1 usd=100000
        pool    ltv=0.40
        fill    a1 buy  1 at 1000
        fill    a2 sell 1 at 2000
        expect  allocation action=repay_principal amount=950
        at      +5s
        outcome CONFIRMED {facts}
    """)
    assert bool(world.said("risk")) == failed
    if failed:
        world.play("expect risk level=0.35 value=0.349999")
