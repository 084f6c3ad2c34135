"""What available profit is used for: every band, edge, reason and guard."""

import pytest

from tests.streams.desk_world import World

PROFIT = """
    fill a1 buy  1 at 10000
    fill a2 sell 1 at 18123.456789
"""
WIDE = "policy limits.loan.single_usd=100000 limits.loan.daily_usd=1000000"
HOUR_8, HOUR_7, HOUR_6 = "0.000009132420091324", "0.000008", "0.000006849315068493"


def decision(loan: str, expected: str, *more: str) -> World:
    """Profit of 8,123.456789 under a loan state, and the decision it must give."""
    rows = [WIDE, "wallet USDT 1000000", f"loan {loan}", *more, PROFIT, f"expect {expected}"]
    return World().play("\n".join(rows))


@pytest.mark.req("000-05", "000-19", "000-39", "000-48")
def test_high_loan_to_value_pledges() -> None:
    decision(
        "ltv=0.524344",
        "allocation action=add_collateral amount=7717.2839 reason=ltv_risk_reduction factor=0.95"
        " repay_amount=null collateral_amount=null rule=seed-v1 available=8123.456789",
    )


@pytest.mark.req("000-20", "000-68", "000-69")
def test_low_loan_to_value_repays_a_dear_loan() -> None:
    decision(
        f"ltv=0.30 rate={HOUR_8}",
        "allocation action=repay_principal amount=7311.1111 reason=interest_optimization",
        "policy allocation.collateral_yield.USDT=0.05",
    )


@pytest.mark.req("000-21")
def test_low_loan_to_value_pledges_when_the_loan_is_cheap() -> None:
    decision(
        f"ltv=0.30 rate={HOUR_6}",
        "allocation action=add_collateral amount=7311.1111 reason=yield_optimization",
        "policy allocation.collateral_yield.USDT=0.05",
    )


@pytest.mark.req("000-20")
def test_an_equal_spread_does_not_repay() -> None:
    """0.000008 an hour is 0.07008 a year: exactly 0.02 above a yield of 0.05008."""
    decision(
        f"ltv=0.30 rate={HOUR_7}",
        "allocation action=add_collateral loan_apr=0.07008 collateral_yield=0.05008",
        "policy allocation.collateral_yield.USDT=0.05008",
    )


@pytest.mark.req("000-22", "000-24")
@pytest.mark.parametrize("ltv", ["0.40", "0.45", "0.35"])
def test_the_middle_and_both_edges_split(ltv: str) -> None:
    world = decision(
        f"ltv={ltv}",
        "allocation action=split amount=null repay_amount=3655.5555 collateral_amount=3655.5555"
        " reason=balanced_allocation factor=0.9",
    )
    world.play("""
        expect proposal kind=REPAY asked=3655.5555 lane=bybit|bybit:12345678|USDT class=loan
        expect proposal kind=ADD_COLLATERAL asked=3655.5555 room=3655.55555505
    """)
    first, second = world.said("proposal")
    assert first.decision_id == second.decision_id
    assert first.intent_id != second.intent_id


@pytest.mark.req("000-23")
@pytest.mark.parametrize(
    ("ltv", "action"), [("0.450001", "add_collateral"), ("0.349999", "repay_principal")]
)
def test_one_unit_beyond_an_edge(ltv: str, action: str) -> None:
    decision(f"ltv={ltv} rate={HOUR_8}", f"allocation action={action}")


@pytest.mark.req("000-46")
def test_a_factor_of_the_policy_holds_from_its_place_on() -> None:
    decision(
        "ltv=0.524344",
        "allocation amount=7311.1111 factor=0.9",
        "policy allocation.f_high=0.90",
    )


@pytest.mark.req("000-17")
def test_the_other_action_is_always_shown() -> None:
    """45,000 against 100,000: repaying 10,000 gives 0.35, pledging it 0.409091."""
    World().play("""
        policy allocation.f_high=0.95 limits.loan.single_usd=50000
        wallet USDT 100000
        loan   ltv=0.4501 debt=45000 collateral=100000
        fill   a1 buy  1 at 1000
        fill   a2 sell 1 at 11526.315790
        expect allocation amount=10000 ltv_after_est=0.409090909090909091
        expect decision outcome=add_collateral node=book kind=DECISION
    """)
    world = decision("ltv=0.50 debt=48000 collateral=100000", "allocation action=add_collateral")
    (record,) = world.said("allocation")
    assert record.counterfactual.action == "repay_principal"
    assert record.counterfactual.ltv_after_e18 == 402827161000000000


def test_the_other_action_of_a_repayment_is_collateral() -> None:
    world = decision(f"ltv=0.30 rate={HOUR_8}", "allocation action=repay_principal")
    (record,) = world.said("allocation")
    assert record.counterfactual.action == "add_collateral"


