"""A market that sends every class of row, as a seed draws them, and knows what they say in the end.

    market = Market(seed=1, accounts=18)
    market.openings()            positions that did not begin with rows
    market.rows(now_ms)          a row or two: fills, funding, settlements, repeats, late, corrected
    market.corrections()         what the venue and people say when the day is over
    market.closing(now_ms)       the last fills

Each account has a style: one-way and hedge mode, legs the row names or only implies, inverse, spot
with fees in either coin or a third, positions opened before the first row, closed trades, and rows
that cannot be used. A `Place` is one position with its rows as they stand at last, in the venue's
order: in which order they were sent, and how often, must not matter.
"""

from __future__ import annotations

import random
from bisect import insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec.structs import replace

from bench.misfits import UNUSABLE, misfit
from schemas.money import E18
from schemas.records import BookInput, BreakAccept, Correction, HedgeExecution
from schemas.wire import SchemaIds, Wire

ROWS, INBOX = "hedge-executions", "treasury.book-inputs.v1"
MILLI, TICK = E18 // 10**3, E18 // 10**4
LATE_REACH = 25
"""How many rows of its position may follow a late one."""
PRICES = {"BTC": 60_000 * E18, "ETH": 3_000 * E18, "SOL": 150 * E18, "XRP": 2 * E18}
FREE = ("Trade", "Trade", "Trade", "Trade", "BlockTrade", "MovePosition")
FORCED = ("AdlTrade", "BustTrade")

_wire = Wire(SchemaIds.from_lock())


class Said(NamedTuple):
    """One record to be sent."""

    topic: str
    key: str
    record: Any


@dataclass
class Place:
    """One position. `rows` come first, then what people adjusted, then `after`."""

    account: str
    category: str
    symbol: str
    leg: int = 0
    tells: bool = True
    """Whether its rows name their leg; in hedge mode the first one always does."""
    multiplier: int = E18
    opening: tuple[int, int] | None = None
    closed_trades: bool = False
    rows: list[HedgeExecution] = field(default_factory=list)
    adjusted: tuple[int, int] | None = None
    after: list[HedgeExecution] = field(default_factory=list)
    held: int = 0
    fixed: int = 0
    """So many of the first rows may not get another one before them."""

    def __post_init__(self) -> None:
        self.price = PRICES[self.symbol[:3]]
        self.ccy = "BTC" if self.category == "inverse" else "USDT"
        self.unit = E18 if self.category == "inverse" else MILLI

    @property
    def key(self) -> str:
        """As the book names it."""
        return f"{self.category}|{self.symbol}|{self.leg}"

    @property
    def side(self) -> int:
        """The direction in which it grows; 0 where either will do."""
        if self.leg or self.category == "spot":
            return -1 if self.leg == 2 else 1
        return (self.held > 0) - (self.held < 0)

    def take(self, row: HedgeExecution) -> None:
        """The next row."""
        rows = self.rows if self.adjusted is None and not self.after else self.after
        rows.append(row)
        self.held += moved(row)


def moved(row: HedgeExecution) -> int:
    """What a row changes of the size, signed; a fee in the traded coin is part of it."""
    if row.kind == "CLOSED_TRADE" or row.exec_type == "Funding":
        return 0
    if row.exec_type == "Settle" and not row.closed_size_e18:
        return 0
    signed = row.qty_e18 if row.side == "Buy" else -row.qty_e18
    return signed - row.fee_e18 if row.fee_ccy == row.symbol[:3] != row.settle_ccy else signed


