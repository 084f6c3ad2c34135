"""The money campaign's judge can fail: each kind of fault, planted into evidence that agrees, is
counted.
"""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from bench.reckoning import E18, Evidence, Reckoning, reckon

ACCOUNT, DAY = "bybit:1", "2026-01-05"
WATERMARK = {"server_ms": "1000", "fund": "0", "debt": "900"}
PROFIT = ("realised_exact", "fees", "funding")


def units(amount: int | str) -> str:
    """As a changelog writes it."""
    return str(int(Decimal(amount) * E18))


def leg(name: str, ref: str, amount: int, **more: Any) -> dict[str, Any]:
    told = {"leg": name, "state": "CONFIRMED", "n": 1, "amount_e18": units(amount)}
    return told | {"venue_ref": ref, "watermark": WATERMARK, "absent_mark": {}} | more


def row(leg_: str, n: int, kind: str, class_: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"intent_id": "i1", "leg": leg_, "n": n, "kind": kind, "class": class_}
    return told | {"venue_ref": None, "watermark": None, "facts": None} | more


def agreeing() -> Evidence:
    """One repayment of 90 that took two attempts: the first is proven absent by five looks."""
    legs = [leg("transfer", "t1", 90), leg("main", "7", 90, n=2)]
    look = row("main", 1, "EVIDENCE", "unknown", facts={"server_ms": "16000"})
    attempts = [
        row("transfer", 1, "ATTEMPT", watermark=WATERMARK),
        row("transfer", 1, "RESULT", "done", venue_ref="t1"),
        row("main", 1, "ATTEMPT", watermark=WATERMARK),
        *[look] * 5,
        row("main", 2, "ATTEMPT", watermark=WATERMARK),
        row("main", 2, "EVIDENCE", "done", venue_ref="7"),
    ]
    spent = {"confirmed_usd_e18": units(90), "held_usd_e18": "0"}
    hold = {"class_": "loan", "kind": "REPAY", "day": DAY}
    hold |= {"rate_e18": units(1), "granted_e18": units(90)}
    gate = {
        "holds|desk|i1": hold | spent | {"final": True},
        f"used|desk|loan|{DAY}": spent,
        "rolling|desk|loan": spent,
    }
    moved = {"amount": "90", "time_ms": 20_000, "status": 1}
    account = {
        "account_id": ACCOUNT,
        "transfers": [moved | {"transfer_id": "t1"}],
        "repays": [moved | {"repay_id": "7", "type": 1}],
        "adjusts": [],
        "executions": {"ids": ["e1", "e2"]},
        "pnl": dict(zip(PROFIT, ("99", "1", "0"), strict=True)),
    }
    state = {"intent_id": "i1", "state": "CONFIRMED", "legs": legs, "amount_done": "90"}
    intent = {"account_id": ACCOUNT, "kind": "REPAY", "granted_e18": units(90), "reason": ""}
    intent["lane"] = f"bybit|{ACCOUNT}|USDT"
    pnl = {"account_id": ACCOUNT, "funding": "0"}
    return Evidence(
        books={"accounts": {"1": account}},
        states=[deepcopy(state)],
        attempts=attempts,
        pnl=[
            pnl | {"exec_id": "e1", "fees": "1", "realised_total": "-1"},
            pnl | {"exec_id": "e2", "fees": "0", "realised_total": "99"},
        ],
        intents={"intents|L|i1": intent | state, "lanes|L": {}},
        gate=gate,
        gate_rows=[],
        book={
            f"pnl_book|{ACCOUNT}|USDT": {"allocated_e18": units(90), "retained_e18": units(10)},
            f"operations|{ACCOUNT}|d1": {
                "legs": [{"claim_e18": units(90)}],
                "factor_e18": units("0.9"),
            },
        },
        daily_usd=Decimal(50_000),
        absence_s=15,
    )


def wrong(found: Reckoning) -> dict[str, int]:
    return {kind: len(said) for kind, said in found.faults.items() if said}


def park(evidence: Evidence) -> None:
    """Nobody knows what became of the second attempt."""
    evidence.attempts.pop()
    for said in (evidence.intents["intents|L|i1"], evidence.states[0]):
        said |= {"state": "PARKED", "amount_done": "0"}
        said["legs"][1] |= {"state": "PARKED", "venue_ref": ""}
    held = {"confirmed_usd_e18": "0", "held_usd_e18": units(90)}
    for name, entry in evidence.gate.items():
        evidence.gate[name] = entry | held | ({"final": False} if "holds" in name else {})


def test_evidence_that_agrees_is_clean() -> None:
    found = reckon(agreeing())
    assert wrong(found) == {}
    assert found.counts["repays"] == found.counts["transfers"] == 1
    assert found.counts["attempts"] == 3


