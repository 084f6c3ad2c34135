"""Records of one's own: what is missing has a default that is said, what is wrong is counted."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.money import E18
from schemas.records import BookInput, Freeze, HedgeExecution, IntentOutcome, PolicyUpdate
from tests.fill import fill
from tests.weir.backtest.lists import WIRE, ListLog
from tests.weir.backtest.past import ACCOUNT, Past
from weir.backtest import find, fold, run
from weir.backtest.sources import EXECUTIONS, LOANS
from weir.errors import WeirError
from weir.replay.log import Record

OWN = (EXECUTIONS, LOANS)


def own(*more: str) -> Past:
    """Executions and loan states, and nothing else: no policy, no mode, no wallet, no rate."""
    return Past(ListLog(topics=(*OWN, *more)))


def test_executions_and_loan_states_are_enough() -> None:
    """The shipped policy with the accounts of the data; the wallet holds what the trades earned."""
    past = own().play(
        """
        loan  debt=46000 collateral=100000
        earns 10000
        at +1s
        loan  debt=46000 collateral=100000
        at +60s
        loan  debt=46000 collateral=100000
        runs A opt-v1
        total A repaid=9500 realised=10000 debt_end=36500 net_last=null
        runs B seed-v1
        total B added=9500
        """
    )
    assert [one.action for one in past.courses["A"].decisions] == ["hold", "repay_principal"]
    assert any("brought in" in sentence for sentence in past.courses["A"].assumptions)


def traded(number: int, side: str, qty: int, price: int, at_ms: int) -> HedgeExecution:
    return fill(f"f{number}", ACCOUNT, side, qty * E18, price * E18, at_ms, seq=number)


def test_an_open_position_is_no_difference() -> None:
    """Without snapshots nothing contradicts what the book holds: the account is not frozen."""
    past = own()
    for number, (side, qty, price) in enumerate([("Sell", 2, 60_000), ("Buy", 1, 50_000)]):
        past.log.put(EXECUTIONS, traded(number, side, qty, price, past.now_ms + number))
    past.play(
        """
        at +1s
        loan debt=46000 collateral=100000
        at +120s
        loan debt=46000 collateral=100000
        at +120s
        loan debt=46000 collateral=100000
        runs A opt-v1
        total A repaid=9500 realised=10000
        """
    )


def test_what_a_node_wrote_is_not_taken() -> None:
    """A recorded outcome in the inbox is no input; what people wrote into it is."""
    past = Past().play("loan debt=46000 collateral=100000\n wallet 50000\n earns 10000")
    quiet: Any = dict.fromkeys(("intent_id", "decision_id", "lane"), "x")
    outcome = IntentOutcome(
        **quiet,
        kind="REPAY",
        class_="loan",
        origin="book",
        account_id=ACCOUNT,
        state="CONFIRMED",
        asked_e18=1,
        granted_e18=1,
        amount_done_e18=1,
        ccy="USDT",
        venue_refs=(),
        facts={},
        final=True,
        at_ms=past.now_ms,
    )
    inbox = "treasury.book-inputs.v1"
    past.log.put(inbox, BookInput(body=outcome), ACCOUNT, past.now_ms)
    past.log.put(inbox, BookInput(body=Freeze("b1", True, "look")), ACCOUNT, past.now_ms + 1)
    past.now_ms += 2
    past.play(
        """
        wallet 50000
        loan debt=46000 collateral=100000
        earns 5000
        runs A seed-v1
        decided A 1 action=add_collateral
        decided A 2 action=hold reason=frozen
        """
    )


def test_what_cannot_be_used_is_counted() -> None:
    past = Past().play("loan debt=46000 collateral=100000\n wallet 50000\n earns 10000")
    at = next(at for at in past.log.records if at[0] == EXECUTIONS)
    broken = Record(*at, 1, b"x", b"no record", past.now_ms)
    past.log.records[at].append(broken)
    elsewhere = replace(traded(9, "Buy", 1, 60_000, past.now_ms), account_id="bybit:2")
    past.log.put(EXECUTIONS, elsewhere, ACCOUNT)
    update = PolicyUpdate("weir-default", 2, "h", "{", "rest", "ann", (), "", past.now_ms)
    past.log.put("orch_config_updates", update)
    course = run(past.log, WIRE, find("seed-v1", past.log, WIRE))
    assert course.letters == {
        "hedge-executions: decode": 1,
        "hedge-executions: key": 1,
        "orch_config_updates: policy": 1,
    }
    assert course.totals[0].added_e18 == 9_500 * E18


def test_a_replay_of_foreign_records_waits_for_people() -> None:
    """Folded as it stands nobody approves 9,500: the intent expires, and nothing is repaid."""
    past = Past().play(
        "loan debt=46000 collateral=100000\n wallet 50000\n earns 10000\n at +5h\n wallet 50000"
    )
    folded = fold(past.log, WIRE)
    assert folded.outputs["treasury.intent-states.v1"] >= 2
    assert "treasury.intents.v1" not in folded.outputs
    assert any("waits until it expires" in sentence for sentence in folded.assumptions)
    assert str(folded).endswith("0 records that could not be used")
    assert folded.as_json()["events"] == folded.events


def test_a_folder_without_any_of_our_topics() -> None:
    log = ListLog(topics=("treasury.pnl.v1",))
    with pytest.raises(WeirError, match="none of hedge-executions"):
        run(log, WIRE, None)
