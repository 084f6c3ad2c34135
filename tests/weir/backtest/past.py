"""What happened to one account, row by row, and what would have under a policy.

    loan    debt=44000 collateral=100000    a poll of the loan: USDT owed, ETH pledged, in dollars
    wallet  50000                           a poll of the wallets
    earns   10000                           a trade that was closed with so much profit
    at      +1h                             time passes
    runs    A seed-v1 from=… to=…           the past under a policy
    total   A repaid=…                      what it came to
    decided A 1 action=split repay=…        its first decision

What the recorded policy did itself: `intent`, `called`, `answered`; `forged` is nobody's answer.
"""

from __future__ import annotations

import json
from typing import Any

from agents.exact.deadletter import PREFIX
from agents.signatures import SEAM
from agents.wiring import partition_of
from schemas.jsonform import parse_time
from schemas.money import E18, parse_e18
from schemas.policy import Policy, canonical, from_content, policy_hash
from schemas.records import (
    AccountSnapshot,
    AttemptRecord,
    Collateral,
    Control,
    Debt,
    Intent,
    LoanState,
    Meta,
    PolicyUpdate,
    Source,
    WalletBalance,
)
from tests.fill import fill
from tests.streams.desk_world import span_ms
from tests.table import Row, matches, run
from tests.weir.backtest.lists import PARTITIONS, WIRE, ListLog
from weir.backtest import Course, Span, find
from weir.backtest import run as run_course
from weir.replay.log import Record

ACCOUNT, CCY = "bybit:1", "USDT"
LANE = f"bybit|{ACCOUNT}|{CCY}"
START = "2026-03-02T09:00:00.000Z"


