"""Where somebody is who pulls from a topic: the next offset of each partition, as one opaque text.

A transaction that commits late has lower offsets than what others can already see, but only in
other partitions: within one, a reader of committed records is not shown anything behind an open
transaction. So one offset for each partition says exactly what was seen, and nothing that commits
later can lie before it. The topic's own id stands in the text, because offsets of a topic that was
made anew mean something else.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec


class BadCursor(ValueError):
    """A text that is no cursor; the sentence says why."""


class Cursor(msgspec.Struct, frozen=True, rename={"topic": "t", "offsets": "o"}):
    """The next offset of each partition; a partition that was not there yet begins at 0."""

    topic: str
    offsets: tuple[Annotated[int, msgspec.Meta(ge=0)], ...]

    def offset(self, partition: int) -> int:
        """The next offset of a partition."""
        return self.offsets[partition] if partition < len(self.offsets) else 0

    def text(self) -> str:
        """As it is handed out."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def of(cls, text: str) -> Cursor:
        """From what was handed out. Raises BadCursor."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return msgspec.json.decode(data, type=cls)
        except (binascii.Error, ValueError, msgspec.MsgspecError) as why:
            raise BadCursor(f"is no cursor of ours: {why}") from None
