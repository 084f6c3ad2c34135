"""What is owed: published states, their bands, and what a confirmation read back."""

import pytest

from schemas.money import parse_e18
from schemas.records import Debt, LoanState
from streams.loan import band
from streams.step import NOTHING_IN_FORCE
from tests.streams.desk_world import ACCOUNT, T0_MS, World


@pytest.mark.req("000-37", "000-68")
def test_the_published_figures_are_kept() -> None:
    """Documented position: 9,355.37 + 282.80 owed, 18,381.41 after haircuts, shown as 0.524344."""
    World().play("""
        loan  ltv=0.524344 debt=9638.17 collateral=18381.41 rate=0.00001 col_res=0
        table book loans ltv_ratio=0.524344 debt_usd=9638.17 repayable=9638.17 band=high col_res=0
        table book loans hourly_rate=0.00001 collateral_usd=18381.41 coin=USDT
    """)


@pytest.mark.req("000-23", "000-37")
@pytest.mark.parametrize(
    "row",
    [
        "percent ltv_ratio loan ltv=52.4344",
        "percent ltv_ratio loan ltv=1.500001",
        "range ltv_ratio loan ltv=-0.1",
        "range hourly_rate loan ltv=0.5 rate=-0.1",
        "range total_debt_usd loan ltv=0.5 debt=-1",
        "range collateral_value loan ltv=0.5 collateral=-1",
    ],
)
def test_what_is_no_ratio_is_refused(row: str) -> None:
    world = World()
    world.play(f"refused {row}\ntable book loans")


def test_above_one_is_still_a_ratio() -> None:
    World().play("loan ltv=1.5\ntable book loans ltv_ratio=1.5")


def test_only_what_can_be_repaid_in_part_counts() -> None:
    world = World()

    def debt(coin: str, amount: str, fixed: bool) -> Debt:
        return Debt(coin, parse_e18(amount), parse_e18("0.5"), 0, 0, fixed)

    debts = (debt("USDT", "100", False), debt("USDT", "200", True), debt("USDC", "300", False))
    state = LoanState(
        account_id=ACCOUNT,
        loan_id="pool",
        coin="USDT",
        principal_amount_e18=parse_e18("300"),
        accrued_interest_e18=parse_e18("1"),
        interest_rate_e18=0,
        hourly_rate_e18=0,
        debts=debts,
        total_debt_usd_e18=parse_e18("601.5"),
        collateral_value_e18=parse_e18("1000"),
        ltv_ratio_e18=parse_e18("0.6015"),
        collaterals=(),
        as_of_ms=T0_MS,
    )
    world.to_book("treasury.loan-states.v1", state)
    world.play("table book loans repayable=100.5 debt_usd=601.5")


def test_without_a_policy_there_are_no_bands() -> None:
    assert band(parse_e18("0.9"), NOTHING_IN_FORCE) == ""


OPEN = """
    policy limits.loan.min_usd=100
    wallet USDT 1000000
    loan   ltv=0.50 debt=5000 collateral=10000
    fill   a1 buy  1 at 1000
    fill   a2 sell 1 at 2000
    at     +5s
"""


@pytest.mark.req("000-36")
def test_what_a_confirmation_read_back_is_newer_than_the_last_state() -> None:
    World().play(f"""
        {OPEN}
        outcome CONFIRMED ltv_after=0.456621 debt_after=5000.01
        table   book loans ltv_ratio=0.456621 repayable=5000.01 as_of={T0_MS + 5000}
        loan    ltv=0.50 as_of=+4s
        table   book loans ltv_ratio=0.456621
    """)


def test_a_confirmation_without_a_reading_changes_no_loan() -> None:
    World().play(f"""
        {OPEN}
        outcome CONFIRMED
        table   book loans ltv_ratio=0.50
    """)
    World().play(f"""
        {OPEN}
        outcome CONFIRMED ltv_after=0.45
        table   book loans ltv_ratio=0.45 repayable=5000
    """)


def test_a_reading_that_is_no_number_is_refused() -> None:
    World().play(f"""
        {OPEN}
        refused fact ltv_after outcome CONFIRMED ltv_after=much
    """)
