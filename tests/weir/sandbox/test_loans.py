"""The loan pool: interest first, marginal haircuts, LTV as shown, and the documented refusals."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from weir.sandbox import loans
from weir.sandbox.books import Books, Terms
from weir.sandbox.catalogue import COINS, after_haircut
from weir.sandbox.journal import FUND, UNIFIED
from weir.sandbox.money import e8, text, truncated
from weir.sandbox.records import FAILED, PROCESSING, SUCCESS, Account
from weir.sandbox.refusal import Refused
from weir.sandbox.snapshot import account_snapshot

HOUR_MS = 3_600_000
DOCUMENTED_TIERS = (
    (10_000, Fraction(4, 5)),
    (20_000, Fraction(7, 10)),
    (30_000, Fraction(1, 2)),
    (None, Fraction(2, 5)),
)


def owing(principal: str = "20000", interest: str = "12.3456789", **opening: Any) -> Any:
    """Books with one account that owes USDT against 1 BTC at 60,000."""
    books = Books(terms=Terms(settle_ms=200), prices_e8={"BTCUSDT": e8("60000")})
    account = books.open_account(
        "7",
        0,
        wallets={(FUND, "USDT"): e8("50000"), (UNIFIED, "USDT"): e8("1000")},
        principal={"USDT": e8(principal)} if principal != "0" else {},
        interest={"USDT": e8(interest)} if interest != "0" else {},
        collateral={"BTC": e8("1")},
        **opening,
    )
    return books, account


def loan_of(books: Books, account: Account) -> Any:
    return account_snapshot(books, account)["loan"]


def test_the_documented_position() -> None:
    """Debt and collateral of the venue's own example, from amounts, prices and tiers."""
    coins = {name: replace(COINS[name], tiers=DOCUMENTED_TIERS) for name in ("BTC", "ETH", "USDT")}
    coins["USDC"] = replace(COINS["USDC"], tiers=((None, Fraction(7248, 10000)),))
    books = Books(coins=coins, prices_e8={"BTCUSDT": e8("106310.85"), "ETHUSDT": e8("2828.01")})
    account = books.open_account(
        "1",
        0,
        wallets={},
        principal={"BTC": e8("0.08800022"), "ETH": e8("0.1")},
        collateral={
            "BTC": e8("0.12"),
            "ETH": e8("2"),
            "USDT": e8("4002.12"),
            "USDC": e8("1000"),
        },
    )
    loan = loan_of(books, account)
    assert {coin: debt["usd"] for coin, debt in loan["debts"].items()} == {
        "BTC": "9355.37",
        "ETH": "282.8",
    }
    assert {coin: row["usd"] for coin, row in loan["collateral"].items()} == {
        "BTC": "9930.11",
        "ETH": "4524.81",
        "USDT": "3201.69",
        "USDC": "724.8",
    }
    assert abs(Fraction(loan["ltv"]) - Fraction("0.524344")) <= Fraction(1, 10**6)


def test_tiers_are_marginal() -> None:
    tiers = ((50_000, Fraction(1)), (None, Fraction(975, 1000)))
    counted = after_haircut(Fraction(e8("75000")), tiers)
    assert truncated(counted, 2) == "74375"
    assert loans.ltv_text(Fraction(60_000 * 10**8) / counted) == "0.806723"


def test_interest_is_paid_first_and_the_repayment_takes_its_time() -> None:
    books, account = owing()
    row = loans.repay(books, account, "USDT", "9500", 1_000)
    loans.advance(books, 1_199)
    assert row.status == PROCESSING
    assert loan_of(books, account)["in_process"] == {"USDT": "9500"}
    assert text(books.balance_e8(account, "USDT", FUND)) == "40500"
    loans.advance(books, 1_200)
    assert row.status == SUCCESS
    assert FAILED not in {row.status}
    assert (text(row.interest_e8), text(row.principal_e8)) == ("12.3456789", "9487.6543211")
    assert loan_of(books, account)["debts"]["USDT"]["total"] == "10512.3456789"
    assert books.journal.conserved()


def test_interest_accrues_by_the_full_hour() -> None:
    books, account = owing(principal="10000", interest="0")
    loans.advance(books, HOUR_MS - 1)
    assert loans.interest_e8(books, account, "USDT") == 0
    loans.advance(books, HOUR_MS)
    loans.advance(books, 3 * HOUR_MS + 5)
    assert text(loans.interest_e8(books, account, "USDT")) == "0.3"
    assert books.journal.conserved()


@pytest.mark.parametrize(
    ("coin", "amount", "code"),
    [
        ("XYZ", "1", 148014),
        ("MNT", "1", 148001),
        ("USDT", "1.00001", 148028),
        ("USDT", "-1", 10001),
        ("USDT", "1e2", 10001),
        ("USDT", "0", 10001),
        ("BTC", "0.1", 148032),
        ("USDT", "20012.3457", 148038),
    ],
)
def test_refused_repayments(coin: str, amount: str, code: int) -> None:
    books, account = owing()
    with pytest.raises(Refused) as refused:
        loans.repay(books, account, coin, amount, 1)
    assert refused.value.code == code
    assert account.repays == []


def test_one_repayment_at_a_time_and_only_from_what_is_there() -> None:
    books, account = owing(principal="90000")
    with pytest.raises(Refused) as too_much:
        loans.repay(books, account, "USDT", "50000.0001", 1)
    loans.repay(books, account, "USDT", "100", 1)
    with pytest.raises(Refused) as busy:
        loans.repay(books, account, "USDT", "100", 2)
    assert (too_much.value.code, busy.value.code) == (148029, 148041)


def test_collateral_moves_the_ltv() -> None:
    books, account = owing(principal="30000", interest="0")
    added = loans.add_or_reduce(books, account, "USDT", "1000.5", "0", 5)
    assert (added.ltv_before, added.ltv_after) == ("0.526316", "0.517683")
    assert loan_of(books, account)["ltv"] == added.ltv_after
    taken = loans.add_or_reduce(books, account, "USDT", "1000.5", "1", 6)
    assert (taken.adjust_id, taken.ltv_after) == (added.adjust_id + 1, added.ltv_before)
    assert books.journal.conserved()


@pytest.mark.parametrize(
    ("principal", "coin", "amount", "direction", "code"),
    [
        ("30000", "XYZ", "1", "0", 148014),
        ("30000", "MNT", "1", "0", 148004),
        ("30000", "USDT", "1.00001", "0", 148005),
        ("30000", "USDT", "1", "2", 10001),
        ("0", "USDT", "1", "0", 148013),
        ("30000", "USDT", "50000.0001", "0", 148037),
        ("30000", "BTC", "1.00000001", "1", 148037),
        ("30000", "BTC", "0.5", "1", 148009),
        ("30000", "BTC", "1", "1", 148009),
    ],
)
def test_refused_adjustments(
    principal: str, coin: str, amount: str, direction: str, code: int
) -> None:
    books, account = owing(principal=principal, interest="0")
    with pytest.raises(Refused) as refused:
        loans.add_or_reduce(books, account, coin, amount, direction, 1)
    assert refused.value.code == code
    assert account.adjusts == []


def test_ltv_edges() -> None:
    assert loans.ltv_text(Fraction(0)) == "0"
    assert loans.ltv_text(Fraction(1, 4)) == "0.25"
    assert loans.ltv_text(None) == "999"