class Past:
    """The verbs of a scenario. Weir's own policy is in force from the beginning, and ACTIVE."""

    def __init__(self, log: ListLog | None = None, **changes: Any) -> None:
        self.log = log or ListLog()
        self.now_ms = parse_time(START)
        self.courses: dict[str, Course] = {}
        self._serial = self._version = 0
        self.settings: dict[str, Any] = json.loads(canonical(Policy()))
        self.settings["accounts"] = [{"account_id": ACCOUNT}]
        for path, value in changes.items():
            section, _, name = path.partition("__")
            self.settings[section][name] = value
        if log is None:
            self.put_policy()
            self.control(Row(0, "control", ("ACTIVE",), {}))

    def play(self, text: str) -> Past:
        """Runs the rows of a scenario."""
        run(self, text)
        return self

    def put_policy(self) -> None:
        """The next recorded version."""
        self._version += 1
        body = canonical(from_content(self.settings))
        update = PolicyUpdate(
            "weir-default",
            self._version,
            policy_hash(body),
            body,
            "rest",
            "ann",
            (),
            "",
            self.now_ms,
        )
        self._put("orch_config_updates", update)

    def _put(self, topic: str, value: Any, key: str | None = None) -> None:
        """The rows of a scenario lie in their order: each is a millisecond later."""
        self.log.put(topic, value, key, self.now_ms)
        self.now_ms += 1

    # What happened

    def at(self, row: Row) -> None:
        """`at +1h`"""
        self.now_ms += span_ms(row.words[0])

    def policy(self, row: Row) -> None:
        """`policy allocation.rule=opt-v1`: the next recorded version."""
        for path, value in row.fields.items():
            section, _, name = path.partition(".")
            self.settings[section][name] = value
        self.put_policy()

    def control(self, row: Row) -> None:
        """`control PAUSED`"""
        self._serial += 1
        mode = Control("all", row.words[0], self._serial, "test", ("ann",), (), self.now_ms)
        self._put("treasury.controls.v1", mode)

    def loan(self, row: Row) -> None:
        """`loan debt=44000 interest=5 collateral=100000 usdt=950 rate=0.00001 late=5s`"""
        fields = {"interest": "0", "rate": "0.00001", "usdt": "0"} | row.fields
        principal, interest, worth, rate, own = (
            parse_e18(fields[name]) for name in ("debt", "interest", "collateral", "rate", "usdt")
        )
        owed, counted = principal + interest, worth + own
        rows = [Collateral("ETH", 10 * E18, worth)]
        if own:
            rows.append(Collateral(CCY, own, own))
        ltv = -(-owed * 10**6 // counted) * 10**12 if owed else 0
        debts = (Debt(CCY, principal, interest, owed, rate, False),) if owed else ()
        state = LoanState(
            ACCOUNT,
            "pool",
            CCY,
            principal,
            interest,
            rate * 8760,
            rate,
            debts,
            owed,
            counted,
            ltv,
            tuple(rows),
            self.now_ms - span_ms(row.fields.get("late", "0")),
        )
        self._put("treasury.loan-states.v1", state)

    def wallet(self, row: Row) -> None:
        """`wallet 50000 fund=0 late=5s`: told so long after it was so."""
        held, fund = parse_e18(row.words[0]), parse_e18(row.fields.get("fund", "0"))
        wallets = (
            WalletBalance("UNIFIED", CCY, held, held),
            WalletBalance("FUND", CCY, fund, fund),
        )
        as_of_ms = self.now_ms - span_ms(row.fields.get("late", "0"))
        snapshot = AccountSnapshot(ACCOUNT, wallets, (), (), "REGULAR", held, as_of_ms)
        self._put("treasury.account-snapshots.v1", snapshot)

    def earns(self, row: Row) -> None:
        """`earns 10000`: below 0 for a loss."""
        self._serial += 1
        profit = parse_e18(row.words[0])
        trade = fill(
            f"trade-{self._serial}",
            ACCOUNT,
            "Buy",
            E18,
            60_000 * E18,
            self.now_ms,
            kind="CLOSED_TRADE",
            size_e18=E18,
            entry_price_e18=60_000 * E18,
            exit_price_e18=60_000 * E18 + profit,
        )
        self._put("hedge-executions", trade)

    def intent(self, row: Row) -> None:
        """`intent i1 REPAY 900`: the recorded policy's own, as the gate handed it over."""
        name, kind, amount = row.words
        meta = Meta("0" * 32, self.now_ms, "weir-default@1", Source("treasury.proposals.v1", 0, 0))
        value = Intent(
            meta=meta,
            intent_id=name,
            decision_id=f"d-{name}",
            origin="book",
            origin_key=ACCOUNT,
            class_="loan",
            kind=kind,
            account_id=ACCOUNT,
            lane=LANE,
            amount_e18=parse_e18(amount),
            ccy=CCY,
            precision=4,
            params={},
            maker="weir",
            approvals=(),
            body_hash="",
            pause_epoch=1,
            executed_by="weir",
            deadline_ms=self.now_ms + 3_600_000,
            compliance_tags={},
        )
        self._put("treasury.intents.v1", value)

    def called(self, row: Row) -> None:
        """`called i1 main 900`"""
        self._attempt(row, "ATTEMPT")

    def answered(self, row: Row) -> None:
        """`answered i1 main done 400`: the amount only where it is not what was asked for."""
        self._attempt(row, "EVIDENCE", row.words[2])

    def forged(self, row: Row) -> None:
        """`forged i1 main refused`: an answer whose signature the executor refused."""
        self._attempt(row, "RESULT", row.words[2])
        at = "treasury.attempts.v1", partition_of(LANE, PARTITIONS)
        last = self.log.records[at][-1]
        said = ((f"{PREFIX}offset", str(last.offset).encode()), ("treasury.step", SEAM.encode()))
        letters = self.log.records[f"{at[0]}.dlq", at[1]]
        place = f"{at[0]}.dlq", at[1], len(letters)
        letters.append(Record(*place, last.key, last.value, last.timestamp_ms, said))

    def _attempt(self, row: Row, kind: str, class_: str | None = None) -> None:
        self._serial += 1
        amount = parse_e18(row.words[2]) if kind == "ATTEMPT" else None
        name, leg = row.words[:2]
        done = parse_e18(row.words[3]) if len(row.words) > 3 else None
        said: dict[str, Any] = {"class_": class_, "amount_done_e18": done}
        value = AttemptRecord(
            f"a{self._serial}", name, leg, 1, kind, self.now_ms, None, amount, **said
        )
        self._put("treasury.attempts.v1", value, LANE)

    # What would have been

    def runs(self, row: Row) -> None:
        """`runs A opt-v1 from=+2h`: times from the beginning on."""
        start, stop = (
            parse_time(START) + span_ms(row.fields[name]) if name in row.fields else None
            for name in ("from", "to")
        )
        name, said = row.words
        ruling = find(said, self.log, WIRE)
        course = run_course(self.log, WIRE, ruling, Span(start, stop))
        self.courses[name] = course
        for one in course.totals:
            moved = one.interest_e18 - one.repaid_e18 + one.flows_e18
            assert one.debt_end_e18 == one.debt_start_e18 + moved, "money is conserved"
        assert not course.letters, course.letters

    def total(self, row: Row) -> None:
        """`total A repaid=… ltv_last=…`"""
        (found,) = self.courses[row.words[0]].totals
        assert not matches(found, row.fields), "; ".join(matches(found, row.fields))

    def decided(self, row: Row) -> None:
        """`decided A 1 action=split`; `decided A all 3`: how many there are."""
        decisions = self.courses[row.words[0]].decisions
        if row.words[1] == "all":
            assert len(decisions) == int(row.words[2]), [one.action for one in decisions]
            return
        found = decisions[int(row.words[1]) - 1]
        assert not matches(found, row.fields), "; ".join(matches(found, row.fields))
