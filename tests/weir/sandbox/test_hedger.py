"""The hedging day: the same from the same seed, of every kind of trade, and booked exactly."""

from collections import defaultdict
from dataclasses import asdict
from fractions import Fraction

import pytest

from weir.sandbox.books import Books
from weir.sandbox.catalogue import SYMBOLS
from weir.sandbox.hedger import Hedger, Plan
from weir.sandbox.journal import UNIFIED
from weir.sandbox.opening import START_PRICES, open_accounts
from weir.sandbox.prices import built_in
from weir.sandbox.records import Execution
from weir.sandbox.snapshot import snapshot


def day(seed: int, fills: int = 3000, accounts: int = 3) -> tuple[Books, list[Execution]]:
    books = Books()
    paths = [built_in(SYMBOLS[name], START_PRICES[name], 1440, seed) for name in SYMBOLS]
    for path in paths:
        books.prices_e8[path.symbol] = path.points_e8[0]
    open_accounts(books, accounts, 0)
    hedger = Hedger(books, paths, Plan(fills=fills, seed=seed, run="r"))
    rows: list[Execution] = []
    while not hedger.done:
        rows.extend(hedger.step(1_000_000 + len(rows) // 4))
    assert hedger.fills == fills
    assert hedger.funding == len(rows) - fills
    return books, rows


def test_the_seed_is_the_day() -> None:
    assert [asdict(row) for row in day(3, 300)[1]] == [asdict(row) for row in day(3, 300)[1]]
    assert day(3, 300)[1] != day(4, 300)[1]


def test_a_day_has_every_kind_of_row() -> None:
    books, rows = day(1)
    trades = [row for row in rows if row.exec_type == "Trade"]
    kinds = {
        "add": [row for row in trades if row.closed_e8 == 0],
        "reduce": [row for row in trades if row.closed_e8 == row.quantity_e8],
        "flip": [row for row in trades if 0 < row.closed_e8 < row.quantity_e8],
        "win": [row for row in trades if row.gross_e8 > 0],
        "loss": [row for row in trades if row.gross_e8 < 0],
        "rebate": [row for row in trades if row.fee_e8 < 0],
        "funding paid": [r for r in rows if r.exec_type == "Funding" and r.fee_e8 > 0],
        "funding received": [r for r in rows if r.exec_type == "Funding" and r.fee_e8 < 0],
    }
    assert {kind: len(found) > 2 for kind, found in kinds.items()} == dict.fromkeys(kinds, True)
    sizes = {
        number: [position.size_e8 for position in account.positions.values()]
        for number, account in books.accounts.items()
    }
    assert sizes["100001"] == [0, 0]
    assert any(sizes["100002"])


def test_ids_times_and_sizes() -> None:
    _, rows = day(2, 600)
    assert len({row.exec_id for row in rows}) == len(rows)
    times = defaultdict(list)
    seqs = defaultdict(list)
    for row in rows:
        times[row.account].append(row.exec_time_ms)
        seqs[row.symbol].append(row.seq)
        symbol = SYMBOLS[row.symbol]
        assert row.quantity_e8 % symbol.step_e8 == 0
        assert row.price_e8 % symbol.tick_e8 == 0
        assert row.value_e8 * 10**8 == row.quantity_e8 * row.price_e8
    for increasing in (*times.values(), *seqs.values()):
        assert increasing == sorted(set(increasing))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_is_worth_allocating_and_stays_solvent(seed: int) -> None:
    books, rows = day(seed)
    book = snapshot(books, 0)
    assert book["journal"]["conserved"]
    for number, account in books.accounts.items():
        shown = book["accounts"][number]
        assert Fraction(shown["pnl"]["realised"]) > 1000
        assert books.transferable_e8(account, "USDT", UNIFIED) > 150_000 * 10**8
        mine = [row for row in rows if row.account == number]
        net = sum(row.gross_e8 - row.fee_e8 for row in mine)
        assert net == Fraction(shown["pnl"]["realised"]) * 10**8
        assert (
            Fraction(shown["pnl"]["realised"])
            == Fraction(shown["wallets"]["UNIFIED"]["USDT"]) - 250_000
        )


def test_starting_bands() -> None:
    books = Books()
    open_accounts(books, 4, 0)
    shown = snapshot(books, 0)["accounts"]
    assert [account["loan"]["ltv"] for account in shown.values()] == ["0.52", "0.4", "0.3", "0.52"]
