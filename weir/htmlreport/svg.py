"""Draws a chart with matplotlib and makes the SVG fit to stand in a page: no date, no library's
name, ids that no other drawing has, text as text, and the page's colours.

Equal charts are equal bytes. Nothing is drawn by a global state of matplotlib.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

WIDTH_IN, HEIGHT_IN = 6.4, 2.9
COLOURS = {
    "left": "#010203",
    "right": "#010204",
    "ink": "#010205",
    "rule": "#010206",
    "call": "#010207",
    "end": "#010208",
}
"""Stand-ins, each of which the page's own colour replaces."""
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "weir",
    "text.parse_math": False,
    "font.size": 9.5,
    "axes.unicode_minus": True,
}
DASHES: tuple[Any, ...] = ("solid", (0, (4, 2.5)))
FEW = 40
"""Points up to this number are marked, or a single day would not be seen."""


class Line(NamedTuple):
    """A figure over time, in days since 1970; `nan` where it is not known."""

    label: str
    times: list[float]
    values: list[float]
    steps: bool = False


class Level(NamedTuple):
    """A line across, and its colour."""

    label: str
    value: float
    colour: str


class Chart(NamedTuple):
    """What is drawn; title and words are for those who do not see it."""

    title: str
    words: str
    lines: list[Line]
    levels: list[Level]


_AUTO: Any = dates.AutoDateLocator
_CONCISE: Any = dates.ConciseDateFormatter


def draw(chart: Chart, prefix: str) -> str:
    """The drawing as an SVG element."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.add_subplot()
        _lines(axes, chart)
        _levels(axes, chart)
        _frame(axes)
        written = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return _clean(written.getvalue(), chart, prefix)


def _lines(axes: Axes, chart: Chart) -> None:
    for line, side, dashes in zip(chart.lines, ("left", "right"), DASHES, strict=True):
        axes.plot(
            line.times,
            line.values,
            label=line.label,
            color=COLOURS[side],
            linestyle=dashes,
            linewidth=2.4 if side == "left" else 1.6,
            drawstyle="steps-post" if line.steps else "default",
            marker="o" if len(line.times) <= FEW else "",
            markersize=3,
        )
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.2,
        labelcolor=COLOURS["ink"],
    )  # fmt: skip


def _levels(axes: Axes, chart: Chart) -> None:
    for level in chart.levels:
        colour = COLOURS[level.colour]
        axes.axhline(level.value, color=colour, linewidth=1.1, linestyle=(0, (1, 1.5)))
        above = level.colour == "end"
        axes.annotate(
            level.label, (1, level.value), xycoords=("axes fraction", "data"), color=colour,
            xytext=(0, 2 if above else -2), textcoords="offset points", size=8.5,
            ha="right", va="bottom" if above else "top",
        )  # fmt: skip
    if chart.levels:
        axes.set_ylim(bottom=0, top=max(105.0, axes.get_ylim()[1]))


def _frame(axes: Axes) -> None:
    locator = _AUTO(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_CONCISE(locator, show_offset=False))
    axes.yaxis.set_major_formatter(_Separated())
    axes.grid(axis="y", color=COLOURS["rule"], linewidth=0.6)
    axes.tick_params(colors=COLOURS["ink"], length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["rule"])


class _Separated(Formatter):
    """Thousands separated, and just as many places as tell two ticks apart."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        steps = [abs(after - before) for before, after in pairwise(values)]
        step = min((one for one in steps if one > 0), default=1.0)
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        return [f"{value:,.{places}f}".replace("-", "−") for value in values]


def _clean(text: str, chart: Chart, prefix: str) -> str:
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    head = (
        f'<svg role="img" aria-labelledby="{prefix}-title {prefix}-words"'
        f' viewBox="0 0 {WIDTH_IN * 72:g} {HEIGHT_IN * 72:g}"'
        ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{prefix}-title">{escape(chart.title)}</title>'
        f'<desc id="{prefix}-words">{escape(chart.words)}</desc>'
    )
    return head + text[text.index(">") + 1 :]
