"""The loan to value, recomputed from what is owed and pledged: does the published one agree?

Decisions use the published figure; a disagreement is an alert. Venues show dollars with two places,
so from such figures the ratio may be off by 10^-5 (and by what one cent of each sum can do, where
sums are small); from figures with more places by 10^-6, the last place of the ratio itself.
"""

from __future__ import annotations

from typing import Any

from schemas.money import E18, div_e18, text_e18
from schemas.records import LoanState
from streams import alerts
from streams.step import Entries, Event

CENT_E18 = E18 // 100
EXACT_E18, SHOWN_E18 = E18 // 10**6, E18 // 10**5
NAME = "ltv_mismatch"


def recomputed_e18(state: LoanState) -> int | None:
    """Debt over collateral after haircuts; None without collateral."""
    debt, collateral = _sums(state)
    return div_e18(debt, collateral) if collateral else None


def agrees(state: LoanState) -> bool:
    """Whether the published ratio is what its parts give; without collateral there is nothing to
    compare.
    """
    found = recomputed_e18(state)
    return found is None or abs(found - state.ltv_ratio_e18) <= tolerance_e18(state)


def tolerance_e18(state: LoanState) -> int:
    """How far apart published and recomputed may be."""
    _, collateral = _sums(state)
    rows = [row.usd_e18 for row in state.debts] + [row.usd_e18 for row in state.collaterals]
    figures = rows or [state.total_debt_usd_e18, state.collateral_value_e18]
    if any(figure % CENT_E18 for figure in figures):
        return EXACT_E18
    cents = len(figures) * CENT_E18 * max(E18, state.ltv_ratio_e18)
    return max(SHOWN_E18, -(-cents // collateral)) if collateral else SHOWN_E18


def compare(entries: Entries, event: Event) -> list[Any]:
    """The alert of a disagreement when it begins, and its end."""
    state: LoanState = event.value
    if agrees(state):
        return alerts.resolve(entries, event, NAME, "the published loan to value agrees again")
    found = recomputed_e18(state) or 0
    return alerts.fire(
        entries,
        event,
        NAME,
        f"published ltv_ratio={text_e18(state.ltv_ratio_e18)},"
        f" recomputed {text_e18(found)}: more than {text_e18(tolerance_e18(state))} apart",
    )


def _sums(state: LoanState) -> tuple[int, int]:
    """All debts and all collateral in dollars: from the rows, else as summed by the venue."""
    debt = sum(row.usd_e18 for row in state.debts) if state.debts else state.total_debt_usd_e18
    if not state.collaterals:
        return debt, state.collateral_value_e18
    return debt, sum(row.usd_e18 for row in state.collaterals)
