"""One row, one record: signs, empty texts, coins, legs, and rows that are none."""

from __future__ import annotations

from typing import Any

import pytest

from agents.connectors.bybit.payloads import PositionRow, Wallet, many, one
from agents.feeds.bybit import snapshot
from agents.feeds.rows import RowRefused, execution, read
from schemas.money import parse_e18
from schemas.records import HedgeExecution
from schemas.wire import SchemaIds, Wire
from tests.agents import documented

LISTED: dict[str, Any] = documented.LISTED_EXECUTIONS["result"]["list"][0]
PUSHED: dict[str, Any] = documented.PUSHED_EXECUTION["data"][0]


def record(
    row: dict[str, Any], category: str = "linear", hedged: bool | None = False, **more: Any
) -> HedgeExecution:
    made = execution("bybit:1", category, read({**row, **more}), hedged=hedged, source="ws")
    wire = Wire(SchemaIds.from_lock())
    assert wire.decode("hedge-executions", wire.encode("hedge-executions", made)) == made
    return made


@pytest.mark.req("000-35", "000-31")
def test_the_documented_push() -> None:
    assert record(PUSHED) == HedgeExecution(
        exec_id="0ab1bdf7-4219-438b-b30a-32ec863018f7",
        account_id="bybit:1",
        venue="bybit",
        kind="FILL",
        category="linear",
        symbol="BTCUSDT",
        position_idx=0,
        side="Sell",
        exec_type="Trade",
        qty_e18=5 * 10**17,
        price_e18=959001 * 10**17,
        value_e18=4795005 * 10**16,
        fee_e18=263725275 * 10**11,
        fee_ccy="USDT",
        settle_ccy="USDT",
        closed_size_e18=5 * 10**17,
        order_id="9aac161b-8ed6-450d-9cab-c5cc67c21784",
        seq=140612148849382,
        exec_time_ms=1746270400353,
        is_maker=False,
        mark_price_e18=9590148 * 10**16,
        source="ws",
        revision=0,
    )


def test_the_documented_list() -> None:
    made = record(LISTED)
    assert (made.symbol, made.fee_ccy, made.settle_ccy) == ("ETHPERP", "USDC", "USDC")
    assert (made.qty_e18, made.fee_e18) == (parse_e18("0.1"), parse_e18("0.071409"))
    assert made.closed_size_e18 is None  # empty text is nothing, not zero
    assert made.order_link_id is None
    assert made.seq == 4688002127


@pytest.mark.req("000-32")
@pytest.mark.parametrize("row", [documented.FUNDING_LONG, documented.FUNDING_SHORT])
def test_funding_keeps_the_sign_and_the_amount_of_the_row(row: dict[str, Any]) -> None:
    made = record(row)
    assert made.exec_type == "Funding"
    assert made.fee_e18 == parse_e18(row["execFee"]) < 0  # received; not recomputed from the rate
    assert made.fee_ccy == "USDT"
    assert made.closed_size_e18 == 0


@pytest.mark.parametrize(
    ("side", "closed", "leg"),
    [
        ("Buy", "", 1),
        ("Buy", "0", 1),
        ("Sell", "", 2),
        ("Sell", "0", 2),
        ("Sell", "0.5", 1),
        ("Buy", "0.5", 2),
    ],
)
def test_in_hedge_mode_what_is_closed_names_the_leg(side: str, closed: str, leg: int) -> None:
    assert record(PUSHED, hedged=True, side=side, closedSize=closed).position_idx == leg
    assert record(PUSHED, hedged=False, side=side, closedSize=closed).position_idx == 0
    assert record(PUSHED, hedged=None, side=side, closedSize=closed).position_idx is None


def test_funding_in_hedge_mode_belongs_to_the_leg_of_its_side() -> None:
    assert record(documented.FUNDING_LONG, hedged=True).position_idx == 1
    assert record(documented.FUNDING_SHORT, hedged=True).position_idx == 2


