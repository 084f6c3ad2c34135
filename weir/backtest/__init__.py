"""Back-tests: the same day, or years, under another policy, from the log itself or from files.

    course = run(log, wire, find("opt-v1", log, wire), Span(from_ms, to_ms))
    both = compare(log, wire, left, right, span)

The nodes are the same, folded in memory; venue and bank are models whose assumptions a `Course`
carries in words. Nothing is written anywhere.
"""

from weir.backtest.compare import compare, paired
from weir.backtest.course import Comparison, Course, Day, Decided, Pair, Totals
from weir.backtest.foreign import Folded, fold
from weir.backtest.rulings import Ruling, find
from weir.backtest.running import Span, run
from weir.backtest.venue import Terms

__all__ = [
    "Comparison",
    "Course",
    "Day",
    "Decided",
    "Folded",
    "Pair",
    "Ruling",
    "Span",
    "Terms",
    "Totals",
    "compare",
    "find",
    "fold",
    "paired",
    "run",
]
