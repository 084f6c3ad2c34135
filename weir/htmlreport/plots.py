"""The plots of an account: a figure over time under both policies, as SVG that stands in a page.

The first policy is a solid line, the second a dashed one above it, so that they can be told apart
in print and without colours; equal lines are seen as one. Colours are the page's own (light and
dark). A plot has a title and a description for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from markupsafe import Markup

from schemas.money import E18
from weir.backtest.course import Comparison, Course, Day
from weir.backtest.grain import DAY_MS, begins_ms
from weir.htmlreport import svg
from weir.htmlreport.about import About
from weir.htmlreport.words import money, percent

POINTS_MIN = 3
"""A line through fewer points shows nothing that the totals do not."""
Read = Callable[[Day], int | None]


class Kind(NamedTuple):
    """What a plot shows: a figure of a line. `rises`: it only changes by steps."""

    title: str
    read: Read
    ratio: bool = False
    rises: bool = False


EXCHANGE = (
    Kind("Net: wallets and collateral less debt", lambda day: day.net_e18),
    Kind("Equity of the trading wallet", lambda day: day.equity_e18),
    Kind("Highest loan to value", lambda day: day.ltv_max_e18, ratio=True),
    Kind("Debt", lambda day: day.debt_usd_e18),
    Kind("Profit that may be used", lambda day: day.available_e18),
    Kind("Repaid, summed up", lambda day: day.repaid_e18, rises=True),
    Kind("Added as collateral, summed up", lambda day: day.added_e18, rises=True),
    Kind("Interest, summed up", lambda day: day.interest_e18, rises=True),
)
BANK = (
    Kind("Balance and what is placed", lambda day: day.net_e18),
    Kind("Balance of the account", lambda day: day.equity_e18),
    Kind("Placed outside", lambda day: day.placed_e18, rises=True),
    Kind("Swept out, summed up", lambda day: day.swept_out_e18, rises=True),
    Kind("Brought back, summed up", lambda day: day.swept_back_e18, rises=True),
)


class Plot(NamedTuple):
    """A drawing with its title, unit and, in words, what it shows."""

    title: str
    unit: str
    words: str
    drawing: Markup


def of_account(comparison: Comparison, account_id: str, about: About, prefix: str) -> list[Plot]:
    """The plots of an account; what is nothing under both policies is left out. `prefix` begins
    every id in the drawings.
    """
    kinds = BANK if about.is_bank(account_id) else EXCHANGE
    plots = []
    for number, kind in enumerate(kinds):
        left = _line(comparison.left, account_id, kind)
        right = _line(comparison.right, account_id, kind)
        values = [value for line in (left, right) for value in line.values if _known(value)]
        if not any(values) or max(len(left.times), len(right.times)) < POINTS_MIN:
            continue
        unit = "%" if kind.ratio else about.ccy(account_id)
        words = _words(left, right, kind, unit)
        levels = list(_levels(about, kind)) if kind.ratio else []
        title = f"{kind.title}, {unit}"
        drawing = svg.draw(svg.Chart(title, words, [left, right], levels), f"{prefix}p{number}")
        plots.append(Plot(kind.title, unit, words, Markup(drawing)))
    return plots


def _line(course: Course, account_id: str, kind: Kind) -> svg.Line:
    days = [one for one in course.days if one.account_id == account_id]
    return svg.Line(
        label=course.policy,
        times=[begins_ms(one.day) / DAY_MS for one in days],
        values=[_shown(kind.read(one), kind) for one in days],
        steps=kind.rises,
    )


def _shown(value_e18: int | None, kind: Kind) -> float:
    """A value to draw: nothing is decided by it."""
    if value_e18 is None:
        return math.nan
    return value_e18 / E18 * (100 if kind.ratio else 1)


def _levels(about: About, kind: Kind) -> Iterator[svg.Level]:
    for name, side in (("margin call", "call"), ("liquidation", "end")):
        field = {"call": "ltv_margin_call_e18", "end": "ltv_liquidation_e18"}[side]
        for level in sorted({getattr(one.loan, field) for one in about.policies}):
            yield svg.Level(f"{name} {percent(level)} %", _shown(level, kind), side)


def _words(left: svg.Line, right: svg.Line, kind: Kind, unit: str) -> str:
    if left.values == right.values and left.times == right.times:
        return f"Under both policies the same. {_ends(left, kind, unit)}"
    return f"{left.label}: {_ends(left, kind, unit)} {right.label}: {_ends(right, kind, unit)}"


def _ends(line: svg.Line, kind: Kind, unit: str) -> str:
    known = [value for value in line.values if _known(value)]
    if not known:
        return "not known."
    show = _percent if kind.ratio else _money
    said = f"from {show(known[0])} to {show(known[-1])} {unit}"
    return f"{said}, at least {show(min(known))} and at most {show(max(known))}."


def _money(value: float) -> str:
    return money(round(value * 100) * (E18 // 100))


def _percent(value: float) -> str:
    return percent(round(value * 100) * (E18 // 10_000))


def _known(value: float) -> bool:
    return not math.isnan(value)
