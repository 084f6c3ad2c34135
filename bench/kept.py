"""What the book wrote, against what the rows of a market come to: every row, position, trade and
lot, every total, to the last unit.

Nothing of the book's own code decides here: rows are judged by `bench.tally` in exact fractions,
allocations by what was answered. Each check yields sentences; there must be none.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Any

from bench.market import Market
from bench.pen import WIRE
from bench.tally import Tally, tally
from schemas.money import E18
from weir.reading import whole

PNL, POSITIONS, TRADES = "treasury.pnl.v1", "treasury.positions.v1", "treasury.trades.v1"
LOTS, ALLOCATIONS = "treasury.tax-lots.v1", "treasury.allocations.v1"
ORDER = "treasury.merge-order.v1"
CORRECTION = "correction"
KEPT_PCT = 5


@dataclass
class Kept:
    """All that was written, and what it must say."""

    market: Market
    claims: dict[str, dict[str, int]]
    records: dict[str, list[Any]]
    dead: Counter[tuple[str, str]]
    tables: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)


def read(bootstrap: str, market: Market, claims: dict[str, dict[str, int]]) -> Kept:
    """Everything, committed records only."""
    topics = (PNL, POSITIONS, TRADES, LOTS, ALLOCATIONS, ORDER)
    records: dict[str, list[Any]] = defaultdict(list)
    for message in whole(bootstrap, topics):
        records[message.topic()].append(WIRE.decode(message.topic(), message.value()))
    kept = Kept(market, claims, records, _dead(bootstrap))
    for node in ("book", "gate", "audit"):
        rows: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        for message in whole(bootstrap, [f"weir-pipeline-{node}-changelog"]):
            if message.value() is None:
                rows[message.partition()].pop(message.key(), None)
            else:
                rows[message.partition()][message.key()] = message.value()
        for partition, entries in rows.items():
            entries.pop(b"@hash")
            kept.hashes[node, partition] = _hash(entries)
            if node == "book":
                kept.tables[node] |= {k.decode(): json.loads(v) for k, v in entries.items()}
    kept.tallies = [tally(place) for place in market.places]
    return kept


def _dead(bootstrap: str) -> Counter[tuple[str, str]]:
    topics = ("hedge-executions", "treasury.book-inputs.v1", "treasury.proposals.v1")
    found: Counter[tuple[str, str]] = Counter()
    for message in whole(bootstrap, [f"{topic}.dlq" for topic in topics]):
        cause = dict(message.headers())["__streams.errors.exception"].decode()
        found[message.topic().removesuffix(".dlq"), cause] += 1
    return found


def _hash(entries: dict[bytes, bytes]) -> str:
    rows = (key + b"\0" + value for key, value in entries.items())
    total = sum(int.from_bytes(sha256(row).digest(), "big") for row in rows)
    return f"{total % (1 << 256):064x}"


def rows(kept: Kept) -> Iterator[str]:
    """Each row has its profit record, once in each revision, and the last one is right."""
    last: dict[tuple[str, str, str], Any] = {}
    seen: Counter[tuple[str, str, str, int]] = Counter()
    for record in kept.records[PNL]:
        if record.cause != CORRECTION:
            at = record.account_id, record.category, record.exec_id
            seen[*at, record.revision] += 1
            last[at] = record
    yield from (f"{at} was told {count} times" for at, count in seen.items() if count > 1)
    for place, found in zip(kept.market.places, kept.tallies, strict=True):
        for exec_id, row in found.rows.items():
            at = place.account, place.category, exec_id
            record = last.pop(at, None)
            if record is None:
                yield f"{at} has no profit record"
                continue
            have = record.gross_pnl_e18, record.fees_e18, record.funding_e18
            wanted = _units(row.gross, row.fees, row.funding)
            if (*have, record.trade_view_net_e18) != (*wanted, *_units(row.view)):
                yield f"{at}: {have}, {record.trade_view_net_e18} units, it is {wanted}"
    yield from (f"{at} was never sent" for at in last)


def totals(kept: Kept) -> Iterator[str]:
    """The profit of each account and currency: the table, and the records added up."""
    sums: dict[tuple[str, str], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 5)
    for place, found in zip(kept.market.places, kept.tallies, strict=True):
        parts = [found.total(name) for name in ("gross", "fees", "funding", "withheld")]
        parts[0] += found.adjusted
        gross, fees, funding, _ = parts
        line = sums[place.account, place.ccy]
        for number, part in enumerate((*parts, gross - fees - funding)):
            line[number] += part
    told: dict[tuple[str, str], int] = defaultdict(int)
    last: dict[tuple[str, str], int] = {}
    for record in kept.records[PNL]:
        at = record.account_id, record.ccy
        delta = record.delta_net_e18
        told[at] += record.net_pnl_e18 if delta is None else delta
        last[at] = record.realised_total_e18
    for at, line in sums.items():
        book = kept.tables["book"].get(f"pnl_book|{at[0]}|{at[1]}", {})
        names = ("gross", "fees", "funding", "withheld", "realised")
        have = tuple(int(book.get(f"{name}_e18", 0)) for name in names)
        wanted = _units(*line)
        if have != wanted:
            yield f"{at}: the table has {have} units, it is {wanted}"
        if (told[at], last.get(at, 0)) != (wanted[4], wanted[4]):
            yield f"{at}: records add up to {told[at]}, the last says {last.get(at)}: {wanted[4]}"


def positions(kept: Kept) -> Iterator[str]:
    """Size, cost, open fees and what each ever realised, in the table; size as published."""
    published = {
        (one.account_id, f"{one.category}|{one.symbol}|{one.idx}"): one.size_e18
        for one in kept.records[POSITIONS]
    }
    for place, found in zip(kept.market.places, kept.tallies, strict=True):
        if place.closed_trades:
            continue
        entry = kept.tables["book"].get(f"positions|{place.account}|{place.key}", {})
        names = ("qty", "cost", "open_fees", "realised")
        have = tuple(int(entry.get(f"{name}_e18", 0)) for name in names)
        wanted = _units(found.held, found.cost, found.open_fees, found.realised)
        size = published.get((place.account, place.key), 0)
        if (*have, size) != (*wanted, wanted[0]):
            yield f"{place.account} {place.key}: {have} units, told {size}, it is {wanted}"


def trades(kept: Kept) -> Iterator[str]:
    """From flat to flat: how many, and what the closed ones brought."""
    last = {one.id: one for one in kept.records[TRADES]}
    have: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in last.values():
        line = have[one.account_id, one.category, one.symbol]
        line[0] += one.quantity_e18 > 0
        line[1] += one.realized_pnl_e18 if one.status == "CLOSED" else 0
    wanted: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for place, found in zip(kept.market.places, kept.tallies, strict=True):
        line = wanted[place.account, place.category, place.symbol]
        line[0] += found.trades
        line[1] += _units(found.closed)[0]
    for at in have.keys() | wanted.keys():
        if have[at] != wanted[at]:
            yield f"{at}: {have[at]} trades and units, it is {wanted[at]}"


def lots(kept: Kept) -> Iterator[str]:
    """The gains of a position under each of four methods; a trade that came closed has one."""
    last: dict[tuple[str, ...], Any] = {}
    for one in kept.records[LOTS]:
        if one.gain_e18 is not None:
            last[one.account_id, one.method, one.lot_id, one.exec_id] = one
    gains: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in last.values():
        method = "ACB" if one.method == "ALL" else one.method
        gains[one.account_id, "|".join(one.lot_id.split("|")[:3]), method] += one.gain_e18
    for place, found in zip(kept.market.places, kept.tallies, strict=True):
        for method, gain in found.lots.gains.items():
            have, wanted = gains[place.account, place.key, method], _units(gain)[0]
            if have != wanted:
                yield f"{place.account} {place.key} {method}: {have} units, it is {wanted}"


def refused(kept: Kept) -> Iterator[str]:
    """What must be a dead letter is one, nothing else is, and repeats were dropped."""
    wanted = Counter({("hedge-executions", c): n for c, n in kept.market.dead.items()})
    if kept.dead != wanted:
        more, less = dict(kept.dead - wanted), dict(wanted - kept.dead)
        yield f"dead letters: {more} too many, {less} missing"
    for account in kept.market.accounts:
        have = kept.tables["book"].get(f"repeats|{account}", {"dropped": 0})["dropped"]
        if have != kept.market.repeats[account]:
            yield f"{account}: {have} repeats dropped, {kept.market.repeats[account]} were sent"


def allocated(kept: Kept) -> Iterator[str]:
    """L is what was answered, B what each decision keeps, and five percent are never allocated."""
    moved: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for one in kept.records[ALLOCATIONS]:
        claim = sum(kept.claims.get(one.decision_id, {}).values())
        if claim:
            moved[one.account_id] += claim
            held[one.account_id] += -(-claim * (E18 - one.factor_e18) // one.factor_e18)
    for account in kept.market.accounts:
        book = kept.tables["book"].get(f"pnl_book|{account}|USDT", {})
        have = tuple(int(book.get(f"{name}_e18", 0)) for name in ("allocated", "retained"))
        wanted = moved[account], held[account]
        if have != wanted:
            yield f"{account}: L, B are {have} units, answered were {wanted}"
        if 100 * have[0] > (100 - KEPT_PCT) * int(book.get("highest_e18", 0)):
            yield f"{account}: L is {have[0]}, the highest profit {book['highest_e18']}"


def tables(kept: Kept) -> Iterator[str]:
    """What each changelog leaves has the hash that the last transaction recorded."""
    said = {(one.node, one.partition): one.table_hash for one in kept.records[ORDER]}
    for at, found in kept.hashes.items():
        if said.get(at) != found:
            yield f"{at}: the entries' hash is {found}, the merge order says {said.get(at)}"


CHECKS = (rows, totals, positions, trades, lots, refused, allocated, tables)


def _units(*values: Fraction) -> tuple[int, ...]:
    return tuple(int(value * E18) for value in values)


def verdict(kept: Kept) -> dict[str, list[str]]:
    """The sentences of each check."""
    return {check.__name__: list(check(kept)) for check in CHECKS}
