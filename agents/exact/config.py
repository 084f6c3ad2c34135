"""What the engine may be told: intervals, sizes, the worker's slot, and where the order of events
is recorded.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class Config:
    """Settings of one worker process.

    `slot` is the worker's stable ordinal: it names its transactional id, and one live process may
    hold it. `order_topic` and `order_dumps` say where and how the merge order is written, one
    record per transaction, table and partition; without them it is not recorded;
    the entry under `order_stamp_key` goes into it. `window` is called
    with a word at each crash window of a transaction ("folded", "produced", "offsets", "committed",
    "stored", "restore"): tests stop the process there.
    """

    bootstrap: str
    datadir: Path
    slot: int = 0
    commit_interval_s: float = 0.02
    batch_max: int = 4000
    transaction_timeout_ms: int = 10_000
    session_timeout_s: float = 6.0
    hang_timeout_s: float = 60.0
    stop_timeout_s: float = 30.0
    fence_after_s: float = 2.0
    open_timeout_s: float = 120.0
    cache_entries: int = 200_000
    value_bytes_max: int = 900_000
    crashes_max: int = 3
    header_prefix: str = "exact"
    order_topic: str | None = None
    order_dumps: Callable[[Any], bytes] | None = None
    order_stamp_key: str | None = None
    window: Callable[[str], None] | None = field(default=None, compare=False)


class SlotTaken(RuntimeError):
    """Another live process holds this worker's slot."""


def hold_slot(datadir: Path, slot: int) -> IO[str]:
    """Locks the slot's folder for the life of the process; raises SlotTaken if somebody else has
    it.
    """
    datadir.mkdir(parents=True, exist_ok=True)
    handle = (datadir / "slot.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        raise SlotTaken(
            f"slot {slot} is taken: process {handle.read().strip() or '?'} works in {datadir}"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