@pytest.mark.parametrize(
    ("category", "symbol", "settle_ccy"),
    [
        ("linear", "1000PEPEUSDT", "USDT"),
        ("linear", "BTCUSDT-26DEC25", "USDT"),
        ("linear", "BTC-26DEC25", "USDC"),
        ("inverse", "BTCUSD", "BTC"),
        ("inverse", "ETHUSDZ25", "ETH"),
        ("spot", "BTCUSDT", "USDT"),
        ("spot", "ETHBTC", "BTC"),
        ("spot", "USDCUSDT", "USDT"),
    ],
)
def test_what_settles_follows_from_category_and_symbol(
    category: str, symbol: str, settle_ccy: str
) -> None:
    assert record(LISTED, category, symbol=symbol).settle_ccy == settle_ccy


@pytest.mark.parametrize(
    ("side", "fee", "is_maker", "fee_ccy"),
    [
        ("Buy", "0.001", False, "ETH"),
        ("Sell", "0.001", True, "USDT"),
        ("Buy", "-0.001", True, "USDT"),
        ("Sell", "-0.001", True, "ETH"),
    ],
)
def test_a_spot_fee_is_in_what_was_received_and_a_rebate_in_what_was_given(
    side: str, fee: str, is_maker: bool, fee_ccy: str
) -> None:
    row = {**LISTED, "symbol": "ETHUSDT", "side": side, "execFee": fee, "isMaker": is_maker}
    assert record(row, "spot", None).fee_ccy == fee_ccy
    assert record({**row, "feeCurrency": "MNT"}, "spot", None).fee_ccy == "MNT"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"execQty": "-1"}, "execQty is '-1'"),
        ({"execQty": ""}, "execQty is ''"),
        ({"execPrice": "NaN"}, "execPrice is 'NaN'"),
        ({"execPrice": "1e30"}, "execPrice is '1e30'"),
        (
            {"execFee": "0.0000000000000000001"},
            "execFee is '0.0000000000000000001'.*decimal places",
        ),
        ({"execFee": None}, "execFee is None"),
        ({"execFee": 0.5}, "execFee is 0.5"),
        ({"side": "UNKNOWN"}, "side is 'UNKNOWN'"),
        ({"execId": ""}, "execId is ''"),
        ({"execTime": "yesterday"}, "execTime is 'yesterday'"),
        ({"symbol": "BTCJPY"}, "symbol is 'BTCJPY'.*settlement currency"),
    ],
)
def test_a_row_that_says_no_exact_thing_is_refused_by_field_and_value(
    change: dict[str, Any], said: str
) -> None:
    with pytest.raises(RowRefused, match=said):
        record(LISTED, **change)


def test_a_missing_field_and_a_row_that_is_none_are_refused() -> None:
    short = {name: value for name, value in LISTED.items() if name != "execFee"}
    with pytest.raises(RowRefused, match="execFee is None: Field required"):
        read(short)
    with pytest.raises(RowRefused, match="row is 'x'"):
        read("x")
    with pytest.raises(RowRefused, match="category is 'option'"):
        record(LISTED, "option")


def test_the_documented_wallet_and_positions() -> None:
    wallet = one(Wallet, documented.PUSHED_WALLET["data"][0])
    flat = [one(PositionRow, row) for row in documented.PUSHED_POSITION["data"]]
    short = many(PositionRow, documented.LISTED_POSITIONS)
    made = snapshot("bybit:1", wallet, [], [*flat, *short], "REGULAR_MARGIN", 1_700_034_722_104)
    assert [(each.coin, each.balance_e18) for each in made.wallets] == [("BTC", 1029640000000000)]
    assert made.equity_e18 == parse_e18("10262.91335023")
    (position,) = made.positions  # what is flat is no position
    assert (position.symbol, position.idx) == ("BTCUSD", 0)
    assert position.size_e18 == parse_e18("-300")
    assert position.entry_e18 == parse_e18("27464.50441675")
    assert position.liq_e18 is None
