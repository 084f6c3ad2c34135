"""The audit for people: is the record whole, and what became of one decision."""

from weir.audit.checkpoints import Checked, check
from weir.audit.source import Laid, from_export, from_kafka
from weir.audit.verify import Fault, Report, verify
from weir.audit.view import story

__all__ = [
    "Checked",
    "Fault",
    "Laid",
    "Report",
    "check",
    "from_export",
    "from_kafka",
    "story",
    "verify",
]
