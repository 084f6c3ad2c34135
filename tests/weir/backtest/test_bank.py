"""Cash under another policy: what would have been placed, came back, and what it earned."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.jsonform import parse_date, parse_time
from schemas.money import E18, parse_e18
from schemas.policy import Policy, canonical, from_content, policy_hash
from schemas.records import (
    BalanceEvent,
    BankBalance,
    BankEntry,
    Control,
    Meta,
    PolicyUpdate,
    RiskChecks,
    Source,
    SweepOrder,
)
from streams.calendar import calendar
from streams.holidays import CALENDARS, FED, closed
from tables.partition import CalendarYear
from tests.weir.backtest.lists import WIRE, ListLog
from weir.backtest import Course, Ruling, Terms, run

ACCOUNT = "bank:0123456789"
PAYEE = "021000021/111"
FIRST = parse_date("2026-06-01")
DAY_MS = 86_400_000
MILLION_E4 = 10**10
OURS = "01975b5d-516a-77cf-b151-967e5b2b8a54"


def policy(observations: int = 5, overnight: str = "next_day", **sweep: Any) -> Policy:
    settings: dict[str, Any] = json.loads(canonical(Policy()))
    settings["accounts"] = [{"account_id": ACCOUNT, "kind": "bank"}]
    settings["screening"]["allow"] = [PAYEE]
    settings["var"]["min_obs"] = observations
    settings["sweep"] |= sweep
    for row in settings["sweep"]["products"]:
        row["beneficiary"] = PAYEE
        if row["product"] == "FED_RRP":
            row["matures"] = overnight
        row["discount_rate"] = "0.042" if row["product"] == "TBILL_4W" else None
    return from_content(settings)


def message(
    day: int, at: str, balance_e4: int, entries: tuple[BankEntry, ...] = (), closes: bool = False
) -> BalanceEvent:
    as_of_ms = day * DAY_MS + parse_time(f"1970-01-01T{at}:00Z")
    code = "CLBD" if closes else "ITAV"
    return BalanceEvent(
        account_id=ACCOUNT,
        source="camt053" if closes else "camt052",
        msg_id=f"{day}-{at}",
        balances=(BankBalance(code, balance_e4, "USD", as_of_ms),),
        entries=entries,
        as_of_ms=as_of_ms,
        statement_date=day if closes else None,
    )


def past(days: int = 40, swept: bool = False, paid: int = 0, reports: int = 0) -> ListLog:
    """A balance of 2.5 million; each business day 100,000 go out and come in. `swept`: on the first
    day the recorded policy had placed a million overnight. `paid`: on the tenth day customers take
    so many thousands. `reports`: so often a day's entries are told before its statement is.
    """
    log, at_ms = ListLog(), (FIRST - 1) * DAY_MS
    body = canonical(policy())
    log.put(
        "orch_config_updates",
        PolicyUpdate("bank", 1, policy_hash(body), body, "rest", "ann", (), "", at_ms),
    )
    log.put("treasury.controls.v1", Control("all", "ACTIVE", 1, "t", ("ann",), (), at_ms))
    years = tuple(CalendarYear(name, 2026, closed(name, 2026)) for name in CALENDARS)
    fed, placed = calendar(FED, years), 0
    for day in range(FIRST, FIRST + days):
        if not fed.is_open(day):
            continue
        whole = 25 * 10**9 - (paid * 10**7 if day >= FIRST + 9 else 0)
        log.put("balance_events", message(day, "13:00", whole - placed))
        entries = []
        for sign in (1, -1):
            entry = BankEntry(f"{day}{sign}", sign * 10**9, "USD", "BOOK", False, day)
            entries.append(entry)
        if swept and day in (FIRST, FIRST + 1):
            amount = -MILLION_E4 if day == FIRST else MILLION_E4
            placed -= amount
            ours = BankEntry(f"{day}o", amount, "USD", "BOOK", False, day, day, OURS)
            entries.append(ours)
        held = whole - placed
        for n in range(reports):
            log.put("balance_events", message(day, f"22:0{n}", held, tuple(entries)))
        log.put("balance_events", message(day, "23:00", held, tuple(entries), closes=True))
    return log


def course(log: ListLog, **settings: Any) -> Course:
    ruling = Ruling("test", 1, policy(**settings))
    made = run(log, WIRE, ruling, terms=Terms(fund_rate_e18=E18 // 20))
    assert not made.letters, made.letters
    (total,) = made.totals
    last = made.days[-1]
    assert total.net_last_e18 == 2_500_000 * E18 + total.sweep_yield_e18, "nothing is lost"
    assert last.placed_e18 == total.swept_out_e18 - total.swept_back_e18
    return made


@pytest.mark.req("E-4")
def test_bills_are_bought_and_come_back_for_their_face() -> None:
    """A float of 30 % of the outflow stays; 28 days later a bill is worth its face."""
    made = course(past())
    (total,) = made.totals
    first = next(one for one in made.decisions if one.product == "TBILL_4W")
    assert 0 <= first.available_e18 - 30_000 * E18 - first.placed_e18 < 100 * E18
    assert total.swept_back_e18 >= first.placed_e18
    assert total.sweep_yield_e18 > 0 == total.days_under_floor


def test_overnight_money_is_back_the_next_day() -> None:
    """Too little is known for bills: everything goes overnight, at 5 % a year on 360 days."""
    made = course(past(), observations=250)
    (total,) = made.totals
    placed = [one for one in made.decisions if one.placed_e18 > 0 and one.product == "FED_RRP"]
    assert len(placed) > 10
    assert total.swept_back_e18 + made.days[-1].placed_e18 == total.swept_out_e18
    a_day = total.swept_back_e18 * 5 // 100 // 360
    assert a_day <= total.sweep_yield_e18 <= a_day * 2, "a week-end earns three days"


@pytest.mark.parametrize("reports", [0, 2])
def test_the_recorded_policys_own_orders_are_taken_out(reports: int) -> None:
    """Its entries leave the statements and its money never left: both pasts are the same, however
    often a bank tells one entry.
    """
    swept = past(swept=True, reports=reports)
    at_ms = FIRST * DAY_MS
    meta = Meta("0" * 32, at_ms, "bank@1", Source("treasury.proposals.v1", 0, 0))
    order = SweepOrder(
        meta=meta,
        order_id=OURS,
        display_ref="SWP-1",
        source_account="0123456789",
        account_id=ACCOUNT,
        direction="OUT",
        target_product="FED_RRP",
        amount_usd_e4=MILLION_E4,
        cutoff_utc_ms=at_ms + DAY_MS,
        value_date=FIRST,
        risk_checks=RiskChecks(parse_e18("10"), None),
        created_ts_ms=at_ms,
        executed_by="weir",
        approvals=(),
        compliance_tags={},
    )
    swept.put("sweep_intent", order)
    taken_out, never = course(swept), course(past(reports=reports))
    assert [plain.same for plain in taken_out.decisions] == [p.same for p in never.decisions]
    assert taken_out.totals == never.totals


def test_money_that_is_needed_is_brought_back() -> None:
    """On the tenth day 20,000 are missing of the float: they come out of what lies overnight."""
    ruling = Ruling("test", 1, policy(250, "never", rule="sweep-safe-v1"))
    made = run(past(20, paid=20), WIRE, ruling)
    assert not made.letters
    (total,) = made.totals
    (back,) = [one for one in made.decisions if one.placed_e18 < 0]
    assert (back.action, back.placed_e18) == ("REVERSE_SWEEP", -20_000 * E18)
    assert (total.swept_out_e18, total.swept_back_e18) == (2_470_000 * E18, 20_000 * E18)
    assert total.net_last_e18 == 2_480_000 * E18
    assert total.days_under_floor == 0


def test_days_under_the_floor_are_counted() -> None:
    """Nothing is placed of a balance below the floor, and every day of it counts."""
    made = course(past(10), floor_usd="3000000")
    (total,) = made.totals
    assert total.swept_out_e18 == 0
    assert total.days_under_floor == len(made.days) >= 10
