"""How a worker is doing: counts and times a status command, a probe or a metric can read."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.exact.engine import Engine


class Meter:
    """Counters since the start; transaction times of the last thousand."""

    def __init__(self) -> None:
        self.events = self.transactions = self.refused = 0
        self.looped_s = self.committed_s = 0.0
        self._seconds: deque[float] = deque(maxlen=1000)

    def looped(self) -> None:
        self.looped_s = time.monotonic()

    def transaction(self, events: int, seconds: float) -> None:
        self.events += events
        self.transactions += 1
        self.committed_s = time.monotonic()
        self._seconds.append(seconds)

    def quantile_ms(self, fraction: float) -> float | None:
        ordered = sorted(self._seconds)
        if not ordered:
            return None
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * fraction))], 1)


def status(engine: Engine) -> dict[str, Any]:
    """Ready (assigned and restored), alive (ages of the last loop and commit), positions,
    transactions.
    """
    meter, session, now_s = engine.meter, engine.session, time.monotonic()
    return {
        "app": engine.app.conf.id,
        "slot": engine.config.slot,
        "ready": session is not None and session.ready,
        "loop_age_ms": round(1000 * (now_s - meter.looped_s)) if meter.looped_s else None,
        "commit_age_ms": round(1000 * (now_s - meter.committed_s)) if meter.committed_s else None,
        "events": meter.events,
        "refused": meter.refused,
        "transactions": meter.transactions,
        "transaction_ms_p50": meter.quantile_ms(0.5),
        "transaction_ms_p99": meter.quantile_ms(0.99),
        "session": session.describe() if session is not None else None,
    }
