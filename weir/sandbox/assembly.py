"""Puts a venue together from what was asked for: books, accounts, faults and the hedging day."""

import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from weir.sandbox.auth import RateLimits
from weir.sandbox.books import Books, Terms
from weir.sandbox.catalogue import SYMBOLS
from weir.sandbox.endpoints import Venue
from weir.sandbox.faults import Faults
from weir.sandbox.feed import ExecutionFeed, NoFeed
from weir.sandbox.hedger import Hedger, Plan
from weir.sandbox.hedging_run import HedgingRun
from weir.sandbox.money import places
from weir.sandbox.opening import START_PRICES, open_accounts
from weir.sandbox.prices import PricePath, built_in, read_prices

__all__ = ["Day", "Kafka", "Opening", "make_run", "make_venue", "now_ms", "price_paths"]


@dataclass(frozen=True, slots=True)
class Opening:
    """How the venue begins."""

    accounts: int
    bands: tuple[str, ...]
    unified: str
    settle_ms: int
    interest_hour_s: float
    rate_limits: bool
    fault_seed: int
    fault_rate: float
    fault_delay_ms: int

    def __post_init__(self) -> None:
        for band in self.bands:
            if not _is_ratio(band):
                raise ValueError(f"--ltv is a ratio between 0 and 1, not {band!r}")
        if places(self.unified) > 8:
            raise ValueError(f"--unified has more than 8 decimals: {self.unified}")
        if self.settle_ms < 0 or self.interest_hour_s < 0.001:
            raise ValueError("--settle-ms is at least 0, --interest-hour-s at least 0.001")


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where the hedger writes its executions."""

    bootstrap: str
    registry: str
    registry_wait_s: float
    topic: str


@dataclass(frozen=True, slots=True)
class Day:
    """The hedging day; without `kafka` the hedger writes nothing, the venue's feeds say it all."""

    kafka: Kafka | None
    fills: int
    rate: float
    seed: int
    duplicates: float


def make_venue(opening: Opening, paths: list[PricePath]) -> Venue:
    """Books with their accounts open, at the first prices of the paths."""
    hour_ms = round(opening.interest_hour_s * 1000)
    books = Books(terms=Terms(settle_ms=opening.settle_ms, hour_ms=hour_ms))
    for path in paths:
        books.prices_e8[path.symbol] = path.points_e8[0]
    open_accounts(books, opening.accounts, now_ms(), bands=opening.bands, unified=opening.unified)
    return Venue(
        books,
        now_ms,
        limits=RateLimits() if opening.rate_limits else RateLimits({}),
        faults=Faults(opening.fault_seed, opening.fault_rate, opening.fault_delay_ms),
    )


def make_run(venue: Venue, paths: list[PricePath], day: Day) -> HedgingRun:
    """The day on a venue; it begins when it is told to."""

    def open_feed() -> ExecutionFeed | NoFeed:
        if day.kafka is None:
            return NoFeed()
        return ExecutionFeed(
            day.kafka.bootstrap,
            day.kafka.registry,
            topic=day.kafka.topic,
            duplicates=day.duplicates,
            seed=day.seed,
            wait_s=day.kafka.registry_wait_s,
        )

    hedger = Hedger(venue.books, paths, Plan(fills=day.fills, seed=day.seed, run=str(now_ms())))
    run = HedgingRun(hedger, open_feed, now_ms, planned=day.fills, rate=day.rate)
    venue.hedger_status, venue.start_hedger, venue.stop_hedger = run.status, run.start, run.stop
    return run


def price_paths(file: Path | None, rows: int, seed: int) -> list[PricePath]:
    """BTCUSDT from a file, or both symbols built in."""
    if file is not None:
        return [read_prices(file, SYMBOLS["BTCUSDT"])]
    return [built_in(SYMBOLS[name], START_PRICES[name], rows, seed) for name in SYMBOLS]


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def _is_ratio(value: str) -> bool:
    try:
        return places(value) <= 6 and 0 < Fraction(value) < 1
    except ValueError:
        return False