class Market:
    """All accounts. `dead` counts the dead letters that must come, by cause; `repeats` the rows
    that must be dropped, by account.
    """

    def __init__(self, seed: int, accounts: int) -> None:
        self._chance = random.Random(seed)
        self._ids: Counter[tuple[str, str]] = Counter()
        self._last_ms: Counter[str] = Counter()
        self._serial = 0
        self._resent: list[tuple[Place, HedgeExecution]] = []
        self.dead: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self.accounts = [f"bybit:{700_001 + number}" for number in range(accounts)]
        self.misfits = {a for number, a in enumerate(self.accounts) if number % len(STYLES) == 0}
        self.places = [
            Place(account, **style)
            for number, account in enumerate(self.accounts)
            for style in STYLES[number % len(STYLES)]
        ]

    def openings(self) -> Iterator[Said]:
        """They come before any row."""
        for place in self.places:
            if place.opening is not None:
                size, price = place.opening
                place.held = size
                yield self._correction("OPENING", place, size_e18=size, entry_price_e18=price)

    def rows(self, now_ms: int) -> Iterator[Said]:
        """What one position brings at a time: mostly one row, sometimes one of it once more."""
        chance = self._chance
        place = chance.choice(self.places)
        lot = chance.random()
        if lot < 0.05 and (late := self._late(place)) is not None:
            insort(place.rows, late, key=_order)
            place.held += moved(late)
            yield Said(ROWS, place.account, late)
        elif lot < 0.10 and place.rows:
            number = chance.randrange(len(place.rows))
            place.rows[number] = self._corrected(place.rows[number])
            yield Said(ROWS, place.account, place.rows[number])
        else:
            row = self._closed_trade(place, now_ms) if place.closed_trades else None
            row = row or self._row(place, now_ms)
            place.take(row)
            if row.exec_type == "Settle":
                place.fixed = len(place.rows)
            yield Said(ROWS, place.account, row)
        if place.rows and chance.random() < 0.05:
            self.repeats[place.account] += 1
            yield Said(ROWS, place.account, chance.choice(place.rows[-40:]))
        if place.account in self.misfits and place.rows and chance.random() < 0.1:
            yield self._unusable(place, now_ms)

    def corrections(self) -> Iterator[Said]:
        """Rows that came too late and that people let in, the venue's word on old rows, and
        adjustments that are accepted. All rows of the day must have been folded.
        """
        for place in self.places:
            for number in self._chance.sample(range(len(place.rows)), min(2, len(place.rows))):
                place.rows[number] = self._corrected(place.rows[number])
                row = _wire.encode(ROWS, place.rows[number])
                yield self._correction("RESTATE", place, row=row)
        for place, row in self._resent:
            place.after.append(row)
            place.held += moved(row)
            yield self._correction("LATE", place, row=_wire.encode(ROWS, row))
        for place in self.places:
            if place.symbol == "XRPUSDT" and abs(place.held) > 2 * MILLI:
                size, break_id = place.held // 2 // MILLI * MILLI, f"break-{place.account}"
                place.adjusted, place.held = (size, place.price), size
                wanted = {"size_e18": size, "entry_price_e18": place.price, "break_id": break_id}
                yield self._correction("RECON_ADJUST", place, settle_ccy=place.ccy, **wanted)
                accept = BreakAccept(break_id, ("ann", "bob"), "the venue is right")
                yield Said(INBOX, place.account, BookInput(body=accept))

    def closing(self, now_ms: int) -> Iterator[Said]:
        """Of every three positions two become flat."""
        for number, place in enumerate(self.places):
            if place.held and number % 3:
                row = self._fill(place, now_ms, -place.held)
                place.take(row)
                yield Said(ROWS, place.account, row)

    # -- one row

    def _row(self, place: Place, now_ms: int) -> HedgeExecution:
        chance, held, size, kind = self._chance, place.held, abs(place.held), self._chance.random()
        place.price = max(TICK, place.price * chance.randrange(9_970, 10_031) // 10_000)
        place.price -= place.price % TICK
        part = max(place.unit, size * chance.randrange(1, 9) // 10 // place.unit * place.unit)
        back = (-part if held > 0 else part) if part <= size else 0
        if place.category != "spot":
            if kind < 0.06:
                row = self._fill(
                    place, now_ms, (place.side or 1) * max(place.unit, size), "Funding"
                )
                return replace(row, fee_e18=chance.randrange(-500, 700) * MILLI, fee_ccy=place.ccy)
            if kind < 0.075 and held:
                row = self._fill(place, now_ms, held, "Settle")
                return replace(row, closed_size_e18=0, position_idx=place.leg)
            if kind < 0.085 and back:
                row = self._fill(place, now_ms, back, "Settle")
                return replace(row, closed_size_e18=row.qty_e18)
        if kind < 0.40 and back:
            return self._fill(place, now_ms, back, chance.choice(FORCED if kind < 0.12 else FREE))
        if kind < 0.48 and held:
            return self._fill(place, now_ms, -held, "Delivery" if kind < 0.41 else "Trade")
        more = chance.randrange(1, 2_000) * place.unit
        if kind < 0.56 and held and not place.leg and place.category != "spot":
            return self._fill(place, now_ms, -held + (more if held < 0 else -more))
        side = place.side or chance.choice((1, -1))
        return self._fill(place, now_ms, side * more, chance.choice(FREE))

    def _fill(
        self, place: Place, now_ms: int, signed: int, exec_type: str = "Trade"
    ) -> HedgeExecution:
        chance, qty, price = self._chance, abs(signed), place.price
        closes = signed * place.held < 0
        if closes:  # they hedge well: there is profit to be used
            gain = price // 400 // TICK * TICK
            price += gain if (signed < 0) != (place.category == "inverse") else -gain
        fee, fee_ccy = chance.randrange(-500, 3_000) * TICK // 10, place.ccy
        if place.category == "spot":
            fee_ccy = chance.choice((place.symbol[:3], "USDT", "USDT", "BNB"))
            if fee_ccy == place.symbol[:3]:
                fee = qty // 1000
                qty -= fee if signed < 0 else 0
        self._serial += 1
        self._ids[place.account, place.category] += 1
        self._last_ms[place.account] = max(now_ms, self._last_ms[place.account] + 2)
        named = place.leg if place.tells or (place.leg and not place.rows) else None
        return HedgeExecution(
            exec_id=f"x{self._ids[place.account, place.category]:06d}",
            account_id=place.account,
            venue="bybit",
            kind="FILL",
            category=place.category,
            symbol=place.symbol,
            position_idx=named,
            side="Buy" if signed > 0 else "Sell",
            exec_type=exec_type,
            qty_e18=qty,
            price_e18=price,
            fee_e18=fee,
            fee_ccy=fee_ccy,
            settle_ccy=place.ccy,
            multiplier_e18=place.multiplier,
            closed_size_e18=min(qty, abs(place.held)) if closes else 0,
            exec_time_ms=self._last_ms[place.account],
            seq=self._serial,
            source="ws",
        )

    def _closed_trade(self, place: Place, now_ms: int) -> HedgeExecution:
        chance = self._chance
        return replace(
            self._fill(place, now_ms, chance.choice((1, -1)) * MILLI),
            kind="CLOSED_TRADE",
            size_e18=chance.randrange(1, 900) * MILLI,
            entry_price_e18=place.price + chance.randrange(-900, 1_000) * TICK,
            exit_price_e18=place.price,
            funding_e18=chance.randrange(-90, 90) * MILLI,
        )

    def _late(self, place: Place) -> HedgeExecution | None:
        """A row for a moment that has passed; one that adds, so that no leg turns over."""
        first = max(place.fixed, len(place.rows) - LATE_REACH, 1)
        if first >= len(place.rows) or place.closed_trades:
            return None
        number = self._chance.randrange(first, len(place.rows))
        at_ms = place.rows[number].exec_time_ms - 1
        if at_ms <= place.rows[number - 1].exec_time_ms:
            return None
        side = place.side if place.leg or place.category == "spot" else self._chance.choice((1, -1))
        row = self._fill(place, at_ms, side * self._chance.randrange(1, 900) * place.unit)
        return replace(row, exec_time_ms=at_ms, closed_size_e18=0)

    def _corrected(self, row: HedgeExecution) -> HedgeExecution:
        """The venue says another price, or another payment of funding, under the same id."""
        shift, revision = self._chance.randrange(-500, 501) * TICK, row.revision + 1
        if row.exec_type == "Funding":
            return replace(row, fee_e18=row.fee_e18 + shift, revision=revision)
        if row.kind == "CLOSED_TRADE":
            exit_ = max(TICK, (row.exit_price_e18 or 0) + shift)
            return replace(row, exit_price_e18=exit_, revision=revision)
        return replace(row, price_e18=max(TICK, row.price_e18 + shift), revision=revision)

    def _unusable(self, place: Place, now_ms: int) -> Said:
        """Something that must become a dead letter and change nothing but a mark."""
        cause = self._chance.choice(UNUSABLE)
        self.dead[cause] += 1
        row = self._chance.choice(place.rows) if cause == "exists_different" else None
        row = misfit(cause, row or self._fill(place, now_ms, place.unit), now_ms)
        if cause == "late" and self._chance.random() < 0.5:
            self._resent.append((place, row))
        return Said(ROWS, place.account if cause != "key" else "bybit:nobody", row)

    def _correction(self, kind: str, place: Place, **fields: Any) -> Said:
        self._serial += 1
        body = Correction(
            correction_id=f"c{self._serial:07d}",
            kind=kind,
            symbol=place.symbol,
            position_idx=place.leg,
            category=place.category,
            multiplier_e18=place.multiplier,
            **fields,
        )
        return Said(INBOX, place.account, BookInput(body=body))


def _order(row: HedgeExecution) -> tuple[int, int, str]:
    return row.exec_time_ms, row.seq or 0, row.exec_id


_LINEAR = {"category": "linear"}
STYLES: tuple[tuple[dict[str, Any], ...], ...] = (
    # the first is the one whose feed also brings what cannot be used
    (_LINEAR | {"symbol": "BTCUSDT"}, _LINEAR | {"symbol": "ETHUSDT"}),
    (_LINEAR | {"symbol": "BTCUSDT"}, _LINEAR | {"symbol": "SOLUSDT", "multiplier": E18 // 10}),
    (_LINEAR | {"symbol": "ETHUSDT", "tells": False},),
    tuple(_LINEAR | {"symbol": "BTCUSDT", "leg": leg} for leg in (1, 2)),
    tuple(_LINEAR | {"symbol": "ETHUSDT", "leg": leg, "tells": False} for leg in (1, 2)),
    ({"category": "inverse", "symbol": "BTCUSD"}, _LINEAR | {"symbol": "ETHUSDT"}),
    ({"category": "spot", "symbol": "ETHUSDT"}, {"category": "spot", "symbol": "BTCUSDT"}),
    (
        _LINEAR | {"symbol": "BTCUSDT", "opening": (-3 * E18, 59_000 * E18)},
        {"category": "inverse", "symbol": "ETHUSD", "opening": (5_000 * E18, 2_900 * E18)},
        _LINEAR | {"symbol": "XRPUSDT"},
    ),
    (_LINEAR | {"symbol": "BTCUSDT", "closed_trades": True},),
)
