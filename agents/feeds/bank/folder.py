"""Reads camt files that others lay into a folder, as banks deliver them by file transfer.

Files are read in order of their names, once they have been left alone for a moment. When what one
says is on the log, or among the dead letters, it is moved to `taken`; pages that wait for others
stay. A name that begins with a dot or ends with `.part` is still being written. The folder is not
ours alone: a file that is gone is nobody's concern, one that we may not read or move is told once.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from agents.connectors.bank.iso20022 import XML_BYTES_MAX
from agents.feeds.bank.freshness import Freshness
from agents.feeds.bank.taking import Taker
from streams.step import Refused

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
    _told: set[tuple[str, Path]] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until told to stop."""
        while not stop.is_set():
            for path in self._files():
                await self._take(path)
            await self._clear()
            self.freshness.answered()
            self.polls += 1
            try:
                await asyncio.wait_for(stop.wait(), self.poll_s)
            except TimeoutError:
                continue

    def _files(self) -> list[Path]:
        """What is there to be read."""
        found = [path for path in sorted(self.folder.glob("*")) if path not in self._read]
        named = [path for path in found if path.name[0] != "." and path.suffix != ".part"]
        until_s = time.time() - self.quiet_s
        return [path for path in named if path.is_file() and _written_s(path) <= until_s]

    async def _take(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                raw = file.read(XML_BYTES_MAX + 1)
        except FileNotFoundError:
            return
        except OSError as why:
            await self._tell("not_read", path, why)
            return
        self.freshness.told(await self.taker.take(str(path), raw))
        self._read.add(path)

    async def _clear(self) -> None:
        """Moves away what is dealt with."""
        waiting = set(self.taker.pages.origins())
        for path in sorted(one for one in self._read if str(one) not in waiting):
            aside = path.parent / TAKEN
            try:
                aside.mkdir(exist_ok=True)
                path.replace(aside / path.name)
            except FileNotFoundError:
                self._read.discard(path)
            except OSError as why:
                await self._tell("not_moved", path, why)
            else:
                self._read.discard(path)

    async def _tell(self, cause: str, path: Path, why: OSError) -> None:
        if (cause, path) not in self._told:
            await self.taker.refuse(str(path), Refused(cause, "file", path.name, str(why)))
            self._told.add((cause, path))


def _written_s(path: Path) -> float:
    """When it was written last; of one that is gone, never."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")
