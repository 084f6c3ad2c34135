"""The wallet endpoints of the venue: transfers between wallets and balances of each."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from weir.sandbox import journal as place
from weir.sandbox.books import SETTLE_COIN, WALLETS, Books
from weir.sandbox.money import UNIT, e8_rounded, text, truncated
from weir.sandbox.records import Account
from weir.sandbox.refusal import Refused
from weir.sandbox.routing import Call, Route, page

__all__ = ["ASSET_ROUTES", "wallet_row"]


def _transfer(call: Call) -> dict[str, Any]:
    done = call.books.transfer(
        call.account,
        transfer_id=call.text("transferId"),
        coin=call.text("coin"),
        amount=call.text("amount"),
        source=call.text("fromAccountType"),
        target=call.text("toAccountType"),
        at_ms=call.now_ms,
    )
    return {"transferId": done.transfer_id, "status": done.status}


def _transfers(call: Call) -> dict[str, Any]:
    wanted, coin = call.text("transferId", ""), call.text("coin", "")
    status = call.text("status", "")
    listing = call.books.listing
    listed = listing.shown(
        "transfer", call.account.transfers, lambda row: row.transfer_id, call.now_ms
    )
    rows = [
        (number, row)
        for number, row in enumerate(listed, start=1)
        if wanted in ("", row.transfer_id) and coin in ("", row.coin) and status in ("", row.status)
    ]
    shown, cursor = page(call, rows, lambda row: row[0], default=20, high=50)
    return {
        "list": [
            {
                "transferId": row.transfer_id,
                "coin": row.coin,
                "amount": text(row.amount_e8),
                "fromAccountType": row.source,
                "toAccountType": row.target,
                "timestamp": str(row.at_ms),
                "status": row.status,
            }
            for _, row in shown
        ],
        "nextPageCursor": cursor,
    }


def _coin_balance(call: Call) -> dict[str, Any]:
    wallet, coin = _wallet_type(call), call.text("coin")
    if coin not in call.books.coins:
        raise Refused(10001, f"params error: coin not supported: {coin!r}")
    free = text(call.books.transferable_e8(call.account, coin, wallet))
    return {
        "accountType": wallet,
        "bizType": 1,
        "accountId": call.account.number,
        "memberId": call.account.number,
        "balance": {
            "coin": coin,
            "walletBalance": text(call.books.balance_e8(call.account, coin, wallet)),
            "transferBalance": free,
            "bonus": "0",
            "transferSafeAmount": "",
            "ltvTransferSafeAmount": free,
        },
    }


def _coins_balance(call: Call) -> dict[str, Any]:
    wallet = _wallet_type(call)
    asked = [coin for coin in call.text("coin", "").split(",") if coin]
    coins = asked or call.books.journal.coins(call.account.number, wallet)
    unknown = [coin for coin in coins if coin not in call.books.coins]
    if unknown:
        raise Refused(10001, f"params error: coin not supported: {unknown[0]!r}")
    return {
        "memberId": call.account.number,
        "accountType": wallet,
        "balance": [
            {
                "coin": coin,
                "transferBalance": text(call.books.transferable_e8(call.account, coin, wallet)),
                "walletBalance": text(call.books.balance_e8(call.account, coin, wallet)),
                "bonus": "",
            }
            for coin in coins
        ],
    }


def _wallet_balance(call: Call) -> dict[str, Any]:
    if call.text("accountType") != place.UNIFIED:
        raise Refused(10001, "params error: accountType must be UNIFIED")
    asked = [coin for coin in call.text("coin", "").split(",") if coin]
    return {"list": [wallet_row(call.books, call.account, asked)]}


def wallet_row(books: Books, account: Account, asked: Sequence[str] = ()) -> dict[str, Any]:
    """The trading wallet as `/v5/account/wallet-balance` shows it; no coins asked is all coins."""
    coins = asked or books.journal.coins(account.number, place.UNIFIED)
    unrealised = books.unrealised(account)
    margin = books.initial_margin(account)
    held = {c: books.balance_e8(account, c, place.UNIFIED) for c in coins}
    wallet = sum(
        (Fraction(held_e8 * books.usd_price_e8(c), UNIT) for c, held_e8 in held.items()),
        Fraction(0),
    )
    equity, free = wallet + unrealised, wallet + min(Fraction(0), unrealised) - margin
    maintenance = margin / 20
    return {
        "totalEquity": truncated(equity, 8),
        "accountIMRate": _rate(margin, equity),
        "accountIMRateByMp": _rate(margin, equity),
        "totalMarginBalance": truncated(equity, 8),
        "totalInitialMargin": truncated(margin, 8),
        "totalInitialMarginByMp": truncated(margin, 8),
        "accountType": place.UNIFIED,
        "totalAvailableBalance": truncated(max(Fraction(0), free), 8),
        "accountMMRate": _rate(maintenance, equity),
        "accountMMRateByMp": _rate(maintenance, equity),
        "totalPerpUPL": truncated(unrealised, 8),
        "totalWalletBalance": truncated(wallet, 8),
        "accountLTV": "0",
        "totalMaintenanceMargin": truncated(maintenance, 8),
        "totalMaintenanceMarginByMp": truncated(maintenance, 8),
        "coin": [
            _wallet_coin(books, account, coin, held_e8, unrealised, margin)
            for coin, held_e8 in held.items()
        ],
    }


def _wallet_coin(
    books: Books, account: Account, coin: str, held_e8: int, unrealised: Fraction, margin: Fraction
) -> dict[str, Any]:
    settles = coin == SETTLE_COIN
    unrealised_e8 = e8_rounded(unrealised) if settles else 0
    equity_e8 = held_e8 + unrealised_e8
    realised_e8 = sum(p.realised_e8 for p in account.positions.values()) if settles else 0
    return {
        "availableToBorrow": "",
        "bonus": "0",
        "accruedInterest": "0",
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "equity": text(equity_e8),
        "totalPositionMM": truncated(margin / 20, 8) if settles else "0",
        "usdValue": truncated(Fraction(equity_e8 * books.usd_price_e8(coin), UNIT), 8),
        "spotHedgingQty": "0",
        "unrealisedPnl": text(unrealised_e8),
        "collateralSwitch": True,
        "borrowAmount": "0.0",
        "totalPositionIM": truncated(margin, 8) if settles else "0",
        "walletBalance": text(held_e8),
        "cumRealisedPnl": text(realised_e8),
        "locked": "0",
        "marginCollateral": True,
        "coin": coin,
        "spotBorrow": "0",
    }


def _info(call: Call) -> dict[str, Any]:
    return {
        "marginMode": "REGULAR_MARGIN",
        "updatedTime": str(call.account.opened_ms),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def _wallet_type(call: Call) -> str:
    wallet = call.text("accountType")
    if wallet not in WALLETS:
        raise Refused(10001, f"params error: accountType not supported: {wallet!r}")
    return wallet


def _rate(part: Fraction, whole: Fraction) -> str:
    return truncated(part / whole * UNIT, 4) if whole > 0 else "0"


ASSET = "/v5/asset/transfer"
ASSET_ROUTES = (
    Route("POST", f"{ASSET}/inter-transfer", _transfer, "transfer", "success"),
    Route("GET", f"{ASSET}/query-inter-transfer-list", _transfers, "transfer-list", "success"),
    Route("GET", f"{ASSET}/query-account-coin-balance", _coin_balance, "read", "success"),
    Route(
        "GET", f"{ASSET}/query-account-coins-balance", _coins_balance, "coins-balance", "success"
    ),
    Route("GET", "/v5/account/wallet-balance", _wallet_balance, "read"),
    Route("GET", "/v5/account/info", _info, "read"),
)
