"""Replay: the recorded merge order through the same steps, without Faust, without a worker.

`check` reads what was folded, in the order in which it was folded, and says whether state and
outputs follow from it to the last byte. It writes nothing.
"""

from weir.replay.check import Progress, Report, check
from weir.replay.difference import Difference
from weir.replay.log import KafkaLog, Log, Reader, Record

__all__ = [
    "Difference",
    "KafkaLog",
    "Log",
    "Progress",
    "Reader",
    "Record",
    "Report",
    "check",
]
