"""The crypto-loan endpoints of the venue: position, collateral, repayment and their histories."""

from fractions import Fraction
from typing import Any

from weir.sandbox import journal as place
from weir.sandbox import loans
from weir.sandbox.catalogue import Coin
from weir.sandbox.money import text, truncated
from weir.sandbox.routing import Call, Route, page

__all__ = ["LOAN_ROUTES"]


def _position(call: Call) -> dict[str, Any]:
    books, account = call.books, call.account
    owed = loans.debts(books, account)
    debt_usd = loans.debt_usd(books, account)
    collateral_usd = loans.collateral_usd(books, account)
    return {
        "borrowList": [
            {
                "fixedTotalDebt": "0",
                "fixedTotalDebtUSD": "0",
                "flexibleHourlyInterestRate": books.coins[coin].hourly_rate,
                "flexibleTotalDebt": text(owed_e8),
                "flexibleTotalDebtUSD": truncated(debt_usd[coin], 2),
                "loanCurrency": coin,
            }
            for coin, owed_e8 in owed.items()
        ],
        "collateralList": [
            {
                "amount": text(books.balance_e8(account, coin, place.COLLATERAL)),
                "amountUSD": truncated(usd, 2),
                "currency": coin,
            }
            for coin, usd in collateral_usd.items()
        ],
        "ltv": loans.ltv_text(loans.ltv(books, account)),
        "supplyList": [],
        "totalCollateral": truncated(sum(collateral_usd.values(), Fraction(0)), 2),
        "totalDebt": truncated(sum(debt_usd.values(), Fraction(0)), 2),
        "totalSupply": "0",
        "colRes": "0",
    }


def _adjust(call: Call) -> dict[str, Any]:
    row = loans.add_or_reduce(
        call.books,
        call.account,
        call.text("currency"),
        call.text("amount"),
        call.text("direction"),
        call.now_ms,
    )
    return {"adjustId": row.adjust_id}


def _adjustment_history(call: Call) -> dict[str, Any]:
    wanted, coin = call.text("adjustId", ""), call.text("collateralCurrency", "")
    rows = [
        row
        for row in call.account.adjusts
        if wanted in ("", str(row.adjust_id)) and coin in ("", row.coin)
    ]
    listed = call.books.listing.shown("adjust", rows, lambda row: row.adjust_id, call.now_ms)
    shown, cursor = page(call, listed, lambda row: row.adjust_id, default=10, high=100)
    return {
        "list": [
            {
                "adjustId": row.adjust_id,
                "adjustTime": row.at_ms,
                "afterLTV": row.ltv_after,
                "amount": text(row.amount_e8),
                "collateralCurrency": row.coin,
                "direction": row.direction,
                "preLTV": row.ltv_before,
                "status": row.status,
            }
            for row in shown
        ],
        "nextPageCursor": cursor,
    }


def _repay(call: Call) -> dict[str, Any]:
    coin, amount = call.text("loanCurrency"), call.text("amount")
    settles_ms = call.now_ms + call.in_process_ms(call.books.terms.settle_ms)
    row = loans.repay(call.books, call.account, coin, amount, call.now_ms, settles_ms)
    return {"repayId": str(row.repay_id)}


def _repayment_history(call: Call) -> dict[str, Any]:
    wanted, coin = call.text("repayId", ""), call.text("loanCurrency", "")
    rows = [
        row
        for row in call.account.repays
        if wanted in ("", str(row.repay_id)) and coin in ("", row.coin)
    ]
    listed = call.books.listing.shown("repay", rows, lambda row: row.repay_id, call.now_ms)
    shown, cursor = page(call, listed, lambda row: row.repay_id, default=10, high=100)
    return {
        "list": [
            {
                "loanCurrency": row.coin,
                "repayAmount": text(row.amount_e8),
                "repayId": str(row.repay_id),
                "repayStatus": row.status,
                "repayTime": row.at_ms,
                "repayType": row.repay_type,
            }
            for row in shown
        ],
        "nextPageCursor": cursor,
    }


def _ongoing(call: Call) -> dict[str, Any]:
    books, account = call.books, call.account
    wanted = call.text("loanCurrency", "")
    return {
        "list": [
            {
                "hourlyInterestRate": books.coins[coin].hourly_rate,
                "loanCurrency": coin,
                "totalDebt": text(owed_e8),
                "unpaidAmount": text(loans.principal_e8(books, account, coin)),
                "unpaidInterest": text(loans.interest_e8(books, account, coin)),
            }
            for coin, owed_e8 in loans.debts(books, account).items()
            if wanted in ("", coin)
        ]
    }


def _collateral_data(call: Call) -> dict[str, Any]:
    wanted = call.text("currency", "")
    coins = [c for c in call.books.coins.values() if c.tiers and wanted in ("", c.name)]
    return {
        "collateralRatioConfigList": [
            {"collateralRatioList": _tiers(coin), "currencies": coin.name} for coin in coins
        ],
        "currencyLiquidationList": [
            {"currency": coin.name, "liquidationOrder": order}
            for order, coin in enumerate(coins, start=1)
        ],
    }


def _tiers(coin: Coin) -> list[dict[str, str]]:
    rows, low = [], 0
    for bound, ratio in coin.tiers:
        high = 99_999_999_999 if bound is None else bound
        shown = truncated(ratio * 10**8, 8)
        rows.append({"collateralRatio": shown, "maxValue": str(high), "minValue": str(low)})
        low = high
    return rows


def _loanable_data(call: Call) -> dict[str, Any]:
    wanted = call.text("currency", "")
    terms = ("7D", "14D", "30D", "60D", "90D", "180D")
    return {
        "list": [
            {
                "currency": coin.name,
                "fixedBorrowable": False,
                "fixedBorrowingAccuracy": coin.loan_places,
                "flexibleBorrowable": coin.borrowable,
                "flexibleBorrowingAccuracy": coin.loan_places,
                "maxBorrowingAmount": "10000000",
                "minFixedBorrowingAmount": "0.1",
                "minFlexibleBorrowingAmount": "0.001",
                "vipLevel": "VIP0",
                **{f"annualizedInterestRate{term}": "" for term in terms},
                "flexibleAnnualizedInterestRate": truncated(
                    Fraction(coin.hourly_rate) * 8760 * 10**8, 18
                ),
            }
            for coin in call.books.coins.values()
            if coin.borrowable and wanted in ("", coin.name)
        ]
    }


COMMON, FLEXIBLE = "/v5/crypto-loan-common", "/v5/crypto-loan-flexible"
LOAN_ROUTES = (
    Route("GET", f"{COMMON}/position", _position, "loan-read", "ok"),
    Route("POST", f"{COMMON}/adjust-ltv", _adjust, "loan-write", "ok"),
    Route("GET", f"{COMMON}/adjustment-history", _adjustment_history, "loan-read", "ok"),
    Route("GET", f"{COMMON}/collateral-data", _collateral_data, None, "ok"),
    Route("GET", f"{COMMON}/loanable-data", _loanable_data, None, "ok"),
    Route("POST", f"{FLEXIBLE}/repay", _repay, "loan-write", "ok"),
    Route("GET", f"{FLEXIBLE}/ongoing-coin", _ongoing, "loan-read", "ok"),
    Route("GET", f"{FLEXIBLE}/repayment-history", _repayment_history, "loan-read", "ok"),
)
