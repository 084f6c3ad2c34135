"""The whole book as plain JSON: what `GET /sandbox/books` shows to whoever judges Weir.

Amounts are strings with up to 8 decimals; the fields ending in `_exact` have 18, rounded half-even
from exact fractions.
"""

from fractions import Fraction
from typing import Any

from weir.sandbox import journal as place
from weir.sandbox import loans
from weir.sandbox.books import SETTLE_COIN, WALLETS, Books
from weir.sandbox.money import UNIT, e8_rounded, text, truncated
from weir.sandbox.positions import Position
from weir.sandbox.records import PROCESSING, Account, Adjust, Order, Repay, Transfer

__all__ = ["account_snapshot", "journal_rows", "snapshot"]


def snapshot(books: Books, now_ms: int, *, brief: bool = False, number: str = "") -> dict[str, Any]:
    """The book of every account, or of one; brief leaves out the ids of executions."""
    shown = {number: books.accounts[number]} if number in books.accounts else books.accounts
    return {
        "venue": "bybit",
        "now_ms": now_ms,
        "prices": {name: text(price) for name, price in sorted(books.prices_e8.items())},
        "accounts": {
            name: account_snapshot(books, account, brief=brief)
            for name, account in sorted(shown.items())
        },
        "journal": {"rows": len(books.journal.rows), "conserved": books.journal.conserved()},
    }


def account_snapshot(books: Books, account: Account, *, brief: bool = False) -> dict[str, Any]:
    """The book of one account."""
    trades = sum(1 for row in account.executions if row.exec_type == "Trade")
    executions: dict[str, Any] = {
        "count": len(account.executions),
        "trades": trades,
        "funding": len(account.executions) - trades,
        "last_id": account.executions[-1].exec_id if account.executions else "",
        "last_time_ms": account.executions[-1].exec_time_ms if account.executions else 0,
    }
    if not brief:
        executions["ids"] = [row.exec_id for row in account.executions]
    return {
        "account_id": f"bybit:{account.number}",
        "wallets": {wallet: _wallet(books, account, wallet) for wallet in WALLETS},
        "positions": {
            symbol: _position(books, position)
            for symbol, position in sorted(account.positions.items())
        },
        "pnl": _pnl(list(account.positions.values())),
        "loan": _loan(books, account),
        "counts": {
            "executions": len(account.executions),
            "transfers": len(account.transfers),
            "repays": len(account.repays),
            "adjusts": len(account.adjusts),
            "orders": len(account.orders),
            "cancels": account.cancels,
            "settings": len(account.settings),
        },
        "executions": executions,
        "transfers": [_transfer(row) for row in account.transfers],
        "repays": [_repay(row) for row in account.repays],
        "adjusts": [_adjust(row) for row in account.adjusts],
        "orders": [_order(row) for row in account.orders],
        "leverage": dict(sorted(account.leverage.items())),
    }


def journal_rows(books: Books, after: int, limit: int) -> list[dict[str, Any]]:
    """Journal rows with a number above `after`, oldest first."""
    return [
        {
            "number": row.number,
            "at_ms": row.at_ms,
            "account": row.account,
            "coin": row.coin,
            "source": row.source,
            "target": row.target,
            "amount": text(row.amount_e8),
            "cause": row.cause,
            "ref": row.ref,
        }
        for row in books.journal.rows[after : after + limit]
    ]


def _wallet(books: Books, account: Account, wallet: str) -> dict[str, str]:
    coins = books.journal.coins(account.number, wallet)
    return {coin: text(books.balance_e8(account, coin, wallet)) for coin in coins}


def _position(books: Books, position: Position) -> dict[str, str]:
    mark_e8 = books.prices_e8.get(position.symbol, 0)
    return {
        "size": text(position.size_e8),
        "average_price_exact": _exact(position.average_e8),
        "mark_price": text(mark_e8),
        "unrealised": text(e8_rounded(position.unrealised(mark_e8))),
        **_pnl([position]),
    }


def _pnl(positions: list[Position]) -> dict[str, str]:
    fees_e8 = sum(p.fees_e8 for p in positions)
    funding_e8 = sum(p.funding_e8 for p in positions)
    gross = sum((p.gross for p in positions), Fraction(0))
    return {
        "coin": SETTLE_COIN,
        "gross": text(sum(p.gross_e8 for p in positions)),
        "fees": text(fees_e8),
        "funding": text(funding_e8),
        "realised": text(sum(p.realised_e8 for p in positions)),
        "realised_exact": _exact(gross - fees_e8 - funding_e8),
    }


def _loan(books: Books, account: Account) -> dict[str, Any]:
    debt_usd = loans.debt_usd(books, account)
    collateral_usd = loans.collateral_usd(books, account)
    return {
        "debts": {
            coin: {
                "principal": text(loans.principal_e8(books, account, coin)),
                "interest": text(loans.interest_e8(books, account, coin)),
                "total": text(owed_e8),
                "usd": truncated(debt_usd[coin], 2),
                "hourly_rate": books.coins[coin].hourly_rate,
            }
            for coin, owed_e8 in loans.debts(books, account).items()
        },
        "in_process": _wallet(books, account, place.IN_PROCESS),
        "collateral": {
            coin: {
                "amount": text(books.balance_e8(account, coin, place.COLLATERAL)),
                "usd": truncated(usd, 2),
            }
            for coin, usd in collateral_usd.items()
        },
        "debt_usd": truncated(sum(debt_usd.values(), Fraction(0)), 2),
        "collateral_usd": truncated(sum(collateral_usd.values(), Fraction(0)), 2),
        "ltv": loans.ltv_text(loans.ltv(books, account)),
    }


def _transfer(row: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": row.transfer_id,
        "coin": row.coin,
        "amount": text(row.amount_e8),
        "from": row.source,
        "to": row.target,
        "status": row.status,
        "time_ms": row.at_ms,
    }


def _repay(row: Repay) -> dict[str, Any]:
    settled = row.status != PROCESSING
    return {
        "repay_id": str(row.repay_id),
        "coin": row.coin,
        "amount": text(row.amount_e8),
        "interest": text(row.interest_e8) if settled else None,
        "principal": text(row.principal_e8) if settled else None,
        "status": row.status,
        "type": row.repay_type,
        "time_ms": row.at_ms,
    }


def _adjust(row: Adjust) -> dict[str, Any]:
    return {
        "adjust_id": row.adjust_id,
        "coin": row.coin,
        "amount": text(row.amount_e8),
        "direction": row.direction,
        "ltv_before": row.ltv_before,
        "ltv_after": row.ltv_after,
        "status": row.status,
        "time_ms": row.at_ms,
    }


def _order(row: Order) -> dict[str, Any]:
    return {
        "order_id": row.order_id,
        "link_id": row.link_id,
        "symbol": row.symbol,
        "side": row.side,
        "quantity": text(row.quantity_e8),
        "filled": text(row.filled_e8),
        "reduce_only": row.reduce_only,
        "status": row.status,
        "time_ms": row.at_ms,
    }


def _exact(value_e8: Fraction) -> str:
    units = round(value_e8 * 10**18 / UNIT)
    sign, units = ("-", -units) if units < 0 else ("", units)
    whole, rest = divmod(units, 10**18)
    decimals = str(rest).rjust(18, "0").rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
