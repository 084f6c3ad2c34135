"""Where the answer to a proposal goes: into the inbox of the node that made it."""

from __future__ import annotations

from typing import Any

from schemas.records import BookInput, CashInput, IntentOutcome, Meta
from streams.step import Emit

_INBOXES: dict[str, tuple[str, Any]] = {
    "book": ("treasury.book-inputs.v1", BookInput),
    "cash": ("treasury.cash-inputs.v1", CashInput),
}
ORIGINS = frozenset(_INBOXES)
"""The nodes that propose."""


def to_origin(outcome: IntentOutcome, stamp: Meta) -> Emit:
    """What became of a proposal, told to the node that made it."""
    topic, record = _INBOXES[outcome.origin]
    return Emit(topic, record(meta=stamp, body=outcome))
