"""An account that earns a hundred dollars a day, with a cheap loan far below every band: what a
policy makes of it can be counted on fingers.

Each day at noon the venue is polled, a minute later the hedge earns 100 USDT, and another minute
later the venue is polled again. The shipped rule repays nine tenths of what may be used; an order
goes out on the first day on which that is the least the policy lets pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.money import E18
from schemas.policy import Policy, canonical, from_yaml, policy_hash
from schemas.records import Collateral, Control, Debt, HedgeExecution, LoanState, PolicyUpdate
from tests.fill import fill
from weir.backtest.candles import Said
from weir.backtest.lines import write

T0_MS = 1_767_225_600_000  # 2026-01-01
DAY_MS, MINUTE_MS = 86_400_000, 60_000
NOON_MS = DAY_MS // 2
ACCOUNT, CCY = "bybit:1", "USDT"
HOURLY_E18 = E18 // 100_000
DEBT_E18, COLLATERAL_E18 = 1_000_000 * E18, 4_000_000 * E18


def policy(least: str, more: str = "") -> str:
    """A policy file whose least loan operation is so many dollars."""
    row = f"{{min_usd: {least}, single_usd: 10000, daily_usd: 50000, over: clip}}"
    return (
        f"name: steady\nlimits: {{loan: {row}}}\napprovals: {{loan_usd: 9999}}\n"
        f"accounts: [{{account_id: '{ACCOUNT}'}}]\n{more}"
    )


def update(text: str, version: int = 1) -> PolicyUpdate:
    """The record that put it in force."""
    rule: Policy = from_yaml(text)
    body = canonical(rule)
    return PolicyUpdate(rule.name, version, policy_hash(body), body, "rest", "ann", (), "", T0_MS)


def records(days: int, in_force: str) -> Iterator[Said]:
    """What the outside wrote on so many days, under a policy."""
    yield Said("orch_config_updates", update(in_force), T0_MS)
    yield Said("treasury.controls.v1", Control("all", "ACTIVE", 1, "test", (), (), T0_MS), T0_MS)
    for day in range(days):
        noon_ms = T0_MS + day * DAY_MS + NOON_MS
        yield Said("treasury.loan-states.v1", _loan(noon_ms), noon_ms)
        for number, (side, price) in enumerate((("Buy", 1_000), ("Sell", 1_100))):
            fill = _fill(day, number, side, price, noon_ms + MINUTE_MS + number)
            yield Said("hedge-executions", fill, fill.exec_time_ms)
        later_ms = noon_ms + 2 * MINUTE_MS
        yield Said("treasury.loan-states.v1", _loan(later_ms), later_ms)


def folder(place: Path, days: int, in_force: str) -> Path:
    """The same as lines in a folder."""
    write(records(days, in_force), place)
    return place


def _fill(day: int, number: int, side: str, price: int, at_ms: int) -> HedgeExecution:
    return fill(f"e{day}-{number}", ACCOUNT, side, E18, price * E18, at_ms, seq=2 * day + number)


def _loan(at_ms: int) -> LoanState:
    return LoanState(
        account_id=ACCOUNT,
        loan_id="pool",
        coin=CCY,
        principal_amount_e18=DEBT_E18,
        accrued_interest_e18=0,
        interest_rate_e18=HOURLY_E18 * 8_760,
        hourly_rate_e18=HOURLY_E18,
        debts=(Debt(CCY, DEBT_E18, 0, DEBT_E18, HOURLY_E18, False),),
        total_debt_usd_e18=DEBT_E18,
        collateral_value_e18=COLLATERAL_E18,
        ltv_ratio_e18=E18 // 4,
        collaterals=(Collateral("BTC", 40 * E18, COLLATERAL_E18, E18),),
        as_of_ms=at_ms,
    )
