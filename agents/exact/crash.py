"""Crash-only: how a worker dies, and what it leaves behind for its next start.

After an indefinite error nobody knows what the broker has; a restart asks it. A step that broke on
an input is remembered by the input's coordinates, and the third time the input's partition stays
paused while the others run.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

EXIT_CODE = 70

log = logging.getLogger("exact")


def die(why: str, error: BaseException | None = None) -> NoReturn:
    """Logs why and ends the process at once; nothing is flushed, aborted or tidied up."""
    try:
        log.critical("worker stops: %s", why, exc_info=error)
        for handler in (*log.handlers, *logging.getLogger().handlers):
            handler.flush()
        sys.stderr.flush()
    finally:  # also with a full disk behind the log
        os._exit(EXIT_CODE)


class Crashes:
    """How often a step broke, by input coordinates, kept in the worker's folder."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._path, self._limit = folder / "crashes.json", limit
        self._counts: dict[str, int] = {}
        if self._path.exists():
            self._counts = json.loads(self._path.read_text())

    def count(self, topic: str, partition: int, offset: int) -> int:
        """Notes one more crash at this input, durably, and returns how many there were."""
        at = f"{topic}|{partition}|{offset}"
        self._counts[at] = self._counts.get(at, 0) + 1
        scratch = self._path.with_suffix(".part")
        scratch.write_text(json.dumps(self._counts))
        scratch.replace(self._path)
        return self._counts[at]

    def paused(self) -> dict[tuple[str, int], int]:
        """(topic, partition) -> offset of inputs that broke a step as often as is allowed."""
        out = {}
        for at, count in self._counts.items():
            topic, partition, offset = at.rsplit("|", 2)
            if count >= self._limit:
                out[topic, int(partition)] = int(offset)
        return out

    def forget(self) -> None:
        """A person has dealt with it: start with a clean sheet."""
        self._counts.clear()
        self._path.unlink(missing_ok=True)
