"""The venue's answers as types: every amount exact in 10^-18 units, every empty text None.

Only the fields that are read are named; what the venue adds is ignored. Sizes and rates come as
text, ids of loan adjustments as numbers, and either may be empty.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from agents.connectors.port import TimedOut
from schemas.money import parse_e18


def _amount(value: Any) -> Any:
    return value if value in ("", None) else parse_e18(value)


def _empty(value: Any) -> Any:
    return None if value == "" else value


E18 = Annotated[int, BeforeValidator(_amount)]
MaybeE18 = Annotated[int | None, BeforeValidator(_empty), BeforeValidator(_amount)]


class _Row(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


class BorrowRow(_Row):
    """One coin owed; the fixed part can only be repaid whole."""

    loan_currency: str
    flexible_total_debt: E18
    flexible_total_debt_usd: E18 = Field(alias="flexibleTotalDebtUSD")
    fixed_total_debt: E18
    fixed_total_debt_usd: E18 = Field(alias="fixedTotalDebtUSD")
    flexible_hourly_interest_rate: E18


class CollateralRow(_Row):
    """One coin pledged; its dollars are after the haircut."""

    currency: str
    amount: E18
    amount_usd: E18 = Field(alias="amountUSD")


class LoanPosition(_Row):
    """The whole pool of an account: `ltv` is a ratio of 6 places."""

    ltv: E18
    total_debt: E18
    total_collateral: E18
    borrow_list: tuple[BorrowRow, ...]
    collateral_list: tuple[CollateralRow, ...]
    col_res: Annotated[int | None, BeforeValidator(_empty)] = None


class OngoingRow(_Row):
    """The flexible debt of one coin at full precision."""

    loan_currency: str
    total_debt: E18
    unpaid_amount: E18
    unpaid_interest: E18
    hourly_interest_rate: E18


class RepayRow(_Row):
    """One repayment: status 1 done, 2 processing, 3 failed; type 1 is a user's."""

    repay_id: int
    loan_currency: str
    repay_amount: E18
    repay_status: int
    repay_time: int
    repay_type: int


class AdjustRow(_Row):
    """One change of collateral: direction 0 added, 1 taken out; status as in a repayment; the loan
    to value before and after it at the same prices.
    """

    adjust_id: int
    collateral_currency: str
    amount: E18
    adjust_time: int
    direction: int
    status: int
    pre_ltv: MaybeE18 = Field(default=None, alias="preLTV")
    after_ltv: MaybeE18 = Field(default=None, alias="afterLTV")


class TransferRow(_Row):
    """One transfer between wallets: SUCCESS, PENDING, FAILED or STATUS_UNKNOWN."""

    transfer_id: str
    status: str
    amount: E18


class FundCoin(_Row):
    """One coin of the funding wallet."""

    coin: str
    wallet_balance: E18
    transfer_balance: E18


class WalletCoin(_Row):
    """One coin of the trading wallet."""

    coin: str
    equity: E18
    usd_value: E18
    wallet_balance: E18
    locked: MaybeE18 = None
    total_order_im: MaybeE18 = Field(default=None, alias="totalOrderIM")
    total_position_im: MaybeE18 = Field(default=None, alias="totalPositionIM")


class Wallet(_Row):
    """The trading wallet; equity in dollars."""

    total_equity: MaybeE18 = None
    coin: tuple[WalletCoin, ...]


class PositionRow(_Row):
    """One position: `size` is never negative, `side` is empty when flat."""

    symbol: str
    position_idx: int
    side: str
    size: E18
    avg_price: MaybeE18 = None
    mark_price: MaybeE18 = None
    unrealised_pnl: MaybeE18 = None
    position_im: MaybeE18 = Field(default=None, alias="positionIM")
    position_mm: MaybeE18 = Field(default=None, alias="positionMM")
    liq_price: MaybeE18 = None
    leverage: MaybeE18 = None


class OrderRow(_Row):
    """One order, open or ended; `cum_exec_qty` is what was filled of it so far."""

    order_id: str
    order_link_id: str
    order_status: str
    cum_exec_qty: MaybeE18 = None
    avg_price: MaybeE18 = None
    reject_reason: str = ""


class OpenOrderRow(_Row):
    """One order that is still open; of a market order the price is empty or 0."""

    order_id: str
    order_link_id: str
    symbol: str
    side: str
    qty: E18
    cum_exec_qty: MaybeE18 = None
    price: MaybeE18 = None
    reduce_only: bool = False


Row = TypeVar("Row", bound=BaseModel)


def one(model: type[Row], value: Any) -> Row:
    """The value as its type. Raises TimedOut: an answer that cannot be read proves nothing."""
    try:
        return model.model_validate(value)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TimedOut(
            f"{model.__name__}.{place}: {first['msg']} (got {first['input']!r})"
        ) from wrong


def many(model: type[Row], answer: dict[str, Any]) -> tuple[Row, ...]:
    """The rows of `result.list`."""
    rows = result(answer).get("list")
    if not isinstance(rows, list):
        raise TimedOut(f"result.list is {rows!r}, a list was expected")
    return tuple(one(model, row) for row in rows)


def result(answer: dict[str, Any]) -> dict[str, Any]:
    """The `result` of an envelope."""
    found = answer.get("result")
    if not isinstance(found, dict):
        raise TimedOut(f"result is {found!r}, an object was expected")
    return found


def server_ms(answer: dict[str, Any]) -> int:
    """The venue's clock when it answered."""
    found = answer.get("time")
    if not isinstance(found, int):
        raise TimedOut(f"time is {found!r}, milliseconds were expected")
    return found
