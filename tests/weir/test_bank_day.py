"""The bank's books and ours stay equal while workers and the bank are killed: `bench.bank` in
short, and its judge, which can fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from bench.bank_reckoning import BankEvidence, reckon
from tests.weir.test_reckoning import DAY, WATERMARK, units

NUMBER, FUND = "4000000001", "987654321"
ACCOUNT = f"bank:{NUMBER}"
OUT, BACK = "aaaa-1", "bbbb-2"
SHORT = ("--orders", "9", "--kills", "2", "--accounts", "3", "--slots", "1", "--lost", "2")
QUIET = ("--fault-rate", "0", "--odd-rate", "0")


@pytest.mark.req("004-29")
def test_killing_workers_and_the_bank_leaves_the_books_equal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.bank", *SHORT, *QUIET],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["kills"] == {"executor": 1, "bank": 1}
    assert result["bank_lives"] == 2
    assert result["restarts"]["executor-0"] >= 1
    assert result["orders"] >= 9
    confirmed = [count for name, count in result["counts"].items() if name.endswith("CONFIRMED")]
    assert len(confirmed) == 3, "placed, brought back, and both in all"
    assert result["replay"][0].startswith("identical")


def intent(intent_id: str, kind: str, amount: int) -> dict[str, Any]:
    leg = {"leg": "only", "state": "CONFIRMED", "n": 1, "amount_e18": units(amount)}
    return {
        "intent_id": intent_id,
        "kind": kind,
        "account_id": ACCOUNT,
        "lane": f"bank|{ACCOUNT}|USD",
        "state": "CONFIRMED",
        "granted_e18": units(amount),
        "legs": [leg | {"venue_ref": f"P-{intent_id}", "watermark": WATERMARK, "absent_mark": {}}],
    }


def payment(intent_id: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    return {
        "end_to_end_id": intent_id.replace("-", ""),
        "debtor": debtor,
        "creditor": creditor,
        "amount": f"{amount}.00",
        "state": "ACSC",
        "reason": "",
        "booked": 1,
        "returned": False,
    }


def told(one: dict[str, Any]) -> dict[str, Any]:
    done = str(int(one["legs"][0]["amount_e18"]) // 10**18)
    return {**one, "amount_done": done, "legs": [{"leg": "only", "state": "CONFIRMED", "n": 1}]}


def said(intent_id: str) -> list[dict[str, Any]]:
    row = {"intent_id": intent_id, "leg": "only", "n": 1, "venue_ref": None}
    return [
        row | {"kind": "ATTEMPT", "class": None, "watermark": WATERMARK, "facts": None},
        row | {"kind": "RESULT", "class": "done", "venue_ref": f"P-{intent_id}", "facts": None},
    ]


def agreeing() -> BankEvidence:
    """30,000 placed, 12,000 of it brought back, which uses nothing of the day."""
    ours = {OUT: intent(OUT, "SWEEP", 30_000), BACK: intent(BACK, "REVERSE_SWEEP", 12_000)}
    spent = {"confirmed_usd_e18": units(30_000), "held_usd_e18": "0"}
    gate = {f"used|desk|sweep|{DAY}": spent, "rolling|desk|sweep": spent}
    for name, kind, amount in ((OUT, "SWEEP", 30_000), (BACK, "REVERSE_SWEEP", 12_000)):
        hold = {"class_": "sweep", "kind": kind, "day": DAY}
        hold |= {"rate_e18": units(1), "granted_e18": units(amount)}
        done = {"confirmed_usd_e18": units(amount), "held_usd_e18": "0", "final": True}
        gate[f"holds|desk|{name}"] = hold | done
    kept = {"state": "CONFIRMED", "taken_e18": "0"}
    account = {"kind": "dda", "available": "52000.00", "booked": "52000.00", "pending": []}
    fund = {"kind": "fund", "booked": "18000.00"}
    position = {"avail_usd": "52000", "booked_usd": "52000", "pending_out": "0", "pending_in": "0"}
    return BankEvidence(
        books={
            "accounts": {NUMBER: account, FUND: fund},
            "payments": [
                payment(OUT, NUMBER, FUND, 30_000),
                payment(BACK, FUND, NUMBER, 12_000),
            ],
            "conserved": True,
        },
        states=[told(one) for one in ours.values()],
        attempts=[*said(OUT), *said(BACK)],
        pnl=[],
        intents={f"intents|{name}": one for name, one in ours.items()},
        gate=gate,
        gate_rows=list(gate.items()),
        book={},
        daily_usd=Decimal(20_000_000),
        absence_s=14,
        cash={
            f"orders|{ACCOUNT}|1": kept | {"intent_id": OUT, "left_e18": units(18_000)},
            f"orders|{ACCOUNT}|2": kept | {"intent_id": BACK, "left_e18": "0"},
        },
        positions={ACCOUNT: position},
        fund=FUND,
    )


def test_books_that_agree_have_no_fault() -> None:
    assert not any(reckon(agreeing()).faults.values())


def paid_twice(one: BankEvidence) -> None:
    one.books["payments"].append(deepcopy(one.books["payments"][0]))


def not_paid(one: BankEvidence) -> None:
    one.books["payments"][0]["state"] = "RJCT"


def paid_though_refused(one: BankEvidence) -> None:
    one.intents[f"intents|{OUT}"]["state"] = one.states[0]["state"] = "REJECTED"


def another_amount(one: BankEvidence) -> None:
    one.books["payments"][0]["amount"] = "30000.01"


def another_account(one: BankEvidence) -> None:
    one.books["payments"][0]["debtor"] = "4000000002"


def returned_unseen(one: BankEvidence) -> None:
    one.books["payments"][0]["returned"] = True


def nobodys(one: BankEvidence) -> None:
    one.books["payments"].append(payment("cccc-3", NUMBER, FUND, 1))


def another_balance(one: BankEvidence) -> None:
    one.positions[ACCOUNT]["avail_usd"] = "52000.01"


def still_pending(one: BankEvidence) -> None:
    one.positions[ACCOUNT]["pending_out"] = "30000"


def more_placed(one: BankEvidence) -> None:
    one.cash[f"orders|{ACCOUNT}|1"]["left_e18"] = units(30_000)


def a_limit_not_freed(one: BankEvidence) -> None:
    one.gate[f"used|desk|sweep|{DAY}"] = {
        "confirmed_usd_e18": units(30_000),
        "held_usd_e18": units(1),
    }


def a_limit_used_by_what_came_back(one: BankEvidence) -> None:
    for name in (f"used|desk|sweep|{DAY}", "rolling|desk|sweep"):
        one.gate[name] = {"confirmed_usd_e18": units(42_000), "held_usd_e18": "0"}


def an_end_without_proof(one: BankEvidence) -> None:
    del one.attempts[1]


def never_told(one: BankEvidence) -> None:
    del one.states[0]


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (paid_twice, "double"),
        (not_paid, "lost"),
        (paid_though_refused, "lost"),
        (another_amount, "wrong"),
        (another_account, "wrong"),
        (returned_unseen, "wrong"),
        (nobodys, "unexplained"),
        (another_balance, "wrong"),
        (still_pending, "wrong"),
        (more_placed, "wrong"),
        (a_limit_not_freed, "limits"),
        (a_limit_used_by_what_came_back, "limits"),
        (an_end_without_proof, "guessed"),
        (never_told, "lost"),
    ],
)
def test_the_judge_finds_what_is_planted(plant: Any, kind: str) -> None:
    evidence = agreeing()
    plant(evidence)
    assert reckon(evidence).faults[kind]
