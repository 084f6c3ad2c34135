"""The venue model: what it refuses, by the documented code, and what it shows afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.money import E18, parse_e18, text_e18
from schemas.records import AccountSnapshot, Collateral, Debt, LoanState, WalletBalance
from streams.effects import Call, Look, Prepare
from weir.backtest.loan import HOUR_MS
from weir.backtest.venue import Venue

ACCOUNT, CCY = "bybit:1", "USDT"
T0_MS = 1_760_000_400_000
WORK: dict[str, Any] = {
    "effect_id": "e1",
    "lane": f"bybit|{ACCOUNT}|{CCY}",
    "intent_id": "i1",
    "leg": "main",
    "n": 1,
    "account_id": ACCOUNT,
    "coin": CCY,
    "transfer_id": "t1",
    "source": "UNIFIED",
    "target": "FUND",
    "params": {},
    "executed_by": "weir",
}
CALL: dict[str, Any] = {
    "watermark": {},
    "body": {},
    "request_hash": "h",
    "pause_epoch": 1,
    "control_age_max_s": 5,
    "call_start_s": 2,
    "deadline_ms": None,
}


def venue(debt: str = "1000", fund: str = "500", unified: str = "800") -> Venue:
    """An account that owes, with 2,000 counted for its ether."""
    made = Venue()
    account = made.account(ACCOUNT)
    owed, rate = parse_e18(debt), parse_e18("0.00001")
    debts = (Debt(CCY, owed, 0, owed, rate, False),) if owed else ()
    held = (Collateral("ETH", E18, 2_000 * E18, E18),)
    ltv = owed // 2000
    first = (CCY, owed, 0, rate * 8760, rate)
    account.loan.take(
        LoanState(ACCOUNT, "pool", *first, debts, owed, 2_000 * E18, ltv, held, T0_MS)
    )
    wallets = tuple(
        WalletBalance(name, CCY, parse_e18(text), parse_e18(text))
        for name, text in (("UNIFIED", unified), ("FUND", fund))
    )
    account.wallets.take(AccountSnapshot(ACCOUNT, wallets, (), (), "", 0, T0_MS))
    return made


def call(op: str, amount: str, **more: Any) -> Call:
    kind = "REPAY" if op == "TRANSFER" else op
    return Call(op=op, kind=kind, amount_e18=parse_e18(amount), **WORK | CALL | more)


@pytest.mark.parametrize(
    ("op", "amount", "held", "code"),
    [
        ("REPAY", "500", {}, None),
        ("REPAY", "500.00001", {}, "148028"),  # more than four places
        ("REPAY", "501", {}, "148029"),  # more than the funding wallet holds
        ("REPAY", "100", {"debt": "50"}, "148038"),  # more than is owed
        ("REPAY", "100", {"debt": "0"}, "148032"),  # nothing is owed
        ("ADD_COLLATERAL", "500", {}, None),
        ("ADD_COLLATERAL", "0.00001", {}, "148005"),
        ("ADD_COLLATERAL", "501", {}, "148037"),
        ("ADD_COLLATERAL", "100", {"debt": "0"}, "148013"),  # without a loan
        ("TRANSFER", "800", {}, None),
        ("TRANSFER", "800.1", {}, "131212"),
        ("TRANSFER", "1.0000001", {}, "131210"),
        ("REDUCE_POSITION", "1", {}, "unsupported"),  # the hedge is what it was
    ],
)
def test_what_is_refused(op: str, amount: str, held: dict[str, str], code: str | None) -> None:
    """And what is refused has moved nothing."""
    made = venue(**held)
    before = repr(made.account(ACCOUNT))
    answer = made.answer(call(op, amount), T0_MS + 300)
    assert (answer.code, answer.class_ == "refused") == (code, code is not None)
    assert (repr(made.account(ACCOUNT)) == before) == (code is not None)


def test_a_transfer_is_made_once() -> None:
    made = venue()
    assert made.answer(call("TRANSFER", "300"), T0_MS).class_ == "done"
    assert made.answer(call("TRANSFER", "300"), T0_MS).code == "131214"
    wallets = made.account(ACCOUNT).wallets
    assert wallets.balance_e18("FUND", CCY) == 800 * E18
    assert wallets.transferable_e18("UNIFIED", CCY) == 500 * E18


def test_interest_is_paid_first_and_the_look_shows_it() -> None:
    """1,000 for three hours at 0.00001 owe 0.03; of 500 paid 499.97 are principal."""
    made = venue()
    at_ms = T0_MS + 3 * HOUR_MS
    told = made.answer(call("REPAY", "500"), at_ms)
    owed = made.account(ACCOUNT).loan.debts[CCY]
    assert (text_e18(owed.principal_e18), owed.interest_e18) == ("500.03", 0)
    look = Look(op="REPAY", kind="REPAY", amount_e18=500 * E18, watermark={}, venue_ref="1", **WORK)
    seen = made.answer(look, at_ms + 1_000)
    assert (told.venue_ref, seen.class_, seen.amount_done_e18) == ("1", "done", 500 * E18)
    assert seen.facts is not None
    assert (seen.facts["debt"], seen.facts["ltv"], seen.facts["fund"]) == (
        "500.03",
        "0.250015",
        "0",
    )


def test_a_pledge_shows_the_ratio_before_and_after() -> None:
    """A coin that was never pledged counts as dollars."""
    made = venue()
    made.answer(call("ADD_COLLATERAL", "500"), T0_MS)
    work = WORK | {"watermark": {}, "venue_ref": "1"}
    seen = made.answer(
        Look(op="ADD_COLLATERAL", kind="ADD_COLLATERAL", amount_e18=1, **work), T0_MS
    )
    assert seen.facts is not None
    assert (seen.facts["row_ltv_before"], seen.facts["row_ltv_after"]) == ("0.5", "0.4")
    other = made.answer(
        Look(op="REPAY", kind="REPAY", amount_e18=1, **work | {"venue_ref": "9"}), T0_MS
    )
    assert (other.class_, other.facts and other.facts["rows"]) == ("unknown", "0")


def test_what_is_read_before_a_call() -> None:
    work = WORK | {"absent_mark": {}}
    seen = venue().answer(Prepare(op="REPAY", kind="REPAY", amount_e18=1, **work), T0_MS)
    assert seen.watermark == {
        "fund": "500",
        "server_ms": str(T0_MS),
        "debt": "1000",
        "hourly_rate": "0.00001",
        "ltv": "0.5",
        "collateral": "0",
        "last_id": "0",
    }
