"""What the poller makes of the venue's answers: documented examples, and a sandbox over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from agents.connectors.bybit import payloads
from agents.connectors.bybit.client import client_of
from agents.connectors.port import TimedOut
from agents.feeds.bybit import Feed, loan_state, snapshot, usd_rate
from schemas.money import parse_e18, text_e18
from schemas.records import AccountSnapshot, DeskInput, LoanState
from schemas.wire import SchemaIds, Wire
from tests.connectors.conftest import Recorded, Sandbox, recorded, sandbox  # noqa: F401

POSITION: dict[str, Any] = {
    "borrowList": [
        {
            "fixedTotalDebt": "0",
            "fixedTotalDebtUSD": "0",
            "flexibleHourlyInterestRate": "0.0000001361462",
            "flexibleTotalDebt": "0.08800022",
            "flexibleTotalDebtUSD": "9355.37",
            "loanCurrency": "BTC",
        },
        {
            "fixedTotalDebt": "0.1",
            "fixedTotalDebtUSD": "282.8",
            "flexibleHourlyInterestRate": "0.00000188498892",
            "flexibleTotalDebt": "0",
            "flexibleTotalDebtUSD": "0",
            "loanCurrency": "ETH",
        },
    ],
    "collateralList": [
        {"amount": "0.12", "amountUSD": "9930.11", "currency": "BTC"},
        {"amount": "4002.12", "amountUSD": "3201.69", "currency": "USDT"},
    ],
    "ltv": "0.524344",
    "supplyList": [{"amount": "800.13041095890410959", "amountUSD": "800.13", "currency": "USDT"}],
    "totalCollateral": "18381.41",
    "totalDebt": "9638.17",
    "totalSupply": "800.13",
    "colRes": "0",
}
ONGOING = {
    "hourlyInterestRate": "0.0000018847396",
    "loanCurrency": "BTC",
    "totalDebt": "0.08800022",
    "unpaidAmount": "0.088",
    "unpaidInterest": "0.00000022",
}
FLAT = {
    "positionIdx": 0,
    "symbol": "BTCUSDT",
    "side": "",
    "size": "0",
    "avgPrice": "0",
    "leverage": "10",
    "markPrice": "28224.50",
    "liqPrice": "",
    "positionMM": "",
    "positionIM": "",
    "unrealisedPnl": "",
}
SHORT = {**FLAT, "side": "Sell", "size": "300", "avgPrice": "27464.50441675", "leverage": ""}


@dataclass
class Written:
    """Remembers what was written."""

    records: list[tuple[str, Any]] = field(default_factory=list)

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        self.records.append((topic, record))
        return len(self.records)

    def of(self, topic: str) -> list[Any]:
        return [record for name, record in self.records if name == topic]


def documented(settle_coin: str) -> LoanState:
    position = payloads.one(payloads.LoanPosition, POSITION)
    ongoing = [payloads.one(payloads.OngoingRow, ONGOING)]
    return loan_state("bybit:1", settle_coin, position, ongoing, 1_752_627_962_000)


@pytest.mark.req("000-02")
def test_the_documented_position_is_one_loan_state() -> None:
    state = documented("BTC")
    assert text_e18(state.ltv_ratio_e18) == "0.524344"
    assert text_e18(state.principal_amount_e18) == "0.088"
    assert text_e18(state.accrued_interest_e18) == "0.00000022"
    assert text_e18(state.hourly_rate_e18) == "0.0000018847396"
    assert text_e18(state.interest_rate_e18) == "0.016510318896"
    assert [(debt.coin, debt.fixed, text_e18(debt.principal_e18)) for debt in state.debts] == [
        ("BTC", False, "0.088"),
        ("ETH", True, "0.1"),
    ]
    assert text_e18(state.total_debt_usd_e18) == "9638.17"
    assert text_e18(state.collateral_value_e18) == "18381.41"
    assert state.col_res == 0
    assert state.as_of_ms == 1_752_627_962_000


def test_the_documented_debt_is_the_sum_of_its_parts() -> None:
    shown = {"hourlyInterestRate": "0.0000018847396", "loanCurrency": "ETH"}
    shown |= {"totalDebt": "0.10000019", "unpaidAmount": "0.1", "unpaidInterest": "0.00000019"}
    row = payloads.one(payloads.OngoingRow, shown)
    assert row.total_debt == row.unpaid_amount + row.unpaid_interest
    assert text_e18(row.total_debt) == "0.10000019"


def test_a_coin_that_is_not_owed_is_zero() -> None:
    state = documented("USDT")
    assert (state.principal_amount_e18, state.interest_rate_e18) == (0, 0)


def test_sizes_are_signed_and_empty_is_none() -> None:
    wallet = payloads.one(payloads.Wallet, {"totalEquity": "", "coin": []})
    rows = [payloads.one(payloads.PositionRow, row) for row in (FLAT, SHORT)]
    taken = snapshot("bybit:1", wallet, [], rows, "REGULAR_MARGIN", 1)
    (position,) = taken.positions
    assert text_e18(position.size_e18) == "-300"
    assert (position.liq_e18, position.leverage_e18) == (None, None)
    assert taken.equity_e18 == 0


@pytest.mark.parametrize(
    ("usd", "equity", "rate"),
    [
        ("99.93", "100", "0.9993"),
        ("100", "300", "0.333333333333333333"),
        ("200", "300", "0.666666666666666667"),
        ("0", "0", None),
        ("-5", "-5", None),
    ],
)
def test_the_rate_is_exact_to_18_places(usd: str, equity: str, rate: str | None) -> None:
    coin = {"coin": "USDT", "equity": equity, "usdValue": usd, "walletBalance": equity}
    found = usd_rate([payloads.one(payloads.WalletCoin, coin)], "USDT", 1)
    assert (text_e18(found.rate_e18) if found else None) == rate


@pytest.mark.parametrize(
    ("changed", "field_name"),
    [
        ({"ltv": "52%"}, "ltv"),
        ({"totalDebt": None}, "totalDebt"),
        ({"borrowList": {}}, "borrowList"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], field_name: str) -> None:
    with pytest.raises(TimedOut, match=field_name):
        payloads.one(payloads.LoanPosition, {**POSITION, **changed})


async def test_a_sandbox_account_is_polled(sandbox: Sandbox) -> None:  # noqa: F811
    venue, written, stop = sandbox.venue(), Written(), asyncio.Event()
    client = client_of(venue)
    limit = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "1000"}
    asked = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "below", **limit}
    client.post(client.orders, "place_order", asked, lambda: None)
    feed = Feed(venue, "USDT", written, poll_s=0.05)
    running = asyncio.create_task(feed.run(stop))
    async with asyncio.timeout(20):
        while feed.polls < 3:  # noqa: ASYNC110 the feed tells nobody
            await asyncio.sleep(0.02)
    stop.set()
    await running
    loans: list[LoanState] = written.of("treasury.loan-states.v1")
    snapshots: list[AccountSnapshot] = written.of("treasury.account-snapshots.v1")
    rates: list[DeskInput] = written.of("treasury.desk-inputs.v1")
    assert len(loans) == len(snapshots) == len(rates) == 3
    assert [one.as_of_ms for one in loans] == sorted(one.as_of_ms for one in loans)
    assert 0 < loans[0].ltv_ratio_e18 < 10**18
    books = sandbox.books(venue)
    unified = next(
        one for one in snapshots[0].wallets if (one.wallet, one.coin) == ("UNIFIED", "USDT")
    )
    assert unified.balance_e18 == parse_e18(books["wallets"]["UNIFIED"]["USDT"])
    assert rates[0].body.ccy == "USDT"
    (order,) = snapshots[0].open_orders
    assert (order.link_id, order.side, text_e18(order.qty_e18)) == ("below", "Buy", "0.01")
    assert order.price_e18 == parse_e18("1000")
    wire = Wire(SchemaIds.from_lock())
    for topic, record in written.records:
        assert wire.decode(topic, wire.encode(topic, record)) == record


async def test_a_poll_that_fails_is_counted_and_the_next_goes_on(
    recorded: Recorded,  # noqa: F811
) -> None:
    recorded.status = 503
    written, stop = Written(), asyncio.Event()
    feed = Feed(recorded.venue(), "USDT", written, poll_s=0.01)
    running = asyncio.create_task(feed.run(stop))
    async with asyncio.timeout(20):
        while feed.polls < 2:  # noqa: ASYNC110 the feed tells nobody
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert feed.failures == {"loan": feed.polls, "wallet": feed.polls}
    assert written.records == []
