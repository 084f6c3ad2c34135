"""One execution row of Bybit, pushed or listed, as a HedgeExecution: exact numbers or a refusal.

Numbers come as text and become units of 10^-18; empty text is nothing. The fee keeps the venue's
sign (paid above 0, for Funding too) and is taken as booked. A row says the same whichever way it
came: what only a push or only a list tells (fee coin, category) is filled in by rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from agents.connectors.bybit.payloads import E18, MaybeE18
from schemas.money import E18 as ONE_E18
from schemas.records import HedgeExecution

LINEAR_USDT = re.compile(r"[A-Z0-9]+USDT(-\d{1,2}[A-Z]{3}\d{2})?")
LINEAR_USDC = re.compile(r"[A-Z0-9]+(PERP|USDC|-\d{1,2}[A-Z]{3}\d{2})")
INVERSE = re.compile(r"([A-Z0-9]+?)USD([FGHJKMNQUVXZ]\d{2})?")
SPOT = re.compile(r"([A-Z0-9]+?)(USDT|USDC|USDE|USD1|USDR|DAI|EUR|GBP|BRL|PLN|TRY|BTC|ETH|SOL|MNT)")


class RowRefused(ValueError):
    """A row that is no execution we can book; names the field and its value."""

    def __init__(self, field: str, value: Any, why: str) -> None:
        super().__init__(f"{field} is {value!r}: {why}")
        self.field, self.value, self.why = field, value, why


def _none(value: Any) -> Any:
    return None if value == "" else value


Text = Annotated[str, Field(min_length=1)]
MaybeText = Annotated[str | None, BeforeValidator(_none)]


class ExecutionRow(BaseModel):
    """The fields that are read; what the venue adds is ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    exec_id: Text
    symbol: Text
    side: Literal["Buy", "Sell"]
    exec_type: Text
    exec_qty: Annotated[E18, Field(ge=0)]
    exec_price: E18
    exec_fee: E18
    exec_time: Annotated[int, Field(gt=0)]
    exec_value: MaybeE18 = None
    closed_size: MaybeE18 = None
    mark_price: MaybeE18 = None
    fee_currency: MaybeText = None
    order_id: MaybeText = None
    order_link_id: MaybeText = None
    seq: Annotated[int | None, BeforeValidator(_none)] = None
    is_maker: bool | None = None


def read(row: Any) -> ExecutionRow:
    """The row as its type. Raises RowRefused."""
    if not isinstance(row, Mapping):
        raise RowRefused("row", row, "an object was expected")
    try:
        return ExecutionRow.model_validate(row)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        value = None if first["type"] == "missing" else first["input"]
        raise RowRefused(field, value, first["msg"]) from wrong


def execution(
    account_id: str,
    category: str,
    row: ExecutionRow,
    *,
    hedged: bool | None,
    source: Literal["ws", "rest"],
) -> HedgeExecution:
    """The record of a row. `hedged`: whether the symbol is in hedge mode; None: not known.

    Raises RowRefused.
    """
    settle_ccy, fee_ccy = _currencies(category, row)
    return HedgeExecution(
        exec_id=row.exec_id,
        account_id=account_id,
        venue="bybit",
        kind="FILL",
        category=category,
        symbol=row.symbol,
        position_idx=_leg(row, hedged),
        side=row.side,
        exec_type=row.exec_type,
        qty_e18=row.exec_qty,
        price_e18=row.exec_price,
        value_e18=row.exec_value,
        fee_e18=row.exec_fee,
        fee_ccy=row.fee_currency or fee_ccy,
        settle_ccy=settle_ccy,
        closed_size_e18=row.closed_size,
        multiplier_e18=ONE_E18,
        order_id=row.order_id,
        order_link_id=row.order_link_id,
        seq=row.seq,
        exec_time_ms=row.exec_time,
        is_maker=row.is_maker,
        mark_price_e18=row.mark_price,
        source=source,
        revision=0,
    )


def _leg(row: ExecutionRow, hedged: bool | None) -> int | None:
    """0 in one-way mode. In hedge mode rows name no leg: what closes says which one it was.

    A Funding row closes nothing and its side is the position's, so the same rule finds its leg.
    """
    if hedged is None:
        return None
    if not hedged:
        return 0
    if row.closed_size:
        return 1 if row.side == "Sell" else 2
    return 1 if row.side == "Buy" else 2


def _currencies(category: str, row: ExecutionRow) -> tuple[str, str]:
    """The settlement currency, and the currency of a fee whose row does not name it."""
    symbol = row.symbol
    if category == "linear":
        if LINEAR_USDT.fullmatch(symbol):
            return "USDT", "USDT"
        if LINEAR_USDC.fullmatch(symbol):
            return "USDC", "USDC"
    elif category == "inverse":
        inverse = INVERSE.fullmatch(symbol)
        if inverse:
            return inverse[1], inverse[1]
    elif category == "spot":
        pair = SPOT.fullmatch(symbol)
        if pair:
            return pair[2], _spot_fee_ccy(row, pair[1], pair[2])
    else:
        raise RowRefused("category", category, "linear, inverse or spot was expected")
    raise RowRefused("symbol", symbol, f"its settlement currency as {category} is not known")


def _spot_fee_ccy(row: ExecutionRow, base: str, quote: str) -> str:
    """What was received pays the fee; a maker's rebate comes in what was given."""
    received, given = (base, quote) if row.side == "Buy" else (quote, base)
    return given if row.exec_fee < 0 and row.is_maker else received
