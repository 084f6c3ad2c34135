"""The loan row by row: what a repayment pays, what is published against what its parts give, how
far it is from margin call and liquidation.
"""

from decimal import Decimal

import pytest

from schemas.money import E18, parse_e18
from schemas.policy import Policy
from schemas.records import Collateral, Debt, LoanState
from streams import distance, ltv
from streams.debts import repaid
from streams.haircut import of_coin
from tables.allocation import Coordinates, Loan, Owed, Pledged
from tests.streams.loan_world import LoanWorld

HERE = Coordinates("treasury.loan-states.v1", 0, 0)
DOCUMENTED = """
    owes    BTC  0.088 interest=0.00000022 usd=9355.37 rate=0.0000001361462
    owes    ETH  0.1 usd=282.8 rate=0.00000188498892 fixed
    pledged BTC  0.12 usd=9930.11
    pledged ETH  2 usd=4524.81
    pledged USDT 4002.12 usd=3201.69
    pledged USDC 1000 usd=724.8
"""


def loan(debts: tuple[Owed, ...] = (), **changed: object) -> Loan:
    fields = {
        "as_of_ms": 0,
        "coin": "USDT",
        "ltv_ratio_e18": parse_e18("0.45"),
        "hourly_rate_e18": 0,
        "repayable_e18": 0,
        "debt_usd_e18": sum(debt.usd_e18 for debt in debts),
        "collateral_usd_e18": 100_000 * E18,
        "col_res": 0,
        "band": "",
        "source": HERE,
        "debts": debts,
    }
    return Loan(**{**fields, **changed})


def owed(coin: str, principal: str, interest: str = "0", rate: str = "0", fixed: bool = False):
    units = parse_e18(principal), parse_e18(interest)
    return Owed(coin, *units, sum(units), parse_e18(rate), fixed)


@pytest.mark.req("000-37")
def test_interest_is_paid_first() -> None:
    """20,000 and 12.3456789 interest are owed; 9,500 leave 10,512.3456789, all of it principal."""
    before = loan((owed("USDT", "20000", "12.3456789"),))
    (left,) = repaid(before, "USDT", 9500 * E18).debts
    assert left.interest_e18 == 0
    assert before.debts[0].principal_e18 - left.principal_e18 == parse_e18("9487.6543211")
    assert left.principal_e18 == left.usd_e18 == parse_e18("10512.3456789")


