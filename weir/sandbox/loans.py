"""The flexible loan of an account: one pool of debt and collateral with one loan-to-value.

Interest accrues per full hour on the principal and is paid first. A repayment leaves the FUND
wallet at once, waits in process and reaches the debt when it settles; if the debt has become less
meanwhile, it fails and the money is back. A liquidation sells collateral at the mark and repays
with it. LTV is debt over collateral after marginal haircuts, in USD, rounded to 6 decimals.
"""

from fractions import Fraction

from weir.sandbox import journal as place
from weir.sandbox.books import Books, amount_e8
from weir.sandbox.catalogue import Coin, after_haircut
from weir.sandbox.money import UNIT, e8_rounded
from weir.sandbox.records import (
    FAILED,
    LIQUIDATION,
    PROCESSING,
    SUCCESS,
    Account,
    Adjust,
    Repay,
)
from weir.sandbox.refusal import Refused

__all__ = [
    "add_or_reduce",
    "advance",
    "collateral_usd",
    "debt_e8",
    "debt_usd",
    "debts",
    "interest_e8",
    "liquidate",
    "ltv",
    "ltv_text",
    "principal_e8",
    "repay",
]


def advance(books: Books, at_ms: int) -> None:
    """Bring every account to a time: settle due repayments and accrue full hours, in time order."""
    for account in books.accounts.values():
        for row in account.repays:
            if row.status == PROCESSING and row.settles_ms <= at_ms:
                _accrue(books, account, row.settles_ms)
                _settle(books, account, row)
        _accrue(books, account, at_ms)


def repay(
    books: Books,
    account: Account,
    coin: str,
    amount: str,
    at_ms: int,
    settles_ms: int | None = None,
) -> Repay:
    """Accept a repayment from the FUND wallet, or refuse it with the documented code. It settles at
    `settles_ms`, after the usual time if that is left out.
    """
    listed = _listed(books, coin)
    if not listed.borrowable:
        raise Refused(148001, f"{coin} does not support flexible loans")
    paid_e8 = amount_e8("amount", amount, listed.loan_places, precision_code=148028)
    owed_e8 = debt_e8(books, account, coin)
    if owed_e8 == 0:
        raise Refused(148032, f"no outstanding debt in {coin}")
    if any(row.status == PROCESSING and row.coin == coin for row in account.repays):
        raise Refused(148041, f"a repayment of {coin} is being processed")
    if paid_e8 > owed_e8:
        raise Refused(148038, "repayment is more than the debt")
    if paid_e8 > books.balance_e8(account, coin, place.FUND):
        raise Refused(148029, "insufficient balance in the repayment account")
    if settles_ms is None:
        settles_ms = at_ms + books.terms.settle_ms
    row = Repay(_next_repay_id(books), coin, paid_e8, at_ms, settles_ms)
    ref = str(row.repay_id)
    books.book(account, at_ms, coin, place.FUND, place.IN_PROCESS, paid_e8, "repay", ref)
    account.repays.append(row)
    if row.settles_ms <= at_ms:
        _settle(books, account, row)
    return row


