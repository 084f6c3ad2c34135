"""How far apart the lines of a course lie: a quarter of an hour while it is shorter than two days,
an hour while it is shorter than ten, then a day. So a day is a line and years stay small.

A line is named by where its stretch begins: 2026-01-05, or 2026-01-05T10:15.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.jsonform import iso
from weir.backtest.course import Day

QUARTER_MS, HOUR_MS, DAY_MS = 900_000, 3_600_000, 86_400_000
GRAINS = ((2 * DAY_MS, QUARTER_MS), (10 * DAY_MS, HOUR_MS))


def every_ms(passed_ms: int) -> int:
    """The length of a stretch once so much time has passed."""
    return next((grain for until, grain in GRAINS if passed_ms < until), DAY_MS)


def name(at_ms: int, grain_ms: int) -> str:
    """The stretch in which a time lies."""
    begins = str(iso(at_ms // grain_ms * grain_ms))
    return begins[:10] if grain_ms == DAY_MS else begins[:16]


def begins_ms(said: str) -> int:
    """When a stretch begins, by its name."""
    at = datetime.fromisoformat(said).replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000


class Lines:
    """One line for each stretch and account: the last one, with the most the stretch has seen."""

    def __init__(self) -> None:
        self.grain_ms = QUARTER_MS
        self._lines: dict[tuple[str, str], Day] = {}

    def put(self, line: Day) -> None:
        """The line of a stretch that has ended, or goes on."""
        at = line.day, line.account_id
        old = self._lines.get(at)
        if old is not None and old.ltv_max_e18 is not None:
            most = max(old.ltv_max_e18, line.ltv_max_e18 or 0)
            line = replace(line, ltv_max_e18=most)
        self._lines[at] = line

    def coarser(self, grain_ms: int) -> None:
        """Lines of longer stretches from now on, and of what is there."""
        finer, self._lines, self.grain_ms = self._lines, {}, grain_ms
        for line in finer.values():
            self.put(replace(line, day=name(begins_ms(line.day), grain_ms)))

    def all(self) -> Iterable[Day]:
        """All lines in the order in which their stretches began."""
        return self._lines.values()
