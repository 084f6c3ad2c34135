"""The totals of both courses side by side, with their differences and units, and in words what the
second policy did otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from weir.backtest.course import Comparison, Totals
from weir.htmlreport.about import About
from weir.htmlreport.words import count, exact, money, percent

MONEY, RATIO, NUMBER = "money", "ratio", "number"

GROUPS = (
    (
        "Debt",
        (
            ("debt_start_e18", "Debt at the beginning", MONEY),
            ("interest_e18", "+ interest", MONEY),
            ("repaid_e18", "− repaid", MONEY),
            ("flows_e18", "+ borrowed and repaid by others", MONEY),
            ("debt_end_e18", "= debt at the end", MONEY),
        ),
    ),
    (
        "Risk",
        (
            ("added_e18", "Added as collateral", MONEY),
            ("collateral_last_e18", "Collateral at the end, after its haircut", MONEY),
            ("ltv_max_e18", "Highest loan to value", RATIO),
            ("ltv_last_e18", "Loan to value at the end", RATIO),
            ("distance_min_e18", "Smallest fall to liquidation", RATIO),
            ("distance_last_e18", "Fall to liquidation at the end", RATIO),
        ),
    ),
    (
        "Profit",
        (
            ("realised_e18", "Realised by the hedge", MONEY),
            ("fees_e18", "– of it trading fees", MONEY),
            ("funding_e18", "– of it funding", MONEY),
            ("kept_e18", "Kept back for good", MONEY),
            ("available_e18", "Still available at the end", MONEY),
            ("net_last_e18", "Net at the end (see the first plot)", MONEY),
        ),
    ),
    (
        "Cash",
        (
            ("swept_out_e18", "Placed", MONEY),
            ("swept_back_e18", "Brought back", MONEY),
            ("sweep_yield_e18", "Earned by placements", MONEY),
            ("days_under_floor", "Days under the floor", NUMBER),
        ),
    ),
    (
        "Activity",
        (
            ("orders", "Orders that went out", NUMBER),
            ("refused", "Orders without effect", NUMBER),
            ("decisions", "Decisions", NUMBER),
            ("holds", "– of them to do nothing", NUMBER),
        ),
    ),
)


class Figure(NamedTuple):
    """A row: what it is, in which unit, under both policies, and the second less the first."""

    label: str
    unit: str
    left: str
    right: str
    difference: str
    exact: tuple[str, str, str]
    same: bool


class Group(NamedTuple):
    """Figures that belong together."""

    name: str
    figures: list[Figure]


def groups(comparison: Comparison, account_id: str, about: About) -> list[Group]:
    """The figures of an account; one that is nothing under both policies is left out."""
    left, right, less = _three(comparison, account_id)
    found = []
    for name, rows in GROUPS:
        figures = [
            _figure(left, right, less, field, label, kind, about.ccy(account_id))
            for field, label, kind in rows
            if getattr(left, field) or getattr(right, field)
        ]
        if figures:
            found.append(Group(name, figures))
    return found


def sentences(comparison: Comparison, account_id: str, about: About) -> list[str]:
    """What the second policy did otherwise, the largest things first."""
    _, right, less = _three(comparison, account_id)
    ccy = about.ccy(account_id)
    said = [
        *_more(less.repaid_e18, "repaid", ccy),
        *_more(less.added_e18, "pledged", ccy),
        *_more(less.interest_e18, "paid", f"{ccy} of interest"),
        *_more(less.swept_out_e18, "placed", ccy),
        *_more(less.sweep_yield_e18, "earned", f"{ccy} by placements"),
    ]
    if less.ltv_max_e18 and right.ltv_max_e18 is not None:
        higher = "higher" if less.ltv_max_e18 > 0 else "lower"
        said.append(
            f"its highest loan to value was {percent(right.ltv_max_e18)} %,"
            f" {percent(abs(less.ltv_max_e18))} points {higher}"
        )
    if less.days_under_floor:
        more = "more" if less.days_under_floor > 0 else "fewer"
        said.append(f"it was under the floor on {count(abs(less.days_under_floor))} days {more}")
    return said


def _more(difference_e18: int, did: str, what: str) -> Iterator[str]:
    if difference_e18:
        more = "more" if difference_e18 > 0 else "less"
        yield f"it {did} {money(abs(difference_e18))} {what} {more}"


def _figure(
    left: Totals, right: Totals, less: Totals, field: str, label: str, kind: str, ccy: str
) -> Figure:
    three = [getattr(one, field) for one in (left, right, less)]
    show = {MONEY: money, RATIO: percent}.get(kind)
    if show is None:
        texts = [count(three[0]), count(three[1]), count(three[2], sign=True)]
    else:
        texts = [show(three[0]), show(three[1]), show(three[2], sign=True)]
    return Figure(
        label=label,
        unit={MONEY: ccy, RATIO: "%, points", NUMBER: ""}[kind],
        left=texts[0],
        right=texts[1],
        difference="same" if three[2] == 0 else texts[2],
        exact=(_title(three[0], kind), _title(three[1], kind), _title(three[2], kind)),
        same=three[2] == 0,
    )


def _title(value: int | None, kind: str) -> str:
    return str(value) if kind == NUMBER else exact(value)


def _three(comparison: Comparison, account_id: str) -> tuple[Totals, Totals, Totals]:
    sides = (comparison.left.totals, comparison.right.totals, comparison.difference)
    left, right, less = (
        next((one for one in side if one.account_id == account_id), Totals(account_id))
        for side in sides
    )
    return left, right, less