def test_without_collateral_no_estimate_is_made() -> None:
    decision(
        f"ltv=0 rate={HOUR_8} collateral=0", "allocation action=repay_principal ltv_after_est=null"
    )


@pytest.mark.req("000-26", "000-47")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            f"loan ltv=0.30 rate={HOUR_8} debt=500.12345 interest=0.5",
            "allocation amount=500.6234 clipped=6810.4877101",
        ),
        ("wallet USDT 123.45678", "allocation amount=123.4567"),
        (
            "loan ltv=0.40 debt=100",
            "allocation action=split repay_amount=100 collateral_amount=3655.5555",
        ),
        (
            "loan ltv=0.40 debt=0",
            "allocation action=split repay_amount=0 collateral_amount=3655.5555",
        ),
        ("loan ltv=0.40\nwallet USDT 4000", "allocation collateral_amount=344.4445"),
        ("loan ltv=0.30 debt=0", "allocation action=hold reason=below_min amount=null"),
        (
            "loan ltv=0 debt=0 rate=0",
            "allocation action=add_collateral amount=7311.1111 reason=yield_optimization",
        ),
        ("wallet USDT 0", "allocation action=hold reason=below_min"),
        ("wallet BTC 5", "allocation action=hold reason=below_min"),
    ],
)
def test_parts_are_cut_to_debt_wallet_and_precision(rows: str, expected: str) -> None:
    World().play(f"""
        {WIDE}
        wallet USDT 1000000
        loan   ltv=0.50
        at     +1s
        {rows}
        {PROFIT}
        expect {expected}
    """)


def test_precision_is_the_account_s() -> None:
    settings = {"loan_precision": {"USDT": 2}, "collateral_precision": {"USDT": 0}}
    world = World(accounts=[{"account_id": "bybit:12345678", **settings}])
    world.play(f"""
        {WIDE}
        wallet USDT 1000000
        loan   ltv=0.40
        {PROFIT}
        expect allocation repay_amount=3655.55 collateral_amount=3655
        expect proposal kind=REPAY precision=2
        expect proposal kind=ADD_COLLATERAL precision=0
    """)


@pytest.mark.req("000-17", "000-27", "000-59")
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("control PAUSED", "paused"),
        ("control PAUSED scope=class:loan", "paused"),
        ("control PAUSED scope=account:bybit:12345678", "paused"),
        ("at +121s\nwallet USDT 1000000", "stale_loan"),
        ("policy guards.balance_age_max_s=60\nat +61s\nloan ltv=0.50", "stale_balance"),
        ("at +1s\nloan ltv=0.50 coin=USDC", "currency_mismatch"),
        ("at +1s\nloan ltv=0.50 col_res=1", "frozen"),
        ("at +1s\nloan ltv=0.50 col_res=-1", "frozen"),
    ],
)
def test_what_is_missing_old_or_stopped_holds(rows: str, reason: str) -> None:
    world = World().play(f"""
        {WIDE}
        wallet USDT 1000000
        loan   ltv=0.50
        {rows}
        {PROFIT}
        expect allocation action=hold reason={reason} amount=null factor=0 kept=0 clipped=0
        expect decision outcome={reason}
        expect no proposal
        table  book pnl_book USDT allocated=0 retained=0
    """)
    assert world.said("allocation")[0].counterfactual is None


def test_nothing_known_holds() -> None:
    World().play(f"{PROFIT}\nexpect allocation action=hold reason=stale_loan ltv=null")
    World().play(f"loan ltv=0.50\n{PROFIT}\nexpect allocation action=hold reason=stale_balance")


def test_a_policy_that_does_not_list_the_account_says_nothing_about_it() -> None:
    world = World(accounts=[{"account_id": "bybit:1"}])
    world.play(f"""
        wallet USDT 1000000
        loan   ltv=0.50
        {PROFIT}
        expect allocation action=hold reason=no_policy
    """)


def test_a_loan_that_takes_no_collateral_can_still_be_repaid() -> None:
    decision(f"ltv=0.30 rate={HOUR_8} col_res=1", "allocation action=repay_principal")


def test_reducing_lets_both_actions_pass() -> None:
    decision("ltv=0.40", "allocation action=split", "control REDUCING")


@pytest.mark.req("000-17")
def test_a_decision_names_its_loan_state_and_its_age() -> None:
    decision(
        "ltv=0.50 rate=0.00001",
        "allocation loan_age_ms=30000 loan_as_of_ms=1749600000000 loan_apr=0.0876 ltv=0.5",
        "at +30s",
    )


def test_a_proposal_ends_with_the_first_input_that_grows_old() -> None:
    world = decision("ltv=0.50", "proposal origin=book", "at +30s")
    (proposal,) = world.said("proposal")
    assert proposal.valid_until_ms == 1_749_600_120_000
    assert proposal.deadline_ms == 1_749_603_630_000
    assert proposal.maker == f"weir:weir-default@{world.version}"
