"""Reads camt files that others lay into a folder, as banks deliver them by file transfer.

Files are read in order of their names, once they have been left alone for a moment. When what one
says is on the log, or among the dead letters, it is moved to `taken`; pages that wait for others
stay. A name that begins with a dot or ends with `.part` is still being written.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from agents.connectors.bank.iso20022 import XML_BYTES_MAX
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.taking import Taker

TAKEN = "taken"
QUIET_S = 1.0


@dataclass
class FolderFeed:
    """One folder."""

    folder: Path
    taker: Taker
    freshness: Freshness
    poll_s: float = 2.0
    quiet_s: float = QUIET_S
    polls: int = 0
    _read: set[Path] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until told to stop."""
        while not stop.is_set():
            for path in self._files():
                await self._take(path)
            self._clear()
            self.freshness.answered()
            self.polls += 1
            try:
                await asyncio.wait_for(stop.wait(), self.poll_s)
            except TimeoutError:
                continue

    def _files(self) -> list[Path]:
        """What is there to be read."""
        found = [path for path in sorted(self.folder.glob("*")) if path.is_file()]
        ready = [path for path in found if path.name[0] != "." and path.suffix != ".part"]
        until_s = time.time() - self.quiet_s
        return [one for one in ready if one not in self._read and one.stat().st_mtime <= until_s]

    async def _take(self, path: Path) -> None:
        with path.open("rb") as file:
            raw = file.read(XML_BYTES_MAX + 1)
        self.freshness.told(await self.taker.take(str(path), raw))
        self._read.add(path)

    def _clear(self) -> None:
        """Moves away what is dealt with."""
        waiting = set(self.taker.pages.origins())
        for path in [one for one in self._read if str(one) not in waiting]:
            aside = path.parent / TAKEN
            aside.mkdir(exist_ok=True)
            path.replace(aside / path.name)
            self._read.discard(path)
