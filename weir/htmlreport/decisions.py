"""The decisions that differ, side by side: what each policy did at one time, and why."""

from __future__ import annotations

from typing import NamedTuple

from weir.backtest.course import HOLD, Comparison, Decided
from weir.htmlreport.about import About
from weir.htmlreport.words import instant, money, percent

WHY = {
    "ltv_risk_reduction": "loan to value above the high band",
    "interest_optimization": "the loan costs more than collateral yields",
    "yield_optimization": "collateral yields more than the loan costs",
    "balanced_allocation": "loan to value between the bands",
    "principal_reduction": "loan to value below the low band",
    "ltv_target": "loan to value above its target",
    "nothing_better": "nothing is better than waiting",
    "below_min": "too small for an order",
    "over_daily_limit": "the limit of the day is used up",
    "over_single_limit": "above the limit of one operation",
    "stale_loan": "the loan state is too old",
    "stale_balance": "the balance is too old",
    "stale_mark": "the dollar rate is too old",
    "no_forecast": "no outflow can be forecast",
    "no_policy": "the policy does not list the account",
    "in_flight": "an order is under way",
    "withdrawn": "an order that had not gone out is taken back: the balance no longer carries it",
    "dead_time": "the other direction was ordered today",
    "class_disabled": "the product is closed",
    "screening": "nobody to pay is allowed",
    "cash_short": "too little can be brought back",
    "currency_mismatch": "the loan is in another coin",
}


class Side(NamedTuple):
    """One policy's decision: in words, from what, and why."""

    did: str
    basis: str
    why: str


class Row(NamedTuple):
    """Both decisions of one account at one time; a side without one is None."""

    at: str
    account_id: str
    left: Side | None
    right: Side | None


def rows(comparison: Comparison, about: About, most: int) -> list[Row]:
    """The first so many of them, in time order."""
    return [
        Row(
            instant(pair.at_ms),
            pair.account_id,
            _side(pair.left, about.ccy(pair.account_id)),
            _side(pair.right, about.ccy(pair.account_id)),
        )
        for pair in comparison.pairs[:most]
    ]


def _side(one: Decided | None, ccy: str) -> Side | None:
    if one is None:
        return None
    return Side(_did(one, ccy), _basis(one, ccy), WHY.get(one.reason) or _spoken(one.reason))


def _did(one: Decided, ccy: str) -> str:
    if one.action == HOLD:
        again = f", {one.times} times until {instant(one.until_ms)}" if one.times > 1 else ""
        return f"hold{again}"
    parts = []
    if one.repay_e18:
        parts.append(f"repay {money(one.repay_e18)} {ccy}")
    if one.pledge_e18:
        parts.append(f"pledge {money(one.pledge_e18)} {ccy}")
    if one.placed_e18 > 0:
        parts.append(f"place {money(one.placed_e18)} {ccy} in {one.product}")
    if one.placed_e18 < 0:
        parts.append(f"bring back {money(-one.placed_e18)} {ccy} from {one.product}")
    return ", ".join(parts) or _spoken(one.action)


def _basis(one: Decided, ccy: str) -> str:
    basis = f"of {money(one.available_e18)} {ccy}"
    if one.ltv_e18 is None:
        return basis
    after = "" if one.ltv_after_e18 is None else f" → {percent(one.ltv_after_e18)}"
    return f"{basis}, loan to value {percent(one.ltv_e18)}{after} %"


def _spoken(code: str) -> str:
    return code.replace("_", " ")
