"""How far a feed of a bank has come, in a file of the home, kept across restarts.

A mark moves only after everything before it is on the log; what is read again after a crash says
the same under the same message id, which the cash node drops.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class Marks(BaseModel):
    """`after`: the last document of the mailbox that is dealt with. `held`: earlier ones whose
    other pages are not there yet. `days`: what was told of each day.
    """

    model_config = ConfigDict(extra="forbid")

    after: int = 0
    held: tuple[str, ...] = ()
    days: dict[str, str] = {}


class MarksFile:
    """The marks of one feed; `name` tells feeds apart."""

    def __init__(self, home: Path, name: str) -> None:
        self._path = home / "feeds" / f"{name.replace('/', '-').replace(':', '-')}.json"
        self.marks = self._read()

    def save(self) -> None:
        """Replaces the file in one step; on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with part.open("w") as out:
            out.write(self.marks.model_dump_json() + "\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._path)

    def _read(self) -> Marks:
        try:
            return Marks.model_validate(json.loads(self._path.read_text()))
        except FileNotFoundError:
            return Marks()
        except (ValueError, ValidationError) as why:
            raise ValueError(f"{self._path}: these are no marks of a feed: {why}") from why