def test_the_dearest_debt_of_the_coin_is_repaid_first_and_fixed_ones_never() -> None:
    rows = (
        owed("USDT", "100", "1", rate="0.00001"),
        owed("USDT", "200", "2", rate="0.00003"),
        owed("USDT", "400", "4", rate="0.00009", fixed=True),
        owed("USDC", "800", "8", rate="0.00008"),
    )
    after = repaid(loan(rows), "USDT", 252 * E18)
    assert [(row.principal_e18 // E18, row.interest_e18 // E18) for row in after.debts] == [
        (51, 0),
        (0, 0),
        (400, 4),
        (800, 8),
    ]
    assert after.repayable_e18 == 51 * E18
    assert after.debt_usd_e18 == (51 + 404 + 808) * E18


@pytest.mark.req("000-37", "000-68")
def test_the_rate_is_that_of_what_is_repaid_first() -> None:
    world = LoanWorld().play("""
        owes USDT 100 rate=0.00001
        owes USDT 100 rate=0.00002 fixed
        owes USDC 100 rate=0.00003
        pledged BTC 1 usd=1000
        pool ltv=0.3
        table book loans coin=USDT hourly_rate=0.00001 repayable=100
        policy limits.loan.min_usd=10
        wallet USDT 1000
        fill a1 buy 1 at 100
        fill a2 sell 1 at 200
        expect allocation loan_apr=0.0876 action=repay_principal
    """)
    (record,) = world.said("decision")
    assert "dearer_debt_USDC" in record.body


@pytest.mark.req("000-27")
def test_a_loan_in_other_coins_holds_until_a_person_converts() -> None:
    LoanWorld().play(f"""
        {DOCUMENTED}
        pool   ltv=0.524344
        table  book loans coin=BTC
        wallet USDT 100000
        fill   a1 buy 1 at 100
        fill   a2 sell 1 at 200
        expect allocation action=hold reason=currency_mismatch
        expect alert key=currency_mismatch|bybit:12345678 state=firing severity=warning
        at     +1s
        owes   USDT 9638.17 rate=0.00001
        pledged BTC 0.12 usd=18381.41
        pool   ltv=0.524344
        expect allocation action=add_collateral
        expect alert key=currency_mismatch|bybit:12345678 state=resolved
    """)


@pytest.mark.req("000-37")
def test_the_documented_position_agrees_with_its_parts() -> None:
    world = LoanWorld().play(f"""
        {DOCUMENTED}
        pool   ltv=0.524344
        expect no alert
        table  book loans debt_usd=9638.17 collateral_usd=18381.41
    """)
    state = world.last[2]
    assert str(ltv.recomputed_e18(state)).startswith("524343")
    assert ltv.tolerance_e18(state) == E18 // 10**5


@pytest.mark.req("000-37")
def test_a_published_ratio_that_its_parts_do_not_give_is_an_alert_until_it_agrees() -> None:
    LoanWorld().play(f"""
        {DOCUMENTED}
        pool   ltv=0.524355
        expect alert key=ltv_mismatch|bybit:12345678 state=firing
        at     +1s
        {DOCUMENTED}
        pool   ltv=0.524355
        expect no alert
        at     +2s
        {DOCUMENTED}
        pool   ltv=0.524344
        expect alert state=resolved
    """)


@pytest.mark.parametrize(
    ("debt", "collateral", "published", "agrees"),
    [
        ("9638.17", "18381.41", "0.524353", True),
        ("9638.17", "18381.41", "0.524354", False),
        ("9638.171", "18381.41", "0.524344", True),
        ("9638.171", "18381.41", "0.524345", False),
        ("0.11", "0.22", "0.521", True),  # one cent of each is all that can be said
        ("0", "0", "0", True),
    ],
)
def test_how_far_apart_they_may_be(debt: str, collateral: str, published: str, agrees: bool):
    state = LoanState(
        account_id="bybit:1",
        loan_id="pool",
        coin="USDT",
        principal_amount_e18=0,
        accrued_interest_e18=0,
        interest_rate_e18=0,
        hourly_rate_e18=0,
        debts=(),
        total_debt_usd_e18=parse_e18(debt),
        collateral_value_e18=parse_e18(collateral),
        ltv_ratio_e18=parse_e18(published),
        collaterals=(),
        as_of_ms=0,
    )
    assert ltv.agrees(state) is agrees


@pytest.mark.req("000-37")
def test_distance_by_price_and_by_time() -> None:
    """45,000 of 100,000: 48.28 % to 0.87, 52.63 % to 0.95, 9.34 years of interest alone at 8 %."""
    half, call, end = (parse_e18(text) for text in ("0.45", "0.87", "0.95"))
    assert distance.fall_e18(half, call) == parse_e18("0.482758620689655172")
    assert distance.fall_e18(half, end) == parse_e18("0.526315789473684211")
    assert distance.years(half, end, parse_e18("0.08")) == Decimal("9.340180")
    assert distance.years(half, end, 0) is None
    assert distance.years(0, end, E18) is None
    assert distance.years(end, end, E18) == 0


@pytest.mark.req("000-37")
def test_distance_is_told_when_it_has_moved_by_a_point() -> None:
    LoanWorld().play("""
        loan   ltv=0.45 debt=45000 collateral=100000
        expect risk type=DISTANCE level=0.87 value=0.482758620689655172
        expect risk type=DISTANCE level=0.95 value=0.526315789473684211
        at     +1s
        loan   ltv=0.455 debt=45500 collateral=100000
        expect no risk
        at     +2s
        loan   ltv=0.46 debt=46000 collateral=100000
        expect risk level=0.95 value=0.515789473684210526
        at     +3s
        loan   ltv=0.88 debt=88000 collateral=100000
        expect risk level=0.87 value=-0.011494252873563218
        at     +4s
        loan   ltv=0.868 debt=86800 collateral=100000
        expect risk level=0.87 value=0.002298850574712644
        at     +5s
        loan   ltv=0 debt=0 collateral=100000
        expect no risk
    """)


def test_the_rate_of_all_debts_is_weighted_by_dollars() -> None:
    rows = (owed("USDT", "300", rate="0.00001"), owed("USDC", "100", rate="0.00003"))
    assert distance.rate_e18(loan(rows)) == parse_e18("0.000015") * 8760
    assert distance.rate_e18(loan(hourly_rate_e18=5)) == 5 * 8760


ETH = Policy.model_validate(
    {"loan": {"haircut": {"ETH": [{"up_to_usd": 50000, "ratio": 1}, {"ratio": "0.975"}]}}}
)


@pytest.mark.req("000-37")
def test_haircuts_are_marginal() -> None:
    """25 ETH at 3,000: 50,000 · 1 + 25,000 · 0.975 = 74,375, and 60,000 are 0.806723 of it."""
    cut = of_coin(ETH, loan(), "ETH")
    assert cut.value_e36(75_000 * E18) == 74_375 * E18 * E18
    assert round(Decimal(60_000) / 74_375, 6) == Decimal("0.806723")
    assert cut.needed_e18(74_375 * E18 * E18) == 75_000 * E18
    begun = of_coin(ETH, loan(collaterals=(Pledged("ETH", 40_000 * E18, 0),)), "ETH")
    assert begun.value_e36(20_000 * E18) == 19_750 * E18 * E18


@pytest.mark.req("000-37")
def test_amounts_that_reach_a_target() -> None:
    """The documented loan to 0.40: repay 2,285.606 or add 5,714.015, which is 5,860.5282 before a
    haircut of 0.975.
    """
    debt, collateral, target = (parse_e18(text) for text in ("9638.17", "18381.41", "0.40"))
    assert debt - target * collateral // E18 == parse_e18("2285.606")
    more = debt * E18 // target - collateral
    assert more == parse_e18("5714.015")
    held = (Pledged("ETH", 60_000 * E18, 0),)
    needed = of_coin(ETH, loan(collaterals=held), "ETH").needed_e18(more * E18)
    assert needed is not None
    assert needed // 10**14 == 58605282


@pytest.mark.parametrize(
    ("held", "ratio", "source"),
    [
        (
            Pledged("USDT", 4_002_120_000_000_000_000_000, 3_201_690_000_000_000_000_000),
            0,
            "average",
        ),
        (Pledged("USDT", 10 * E18, 8 * E18, E18 // 2), E18 // 2, "published"),
        (Pledged("BTC", E18, 9930 * E18), E18, "none"),
        (Pledged("USDT", 0, 0), E18, "none"),
    ],
)
def test_where_a_haircut_comes_from(held: Pledged, ratio: int, source: str) -> None:
    cut = of_coin(Policy(), loan(collaterals=(held,)), "USDT")
    assert cut.source == source
    if ratio:
        assert cut.slices == ((None, ratio),)
    else:
        assert str(cut.slices[0].ratio_e18).startswith("79999")


def test_a_coin_that_counts_for_nothing_reaches_nothing() -> None:
    nothing = {"USDT": [{"up_to_usd": 10, "ratio": "0.5"}, {"ratio": 0}]}
    policy = Policy.model_validate({"loan": {"haircut": nothing}})
    cut = of_coin(policy, loan(), "USDT")
    assert cut.needed_e18(5 * E18 * E18) == 10 * E18
    assert cut.needed_e18(5 * E18 * E18 + 1) is None


@pytest.mark.parametrize(
    "tiers",
    [
        [],
        [{"up_to_usd": 10, "ratio": 1}],
        [{"up_to_usd": 10, "ratio": "0.5"}, {"ratio": 1}],
        [{"up_to_usd": 10, "ratio": 1}, {"up_to_usd": 5, "ratio": 1}, {"ratio": 1}],
        [{"ratio": 1}, {"ratio": 1}],
    ],
)
def test_tiers_that_are_none_are_refused(tiers: list) -> None:
    with pytest.raises(ValueError, match=r"haircut\.ETH"):
        Policy.model_validate({"loan": {"haircut": {"ETH": tiers}}})


OPEN = """
    policy  limits.loan.min_usd=100
    wallet  USDT 1000000
    owes    USDT 20000 interest=12.3456789 rate=0.00001
    pledged BTC 1 usd=66707.82
    pool    ltv=0.30
    policy  allocation.rule=seed-v1-narrative
    fill    a1 buy  1 at 1000
    fill    a2 sell 1 at 11555.555556
    at      +5s
"""


@pytest.mark.req("000-29", "000-36")
def test_a_confirmed_repayment_is_booked_before_the_venue_is_polled_again() -> None:
    world = LoanWorld().play(f"""
        {OPEN}
        outcome CONFIRMED done=9500
        table   book loans repayable=10512.3456789 debt_usd=10512.3456789 ltv_ratio=0.30
        owes    USDT 20012 rate=0.00001
        pledged BTC 1 usd=66707.82
        pool    ltv=0.30 as_of=+5s
        expect  nothing
        table   book loans repayable=10512.3456789
        at      +6s
        owes    USDT 10513 rate=0.00001
        pledged BTC 1 usd=66707.82
        pool    ltv=0.157598
        table   book loans repayable=10513
    """)
    assert world.book.get("loans|bybit:12345678").moved_at_ms == 0


def test_what_the_venue_shows_afterwards_is_interest_since() -> None:
    world = LoanWorld().play(f"""
        {OPEN}
        outcome CONFIRMED done=9500 debt_after=10512.5 ltv_after=0.157591
        table   book loans repayable=10512.5 ltv_ratio=0.157591
    """)
    (debt,) = world.book.get("loans|bybit:12345678").debts
    assert debt.interest_e18 == parse_e18("0.1543211")
    assert debt.principal_e18 == parse_e18("10512.3456789")


def test_confirmed_collateral_counts_after_its_haircut() -> None:
    LoanWorld().play("""
        policy  limits.loan.min_usd=100
        wallet  USDT 1000000
        owes    USDT 50000
        pledged USDT 1000 usd=800 ratio=0.8
        pledged BTC  1 usd=99200
        pool    ltv=0.50
        fill    a1 buy  1 at 1000
        fill    a2 sell 1 at 2000
        expect  allocation amount=950 ltv_after_est=0.496228662167526796
        at      +1s
        outcome CONFIRMED
        table   book loans collateral_usd=100760
    """)


def test_records_of_rows_are_the_rows() -> None:
    """Collateral and debt keep every figure from the topic to the state and back."""
    debt = Debt("USDT", 1, 2, 3, 4, True)
    row = Collateral("BTC", 5, 6, 7)
    world = LoanWorld()
    world.debts, world.collaterals = [debt], [row]
    world.play("pool ltv=0.5 collateral=1 debt=1")
    kept = world.book.get("loans|bybit:12345678")
    assert kept.debts == (Owed("USDT", 1, 2, 3, 4, True),)
    assert kept.collaterals == (Pledged("BTC", 5, 6, 7),)
