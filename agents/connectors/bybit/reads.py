"""The reads a call is judged by, before and after: 10^-18 units, and the venue's own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from agents.connectors.bybit.client import Client, Json
from agents.connectors.bybit.payloads import (
    AdjustRow,
    FundCoin,
    LoanPosition,
    OngoingRow,
    RepayRow,
    TransferRow,
    many,
    one,
    result,
    server_ms,
)
from agents.connectors.port import TimedOut

PAGE = "100"
PAGES_MAX = 20
CLOCK_SKEW_MS = 2_000
USER = 1
ADDED = 0


class Row(NamedTuple):
    """One row of a loan history; `ours` is false for what the venue did by itself. `ltv` is the
    loan to value before and after it, where the row tells.
    """

    id: int
    amount_e18: int
    at_ms: int
    status: int
    ours: bool
    ltv: tuple[int, int] | None = None


class Debt(NamedTuple):
    """The flexible debt of one coin and its hourly rate."""

    total_e18: int
    hourly_rate_e18: int


def fund(client: Client, coin: str) -> tuple[int, int]:
    """The funding wallet's balance of a coin, and the venue's time."""
    answer = client.read(client.asset_reads, "get_coins_balance", accountType="FUND", coin=coin)
    rows = [one(FundCoin, row) for row in result(answer).get("balance") or ()]
    return sum(row.wallet_balance for row in rows if row.coin == coin), server_ms(answer)


def debt(client: Client, coin: str) -> Debt:
    """What is owed in a coin now; nothing where the venue lists none."""
    answer = client.read(
        client.loan_reads, "get_flexible_loans_flexible_crypto_loan", loanCurrency=coin
    )
    for row in many(OngoingRow, answer):
        if row.loan_currency == coin:
            return Debt(row.total_debt, row.hourly_interest_rate)
    return Debt(0, 0)


def position(client: Client) -> tuple[LoanPosition, int]:
    """The loan as a whole, and the venue's time."""
    answer = client.read(client.loan_reads, "get_position_new_crypto_loan")
    return one(LoanPosition, result(answer)), server_ms(answer)


def repayments(client: Client, coin: str, after: int) -> list[Row]:
    """Repayments of a coin with an id above `after`, each once."""
    return _history(
        client,
        "get_repayment_history_flexible_crypto_loan",
        {"loanCurrency": coin},
        after,
        lambda answer: [
            Row(
                row.repay_id,
                row.repay_amount,
                row.repay_time,
                row.repay_status,
                row.repay_type == USER,
            )
            for row in many(RepayRow, answer)
        ],
    )


def adjustments(client: Client, coin: str, after: int) -> list[Row]:
    """Collateral changes of a coin with an id above `after`, each once."""
    return _history(
        client,
        "get_ltv_adjustment_history_new_crypto_loan",
        {"collateralCurrency": coin},
        after,
        lambda answer: [
            Row(
                row.adjust_id,
                row.amount,
                row.adjust_time,
                row.status,
                row.direction == ADDED,
                _around(row),
            )
            for row in many(AdjustRow, answer)
        ],
    )


def last_id(client: Client, op: str, coin: str) -> int:
    """The highest id of the coin's history; 0 when it is empty."""
    if op == "REPAY":
        answer = client.read(
            client.loan_reads,
            "get_repayment_history_flexible_crypto_loan",
            loanCurrency=coin,
            limit="10",
        )
        return max((row.repay_id for row in many(RepayRow, answer)), default=0)
    answer = client.read(
        client.loan_reads,
        "get_ltv_adjustment_history_new_crypto_loan",
        collateralCurrency=coin,
        limit="10",
    )
    return max((row.adjust_id for row in many(AdjustRow, answer)), default=0)


def transfer(client: Client, transfer_id: str) -> TransferRow | None:
    """The transfer with our id, if the venue knows it."""
    answer = client.read(
        client.transfer_reads, "get_internal_transfer_records", transferId=transfer_id
    )
    for row in many(TransferRow, answer):
        if row.transfer_id == transfer_id:
            return row
    return None


def matching(rows: Iterable[Row], amount_e18: int, watermark: dict[str, str]) -> list[Row]:
    """The rows that can only be the effect of the call the watermark was read for."""
    after, since_ms = int(watermark["last_id"]), int(watermark["server_ms"]) - CLOCK_SKEW_MS
    return [
        row
        for row in rows
        if row.id > after and row.at_ms >= since_ms and row.amount_e18 == amount_e18 and row.ours
    ]


def _around(row: AdjustRow) -> tuple[int, int] | None:
    if row.pre_ltv is None or row.after_ltv is None:
        return None
    return row.pre_ltv, row.after_ltv


def _history(
    client: Client,
    method: str,
    query: dict[str, str],
    after: int,
    parse: Callable[[Json], list[Row]],
) -> list[Row]:
    """Pages from the newest row to the watermark; a row may come twice while the list grows, and a
    page without rows is no end while it names another.
    """
    found: dict[int, Row] = {}
    cursor: dict[str, str] = {}
    for _ in range(PAGES_MAX):
        answer = client.read(client.loan_reads, method, limit=PAGE, **query, **cursor)
        rows = parse(answer)
        found |= {row.id: row for row in rows if row.id > after}
        next_page = result(answer).get("nextPageCursor") or ""
        if not next_page or any(row.id <= after for row in rows):
            return list(found.values())
        cursor = {"cursor": str(next_page)}
    raise TimedOut(f"{method}: more than {PAGES_MAX} pages after id {after}")
