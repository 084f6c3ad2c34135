"""Four rungs on successive Tuesdays: the next auction's is filled, the rest waits overnight."""

from __future__ import annotations

from itertools import pairwise

import pytest

from schemas.money import E18, text_e18
from streams.bill import face_e18
from streams.newyork import day_of
from streams.orders import key_of
from tests.streams.cash_world import ACCOUNT, CashWorld
from tests.table import Row


class World(CashWorld):
    """A cash world whose bank books at once, and pays what matures on its day."""

    def __init__(self, at: str) -> None:
        super().__init__(at)
        self.cash = 2_500_000 * 10**18
        self.booked: set[str] = set()
        self.play("""
            policy  sweep.ladder=ladder-v1 sweep.rule=sweep-safe-v1 sweep.liq_buffer_pct=0.30
            policy  limits.sweep.single_usd=5000000 guards.balance_age_max_s=8640000
            product TBILL_4W discount_rate=0.042
            days    260 out=1000000 in=1000000
        """)

    def bank_day(self, row: Row) -> None:
        """One business day: everything due is booked, then told; each order is confirmed."""
        self.now_ms += 86_400_000
        self.settle()
        self.tell()
        while self.orders and f"{len(self.orders)}" not in self.booked:
            self.booked.add(f"{len(self.orders)}")
            self.play("outcome CONFIRMED")

    def settle(self) -> None:

        today = day_of(self.now_ms)
        for number, order in enumerate(self.orders, start=1):
            kept = self.store.get(f"orders|{ACCOUNT}|{key_of(order.intent_id)}")
            if kept.value_day <= today and not kept.seen_ms:
                self.cash -= kept.amount_e18
                self.book(number, "E", -kept.amount_e18)
            if kept.matures_day is not None and kept.matures_day <= today and not kept.back_ms:
                paid = kept.amount_e18
                if kept.product == "TBILL_4W":
                    paid = face_e18(paid, kept.discount_rate_e18, kept.matures_day - kept.value_day)
                self.cash += paid
                self.book(number, "M", paid)

    def book(self, number: int, kind: str, amount_e18: int) -> None:
        words = (f"{kind}{number}", text_e18(amount_e18))
        self.entry(Row(0, "entry", words, {"order": str(number)}))

    def tell(self) -> None:
        self.report(Row(0, "report", ("ITAV", text_e18(self.cash)), {}))

    def rungs(self) -> dict[int, int]:
        """What is placed in bills by the day it matures, in dollars."""
        found: dict[int, int] = {}
        for key, order in self.store.entries.items():
            if key.startswith("orders|") and order.product == "TBILL_4W" and not order.back_ms:
                found[order.matures_day] = found.get(order.matures_day, 0) + order.left_e18 // E18
        return found


@pytest.mark.req("004-23")
def test_the_example() -> None:
    """2,200,000: 550,000 into the next rung, which buys 551,800 of face for 549,997.45; the rest
    waits overnight.
    """
    CashWorld("2026-07-09T13:00:00Z").play("""
        policy  sweep.ladder=ladder-v1
        product TBILL_4W discount_rate=0.042
        days    260 out=1000000 in=1000000
        report  ITAV 2500000
        expect  order target_product=TBILL_4W asked=549997.45 value_date=2026-07-14
        expect  order matures_on=2026-08-11
        outcome CONFIRMED
        expect  order target_product=FED_RRP asked=1650002.55 value_date=2026-07-09
        outcome CONFIRMED
        expect  hold below_min
    """)


@pytest.mark.req("004-23")
def test_after_four_weeks_there_are_four_equal_rungs_and_they_roll() -> None:
    world = World("2026-07-08T13:00:00Z")
    for _ in range(48):
        world.bank_day(Row(0, "", (), {}))
    rungs = world.rungs()
    assert len(rungs) == 4
    assert [later - earlier for earlier, later in pairwise(sorted(rungs))] == [7, 7, 7]
    target = sum(rungs.values()) // 4
    assert all(abs(amount - target) <= 10_000 for amount in rungs.values()), rungs


def test_too_little_for_a_rung_waits_overnight() -> None:
    CashWorld("2026-07-09T13:00:00Z").play("""
        policy  sweep.ladder=ladder-v1
        days    260 out=1000000 in=1000000
        report  ITAV 339999
        expect  order target_product=FED_RRP asked=39999
    """)


def test_without_a_bill_to_buy_there_is_no_ladder() -> None:
    CashWorld("2026-07-09T13:00:00Z").play("""
        policy  sweep.ladder=ladder-v1
        days    260 out=1000000 in=1000000
        product TBILL_4W enabled=false
        report  ITAV 2500000
        expect  hold class_disabled
    """)


def test_a_ladder_of_thirteen_weeks() -> None:
    CashWorld("2026-07-09T13:00:00Z").play("""
        policy  sweep.ladder=ladder-v1 sweep.target_ladder_days=91
        days    260 out=1000000 in=1000000
        report  ITAV 2500000
        expect  order target_product=TBILL_4W asked=169200
    """)
