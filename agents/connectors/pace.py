"""Keeps below the venue's limits: all threads of one account wait for their turn here."""

from __future__ import annotations

import threading
import time


class Pace:
    """Lets one request through per `interval_s`, in the order of arrival."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait(self) -> None:
        """Returns when this thread's turn has come."""
        with self._lock:
            now_s = time.monotonic()
            turn_s = max(self._next_s, now_s)
            self._next_s = turn_s + self._interval_s
        if turn_s > now_s:
            time.sleep(turn_s - now_s)

    def hold(self, seconds: float) -> None:
        """No turn before so many seconds have passed: the venue asked for it."""
        with self._lock:
            self._next_s = max(self._next_s, time.monotonic() + seconds)
