"""What a position's rows come to, in exact fractions, from the definitions alone.

The judge of the book: written apart from the product, with no journal, no restating and no order of
arrival. It takes a `Place` as it stands at last and folds it once. Each product and quotient is
rounded once to 18 places, half to even; where a whole is split, one part is rounded and the other
is the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

from bench.market import Place, moved
from schemas.money import E18
from schemas.records import HedgeExecution

ZERO = Fraction(0)
Profit = Callable[[Fraction, Fraction], Fraction]
"""What came of entering at one value and leaving at another."""


@dataclass
class Row:
    """What one row realised."""

    gross: Fraction = ZERO
    fees: Fraction = ZERO
    funding: Fraction = ZERO
    view: Fraction = ZERO
    withheld: Fraction = ZERO


class Lots:
    """Plain lists: what was entered and is still held, by method; and what each method gained."""

    def __init__(self) -> None:
        self._left: dict[str, list[list[Fraction]]] = {name: [] for name in PICKS}
        self.gains = dict.fromkeys((*PICKS, "ACB"), ZERO)

    def reset(self, size: Fraction, cost: Fraction) -> None:
        """Whatever was held is one lot now."""
        self._left = {name: [] for name in PICKS}
        self.enter(size, cost)

    def enter(self, size: Fraction, cost: Fraction) -> None:
        """One lot: its unit value, size and cost."""
        for left in self._left.values():
            left.append([rounded(cost / size), size, cost])

    def leave(self, size: Fraction, profit: Profit, released: Fraction, exit_: Fraction) -> None:
        """Each method gives up the size for the same value; average cost what the position did."""
        self.gains["ACB"] += profit(released, exit_)
        for name, left in self._left.items():
            entered, wanted = ZERO, size
            while wanted:
                lot = PICKS[name](left)
                taken = min(wanted, lot[1])
                entry = lot[2] if taken == lot[1] else rounded(lot[2] * taken / lot[1])
                lot[1], lot[2] = lot[1] - taken, lot[2] - entry
                entered, wanted = entered + entry, wanted - taken
                if not lot[1]:
                    left.remove(lot)
            self.gains[name] += profit(entered, exit_)


PICKS: dict[str, Callable[[list[list[Fraction]]], list[Fraction]]] = {
    "FIFO": lambda left: left[0],
    "LIFO": lambda left: left[-1],
    "HIFO": lambda left: max(left, key=lambda lot: lot[0]),
}


@dataclass
class Tally:
    """A position in the end, what its rows realised, its lots, and its trades from flat to flat."""

    held: Fraction = ZERO
    cost: Fraction = ZERO
    open_fees: Fraction = ZERO
    rows: dict[str, Row] = field(default_factory=dict)
    lots: Lots = field(default_factory=Lots)
    adjusted: Fraction = ZERO
    trades: int = 0
    closed: Fraction = ZERO
    _trade: Row = field(default_factory=Row)

    def total(self, name: str) -> Fraction:
        """The sum of one figure over all rows."""
        return sum((getattr(row, name) for row in self.rows.values()), ZERO)

    @property
    def realised(self) -> Fraction:
        """The cash view."""
        return self.total("gross") - self.total("fees") - self.total("funding") + self.adjusted


def tally(place: Place) -> Tally:
    """One pass over a position."""
    found, contract = Tally(), _Contract(place)
    if place.opening is not None:
        size, price = (Fraction(units, E18) for units in place.opening)
        found.held, found.cost, found.trades = size, contract.value(abs(size), price), 1
        found.lots.enter(abs(size), found.cost)
    for row in place.rows:
        _take(found, contract, row)
    if place.adjusted is not None:
        size, price = (Fraction(units, E18) for units in place.adjusted)
        left = contract.value(abs(size), price)
        kept = rounded(found.cost * size / found.held)
        found.adjusted = contract.profit(size > 0, kept, left)
        found.held, found.cost = size, left
        found.lots.reset(abs(size), left)
    for row in place.after:
        _take(found, contract, row)
    return found


def rounded(value: Fraction) -> Fraction:
    """To 18 places, half to even."""
    return Fraction(round(value * E18), E18)


class _Contract:
    """What a quantity is worth: price times quantity, or for inverse quantity by price."""

    def __init__(self, place: Place) -> None:
        self._inverse = place.category == "inverse"
        self._multiplier = Fraction(place.multiplier, E18)

    def value(self, size: Fraction, price: Fraction) -> Fraction:
        if self._inverse:
            return rounded(size * self._multiplier / price)
        return rounded(size * price * self._multiplier)

    def profit(self, long: bool, entry: Fraction, exit_: Fraction) -> Fraction:
        return exit_ - entry if long != self._inverse else entry - exit_


def _take(found: Tally, contract: _Contract, row: HedgeExecution) -> None:
    price, fee = Fraction(row.price_e18, E18), Fraction(row.fee_e18, E18)
    said = found.rows[row.exec_id] = Row()
    if row.kind == "CLOSED_TRADE":
        _closed_trade(found, contract, row, said)
        return
    if row.exec_type == "Funding":
        said.funding, said.view = fee, -fee
        if found.held:
            found._trade.funding += fee
        return
    said.fees = fee if row.fee_ccy == row.settle_ccy else ZERO
    unpriced = row.fee_e18 != 0 and row.fee_ccy not in (row.settle_ccy, row.symbol[:3])
    change = Fraction(moved(row), E18)
    worth = contract.value(Fraction(row.qty_e18, E18), price)
    if row.exec_type == "Settle" and not row.closed_size_e18:
        said.gross = contract.profit(found.held > 0, found.cost, worth)
        said.view = said.gross - said.fees
        long = found.held > 0
        found.lots.leave(abs(found.held), partial(contract.profit, long), found.cost, worth)
        found.lots.enter(abs(found.held), worth)
        found.cost = worth
        _note(found, said)
    elif found.held * change >= 0:
        found.trades += found.held == 0
        found.lots.enter(abs(change), worth)
        found.held, found.cost = found.held + change, found.cost + worth
        found.open_fees += said.fees
        _note(found, said)
    else:
        _close(found, contract, row, said, change, worth)
    if unpriced:
        said.withheld = max(ZERO, said.gross)


def _close(
    found: Tally,
    contract: _Contract,
    row: HedgeExecution,
    said: Row,
    change: Fraction,
    worth: Fraction,
) -> None:
    """Part of a position, all of it, or more than all: then the rest begins another trade."""
    held, size = abs(found.held), abs(change)
    closed = min(held, size)
    exit_, paid = worth, said.fees
    if size > held:
        paid = rounded(said.fees * held / size)
        exit_ = rounded(worth * held / size)
        if size == Fraction(row.qty_e18, E18):
            exit_ = contract.value(held, Fraction(row.price_e18, E18))
    released, freed = found.cost, found.open_fees
    if closed < held:
        released = rounded(found.cost * closed / held)
        freed = rounded(found.open_fees * closed / held)
    profit = partial(contract.profit, found.held > 0)
    said.gross = profit(released, exit_)
    said.view = said.gross - paid - freed
    found.lots.leave(closed, profit, released, exit_)
    found.held += change
    found.cost -= released
    found.open_fees -= freed
    found._trade.gross += said.gross
    found._trade.fees += paid
    if closed == held:
        trade = found._trade
        found.closed += trade.gross - trade.fees - trade.funding
        found._trade = Row(fees=said.fees - paid)
    if size > held:
        found.trades += 1
        found.cost, found.open_fees = worth - exit_, said.fees - paid
        found.lots.enter(size - held, found.cost)


def _closed_trade(found: Tally, contract: _Contract, row: HedgeExecution, said: Row) -> None:
    size, entry, exit_ = (
        Fraction(units or 0, E18)
        for units in (row.size_e18, row.entry_price_e18, row.exit_price_e18)
    )
    said.fees, said.funding = Fraction(row.fee_e18, E18), Fraction(row.funding_e18 or 0, E18)
    worth = contract.value(size, entry), contract.value(size, exit_)
    said.gross = contract.profit(row.side == "Buy", *worth)
    said.view = said.gross - said.fees - said.funding
    found.trades += 1
    found.closed += said.view
    found.lots.gains["ACB"] += said.gross


def _note(found: Tally, said: Row) -> None:
    """Profit and fees of a trade that goes on."""
    found._trade.gross += said.gross
    found._trade.fees += said.fees
