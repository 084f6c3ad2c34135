"""What is unusual: each planted pattern is one alert, the usual is none, and nothing is refused."""

import json
from fractions import Fraction
from statistics import pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import E18
from schemas.policy import Policy
from schemas.policy_anomaly import Anomaly
from streams import anomaly
from tables.anomaly import Usual
from tests.streams.people_world import PEOPLE, Desk
from tests.table import Row


class Watched(Desk):
    """`alert amount p1` is the one alert of the last row, `quiet` says there is none.

    `usual REPAY 90 110` are operations that were confirmed, an hour apart.
    """

    def __init__(self, **policy: object) -> None:
        allow = {"mode": "allowlist", "allow": ["bank:1", "bank:2"]}
        super().__init__(**{"screening": allow, **policy})
        self.given = 0

    def usual(self, row: Row) -> None:
        kind, *amounts = row.words
        for amount in amounts:
            self.given += 1
            self.now_ms += 3_600_000
            self.play(f"""
                rate    USDT 1
                propose u{self.given} {kind} {amount}
                outcome CONFIRMED to=gate of=u{self.given}
            """)

    def alert(self, row: Row) -> None:
        """The pattern and what it is about; the record of the decision names it too."""
        pattern, *of = row.words
        (found,) = self.said("alert")
        state = row.fields.get("state", "firing")
        assert (found.key, found.state) == ("|".join(["anomaly", pattern, *of, "desk"]), state)
        for words in row.fields.get("says", "").split("_"):
            assert words in found.text, found.text
        for decision in self.said("decision"):
            if decision.kind == "DECISION" and decision.outcome in ("READY", "AWAITING"):
                assert json.loads(decision.body).get("unusual", [pattern]) == [pattern]

    def quiet(self, row: Row) -> None:
        assert self.said("alert") == []
        for decision in self.said("decision"):
            assert json.loads(decision.body).get("unusual", []) == []


LOANS = """
    policy  anomaly.window_ops=4 approvals.loan_usd=20000
    usual   REPAY 90 110 90 110   # mean 100, deviation 10: four of them above it is 140
    at      +5h
    rate    USDT 1
"""


@pytest.mark.req("000-74")
def test_an_amount_four_deviations_above_the_mean() -> None:
    Watched().play(f"""
        {LOANS}
        propose p1 REPAY 140
        quiet
        propose p2 REPAY 140.0001
        alert   amount p2 says=140.0001_USD_4_standard_mean_100_last_4_loan_p2
        expect  intent intent_id=p2 amount=140.0001   # told, not refused
        propose p3 REPAY 10
        quiet
    """)


@pytest.mark.req("000-74")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("policy anomaly.sigma=4.0001\npropose p REPAY 140.0009", "quiet"),
        ("policy anomaly.sigma=4.0001\npropose p REPAY 140.0011", "alert amount p"),
        ("policy anomaly.sigma=0\npropose p REPAY 100", "quiet"),
        ("policy anomaly.sigma=0\npropose p REPAY 100.0001", "alert amount p"),
        ("policy anomaly.window_ops=5\npropose p REPAY 10000", "quiet"),
        ("policy anomaly.window_ops=2\npropose p REPAY 140", "quiet"),
        ("propose p TRANSFER 100000", "quiet"),
        ("propose p REPAY 6000", "alert amount p"),
        ("policy approvals.loan_usd=1000\npropose p REPAY 6000", "alert amount p"),
        ("propose p REPAY 20000", "alert amount p"),
        ("rate BTC 100000\npropose p ADD_COLLATERAL 0.0014 ccy=BTC", "quiet"),
        ("rate BTC 100000\npropose p ADD_COLLATERAL 0.0015 ccy=BTC", "alert amount p"),
        ("policy limits.loan.over=refuse\npropose p REPAY 20000", "quiet"),
        ("control PAUSED\npropose p REPAY 6000", "quiet"),
        ("propose p REPAY 6000\nagain", "quiet"),
    ],
    ids=[
        "just inside another sigma", "just outside it", "at the mean of sigma 0", "above it",
        "one operation short of the window", "the window alone is read, 100 and 10 of the last two",
        "another class has a window of its own", "clear", "it waits for a signature",
        "clipped, and still far", "dollars, not coins", "dollars above", "refused: nothing leaves",
        "paused: nothing leaves", "the same proposal again",
    ],
)  # fmt: skip
def test_both_sides_of_an_amount(rows: str, told: str) -> None:
    Watched().play(f"{LOANS}\n{rows}\n{told}")


@pytest.mark.req("000-74")
def test_of_equal_amounts_any_larger_one_is_unusual() -> None:
    Watched().play("""
        policy  anomaly.window_ops=4 approvals.loan_usd=20000
        usual   REPAY 100 100 100 100
        propose p1 REPAY 100
        quiet
        propose p2 REPAY 99.9999
        quiet
        propose p3 REPAY 100.0001
        alert   amount p3
    """)


