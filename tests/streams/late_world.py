"""Executions that come late or again: `fill f1 buy 1 at 100 exec=+5s` was executed 5 s after the
scenario's start, whenever it comes; `resent c1 LATE fill f1 buy ...` sends it in a Correction.
"""

from __future__ import annotations

from typing import Any

from schemas.records import BookInput, Correction, HedgeExecution
from schemas.wire import SchemaIds, Wire
from streams.step import Entries
from tests.streams.book_world import INBOX, BookWorld
from tests.streams.desk_world import ACCOUNT, T0_MS, span_ms
from tests.table import Row

WIRE = Wire(SchemaIds.from_lock())


class LateWorld(BookWorld):
    """A world in which an execution has a time of its own."""

    held_back: HedgeExecution | None = None

    def execute(self, row: Row, exec_type: str) -> None:
        fields = dict(row.fields)
        if "exec" in fields:
            fields["time"] = str(T0_MS + span_ms(fields.pop("exec")))
        super().execute(Row(row.line, row.verb, row.words, fields), exec_type)

    def resent(self, row: Row) -> None:
        """The row that follows on this line, inside a Correction of this kind."""
        correction_id, kind, verb, *words = row.words
        self.holding = True
        getattr(self, verb)(Row(row.line, verb, tuple(words), row.fields))
        self.holding = False
        assert self.held_back is not None
        data = WIRE.encode("hedge-executions", self.held_back)
        body = Correction(correction_id=correction_id, kind=kind, row=data)
        self.to_book(INBOX, BookInput(body=body))

    holding = False

    def to_book(self, topic: str, value: Any, key: str = ACCOUNT) -> None:
        if self.holding:
            self.held_back = value
        else:
            super().to_book(topic, value, key)

    def entries(self) -> Entries:
        """What the book knows of the account."""
        return Entries(self.book, ACCOUNT)
