"""Polls one Bybit account: its loan, its wallets and positions, and what the settlement coin is
worth.

Each poll writes one LoanState, one AccountSnapshot and, where the account holds the coin, one
UsdRate; their time is the venue's own. A poll that fails writes nothing, is logged and counted, and
the next one goes on: readers judge by the age of what they have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from agents.connectors.bybit.client import client_of
from agents.connectors.bybit.config import Venue
from agents.connectors.bybit.payloads import (
    BorrowRow,
    FundCoin,
    LoanPosition,
    OngoingRow,
    OpenOrderRow,
    PositionRow,
    Wallet,
    WalletCoin,
    many,
    one,
    result,
    server_ms,
)
from agents.connectors.port import ConnectorError
from agents.feeds.held import held, ordered
from agents.runner import Writes
from schemas.money import HOURS_PER_YEAR, div_e18
from schemas.records import (
    AccountSnapshot,
    Collateral,
    Debt,
    DeskInput,
    LoanState,
    OpenOrder,
    SnapshotPosition,
    UsdRate,
    WalletBalance,
)

POLL_S = 2.0
SIDES = ("Buy", "Sell")
LOANS, SNAPSHOTS = "treasury.loan-states.v1", "treasury.account-snapshots.v1"
DESK_INPUTS = "treasury.desk-inputs.v1"

log = structlog.get_logger()


@dataclass
class Feed:
    """One account's poller. `failures` counts polls that wrote nothing, by what went wrong."""

    venue: Venue
    settle_coin: str
    outside: Writes
    poll_s: float = POLL_S
    categories: Sequence[str] = ("linear",)
    polls: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._client = client_of(self.venue)

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until told to stop."""
        while not stop.is_set():
            await self._part("loan", self._loan)
            await self._part("wallet", self._wallet)
            self.polls += 1
            try:
                await asyncio.wait_for(stop.wait(), self.poll_s)
            except TimeoutError:
                continue

    async def _part(self, what: str, read: Callable[[], Sequence[tuple[str, Any]]]) -> None:
        """Reads one part in a thread, writes what it gave; a failed read ends this part only."""
        try:
            records = await asyncio.to_thread(read)
        except ConnectorError as why:
            self.failures[what] = self.failures.get(what, 0) + 1
            log.warning(
                "poll_failed",
                account_id=self.venue.account_id,
                what=what,
                failures=self.failures[what],
                error=f"{type(why).__name__} {why.code} {why.message}",
            )
            return
        for topic, record in records:
            await self.outside.write(topic, record)

    def _loan(self) -> list[tuple[str, Any]]:
        client = self._client
        answer = client.read(client.loan_reads, "get_position_new_crypto_loan")
        position = one(LoanPosition, result(answer))
        listed = client.read(client.loan_reads, "get_flexible_loans_flexible_crypto_loan")
        ongoing = many(OngoingRow, listed)
        state = loan_state(
            self.venue.account_id, self.settle_coin, position, ongoing, server_ms(answer)
        )
        return [(LOANS, state)]

    def _wallet(self) -> list[tuple[str, Any]]:
        client = self._client
        answer = client.read(client.reads, "get_wallet_balance", accountType="UNIFIED")
        wallet = many(Wallet, answer)[0]
        funds = client.read(client.asset_reads, "get_coins_balance", accountType="FUND")
        fund = [one(FundCoin, row) for row in result(funds).get("balance") or ()]
        positions = held(client, self.categories, self.settle_coin)
        orders = ordered(client, self.categories, self.settle_coin)
        info = client.read(client.reads, "get_account_info")
        margin_mode = str(result(info).get("marginMode") or "")
        at_ms = server_ms(answer)
        taken = snapshot(self.venue.account_id, wallet, fund, positions, margin_mode, at_ms, orders)
        rate = usd_rate(wallet.coin, self.settle_coin, at_ms)
        return [(SNAPSHOTS, taken), *([(DESK_INPUTS, DeskInput(body=rate))] if rate else [])]


def loan_state(
    account_id: str,
    settle_coin: str,
    position: LoanPosition,
    ongoing: Sequence[OngoingRow],
    at_ms: int,
) -> LoanState:
    """One record of both answers: the whole pool, and flexible debts at full precision."""
    by_coin = {row.loan_currency: row for row in ongoing}
    debts = [debt for row in position.borrow_list for debt in _debts(row, by_coin)]
    settled = by_coin.get(settle_coin)
    hourly_e18 = settled.hourly_interest_rate if settled else 0
    return LoanState(
        account_id=account_id,
        loan_id="pool",
        coin=settle_coin,
        principal_amount_e18=settled.unpaid_amount if settled else 0,
        accrued_interest_e18=settled.unpaid_interest if settled else 0,
        interest_rate_e18=hourly_e18 * HOURS_PER_YEAR,
        hourly_rate_e18=hourly_e18,
        debts=tuple(debts),
        total_debt_usd_e18=position.total_debt,
        collateral_value_e18=position.total_collateral,
        ltv_ratio_e18=position.ltv,
        collaterals=tuple(
            Collateral(coin=row.currency, amount_e18=row.amount, usd_e18=row.amount_usd)
            for row in position.collateral_list
        ),
        col_res=position.col_res,
        as_of_ms=at_ms,
    )


def _debts(row: BorrowRow, ongoing: dict[str, OngoingRow]) -> list[Debt]:
    found = []
    if row.flexible_total_debt:
        detail = ongoing.get(row.loan_currency)
        found.append(
            Debt(
                coin=row.loan_currency,
                principal_e18=detail.unpaid_amount if detail else row.flexible_total_debt,
                interest_e18=detail.unpaid_interest if detail else 0,
                usd_e18=row.flexible_total_debt_usd,
                hourly_rate_e18=row.flexible_hourly_interest_rate,
                fixed=False,
            )
        )
    if row.fixed_total_debt:
        found.append(
            Debt(
                coin=row.loan_currency,
                principal_e18=row.fixed_total_debt,
                interest_e18=0,
                usd_e18=row.fixed_total_debt_usd,
                hourly_rate_e18=0,
                fixed=True,
            )
        )
    return found


def snapshot(
    account_id: str,
    wallet: Wallet,
    fund: Sequence[FundCoin],
    positions: Sequence[PositionRow],
    margin_mode: str,
    at_ms: int,
    orders: Sequence[OpenOrderRow] = (),
) -> AccountSnapshot:
    """Both wallets, all open positions and all open orders; a flat position is none."""
    return AccountSnapshot(
        account_id=account_id,
        wallets=(
            *(
                WalletBalance("UNIFIED", coin.coin, coin.wallet_balance, _transferable(coin))
                for coin in wallet.coin
            ),
            *(
                WalletBalance("FUND", coin.coin, coin.wallet_balance, coin.transfer_balance)
                for coin in fund
            ),
        ),
        positions=tuple(_position(row) for row in positions if row.size and row.side),
        open_orders=tuple(_order(row) for row in orders),
        margin_mode=margin_mode,
        equity_e18=wallet.total_equity or 0,
        as_of_ms=at_ms,
    )


def usd_rate(coins: Sequence[WalletCoin], settle_coin: str, at_ms: int) -> UsdRate | None:
    """Dollars per coin as the venue values it; None for an account that holds none."""
    for coin in coins:
        if coin.coin == settle_coin and coin.equity > 0 and coin.usd_value > 0:
            rate_e18 = div_e18(coin.usd_value, coin.equity)
            return UsdRate(ccy=settle_coin, rate_e18=rate_e18, as_of_ms=at_ms)
    return None


def _transferable(coin: WalletCoin) -> int:
    """What no order and no position needs; the venue's own field for it is deprecated."""
    bound = (coin.locked or 0) + (coin.total_order_im or 0) + (coin.total_position_im or 0)
    return max(coin.wallet_balance - bound, 0)


def _position(row: PositionRow) -> SnapshotPosition:
    return SnapshotPosition(
        symbol=row.symbol,
        idx=row.position_idx,
        size_e18=row.size if row.side == "Buy" else -row.size,
        entry_e18=row.avg_price or 0,
        mark_e18=row.mark_price or 0,
        upnl_e18=row.unrealised_pnl or 0,
        im_e18=row.position_im or 0,
        mm_e18=row.position_mm or 0,
        liq_e18=row.liq_price,
        leverage_e18=row.leverage,
    )


def _order(row: OpenOrderRow) -> OpenOrder:
    return OpenOrder(
        order_id=row.order_id,
        link_id=row.order_link_id,
        symbol=row.symbol,
        side=row.side if row.side in SIDES else "UNKNOWN",
        qty_e18=row.qty,
        filled_e18=row.cum_exec_qty or 0,
        reduce_only=row.reduce_only,
        price_e18=row.price or None,
    )
