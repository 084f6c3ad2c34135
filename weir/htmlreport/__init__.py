"""A comparison of two policies as one HTML file that reads well on its own: figures with their
differences, plots, every decision that differs, assumptions, and how to repeat it.

It needs no network and holds no script; equal comparisons are equal bytes. Amounts are shown to the
cent, ratios to the hundredth of a percent, each rounded half to even; the exact figure stands in
the title of its cell, and all of them in the comparison's own `--json`.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.wiring import CODE_VERSION
from weir.backtest.course import Comparison
from weir.htmlreport import decisions, plots, totals
from weir.htmlreport.about import About
from weir.htmlreport.words import count, day, instant, span

__all__ = ["About", "render"]
DECISIONS_MAX = 500
"""More than these make a page that nobody reads; how many are left out is said."""


def render(comparison: Comparison, about: About) -> str:
    """The whole page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "day": day, "instant": instant}
    left, right = comparison.left, comparison.right
    accounts = [
        {
            "id": account_id,
            "figures": totals.groups(comparison, account_id, about),
            "words": totals.sentences(comparison, account_id, about),
            "plots": plots.of_account(comparison, account_id, about, f"a{number}"),
        }
        for number, account_id in enumerate(one.account_id for one in comparison.difference)
    ]
    page = environment.get_template("page.html")
    return page.render(
        left=left,
        right=right,
        accounts=accounts,
        decisions=decisions.rows(comparison, about, DECISIONS_MAX),
        left_out=max(0, len(comparison.pairs) - DECISIONS_MAX),
        pairs=len(comparison.pairs),
        about=about,
        code=CODE_VERSION,
        span=span(right.from_ms, right.to_ms),
        letters=sorted({*left.letters, *right.letters}),
        assumptions=list(dict.fromkeys((*left.assumptions, *right.assumptions))),
    )