def liquidate(books: Books, account: Account, coin: str, amount: str, at_ms: int) -> Repay:
    """Sell collateral at the marks, in the venue's order of coins, and repay so much debt with it;
    never more than is owed or than the collateral brings.
    """
    _listed(books, coin)
    wanted_e8 = amount_e8("amount", amount, 8, precision_code=10001)
    price_e8 = books.usd_price_e8(coin)
    left = Fraction(min(wanted_e8, debt_e8(books, account, coin)) * price_e8, UNIT)
    repay_id, raised = _next_repay_id(books), Fraction(0)
    for name in books.coins:
        held_e8 = books.balance_e8(account, name, place.COLLATERAL)
        worth_e8 = books.usd_price_e8(name)
        sold = left * UNIT / worth_e8
        sold_e8 = min(held_e8, -(-sold.numerator // sold.denominator))
        part = min(left, Fraction(sold_e8 * worth_e8, UNIT))
        left, raised = left - part, raised + part
        target, ref = place.VENUE, str(repay_id)
        books.book(account, at_ms, name, place.COLLATERAL, target, sold_e8, "liquidation", ref)
    paid = raised * UNIT / price_e8
    row = Repay(
        repay_id,
        coin,
        paid.numerator // paid.denominator,
        at_ms,
        settles_ms=at_ms,
        repay_type=LIQUIDATION,
    )
    _pay(books, account, row, place.VENUE)
    account.repays.append(row)
    return row


def add_or_reduce(
    books: Books, account: Account, coin: str, amount: str, direction: str, at_ms: int
) -> Adjust:
    """Move collateral from the FUND wallet ("0") or back to it ("1"), at once."""
    if direction not in ("0", "1"):
        raise Refused(10001, f"params error: direction must be 0 or 1: {direction!r}")
    listed = _listed(books, coin)
    if not listed.tiers:
        raise Refused(148004, f"{coin} is no collateral coin")
    moved_e8 = amount_e8("amount", amount, listed.collateral_places, precision_code=148005)
    if not debts(books, account):
        raise Refused(148013, "collateral of a user without a loan cannot be adjusted")
    source, target = place.FUND, place.COLLATERAL
    if direction == "1":
        source, target = target, source
    if moved_e8 > books.balance_e8(account, coin, source):
        raise Refused(148037, f"insufficient assets: {source} holds less {coin}")
    before = ltv_text(ltv(books, account))
    after = ltv(books, account, {coin: moved_e8 if direction == "0" else -moved_e8})
    if direction == "1" and (after is None or after > books.terms.ltv_initial):
        raise Refused(148009, "LTV would exceed the risk threshold")
    adjust_id = _next_adjust_id(books)
    books.book(account, at_ms, coin, source, target, moved_e8, "adjust", str(adjust_id))
    row = Adjust(adjust_id, coin, moved_e8, int(direction), before, ltv_text(after), at_ms)
    account.adjusts.append(row)
    return row


def principal_e8(books: Books, account: Account, coin: str) -> int:
    """Unpaid principal of a coin."""
    return -books.balance_e8(account, coin, place.PRINCIPAL)


def interest_e8(books: Books, account: Account, coin: str) -> int:
    """Unpaid interest of a coin."""
    return -books.balance_e8(account, coin, place.INTEREST)


def debt_e8(books: Books, account: Account, coin: str) -> int:
    """Principal and interest of a coin."""
    return principal_e8(books, account, coin) + interest_e8(books, account, coin)


def debts(books: Books, account: Account) -> dict[str, int]:
    """What is owed per coin, only where something is owed."""
    coins = books.journal.coins(account.number, place.PRINCIPAL)
    owed = {coin: debt_e8(books, account, coin) for coin in coins}
    return {coin: owed_e8 for coin, owed_e8 in owed.items() if owed_e8}


def debt_usd(books: Books, account: Account) -> dict[str, Fraction]:
    """The debt per coin in USD, exact, in 10^-8."""
    owed = debts(books, account)
    return {c: Fraction(e8 * books.usd_price_e8(c), UNIT) for c, e8 in owed.items()}


def collateral_usd(
    books: Books, account: Account, change_e8: dict[str, int] | None = None
) -> dict[str, Fraction]:
    """The collateral per coin in USD after haircut, exact, in 10^-8."""
    counted = {}
    change = change_e8 or {}
    for coin in sorted({*books.journal.coins(account.number, place.COLLATERAL), *change}):
        amount = books.balance_e8(account, coin, place.COLLATERAL) + change.get(coin, 0)
        if amount:
            value = Fraction(amount * books.usd_price_e8(coin), UNIT)
            counted[coin] = after_haircut(value, books.coins[coin].tiers)
    return counted


def ltv(books: Books, account: Account, change_e8: dict[str, int] | None = None) -> Fraction | None:
    """Debt over collateral, after a change of collateral; None: debt without any collateral."""
    owed = sum(debt_usd(books, account).values(), Fraction(0))
    if owed == 0:
        return Fraction(0)
    counted = sum(collateral_usd(books, account, change_e8).values(), Fraction(0))
    return owed / counted if counted > 0 else None


def ltv_text(ratio: Fraction | None) -> str:
    """The ratio as shown: 6 decimals, no trailing zeros; 999 stands for no collateral at all."""
    if ratio is None:
        return "999"
    whole, rest = divmod(round(ratio * 10**6), 10**6)
    decimals = str(rest).rjust(6, "0").rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def _accrue(books: Books, account: Account, at_ms: int) -> None:
    hours = (at_ms - account.opened_ms) // books.terms.hour_ms
    due = hours - account.accrued_hours
    if due <= 0:
        return
    account.accrued_hours = hours
    for coin in books.journal.coins(account.number, place.PRINCIPAL):
        rate = Fraction(books.coins[coin].hourly_rate)
        cost_e8 = due * e8_rounded(principal_e8(books, account, coin) * rate)
        ref = f"hour-{hours}"
        books.book(
            account, at_ms, coin, place.INTEREST, place.VENUE, cost_e8, "interest accrual", ref
        )


def _settle(books: Books, account: Account, row: Repay) -> None:
    if row.amount_e8 <= debt_e8(books, account, row.coin):
        _pay(books, account, row, place.IN_PROCESS)
        return
    row.status, ref, at_ms = FAILED, str(row.repay_id), row.settles_ms
    source, target = place.IN_PROCESS, place.FUND
    books.book(account, at_ms, row.coin, source, target, row.amount_e8, "repay failed", ref)


def _pay(books: Books, account: Account, row: Repay, source: str) -> None:
    coin, ref = row.coin, str(row.repay_id)
    cause = "liquidation" if row.repay_type == LIQUIDATION else "repay settled"
    row.interest_e8 = min(row.amount_e8, interest_e8(books, account, coin))
    row.principal_e8 = row.amount_e8 - row.interest_e8
    row.status = SUCCESS
    for target, part_e8 in (
        (place.INTEREST, row.interest_e8),
        (place.PRINCIPAL, row.principal_e8),
    ):
        books.book(account, row.settles_ms, coin, source, target, part_e8, cause, ref)


def _listed(books: Books, coin: str) -> Coin:
    listed = books.coins.get(coin)
    if listed is None:
        raise Refused(148014, f"coin not supported: {coin!r}")
    return listed


def _next_repay_id(books: Books) -> int:
    taken = sum(len(account.repays) for account in books.accounts.values())
    return books.terms.first_repay_id + taken


def _next_adjust_id(books: Books) -> int:
    taken = sum(len(account.adjusts) for account in books.accounts.values())
    return books.terms.first_adjust_id + taken
