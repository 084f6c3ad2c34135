"""What the pollers would read of an account of `bench.market`: its loan, its wallet and positions,
and what a dollar coin is worth.
"""

from __future__ import annotations

from collections.abc import Iterable

from bench.market import Place
from schemas.money import E18
from schemas.records import (
    AccountSnapshot,
    Debt,
    DeskInput,
    LoanState,
    SnapshotPosition,
    UsdRate,
    WalletBalance,
)

COIN = "USDT"
COLLATERAL_E18 = 1_000_000 * E18
HOURLY_E18 = E18 // 100_000
WALLET_E18 = 10_000_000 * E18


def loan(account: str, ltv_pct: int, at_ms: int) -> LoanState:
    """A debt of so many percent of a million."""
    owed = COLLATERAL_E18 * ltv_pct // 100
    return LoanState(
        account_id=account,
        loan_id="pool",
        coin=COIN,
        principal_amount_e18=owed,
        accrued_interest_e18=0,
        interest_rate_e18=HOURLY_E18 * 8760,
        hourly_rate_e18=HOURLY_E18,
        debts=(Debt(COIN, owed, 0, owed, HOURLY_E18, fixed=False),),
        total_debt_usd_e18=owed,
        collateral_value_e18=COLLATERAL_E18,
        ltv_ratio_e18=ltv_pct * E18 // 100,
        collaterals=(),
        as_of_ms=at_ms,
        col_res=0,
    )


def snapshot(account: str, places: Iterable[Place], at_ms: int) -> AccountSnapshot:
    """Wallet and contracts; spot holdings are no positions."""
    held = [place for place in places if place.held and place.category != "spot"]
    return AccountSnapshot(
        account_id=account,
        wallets=(WalletBalance("UNIFIED", COIN, WALLET_E18, WALLET_E18),),
        positions=tuple(
            SnapshotPosition(one.symbol, one.leg, one.held, one.price, one.price, 0, 0, 0)
            for one in held
        ),
        open_orders=(),
        margin_mode="REGULAR_MARGIN",
        equity_e18=WALLET_E18,
        as_of_ms=at_ms,
    )


def rate(at_ms: int) -> DeskInput:
    """A dollar coin is worth a dollar."""
    return DeskInput(body=UsdRate(COIN, E18, at_ms))
