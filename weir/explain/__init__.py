"""`weir explain`: why a decision was made, from the record that the audit keeps of it.

`explain` reads it from Kafka; `reasons` works one of the book out again, `sweeps` one of cash, and
`text` says it to a person.
"""

from weir.explain import sweep_text, sweeps
from weir.explain import text as book_text
from weir.explain.find import explain
from weir.explain.reasons import Reasons, reasons
from weir.explain.sweeps import SweepReasons

__all__ = ["Reasons", "SweepReasons", "explain", "reasons", "sweeps", "text"]


def text(found: Reasons | SweepReasons) -> str:
    """The explanation in plain lines."""
    if isinstance(found, SweepReasons):
        return sweep_text.text(found)
    return book_text.text(found)
