"""Whether, when and how much is placed, and in what: the cases of the source document."""

import pytest

from tests.streams.cash_world import CashWorld

QUIET = "days 260 out=1000000 in=1000000"  # VaR 0, forecast a million
# Three days of 250 lost 1,000,000: VaR is the third worst of them.
RISKY = """
    days 250 out=1000000 in=1000000
    lossy 3 out=1000000 in=0
"""


class World(CashWorld):
    """A cash world that can have losing days."""

    def lossy(self, row: object) -> None:
        """`lossy 3 out=1000000 in=0`: the last of the days before today, replaced."""
        for day in self.business_days(3):
            self.entries = []
            self.close_day(day, "0", "1000000", f"R{day}")


@pytest.mark.req("004-20", "004-29", "004-30", "004-62")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# the float is 30 % of a million
        {QUIET}
        report ITAV 2500000
        expect position avail_usd=2500000 target_float=300000 investable_usd=2200000 stale=false
        expect order   target_product=TBILL_4W kind=SWEEP direction=OUT asked=2200000 room=2200000
        """,
        f"""
        {QUIET}
        report ITAV 1050000
        expect order asked=750000
        """,
        f"""
        {QUIET}
        report ITAV 290000
        expect position investable_usd=0
        expect hold below_min
        """,
        f"""# nothing is no order, even where the least is nothing
        {QUIET}
        policy sweep.min_sweep_usd=0
        report ITAV 290000
        expect hold below_min
        """,
        f"""# a floor is never placed
        {QUIET}
        policy sweep.floor_usd=200000
        report ITAV 2500000
        expect position investable_usd=2000000
        expect order asked=2000000
        """,
        f"""# another share is kept
        {QUIET}
        policy sweep.liq_buffer_pct=0.50
        report ITAV 2500000
        expect order asked=2000000
        """,
    ],
)
def test_the_excess_above_the_float_is_placed(rows: str) -> None:
    World().play(rows)


@pytest.mark.req("004-21", "004-27", "004-28", "004-17")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# 1,000,000 of 900,900,900.9009 is 11.1 bps: all of it overnight, nothing kept
        {RISKY}
        report ITAV 900900900.9009
        expect var     n=250 status=OK var_usd=1000000 var_bps=11.1
        expect order   target_product=FED_RRP asked=900900900.90 observed_var_bps=11.1
        expect order   var_limit_bps=10
        """,
        f"""# 10 bps exactly is within the limit
        {RISKY}
        report ITAV 1000000000
        expect var     var_bps=10
        expect order   target_product=TBILL_4W asked=999700000
        """,
        f"""# 10.0001 is not
        {RISKY}
        report ITAV 999990000
        expect var     var_bps=10.0001
        expect order   target_product=FED_RRP asked=999990000
        """,
        f"""# compared without rounding: 10.00001 shows as 10, and breaks the limit
        {RISKY}
        report ITAV 999999000
        expect var     var_bps=10
        expect order   target_product=FED_RRP asked=999999000
        """,
        f"""# the safe rule keeps the float in both branches
        {RISKY}
        policy sweep.rule=sweep-safe-v1
        report ITAV 999990000
        expect order   target_product=FED_RRP asked=999690000
        """,
    ],
)
def test_above_the_risk_limit_money_stays_overnight(rows: str) -> None:
    World().play(rows)


@pytest.mark.req("004-27", "004-28")
def test_the_example_of_both_rules() -> None:
    """Avail 2,500,000, forecast 1,000,000, VaR 11 bps: 2,500,000 by the seed, 2,200,000 by the
    safe rule; at 8 bps 2,200,000 in bills.
    """
    for loss, rule, product, asked in (
        ("2000", "sweep-seed-v1", "TBILL_4W", "2200000"),
        ("2750", "sweep-seed-v1", "FED_RRP", "2500000"),
        ("2750", "sweep-safe-v1", "FED_RRP", "2200000"),
    ):
        world = World()
        world.play(f"policy sweep.rule={rule}")
        world.play("days 260 out=1000000 in=1000000")
        for day in world.business_days(3):
            world.close_day(day, str(1_000_000 - int(loss)), "1000000", f"R{day}")
        world.play(f"""
            report ITAV 2500000
            expect order target_product={product} asked={asked}
        """)


@pytest.mark.req("004-31", "004-60")
def test_the_esg_preference() -> None:
    World().play(f"""
        {QUIET}
        policy  sweep.esg_pref=true
        report  ITAV 2500000
        expect  hold class_disabled
        product CARBON_NOTE enabled=true instrument=CN-1
        report  ITAV 2500000 as_of=+1s
        expect  order target_product=CARBON_NOTE asked=2200000 instrument=CN-1
    """)


@pytest.mark.req("004-32")
@pytest.mark.parametrize(
    ("available", "expected"),
    [("309999.99", "hold below_min"), ("310000", "order asked=10000"), ("0.01", "hold below_min")],
)
def test_the_least_that_is_worth_an_order(available: str, expected: str) -> None:
    World().play(f"""
        {QUIET}
        report ITAV {available}
        expect {expected}
    """)


