"""What verbs over the recorded past share: the log they read, and the span of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.jsonform import Invalid, parse_date, parse_time
from schemas.wire import Wire
from weir.access import address
from weir.backtest import Span
from weir.errors import WeirError
from weir.files.opening import opened
from weir.home import settings
from weir.replay.log import KafkaLog, Log

DAY_MS = 86_400_000


@contextmanager
def log_of(source: Sequence[Path] | None, wire: Wire) -> Iterator[Log]:
    """An export or lines where they are named, else Kafka."""
    if not source:
        yield KafkaLog(address())
        return
    with opened(source, wire, settings().partitions) as log:
        yield log


def span_of(start: str | None, until: str | None) -> Span:
    """Both ends as a person writes them: a date or an instant."""
    return Span(_instant("--from", start), _instant("--to", until))


def _instant(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_date(text) * DAY_MS if len(text) == 10 else parse_time(text)
    except Invalid as why:
        raise WeirError(f"{name}: {why}") from why
