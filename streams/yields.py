"""What collateral earns: the last yearly yield of a coin that was reported, a ratio times 10^18."""

from __future__ import annotations

from schemas.records import Yield
from streams.step import Entries, Event, Refused
from tables.allocation import Coordinates, YieldKnown


def step(entries: Entries, event: Event) -> None:
    """Takes a reported yield, unless it is older than what is known."""
    reported: Yield = event.value
    if reported.yield_e18 < 0:
        raise Refused("range", "yield", reported.yield_e18, "must not be below 0")
    old: YieldKnown | None = entries.get("yields", reported.coin)
    if old is None or reported.as_of_ms > old.as_of_ms:
        source = Coordinates(event.topic, event.partition, event.offset)
        new = YieldKnown(reported.yield_e18, reported.as_of_ms, source)
        entries.put("yields", new, reported.coin)