@pytest.mark.req("004-18", "004-13")
def test_what_an_order_carries() -> None:
    world = World().play(f"""
        {QUIET}
        policy  sweep.compliance_tags={{"bsa":"operating"}}
        product TBILL_4W beneficiary_name=Broker
        report  ITAV 2500000 as_of=2026-07-09T12:59:30.250Z
        expect  order origin=cash class=sweep account_id=bank:0123456789 ccy=USD precision=2
        expect  order lane=bank|bank:0123456789|USD beneficiary=021000021/222
        expect  order counterparty=021000021/222 counterparty_name=Broker
        expect  order source_account=0123456789 window=00:00-15:00
    """)
    (order,) = world.orders
    assert order.compliance_tags == {"bsa": "operating"}
    assert order.meta.event_time_ms == order.valid_until_ms - 3_600_000  # the balance's own time


@pytest.mark.req("004-12")
def test_the_id_follows_from_the_balance() -> None:
    """The example of the specification, whatever the offset the balance has."""
    for before in (0, 3):
        world = CashWorld("2025-06-10T19:42:11.818Z")
        world.version = 0
        world.put_policy()
        world.offset += before
        world.play("""
            days   260 out=1000000 in=1000000
            report ITAV 2500000
        """)
        assert world.orders[0].intent_id == "01975b5d-516a-77cf-b151-967e5b2b8a54"


@pytest.mark.req("004-61", "004-26")
def test_a_decision_says_what_it_was_made_from() -> None:
    world = World()
    world.play(f"""
        {QUIET}
        report ITAV 2500000
    """)
    body = world.decision()
    assert body["sums"] == {
        "available": "2500000",
        "excess": "2500000",
        "float": "300000",
        "usable": "2500000",
        "investable": "2200000",
    }
    assert body["inputs"]["available"]["offset"] == world.offset
    assert body["inputs"]["forecast"]["p50"] == "1000000"
    assert body["inputs"]["risk"] == {
        "n": 250,
        "status": "OK",
        "var": "0",
        "es": "0",
        "var_bps": "0",
    }
    assert body["terms"]["sweep"]["liq_buffer_pct"] == "0.3"
    assert body["order"]["order_id"] == world.orders[0].intent_id
    assert body["counterfactual"] == {
        "rule": "sweep-safe-v1",
        "product": "TBILL_4W",
        "amount": "2200000",
    }


@pytest.mark.req("004-61")
@pytest.mark.parametrize(
    "rows",
    [
        f"""# people have stopped everything
        {QUIET}
        control PAUSED
        report ITAV 2500000
        expect hold paused
        """,
        f"""# only what lowers risk
        {QUIET}
        control REDUCING
        report ITAV 2500000
        expect hold paused
        """,
        f"""# or sweeps alone
        {QUIET}
        control PAUSED scope=class:sweep
        report ITAV 2500000
        expect hold paused
        """,
        f"""# a difference is open
        {QUIET}
        freeze b1 on
        report ITAV 2500000
        expect hold frozen
        freeze b1 off
        report ITAV 2500000 as_of=+1s
        expect order asked=2200000
        """,
        f"""# an hour is the limit
        {QUIET}
        report ITAV 300000
        at     +1h
        scheduled F1 1 due=+1d
        expect hold below_min
        at     +1ms
        scheduled F2 1 due=+1d
        expect position stale=true
        expect hold stale_balance
        """,
        f"""# nothing there, or less
        {QUIET}
        report ITAV -5000
        expect position var_bps=null
        expect hold stale_balance
        """,
        """# nothing is known of past days
        report ITAV 2500000
        expect position target_float=null
        expect hold no_forecast
        """,
        f"""# the product has no account
        {QUIET}
        product TBILL_4W beneficiary=null
        report ITAV 2500000
        expect hold screening
        """,
        f"""# the wish of a person is not for cash
        {QUIET}
        refused verb verb request SWEEP
        """,
    ],
)
def test_reasons_to_hold(rows: str) -> None:
    World().play(rows)


@pytest.mark.req("004-33")
def test_too_few_days_mean_overnight_and_the_float_kept() -> None:
    World().play("""
        days   249 out=1000000 in=1000000
        report ITAV 2500000
        expect var   n=249 status=INSUFFICIENT
        expect order target_product=FED_RRP asked=2200000
    """)
    World().play("""
        days   250 out=1000000 in=1000000
        report ITAV 2500000
        expect var   n=250 status=OK
        expect order target_product=TBILL_4W asked=2200000
    """)


def test_without_policy_balances_are_kept_and_nothing_is_decided() -> None:
    world = World()
    del world.store.entries["@partition"]
    world.play("""
        report ITAV 2500000
        expect hold no_policy
        expect no position
        table  balances avail amount=2500000
    """)


def test_without_the_calendar_of_a_product_it_is_not_ordered() -> None:
    world = CashWorld("2031-03-04T15:00:00Z")
    world.play("""
        closes FED 2030
        closes FED 2031
        days   260 out=1000000 in=1000000
        report ITAV 2500000
        expect hold no_calendar
        closes SIFMA 2031
        report ITAV 2500000 as_of=+1s
        expect order target_product=TBILL_4W
    """)


def test_without_a_calendar_nothing_is_guessed() -> None:
    world = CashWorld("2031-03-04T15:00:00Z")
    world.play("""
        statement 2031-03-03 CLAV 2500000
        expect hold no_calendar
        report ITAV 2500000
        expect hold no_calendar
        closes FED 2031
        report ITAV 2500000 as_of=+1s
        expect var n=1
        expect forecast method=fallback p50=0
    """)
