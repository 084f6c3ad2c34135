"""How much time has passed, for what must not be done late.

`time.monotonic` stands still while the machine sleeps: a worker that was put to sleep right after a
commit would wake up hours later and find that no time has passed, although others have taken over
since. This clock goes on. It is never set either.
"""

from __future__ import annotations

import time

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS' own goes on anyway


def elapsed_s() -> float:
    """Seconds since some moment in the past, those in which the machine slept included."""
    return time.clock_gettime(_CLOCK)