@pytest.mark.req("000-74")
def test_only_what_was_confirmed_is_usual_and_each_once() -> None:
    """The fourth is confirmed for 110 of 9,000; a repeat of it and what failed count nothing."""
    desk = Watched().play("""
        policy  anomaly.window_ops=4 approvals.loan_usd=20000
        usual   REPAY 90 110 90
        propose p1 REPAY 9000
        quiet
        outcome REJECTED to=gate of=p1
        outcome REJECTED to=gate of=p1
        propose p2 REPAY 9000
        quiet
        outcome ACKED to=gate of=p2
        outcome CONFIRMED to=gate of=p2 done=110
        quiet
        outcome CONFIRMED to=gate of=p2 done=110
        outcome REVERSED to=gate of=p2
        outcome CONFIRMED to=gate of=p2 done=110
        propose p3 REPAY 140
        quiet
        propose p4 REPAY 141
        alert   amount p4
    """)
    usual = desk.gate.get("usual|desk|loan")
    assert [one // E18 for one in usual.moved_usd_e18] == [90, 110, 90, 110]


@pytest.mark.req("000-74")
def test_the_shipped_window_is_ninety_operations() -> None:
    amounts = " ".join(["90", "110"] * 45)
    desk = Watched().play(
        f"usual REPAY {amounts.removesuffix(' 110')}\npropose p REPAY 5000\nquiet"
    )
    desk.play("outcome REJECTED to=gate of=p\nusual REPAY 110\npropose q REPAY 140\nquiet")
    desk.play("propose r REPAY 140.0001\nalert amount r\nusual REPAY 100")
    assert len(desk.gate.get("usual|desk|loan").moved_usd_e18) == 90


@pytest.mark.req("000-74")
def test_more_than_so_many_in_an_hour_until_they_are_fewer() -> None:
    Watched().play("""
        policy  anomaly.ops_per_hour=3
        rate    USDT 1
        propose p1 REPAY 100
        at      +1m
        rate    USDT 1
        propose p2 TRANSFER 100
        propose p3 REDUCE_POSITION 100
        quiet
        propose r1 REPAY 1
        propose r2 SET_LEVERAGE 0 class=control check_id=c leverage=2
        quiet                                  # refused, and what moves no money, count nothing
        propose p4 REPAY 100
        alert   ops_per_hour says=more_than_3_p4
        expect  intent intent_id=p4 amount=100
        expect  wake +60m
        propose p5 REPAY 100
        quiet                                  # it is firing already
        tick    gate
        quiet
        expect  wake +61m                      # p2 to p5 are still within an hour of each other
        tick    gate
        alert   ops_per_hour state=resolved
        rate    USDT 1
        propose p6 REPAY 100
        propose p7 REPAY 100
        propose p8 REPAY 100
        quiet
        propose p9 REPAY 100
        alert   ops_per_hour
    """)


@pytest.mark.req("000-74")
@pytest.mark.parametrize(("at", "told"), [("+3599999ms", "alert ops_per_hour"), ("+1h", "quiet")])
def test_an_hour_ends_to_the_millisecond(at: str, told: str) -> None:
    Watched().play(f"""
        policy  anomaly.ops_per_hour=2
        rate    USDT 1
        propose p1 REPAY 100
        propose p2 REPAY 100 event=+60s        # by the gate's time, which nobody writes
        outcome CONFIRMED to=gate of=p2
        at      {at}
        rate    USDT 1
        propose p3 REPAY 100
        {told}
    """)


def test_one_wake_up_serves_the_pace_and_who_waits() -> None:
    Watched().play("""
        policy  anomaly.ops_per_hour=1 approvals.ttl_s=600
        rate    USDT 1
        propose p1 REPAY 6000
        expect  wake +600s
        propose p2 REPAY 100
        alert   ops_per_hour
        expect  wake +600s
        tick    gate
        expect  state state=VOID
        quiet
        expect  wake +1h
        at      +50m
        rate    USDT 1
        policy  approvals.ttl_s=1200
        propose p3 REPAY 6000
        expect  no alert
        deny    p3 by=ann
        expect  wake +1h
        tick    gate
        alert   ops_per_hour state=resolved    # of p2 and p3 the first is an hour ago
        expect  wake same
    """)


@pytest.mark.req("000-74")
def test_who_was_never_paid_before() -> None:
    Watched().play("""
        rate    USDT 1
        propose p1 TRANSFER 1000 beneficiary=bank:1
        alert   beneficiary p1 says=TRANSFER_p1_1000_USDT_bank:1_never_paid
        expect  intent intent_id=p1
        again
        quiet
        propose p2 TRANSFER 1000 beneficiary=bank:1
        alert   beneficiary p2
        outcome REJECTED to=gate of=p2
        propose p3 TRANSFER 1000 beneficiary=bank:1
        alert   beneficiary p3                 # what failed has paid nobody
        outcome CONFIRMED to=gate of=p1
        outcome CONFIRMED to=gate of=p1
        propose p4 TRANSFER 1000 beneficiary=bank:1
        quiet
        propose p5 TRANSFER 1000 beneficiary=bank:2
        alert   beneficiary p5
        propose p6 TRANSFER 1000 beneficiary=bank:3
        expect  answer reason=screening
        quiet                                  # refused: nothing leaves
        propose p7 TRANSFER 1000
        quiet                                  # stays with the account
        propose p8 TRANSFER 1000 beneficiary=bybit:12345678
        quiet                                  # comes back to it
        outcome CONFIRMED to=gate of=p8
        table   gate paid bybit:12345678
        table   gate paid bank:1 intent_id=p1
        table   gate paid bank:2
    """)


@pytest.mark.req("000-74")
@pytest.mark.parametrize(
    ("hours", "at", "told"),
    [
        ("06:00-20:00", "+21599999ms", "alert office_hours p"),
        ("06:00-20:00", "+6h", "quiet"),
        ("06:00-20:00", "+71999999ms", "quiet"),
        ("06:00-20:00", "+20h", "alert office_hours p"),
        ("22:00-06:00", "+21599999ms", "quiet"),
        ("22:00-06:00", "+6h", "alert office_hours p"),
        ("22:00-06:00", "+79199999ms", "alert office_hours p"),
        ("22:00-06:00", "+22h", "quiet"),
        ("00:00-24:00", "0", "quiet"),
        ("00:00-24:00", "+86399999ms", "quiet"),
    ],
)
def test_a_person_who_asks_outside_office_hours(hours: str, at: str, told: str) -> None:
    Watched().play(f"""
        policy  anomaly.office_hours_utc={hours}
        at      {at}
        rate    USDT 1
        propose p REPAY 100 maker=ann
        {told}
        expect  intent amount=100
        propose q REPAY 100
        quiet                                  # a rule has no office
    """)


@pytest.mark.req("000-74")
def test_a_person_is_told_of_by_the_time_of_the_request_also_when_it_is_refused() -> None:
    Watched().play(
        """
        at      +8h
        propose p1 REPAY 100 maker=ann event=+5h
        expect  answer reason=stale_mark
        alert   office_hours p1 says=ann_asked_1970-01-01
    """.replace("1970-01-01", "2025-06-11 05:00:00".replace(" ", "_"))
    )


@pytest.mark.req("000-74")
def test_a_signature_that_lets_money_out_at_night() -> None:
    desk = Watched(people=PEOPLE)
    desk.play("""
        at      +19h
        rate    USDT 1
        propose p1 REPAY 6000
        propose p2 REPAY 6000
        approve p1 by=ann
        quiet
        at      +20h
        approve p2 by=eve
        letter  unknown_person approver
        deny    p2 by=bob
        quiet
    """)
    desk.play("""
        rate    USDT 1
        propose p3 REPAY 6000
        approve p3 by=ann
        alert   office_hours p3|ann says=ann_approved_2025-06-11_20:00:00
        expect  intent intent_id=p3
    """)


@pytest.mark.req("000-74")
def test_a_quiet_day_raises_none() -> None:
    """Twenty operations an hour of amounts that spread as before, one asked for at noon."""
    desk = Watched()
    desk.play("usual REPAY " + " ".join(str(50 + number * 7 % 61) for number in range(90)))
    desk.now_ms += 86_400_000
    for number in range(60):
        desk.now_ms += 180_001
        desk.play(f"rate USDT 1\npropose q{number} REPAY {50 + number * 11 % 61}\nquiet")
        desk.play(f"outcome CONFIRMED to=gate of=q{number}\nquiet")
    desk.now_ms += 36 * 3_600_000 - desk.now_ms % 86_400_000
    desk.play("rate USDT 1\npropose asked REPAY 100 maker=ann\nquiet")


@given(
    st.lists(st.integers(0, 10**24), min_size=2, max_size=8),
    st.integers(0, 2 * 10**24),
    st.integers(0, 5 * E18),
)
def test_the_squares_say_what_deviations_say(moved: list[int], usd: int, sigma: int) -> None:
    rule = Anomaly(sigma=sigma, window_ops=len(moved)).model_copy(update={"sigma_e18": sigma})
    above = usd - Fraction(sum(moved), len(moved))
    squared = Fraction(sigma, E18) ** 2 * pvariance([Fraction(one) for one in moved])
    assert bool(anomaly._far(rule, Usual(tuple(moved)), usd)) == (above > 0 and above**2 > squared)


@pytest.mark.parametrize(
    ("hours", "kept"),
    [("06:00-20:00",) * 2, ("06:00\u201320:00", "06:00-20:00"), ("22:30 - 06:15", "22:30-06:15")],
)
def test_office_hours_have_one_text(hours: str, kept: str) -> None:
    assert Policy.model_validate({"anomaly": {"office_hours_utc": hours}}) == Policy.model_validate(
        {"anomaly": {"office_hours_utc": kept}}
    )


@pytest.mark.parametrize(
    "hours", ["6-20", "06:00", "06:00-06:00", "24:00-06:00", "06:00-24:01", "06:60-20:00", 720]
)
def test_what_are_no_office_hours(hours: object) -> None:
    with pytest.raises(ValueError, match=r"two .*times of day"):
        Policy.model_validate({"anomaly": {"office_hours_utc": hours}})
