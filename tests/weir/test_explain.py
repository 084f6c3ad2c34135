"""`weir explain`: the record alone gives the decision again, its alternatives and its edges."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from schemas.jsonform import to_json
from schemas.records import Decision
from schemas.wire import SchemaIds, Wire
from tests.streams.loan_world import LoanWorld
from weir.errors import WeirError
from weir.explain import Reasons, explain, reasons, text
from weir.produce import produce
from weir.topics import ensure

WIRE = Wire(SchemaIds.from_lock())
TOPIC = "treasury.decisions.v1"
PLACE = {"topic": TOPIC, "partition": 3, "offset": 17}
READY = """
    policy  limits.loan.single_usd=100000 limits.loan.daily_usd=1000000
    wallet  USDT 1000000
"""
PROFIT = """
    fill    a1 buy  1 at 10000
    fill    a2 sell 1 at 18123.456789
"""
CHEAP = "loan ltv=0.524344 debt=9638.17 collateral=18381.41 rate=0.00001"


def made(rows: str) -> Decision:
    """The last decision of a scenario."""
    (record,) = LoanWorld().play(rows).said("decision")
    return record


def explained(rows: str) -> Reasons:
    record = made(rows)
    return reasons(record.decision_id, PLACE, json.loads(record.body), [])


def flip(found: Reasons, figure: str) -> tuple[str, str, str]:
    one = next(flip for flip in found.flips if flip.figure == figure)
    return one.change, one.to, one.action


@pytest.mark.req("000-62", "000-64", "000-71")
def test_it_says_why_and_what_else_there_was() -> None:
    found = explained(f"{READY} {CHEAP} {PROFIT}")
    assert found.reproduced
    assert [(one.rule, one.action, one.repay, one.pledge) for one in found.alternatives] == [
        ("seed-v1", "add_collateral", "0", "7717.2839"),
        ("seed-v1-narrative", "add_collateral", "0", "7717.2839"),
        ("opt-v1", "repay_principal", "3204.6765", "0"),
    ]
    lines = text(found)
    assert "recorded  treasury.decisions.v1 3:17" in lines
    assert "above ltv_high: 0.524344 > 0.45 = yes" in lines
    assert "wanted to pledge: A · its factor, cut to 18 places = 7717.28394955" in lines
    assert "asked to pledge: least of wanted, what the wallet (1000000) has left" in lines
    assert "repay_principal would have led to a loan to value of" in lines
    assert "flags      yield_default, haircut_none" in lines
    assert "liquidation at 0.95: collateral falls by 0.448058947368421053" in lines
    assert "loan       ltv 0.524344, debt 9638.17 USD, collateral 18381.41 USD" in lines
    assert "(treasury.loan-states.v1 0:" in lines
    assert "working it out again gives the same decision" in lines


@pytest.mark.req("000-23")
def test_the_smallest_change_that_flips_the_action() -> None:
    """0.524344 falls into the middle at 0.45; no rate changes anything above it."""
    found = explained(f"{READY} {CHEAP} {PROFIT}")
    assert flip(found, "ltv_ratio") == ("-0.074344", "0.45", "split")
    assert [one.figure for one in found.flips] == ["ltv_ratio"]


@pytest.mark.req("000-20")
def test_a_rate_that_flips_lies_just_beyond_the_spread() -> None:
    rows = f"{READY} policy allocation.collateral_yield.USDT=0.05"
    found = explained(f"{rows}\n loan ltv=0.30 rate=0.000007 \n {PROFIT}")
    assert found.said["action"] == "add_collateral"
    assert flip(found, "loan_apr") == ("+0.008681", "0.070001", "repay_principal")
    assert flip(found, "ltv_ratio") == ("+0.05", "0.35", "split")


def test_the_optimum_explains_its_limits() -> None:
    found = explained(
        f"""
        {READY} policy allocation.rule=opt-v1 allocation.tax_rate=0.25
        yields USDT 0.04
        owes USDT 48000 rate=0.00001
        pledged USDT 1000 usd=800 ratio=0.8
        pledged BTC 2 usd=99200
        pool ltv=0.48
        {PROFIT}
        """
    )
    assert found.reproduced
    lines = text(found)
    for said in (
        "budget: min(A · (1 - min_keep), wallet) = 7717.28394955",
        "floor: ltv_target - overshoot_max = 0.35",
        "yield after tax: yield · (1 - tax_rate) = 0.03",
        "wanted to repay: by the optimum = 7717.2839",
        "yield      0.04 (treasury.book-inputs.v1 0:",
        "flags      haircut_published",
    ):
        assert said in lines
    seed = found.alternatives[0]
    assert (seed.rule, seed.tax_a_year, seed.lot_method) == ("seed-v1", "77.172839", "ACB")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            f"control PAUSED\n{READY} {CHEAP} {PROFIT}",
            "guard paused: mode is PAUSED = holds: paused",
        ),
        (f"wallet USDT 5\n{PROFIT}", "guard stale_loan: never seen = holds: stale_loan"),
        (f"{CHEAP}\n{PROFIT}", "guard stale_balance: never seen = holds: stale_balance"),
        (f"wallet BTC 5\n{CHEAP}\n{PROFIT}", "asked to pledge"),
    ],
)
def test_a_hold_is_explained_too(rows: str, said: str) -> None:
    found = explained(rows)
    assert found.reproduced
    assert found.said["action"] == "hold"
    assert said in text(found)
    assert "nothing to compare with" in text(found)


def test_a_record_that_does_not_follow_from_its_inputs_is_said_to_differ() -> None:
    record = made(f"{READY} {CHEAP} {PROFIT}")
    body = json.loads(record.body)
    body["parts"][0]["asked"] = "7000"
    found = reasons(record.decision_id, PLACE, body, [])
    assert not found.reproduced
    assert "DIFFERS FROM THE RECORD" in text(found)


def test_without_a_policy_there_is_no_arithmetic() -> None:
    record = made(f"{READY} {CHEAP} {PROFIT}")
    body = {**json.loads(record.body), "terms": None, "flags": []}
    del body["distance"]
    found = reasons(record.decision_id, PLACE, body, [])
    assert "no policy was in force: nothing was computed" in text(found)
    assert found.alternatives == found.flips == ()


@pytest.fixture(scope="module")
def kafka(broker: str) -> str:
    ensure(broker, 8, 1)
    return broker


def put(kafka: str, *records: Any) -> None:
    lines = [json.dumps({"value": to_json(record)}) for record in records]
    produce(kafka, TOPIC, lines, WIRE)


def test_it_is_found_by_its_id_with_what_came_later(kafka: str) -> None:
    world = LoanWorld().play(f"{READY} {CHEAP}\nrate USDT 1\n{PROFIT}")
    (record,) = world.said("decision")
    world.play("deliver")
    put(kafka, record, *[later for later in world.said("decision") if later.node == "gate"])
    found = explain(kafka, WIRE, record.decision_id, timeout_s=60)
    assert found.reproduced
    assert found.place["topic"] == TOPIC
    assert [line["node"] for line in found.later] == ["gate"]
    command = [sys.executable, "-m", "weir.cli", "explain", record.decision_id, "--json"]
    shown = subprocess.run(
        [*command, "--bootstrap", kafka], capture_output=True, text=True, check=True, timeout=60
    )
    content = json.loads(shown.stdout)
    assert content["said"]["inputs"]["available"] == "8123.456789"
    assert content["flips"][0]["action"] == "split"


@pytest.mark.parametrize(
    ("decision_id", "why"),
    [
        ("d1", "no id of a decision"),
        ("01975b5d-516a-77cf-b151-967e5b2b8a54", "not on treasury.decisions.v1"),
    ],
)
def test_an_id_that_is_not_there_is_said_so(kafka: str, decision_id: str, why: str) -> None:
    with pytest.raises(WeirError, match=why):
        explain(kafka, WIRE, decision_id, timeout_s=60)
