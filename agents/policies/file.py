"""The watched file: its content counts once it has been left alone for a moment.

It is looked at by its stamp (times, size, inode), which also sees a file that was replaced whole,
as editors and mounted configurations do, and one that kept its time. A file that is missing is a
fault: its absence is no word about the policy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from agents.policies.layers import Fault, Layer, document

SOURCE: Final = "file"
LOOK_S = 0.25


class _Stamp(NamedTuple):
    modified_ns: int
    changed_ns: int
    size: int
    inode: int


async def watch(path: Path, hear: Callable[[Layer | Fault], None], stop: asyncio.Event) -> None:
    """Tells what the file says, at once and whenever it has changed."""
    told: object = "nothing yet"
    before: _Stamp | None = await asyncio.to_thread(_stamp, path)
    while not stop.is_set():
        now = await asyncio.to_thread(_stamp, path)
        if now == before and now != told:
            hear(await asyncio.to_thread(read, path))
            told = now
        before = now
        try:
            await asyncio.wait_for(stop.wait(), LOOK_S)
        except TimeoutError:
            continue


def read(path: Path) -> Layer | Fault:
    """What the file says now."""
    where = f"file {path}"
    try:
        return Layer(SOURCE, where, document(path.read_text("utf-8")))
    except FileNotFoundError:
        return Fault(SOURCE, where, "is missing")
    except (OSError, ValueError) as why:
        return Fault(SOURCE, where, str(why))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
