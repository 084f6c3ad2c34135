"""Price paths for the hedging day: built in by seed, or from a file of candles.

A path is a tuple of prices in 10^-8 on the symbol's tick, four per row (open, the two extremes in
the order the candle suggests, close). A row stands for one simulated minute, whatever the file
says: a file gives prices, not times.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from random import Random

from weir.sandbox.catalogue import Symbol
from weir.sandbox.money import UNIT

__all__ = ["POINTS_PER_ROW", "PricePath", "built_in", "read_prices"]

POINTS_PER_ROW = 4
COLUMNS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class PricePath:
    """The prices of one symbol, in order."""

    symbol: str
    points_e8: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Simulated minutes."""
        return len(self.points_e8) // POINTS_PER_ROW


def built_in(symbol: Symbol, start_e8: int, rows: int, seed: int) -> PricePath:
    """A seeded walk in whole ticks: drifts that change, quiet and loud hours, a pull to the start.

    Integers only, so every machine walks the same way.
    """
    random = Random(f"{seed}|prices|{symbol.name}")
    start = price = start_e8 // symbol.tick_e8
    unit = max(1, start // 20_000)
    drift, loudness, points = 0, 4, []
    for number in range(rows * POINTS_PER_ROW):
        if number % 160 == 0:
            drift = random.randint(-3, 3)
            loudness = random.choice((3, 3, 4, 5, 9))
        pull = (start - price) // (unit * 400)
        noise = sum(random.randint(-loudness, loudness) for _ in range(3))
        price = max(start // 4, price + unit * (noise + drift + pull) // 2)
        points.append(price * symbol.tick_e8)
    return PricePath(symbol.name, tuple(points))


def read_prices(file: Path, symbol: Symbol) -> PricePath:
    """Read candles: a header with open, high, low, close beside any time column."""
    points: list[int] = []
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{file}: no column {missing[0]!r} in the header")
        for row in reader:
            candle = {
                name: _price(f"{file}, line {reader.line_num}, {name}", row[name], symbol)
                for name in COLUMNS
            }
            rises = candle["close"] >= candle["open"]
            order = ("open", "low", "high", "close") if rises else COLUMNS
            points.extend(candle[name] for name in order)
    if not points:
        raise ValueError(f"{file}: no candles below the header")
    return PricePath(symbol.name, tuple(points))


def _price(where: str, value: str | None, symbol: Symbol) -> int:
    try:
        exact = Decimal(value or "")
    except InvalidOperation:
        raise ValueError(f"{where}: not a price: {value!r}") from None
    if not exact.is_finite() or exact <= 0:
        raise ValueError(f"{where}: not a price: {value!r}")
    return max(1, round(exact * UNIT / symbol.tick_e8)) * symbol.tick_e8
