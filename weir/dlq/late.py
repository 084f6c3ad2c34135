"""An execution that came too late goes back as a Correction: a person has seen that it was not
counted.

On its own topic it would be late again. The correction lies in the book's inbox under the same key
and partition, and carries the row with the schema ids as released, whatever registry is in use.
"""

from __future__ import annotations

from typing import Any

from agents.letter import Letter
from schemas.errors import Undecodable
from schemas.records import BookInput, Correction
from schemas.topics import BY_NAME
from schemas.wire import SchemaIds, Wire

SOURCE, INBOX, CAUSE = "hedge-executions", "treasury.book-inputs.v1", "late"


def is_late(letter: Letter) -> bool:
    """Whether a letter holds such an execution."""
    return letter.source == SOURCE and letter.origin.cause == CAUSE and letter.value is not None


def corrected(letter: Letter, copy: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """The record that goes back instead of the copy. One that cannot be read goes back as it is."""
    try:
        row = wire.decode(SOURCE, letter.value or b"")
    except Undecodable:
        return copy
    data = Wire(SchemaIds.from_lock()).encode(SOURCE, row)
    body = Correction(correction_id=f"redrive:{letter.place}", kind="LATE", row=data)
    value = wire.encode(INBOX, BookInput(body=body))
    return {**copy, "topic": BY_NAME[INBOX].name, "value": value}
