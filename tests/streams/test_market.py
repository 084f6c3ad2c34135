"""The book on a market that sends every class of row: judged row by row in exact fractions, and the
judge itself shown to fail.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bench.kept import CHECKS, LOTS, PNL, POSITIONS, TRADES, Kept, verdict
from bench.market import ROWS, Market, Said
from bench.tally import tally
from streams.node import fold
from streams.step import DeadLetter, Emit, Event, Refused
from streams.topology import BOOK
from tables.memory import MemoryStore

T0_MS = 1_790_000_000_000
ACCOUNTS = 18


class Lived:
    """A market whose rows the book has folded, in memory."""

    def __init__(self, seed: int, rows: int) -> None:
        self._market, self._store = Market(seed, ACCOUNTS), MemoryStore()
        self._now_ms, self._offset = T0_MS, 0
        self._dead: Counter[tuple[str, str]] = Counter()
        self._records: dict[str, list[Any]] = defaultdict(list)
        self._all(self._market.openings())
        for _ in range(rows):
            self._now_ms += 20
            self._all(self._market.rows(self._now_ms))
        self._now_ms += 1000
        self._all(self._market.corrections())
        self._all(self._market.closing(self._now_ms))
        self._tallies = [tally(place) for place in self._market.places]

    def _all(self, told: Any) -> None:
        for said in told:
            self._fold(said)

    def _fold(self, said: Said) -> None:
        self._offset += 1
        at_ms = said.record.exec_time_ms if said.topic == ROWS else self._now_ms
        event = Event(said.topic, 0, self._offset, said.key, said.record, at_ms, self._now_ms)
        try:
            outputs = fold(BOOK, self._store, event)
        except Refused as why:
            self._dead[said.topic, why.cause] += 1
            return
        for output in outputs:
            if isinstance(output, DeadLetter):
                self._dead[said.topic, output.cause] += 1
            elif isinstance(output, Emit):
                self._records[output.topic].append(output.value)

    def kept(self) -> Kept:
        """What was written, and what it must say."""
        dumps = BOOK.table.dumps
        book = {key: json.loads(dumps(key, one)) for key, one in self._store.entries.items()}
        records = defaultdict(list, {name: list(found) for name, found in self._records.items()})
        dead = self._dead.copy()
        return Kept(self._market, {}, records, dead, {"book": book}, {}, self._tallies)


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived(seed=1, rows=1200)


@pytest.mark.req("000-03", "000-04", "000-30", "000-76")
@pytest.mark.parametrize("seed", [2, 3])
def test_each_row_position_trade_lot_and_total_is_what_the_rows_come_to(seed: int) -> None:
    found = verdict(Lived(seed, rows=700).kept())
    assert {name: said[:3] for name, said in found.items() if said} == {}


def test_the_market_sends_every_class_of_row(lived: Lived) -> None:
    kept = lived.kept()
    rows = [row for place in kept.market.places for row in (*place.rows, *place.after)]
    assert {row.category for row in rows} == {"linear", "inverse", "spot"}
    assert {row.kind for row in rows} == {"FILL", "CLOSED_TRADE"}
    assert {row.position_idx for row in rows} == {None, 0, 1, 2}
    assert {row.exec_type for row in rows} == {
        *("Trade", "BlockTrade", "MovePosition", "Funding"),
        *("AdlTrade", "BustTrade", "Settle", "Delivery"),
    }
    assert {row.closed_size_e18 == 0 for row in rows if row.exec_type == "Settle"} == {True, False}
    assert {row.fee_ccy for row in rows} == {"USDT", "BTC", "ETH", "BNB"}
    assert min(row.fee_e18 for row in rows) < 0 < max(row.revision for row in rows)
    assert len(kept.market.dead) >= 8
    assert kept.market.repeats.total() > 20
    flags = {flag for record in kept.records[PNL] for flag in record.flags}
    assert flags == {"fee_unpriced", "late", "recon_pnl"}
    assert any(record.delta_net_e18 for record in kept.records[PNL])


def _first(topic: str, change: Callable[[Any], list[Any]]) -> Callable[[Kept], None]:
    """Spoils the last record of a topic that is no correction's."""

    def spoil(kept: Kept) -> None:
        found = kept.records[topic]
        number = max(n for n, one in enumerate(found) if getattr(one, "cause", "") != "correction")
        found[number : number + 1] = change(found[number])

    return spoil


def _book(part: str, field: str) -> Callable[[Kept], None]:
    """Spoils one figure of one entry by a unit."""

    def spoil(kept: Kept) -> None:
        key = next(key for key in kept.tables["book"] if key.startswith(f"{part}|"))
        entry = kept.tables["book"][key]
        entry[field] = type(entry[field])(int(entry[field]) + 1)

    return spoil


def _dead(kept: Kept) -> None:
    kept.dead[ROWS, "late"] -= 1


def _hash(kept: Kept) -> None:
    kept.hashes["book", 0] = "00"


def _twice(one: Any) -> list[Any]:
    return [one, one]


def _gone(one: Any) -> list[Any]:
    return []


def _more(field: str) -> Callable[[Any], list[Any]]:
    return lambda one: [replace(one, **{field: getattr(one, field) + 1})]


PLANTED: dict[str, tuple[str, Callable[[Kept], None]]] = {
    "a profit record twice": ("rows", _first(PNL, _twice)),
    "a profit record that is gone": ("rows", _first(PNL, _gone)),
    "a row's profit off by a unit": ("rows", _first(PNL, _more("gross_pnl_e18"))),
    "a row's trade view off by a unit": ("rows", _first(PNL, _more("trade_view_net_e18"))),
    "a total off by a unit": ("totals", _first(PNL, _more("realised_total_e18"))),
    "the table's fees off by a unit": ("totals", _book("pnl_book", "fees_e18")),
    "a cost off by a unit": ("positions", _book("positions", "cost_e18")),
    "a published size off by a unit": ("positions", _first(POSITIONS, _more("size_e18"))),
    "a trade off by a unit": ("trades", _first(TRADES, _more("realized_pnl_e18"))),
    "a lot's gain off by a unit": ("lots", _first(LOTS, _more("gain_e18"))),
    "a repeat that was folded": ("refused", _book("repeats", "dropped")),
    "a dead letter that is missing": ("refused", _dead),
    "a profit used without an answer": ("allocated", _book("pnl_book", "allocated_e18")),
    "a table that is not the log's": ("tables", _hash),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_the_judge_finds_what_is_planted(planted: str, lived: Lived) -> None:
    kept = lived.kept()
    name, spoil = PLANTED[planted]
    check = next(one for one in CHECKS if one.__name__ == name)
    assert not list(check(kept))
    spoil(kept)
    assert list(check(kept))
