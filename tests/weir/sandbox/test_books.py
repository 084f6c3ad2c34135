"""The venue's own arithmetic against known cases, and conservation whatever happens."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from weir.sandbox.books import Books, Trade
from weir.sandbox.journal import FUND, UNIFIED
from weir.sandbox.money import e8, e8_rounded, text
from weir.sandbox.records import Account, Execution
from weir.sandbox.refusal import Refused
from weir.sandbox.snapshot import account_snapshot, snapshot

TRANSFER_ID = "42c0cfb0-6bca-c242-bc76-4e6df6cbab16"


class Desk:
    """One account with 100,000 USDT, traded by hand."""

    def __init__(self, symbol: str = "BTCUSDT") -> None:
        self.books = Books(prices_e8={symbol: e8("100")})
        self.account: Account = self.books.open_account(
            "7", 0, wallets={(UNIFIED, "USDT"): e8("100000")}
        )
        self.symbol = symbol
        self.count = 0

    def trade(self, side: str, quantity: str, price: str, rate: str = "0.00055") -> Execution:
        self.count += 1
        trade = Trade(f"e{self.count}", self.symbol, side, e8(quantity), e8(price), rate)
        return self.books.execute(self.account, trade, self.count)

    @property
    def pnl(self) -> dict[str, str]:
        pnl: dict[str, str] = account_snapshot(self.books, self.account)["pnl"]
        return pnl

    @property
    def wallet(self) -> str:
        return text(self.books.balance_e8(self.account, "USDT", UNIFIED))


def test_average_entry_over_fills() -> None:
    desk = Desk()
    desk.trade("Buy", "0.5", "5000")
    desk.trade("Buy", "0.3", "6000")
    position = desk.account.positions["BTCUSDT"]
    assert position.average_e8 == e8("5375")
    assert position.unrealised(e8("5500")) == e8("100")


def test_fee_of_the_documented_execution() -> None:
    desk = Desk()
    desk.trade("Buy", "0.5", "95900", rate="0")
    closing = desk.trade("Sell", "0.5", "95900.1")
    assert text(closing.fee_e8) == "26.3725275"
    assert text(closing.gross_e8) == "0.05"
    assert text(closing.closed_e8) == "0.5"
    assert desk.pnl["realised"] == "-26.3225275"


def test_partial_close_books_cash_when_paid() -> None:
    desk = Desk()
    for side, quantity, price in (("Buy", "2", "100"), ("Buy", "1", "130"), ("Sell", "1.5", "140")):
        desk.trade(side, quantity, price, rate="0.0006")
    assert desk.account.positions["BTCUSDT"].average_e8 == e8("110")
    assert desk.pnl["gross"] == "45"
    assert desk.pnl["realised"] == "44.676"


def test_flip_closes_then_opens() -> None:
    desk = Desk()
    desk.trade("Buy", "1", "100", rate="0")
    flip = desk.trade("Sell", "3", "110", rate="0")
    position = desk.account.positions["BTCUSDT"]
    assert (text(flip.gross_e8), text(flip.closed_e8)) == ("10", "1")
    assert (text(position.size_e8), position.average_e8) == ("-2", e8("110"))


def test_short_closed_with_fees_and_funding() -> None:
    desk = Desk()
    desk.trade("Sell", "0.4", "6000")
    desk.books.prices_e8["BTCUSDT"] = e8("5250")
    paid = desk.books.pay_funding(desk.account, "BTCUSDT", "f1", "-0.001", 2)
    assert paid is not None
    assert (paid.side, text(paid.fee_e8), paid.fee_rate) == ("Sell", "2.1", "0.001")
    desk.trade("Buy", "0.4", "5000")
    assert desk.pnl == {
        "coin": "USDT",
        "gross": "400",
        "fees": "2.42",
        "funding": "2.1",
        "realised": "395.48",
        "realised_exact": "395.48",
    }
    assert desk.wallet == "100395.48"


@pytest.mark.parametrize(
    ("side", "quantity", "price", "rate", "fee", "held_rate"),
    [
        ("Buy", "932", "0.01565", "-0.00000383", "-0.00005586", "-0.00000383"),
        ("Buy", "100", "0.3676", "0.0001", "0.003676", "0.0001"),
        ("Sell", "100", "0.3676", "0.0001", "-0.003676", "-0.0001"),
    ],
)
def test_funding_is_signed_from_the_holders_view(
    side: str, quantity: str, price: str, rate: str, fee: str, held_rate: str
) -> None:
    desk = Desk("XRPUSDT")
    desk.trade(side, quantity, price, rate="0")
    desk.books.prices_e8["XRPUSDT"] = e8(price)
    row = desk.books.pay_funding(desk.account, "XRPUSDT", "f1", rate, 2)
    assert row is not None
    assert (row.exec_type, row.side, text(row.quantity_e8)) == ("Funding", side, quantity)
    assert (text(row.fee_e8), row.fee_rate) == (fee, held_rate)


def test_worked_example_of_adds_reduces_flip_and_funding() -> None:
    desk = Desk()
    for side, quantity, price in (
        ("Buy", "2", "100"),
        ("Buy", "1", "130"),
        ("Sell", "1.5", "140"),
        ("Sell", "2.5", "90"),
    ):
        desk.trade(side, quantity, price, rate="0.0006")
    desk.books.prices_e8["BTCUSDT"] = e8("80")
    desk.books.pay_funding(desk.account, "BTCUSDT", "f1", "-0.000625", 9)
    assert desk.pnl["gross"] == "15"
    assert desk.pnl["fees"] == "0.459"
    assert desk.pnl["funding"] == "0.05"
    assert desk.pnl["realised"] == "14.491"
    assert desk.account.positions["BTCUSDT"].unrealised(e8("80")) == e8("10")


def test_a_transfer_happens_once_per_id() -> None:
    desk = Desk()

    def move(amount: str, transfer_id: str = TRANSFER_ID, target: str = FUND) -> None:
        desk.books.transfer(
            desk.account,
            transfer_id=transfer_id,
            coin="USDT",
            amount=amount,
            source=UNIFIED,
            target=target,
            at_ms=5,
        )

    move("5000")
    refusals = {}
    for name, call in {
        "repeat": lambda: move("5000"),
        "too much": lambda: move("95000.000001", TRANSFER_ID.replace("42", "43")),
        "precision": lambda: move("0.0000001", TRANSFER_ID.replace("42", "44")),
        "no uuid": lambda: move("1", "transfer-1"),
        "same wallet": lambda: move("1", TRANSFER_ID.replace("42", "45"), UNIFIED),
        "zero": lambda: move("0", TRANSFER_ID.replace("42", "46")),
    }.items():
        with pytest.raises(Refused) as refused:
            call()
        refusals[name] = refused.value.code
    assert refusals == {
        "repeat": 131214,
        "too much": 131212,
        "precision": 131210,
        "no uuid": 10001,
        "same wallet": 10001,
        "zero": 10001,
    }
    assert desk.wallet == "95000"
    assert len(desk.account.transfers) == 1


def test_margin_and_loss_do_not_leave_the_wallet() -> None:
    desk = Desk()
    desk.books.prices_e8["BTCUSDT"] = e8("50000")
    desk.trade("Buy", "1", "60000", rate="0")
    assert text(desk.books.transferable_e8(desk.account, "USDT", UNIFIED)) == "85000"


FILLS = some.tuples(
    some.sampled_from(["Buy", "Sell"]),
    some.integers(1, 5000),
    some.integers(1, 900_000),
    some.sampled_from(["0.00055", "-0.00005", "0"]),
)


@settings(max_examples=60, deadline=None)
@given(some.lists(FILLS, max_size=60))
def test_profit_is_what_was_paid_and_received(fills: list[tuple[str, int, int, str]]) -> None:
    """Realised gross = sales - purchases + cost of what is still held, to the venue's 8 places."""
    desk = Desk()
    cash = Fraction(0)
    for side, lots, ticks, rate in fills:
        desk.trade(side, text(lots * 10**5), text(ticks * 10**7), rate)
        cash += Fraction(lots * ticks * 10**4) * (-1 if side == "Buy" else 1)
    position = desk.account.positions.get("BTCUSDT")
    if position is not None:
        held = position.average_e8 * position.size_e8 / 10**8
        assert position.gross == cash + held
        assert position.gross_e8 == e8_rounded(position.gross)
    booked = snapshot(desk.books, 99)
    assert booked["journal"]["conserved"]
    assert e8(desk.wallet) == e8("100000") + e8(booked["accounts"]["7"]["pnl"]["realised"])