@pytest.mark.parametrize("rows", [0, 1])
def test_what_is_parked_is_told_with_the_row_that_the_venue_has_of_it(rows: int) -> None:
    evidence = agreeing()
    park(evidence)
    repays = evidence.books["accounts"]["1"]["repays"]
    del repays[rows:]
    found = reckon(evidence)
    assert wrong(found) == {}
    (said,) = found.parked
    assert said.endswith("has 7" if rows else "has no row")


def test_what_waits_behind_a_parked_one_is_not_lost() -> None:
    evidence = agreeing()
    park(evidence)
    waiting = {"intent_id": "i2", "state": "READY", "legs": [], "amount_done": "0"}
    evidence.intents["intents|L|i2"] = evidence.intents["intents|L|i1"] | waiting
    evidence.states.append(waiting)
    book = evidence.book[f"pnl_book|{ACCOUNT}|USDT"]
    book |= {"allocated_e18": units(180), "retained_e18": units(20)}
    evidence.book[f"operations|{ACCOUNT}|d1"]["legs"] *= 2
    assert wrong(reckon(evidence)) == {}


def second_row(evidence: Evidence) -> None:
    repays = evidence.books["accounts"]["1"]["repays"]
    repays.append(repays[0] | {"repay_id": "8"})


def foreign_row(evidence: Evidence) -> None:
    repays = evidence.books["accounts"]["1"]["repays"]
    repays.append(repays[0] | {"repay_id": "8", "amount": "12"})


def no_row(evidence: Evidence) -> None:
    evidence.books["accounts"]["1"]["repays"].clear()


def another_amount(evidence: Evidence) -> None:
    evidence.books["accounts"]["1"]["repays"][0]["amount"] = "90.00000001"


def another_state(evidence: Evidence) -> None:
    evidence.states[0]["state"] = "ACKED"


def left_open(evidence: Evidence) -> None:
    for said in (evidence.intents["intents|L|i1"], evidence.states[0]):
        said["state"] = "UNKNOWN"


def never_arrived(evidence: Evidence) -> None:
    evidence.states.append({"intent_id": "i2", "state": "READY", "legs": []})


def too_few_looks(evidence: Evidence) -> None:
    del evidence.attempts[3]


def looks_too_soon(evidence: Evidence) -> None:
    for said in evidence.attempts[3:8]:
        said["facts"] = {"server_ms": "15999"}


def end_without_word(evidence: Evidence) -> None:
    evidence.attempts.pop()


def begun_twice(evidence: Evidence) -> None:
    evidence.attempts.append(evidence.attempts[0])


def limit_off(evidence: Evidence) -> None:
    name = f"used|desk|loan|{DAY}"
    evidence.gate[name] = {"confirmed_usd_e18": str(90 * E18 + 1), "held_usd_e18": "0"}


def hold_left(evidence: Evidence) -> None:
    for name in evidence.gate:
        evidence.gate[name] = evidence.gate[name] | {"held_usd_e18": "1"}


def over_the_limit(evidence: Evidence) -> None:
    used = {"confirmed_usd_e18": units(50_000), "held_usd_e18": "1"}
    evidence.gate_rows.append((f"used|desk|loan|{DAY}", used))


def profit_off(name: str) -> Any:
    def plant(evidence: Evidence) -> None:
        book = evidence.book[f"pnl_book|{ACCOUNT}|USDT"]
        book[name] = str(int(book[name]) + 1)

    return plant


def booked_twice(evidence: Evidence) -> None:
    evidence.pnl.insert(0, evidence.pnl[0] | {"fees": "0"})


def not_booked(evidence: Evidence) -> None:
    evidence.books["accounts"]["1"]["executions"]["ids"].append("e3")


def parked_with_two_rows(evidence: Evidence) -> None:
    park(evidence)
    second_row(evidence)


@pytest.mark.parametrize(
    ("plant", "kinds"),
    [
        (second_row, {"double"}),
        (begun_twice, {"double"}),
        (foreign_row, {"lost"}),
        (no_row, {"lost", "limits", "profit"}),
        (never_arrived, {"lost"}),
        (left_open, {"lost", "wrong", "profit"}),
        (another_amount, {"wrong", "limits", "profit"}),
        (another_state, {"wrong"}),
        (too_few_looks, {"guessed"}),
        (looks_too_soon, {"guessed"}),
        (end_without_word, {"guessed"}),
        (limit_off, {"limits"}),
        (hold_left, {"limits"}),
        (over_the_limit, {"limits"}),
        (profit_off("allocated_e18"), {"profit"}),
        (profit_off("retained_e18"), {"profit"}),
        (booked_twice, {"executions"}),
        (not_booked, {"executions"}),
        (parked_with_two_rows, {"unexplained"}),
    ],
)
def test_a_planted_fault_is_counted(plant: Any, kinds: set[str]) -> None:
    evidence = agreeing()
    plant(evidence)
    assert set(wrong(reckon(evidence))) == kinds
