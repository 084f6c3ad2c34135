"""What the audit knows of its chain: the place and hash of the last record."""

from __future__ import annotations

from tables.partition import PARTITION_PART
from tables.spec import TableSpec
from tables.state import State


class Head(State, frozen=True):
    """The last record of a chain; `hash` in hex."""

    seq: int
    hash: str


AUDIT = TableSpec("audit", {**PARTITION_PART, "heads": Head})
