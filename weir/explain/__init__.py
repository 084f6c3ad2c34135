"""`weir explain`: why a decision was made, from the record that the audit keeps of it.

`explain` reads it from Kafka; `reasons` works it out again, and `text` says it to a person.
"""

from weir.explain.find import explain
from weir.explain.reasons import Reasons, reasons
from weir.explain.text import text

__all__ = ["Reasons", "explain", "reasons", "text"]
