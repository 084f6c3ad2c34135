"""Replay: the recorded merge order through the same steps, without Faust, without a worker.

`check` reads what was folded, in the order in which it was folded, and says whether state and
outputs follow from it to the last byte; of everything or of a range (`span`). It writes nothing.
`states` are what a range begins from, for a log that is to begin there.
"""

from weir.replay.base import Base
from weir.replay.check import check, states
from weir.replay.choice import Choice
from weir.replay.difference import Difference
from weir.replay.log import KafkaLog, Log, Reader, Record
from weir.replay.report import Progress, Report, Scope
from weir.replay.span import Span, span

__all__ = [
    "Base",
    "Choice",
    "Difference",
    "KafkaLog",
    "Log",
    "Progress",
    "Reader",
    "Record",
    "Report",
    "Scope",
    "Span",
    "check",
    "span",
    "states",
]
