"""How the demo's accounts begin: wallets, a loan in USDT, collateral that makes the LTV wanted."""

from collections.abc import Sequence
from fractions import Fraction

from weir.sandbox.books import Books
from weir.sandbox.catalogue import before_haircut
from weir.sandbox.journal import FUND, UNIFIED
from weir.sandbox.money import UNIT, e8

__all__ = ["BANDS", "FIRST_ACCOUNT", "START_PRICES", "open_accounts"]

FIRST_ACCOUNT = 100_001
BANDS = ("0.52", "0.40", "0.30")
LOANS = ("48000", "40000", "30000")
OWED_INTEREST = "12.34567890"
START_PRICES = {"BTCUSDT": e8("60000"), "ETHUSDT": e8("3000")}
SHARES = {"BTC": Fraction(3, 5), "ETH": Fraction(2, 5)}


def open_accounts(
    books: Books, count: int, at_ms: int, *, bands: Sequence[str] = BANDS, unified: str = "250000"
) -> None:
    """Open accounts 100001, 100002, ...; LTV bands and loans repeat in turn."""
    for symbol, price_e8 in START_PRICES.items():
        books.prices_e8.setdefault(symbol, price_e8)
    for number in range(count):
        loan_e8 = e8(LOANS[number % len(LOANS)])
        owed_e8 = loan_e8 + e8(OWED_INTEREST)
        counted = Fraction(owed_e8) / Fraction(bands[number % len(bands)])
        books.open_account(
            str(FIRST_ACCOUNT + number),
            at_ms,
            wallets={(UNIFIED, "USDT"): e8(unified), (FUND, "USDT"): e8("100")},
            principal={"USDT": loan_e8},
            interest={"USDT": e8(OWED_INTEREST)},
            collateral={coin: _amount(books, coin, counted) for coin in SHARES},
        )


def _amount(books: Books, coin: str, counted: Fraction) -> int:
    value = before_haircut(counted * SHARES[coin], books.coins[coin].tiers)
    return round(value * UNIT / books.usd_price_e8(coin))
