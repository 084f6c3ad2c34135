"""The venue model against the sandbox, which imports nothing of ours: the same operations are
refused by the same codes and leave the same debt, wallets and loan to value.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.money import E18, parse_e18
from schemas.records import AccountSnapshot, Collateral, Debt, LoanState, WalletBalance
from tests.weir.backtest.test_venue import ACCOUNT, CCY, call
from weir.backtest.loan import HOUR_MS
from weir.backtest.venue import Venue
from weir.sandbox import loans
from weir.sandbox.books import Books, Terms
from weir.sandbox.journal import FUND, UNIFIED
from weir.sandbox.money import e8
from weir.sandbox.records import Account
from weir.sandbox.refusal import Refused

DUST_E18 = 10**12
"""The sandbox rounds each hour's interest to eight places."""
TEN = 10**10

amounts = st.one_of(
    st.integers(1, 4_000_000).map(lambda cents: f"{cents / 100:.2f}"),
    st.sampled_from(["0.0001", "0.00001", "0.0000001", "20000", "21000", "5000"]),
)
operations = st.lists(
    st.tuples(
        st.sampled_from(["TRANSFER", "BACK", "REPAY", "ADD_COLLATERAL"]),
        amounts,
        st.integers(0, 30),
    ),
    max_size=12,
)


def sandbox() -> tuple[Books, Account]:
    """20,000 owed on a bitcoin and 100 dollars; 30,000 to pay from."""
    books = Books(terms=Terms(settle_ms=0), prices_e8={"BTCUSDT": e8("60000")})
    account = books.open_account(
        "1",
        0,
        wallets={(UNIFIED, CCY): e8("30000"), (FUND, CCY): e8("500")},
        principal={CCY: e8("20000")},
        collateral={"BTC": e8("1"), CCY: e8("100")},
    )
    return books, account


def modelled(books: Books, account: Account) -> Venue:
    """The model, told what the sandbox shows at first."""
    made = Venue()
    counted = {c: round(v) * TEN for c, v in loans.collateral_usd(books, account).items()}
    held = {"BTC": E18, CCY: 100 * E18}
    owed, rate = 20_000 * E18, parse_e18(books.coins[CCY].hourly_rate)
    total = sum(counted.values())
    ratio = parse_e18(loans.ltv_text(loans.ltv(books, account)))
    rows = tuple(Collateral(c, held[c], counted[c]) for c in sorted(counted))
    debts = (Debt(CCY, owed, 0, owed, rate, False),)
    first = (CCY, owed, 0, rate * 8760, rate, debts, owed, total, ratio, rows, 0)
    made.account(ACCOUNT).loan.take(LoanState(ACCOUNT, "pool", *first))
    wallets = tuple(
        WalletBalance(name, CCY, units, units)
        for name, units in (("UNIFIED", 30_000 * E18), ("FUND", 500 * E18))
    )
    made.account(ACCOUNT).wallets.take(AccountSnapshot(ACCOUNT, wallets, (), (), "", 0, 0))
    return made


@settings(max_examples=150, deadline=None)
@given(operations)
def test_the_same_operations_end_the_same(happened: list[tuple[str, str, int]]) -> None:
    books, account = sandbox()
    model = modelled(books, account)
    at_ms = 0
    for number, (op, amount, hours) in enumerate(happened):
        at_ms += hours * HOUR_MS
        loans.advance(books, at_ms)
        code = _at_sandbox(books, account, op, amount, number, at_ms)
        answer = model.answer(_call(op, amount, number), at_ms)
        assert (answer.code or "") == code, (op, amount)
    ours = model.account(ACCOUNT)
    debt = loans.debt_e8(books, account, CCY) * TEN
    assert abs(ours.loan.debt_e18(CCY) - debt) <= DUST_E18
    for wallet in ("UNIFIED", "FUND"):
        assert ours.wallets.balance_e18(wallet, CCY) == books.balance_e8(account, CCY, wallet) * TEN
    ratio = loans.ltv(books, account)
    assert ratio is not None
    assert abs(Fraction(ours.loan.ltv_e18, E18) - ratio) <= Fraction(1, 10**6)


def _at_sandbox(
    books: Books, account: Account, op: str, amount: str, number: int, at_ms: int
) -> str:
    """The code of its refusal; empty when it is done."""
    try:
        if op in ("TRANSFER", "BACK"):
            source, target = (UNIFIED, FUND) if op == "TRANSFER" else (FUND, UNIFIED)
            books.transfer(
                account,
                transfer_id=_id(number),
                coin=CCY,
                amount=amount,
                source=source,
                target=target,
                at_ms=at_ms,
            )
        elif op == "REPAY":
            loans.repay(books, account, CCY, amount, at_ms)
        else:
            loans.add_or_reduce(books, account, CCY, amount, "0", at_ms)
    except Refused as why:
        return str(why.code)
    return ""


def _call(op: str, amount: str, number: int) -> object:
    wallets = {"source": "FUND", "target": "UNIFIED"} if op == "BACK" else {}
    name = "TRANSFER" if op == "BACK" else op
    return call(name, amount, transfer_id=_id(number), **wallets)


def _id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"
