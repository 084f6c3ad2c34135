"""Which of the recorded transactions are meant: from where on, and up to where.

An end of a range is a time, a day, or a place in the merge order. A range holds its beginning and
not its end; a day as the end is held to its last moment. A place that names partitions
(`3:1200` or `0:80,3:1200`) means those partitions alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.jsonform import Invalid, iso, parse_date, parse_time
from schemas.topics import DAY_MS
from weir.errors import WeirError

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PLACES = re.compile(r"\d+:\d+(,\d+:\d+)*")
_MS_DIGITS = 13
"""A number so long is a time in ms (2001 and later); no partition holds as many records."""


@dataclass(frozen=True)
class Bound:
    """One end of a range: a time, or offsets of the merge order by partition (None: in each)."""

    text: str
    at_ms: int | None = None
    offsets: Mapping[int | None, int] = field(default_factory=dict)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions it names; none when it means each of them."""
        return frozenset(partition for partition in self.offsets if partition is not None)

    def offset(self, partition: int) -> int | None:
        """Where it lies in a partition; None for a time."""
        return self.offsets.get(partition, self.offsets.get(None))

    def reached(self, partition: int, offset: int, at_ms: int) -> bool:
        """Whether a transaction lies at it or behind it."""
        if self.at_ms is not None:
            return at_ms >= self.at_ms
        place = self.offset(partition)
        return place is not None and offset >= place

    def __str__(self) -> str:
        return self.text if self.at_ms is None else str(iso(self.at_ms))


@dataclass(frozen=True)
class Span:
    """A range. None: from the first transaction, up to the last."""

    start: Bound | None = None
    stop: Bound | None = None

    def has(self, partition: int) -> bool:
        """Whether a partition takes part."""
        named = self._named()
        return not named or partition in named

    def is_before(self, partition: int, offset: int, at_ms: int) -> bool:
        """Whether a transaction lies before the range."""
        return self.start is not None and not self.start.reached(partition, offset, at_ms)

    def is_after(self, partition: int, offset: int, at_ms: int) -> bool:
        """Whether a transaction lies behind the range."""
        return self.stop is not None and self.stop.reached(partition, offset, at_ms)

    def covers(self, at_ms: int) -> bool:
        """Whether it is a range of time that holds this one."""
        bounds = [bound for bound in (self.start, self.stop) if bound is not None]
        if any(bound.at_ms is None for bound in bounds):
            return False
        return not (self.is_before(0, 0, at_ms) or self.is_after(0, 0, at_ms))

    def _named(self) -> frozenset[int]:
        named = [bound.partitions for bound in (self.start, self.stop) if bound is not None]
        return frozenset().union(*named)

    def __str__(self) -> str:
        return f"{self.start or 'the first transaction'} up to {self.stop or 'the last'}"


WHOLE = Span()


def span(start: str | None, stop: str | None, option: str = "--to") -> Span:
    """The range of two options as a person writes them; `option` is what the second is called.
    WeirError says what one must be.
    """
    first = None if start is None else _bound(start, "--from", 0)
    last = None if stop is None else _bound(stop, option, 1)
    if first is not None and last is not None:
        if first.partitions and last.partitions and first.partitions != last.partitions:
            raise WeirError(f"--from {start} and {option} {stop} name different partitions")
        if first.at_ms is not None and last.at_ms is not None and first.at_ms >= last.at_ms:
            raise WeirError(f"--from {start} does not lie before {option} {stop}")
    return Span(first, last)


def _bound(text: str, option: str, day_more: int) -> Bound:
    try:
        if _PLACES.fullmatch(text):
            pairs = [one.split(":") for one in text.split(",")]
            return Bound(text, offsets={int(part): int(offset) for part, offset in pairs})
        if text.isdecimal() and len(text) < _MS_DIGITS:
            return Bound(text, offsets={None: int(text)})
        if text.isdecimal():
            return Bound(text, parse_time(int(text)))
        if _DAY.fullmatch(text):
            return Bound(text, (parse_date(text) + day_more) * DAY_MS)
        return Bound(text, parse_time(text))
    except Invalid as error:
        why = "must be a day, an ISO-8601 time with Z, PARTITION:OFFSET or an offset"
        raise WeirError(f"{option} {text}: {why} of the merge order") from error
