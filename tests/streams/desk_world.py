"""One account's book and one gate in memory, driven by the rows of a scenario.

Every row becomes the record that the topic would carry and goes through the same fold as live.
Time stands still until a row `at +90s` sets it, counted from the scenario's start.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.money import parse_e18
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import (
    AccountSnapshot,
    BookInput,
    ControlCopy,
    DeskInput,
    HedgeExecution,
    IntentOutcome,
    LoanState,
    Meta,
    PolicyCopy,
    Proposal,
    Source,
    Trade,
    UsdRate,
    WalletBalance,
)
from streams.limits import CLASS_OF
from streams.node import Node, fold
from streams.step import DeadLetter, Emit, Event, Refused, Started, Tick, Wake
from streams.topology import BOOK, GATE
from tables.memory import MemoryStore
from tests.table import Row, matches, run

ACCOUNT = "bybit:12345678"
T0_MS = 1_749_600_000_000  # 2025-06-11T00:00:00Z
UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
TOPICS = {
    "pnl": "treasury.pnl.v1",
    "position": "treasury.positions.v1",
    "lot": "treasury.tax-lots.v1",
    "trade": "treasury.trades.v1",
    "risk": "treasury.risk-events.v1",
    "allocation": "treasury.allocations.v1",
    "proposal": "treasury.proposals.v1",
    "decision": "treasury.decisions.v1",
    "intent": "treasury.intents.v1",
    "state": "treasury.intent-states.v1",
    "answer": "treasury.book-inputs.v1",
    "cash": "treasury.cash-inputs.v1",
    "order": "sweep_intent",
    "alert": "treasury.alerts.v1",
    "revoke": "treasury.intent-inputs.v1",
}
IN_INBOXES = ("answer", "cash", "revoke")
OPTIONAL_UNITS = ("closed_size", "entry_price", "exit_price", "size", "funding", "mark_price")
MORE_POLICY = {"accounts": [{"account_id": ACCOUNT}]}


class World:
    """The verbs of a scenario; `out` is what the last row put out, `wakes` the wake-up of each."""

    def __init__(self, **policy: Any) -> None:
        self.book, self.gate = MemoryStore(), MemoryStore()
        self.now_ms, self.offset, self.version = T0_MS, 0, 0
        self.out: list[Any] = []
        self.last: Any = None
        self.wakes: dict[str, int | None] = {"book": None, "gate": None}
        self.proposals: list[Proposal] = []
        self.trades: list[Trade] = []
        self.settings: dict[str, Any] = {**json.loads(canonical(Policy())), **MORE_POLICY, **policy}
        self.put_policy(self.settings)
        self.put_control("ACTIVE", "all")

    def play(self, text: str) -> World:
        """Runs the rows of a scenario."""
        run(self, text)
        assert_storable(BOOK, self.book)
        assert_storable(GATE, self.gate)
        return self

    # What happens outside

    def policy(self, row: Row) -> None:
        for path, value in row.fields.items():
            section, _, name = path.rpartition(".")
            place = self.settings
            for part in section.split("."):
                place = place.setdefault(part, {})
            place[name] = int(value) if name.endswith("_s") else value
        self.put_policy(self.settings)

    def control(self, row: Row) -> None:
        self.put_control(row.words[0], row.fields.get("scope", "all"))

    def at(self, row: Row) -> None:
        self.now_ms = T0_MS + span_ms(row.words[0])

    def fill(self, row: Row) -> None:
        self.execute(row, "Trade")

    def funding(self, row: Row) -> None:
        self.execute(row, "Funding")

    def loan(self, row: Row) -> None:
        given = {"debt": "1000000", "collateral": "2000000", "rate": "0.00001", **row.fields}
        self.to_book(
            "treasury.loan-states.v1",
            LoanState(
                account_id=ACCOUNT,
                loan_id="pool",
                coin=given.get("coin", "USDT"),
                principal_amount_e18=parse_e18(given["debt"]),
                accrued_interest_e18=parse_e18(given.get("interest", "0")),
                interest_rate_e18=0,
                hourly_rate_e18=parse_e18(given["rate"]),
                debts=(),
                total_debt_usd_e18=parse_e18(given["debt"]),
                collateral_value_e18=parse_e18(given["collateral"]),
                ltv_ratio_e18=parse_e18(given["ltv"]),
                collaterals=(),
                as_of_ms=self.time(row, "as_of"),
                col_res=int(given["col_res"]) if "col_res" in given else None,
            ),
        )

    def wallet(self, row: Row) -> None:
        coin, amount = row.words[:2]
        units = parse_e18(amount)
        wallets = (WalletBalance("UNIFIED", coin, units, units), WalletBalance("FUND", coin, 1, 1))
        as_of_ms = self.time(row, "as_of")
        snapshot = AccountSnapshot(ACCOUNT, wallets, (), (), "REGULAR_MARGIN", units, as_of_ms)
        self.to_book("treasury.account-snapshots.v1", snapshot)

    def outcome(self, row: Row) -> None:
        """An outcome of one part of the open decision, to the book and to the gate."""
        proposal = self.part(row)
        state = row.words[0]
        final = {"REFUSED", "CONFIRMED", "REJECTED", "VOID", "EXPIRED", "REVERSED"}
        granted = parse_e18(row.fields.get("granted", "0")) or proposal.asked_e18
        done = granted if state == "CONFIRMED" else 0
        body = IntentOutcome(
            intent_id=row.fields.get("intent_id", proposal.intent_id),
            decision_id=row.fields.get("decision_id", proposal.decision_id),
            kind=proposal.kind,
            class_=proposal.class_,
            origin="book",
            account_id=proposal.account_id,
            lane=proposal.lane,
            state=state,
            asked_e18=proposal.asked_e18,
            granted_e18=granted,
            amount_done_e18=parse_e18(row.fields["done"]) if "done" in row.fields else done,
            ccy=proposal.ccy,
            venue_refs=(),
            facts={k: row.fields[k] for k in ("ltv_after", "debt_after") if k in row.fields},
            final=state in final,
            at_ms=self.now_ms,
            reason=row.fields.get("reason"),
        )
        if row.fields.get("to", "book") == "gate":
            self.to_gate("treasury.desk-inputs.v1", DeskInput(body=body))
        else:
            self.to_book("treasury.book-inputs.v1", BookInput(body=body))

    def rate(self, row: Row) -> None:
        ccy, rate = row.words
        body = UsdRate(ccy, parse_e18(rate), self.time(row, "as_of"))
        self.to_gate("treasury.desk-inputs.v1", DeskInput(body=body))

    def propose(self, row: Row) -> None:
        """`propose ID REPAY 6000`: a proposal as a node would write it."""
        intent_id, kind, asked = row.words
        fields = row.fields
        proposal = Proposal(
            meta=Meta("0" * 32, self.now_ms, "weir-default@1", Source("t", 0, 0)),
            intent_id=intent_id,
            decision_id=f"d-{intent_id}",
            origin=fields.get("origin", "book"),
            origin_key=ACCOUNT,
            class_=fields.get("class", CLASS_OF.get(kind, "loan")),
            kind=kind,
            account_id=ACCOUNT,
            lane=f"bybit|{ACCOUNT}|{fields.get('ccy', 'USDT')}",
            asked_e18=parse_e18(asked),
            room_e18=parse_e18(fields.get("room", asked)),
            ccy=fields.get("ccy", "USDT"),
            precision=int(fields.get("precision", "4")),
            params={name: fields[name] for name in ("symbol", "leverage") if name in fields},
            maker=fields.get("maker", "weir:weir-default@1"),
            valid_until_ms=self.now_ms + span_ms(fields.get("valid", "+60s")),
            deadline_ms=self.now_ms + span_ms(fields.get("deadline", "+1h")),
            compliance_tags={},
            beneficiary=fields.get("beneficiary"),
            check_id=fields.get("check_id"),
        )
        self.proposals.append(proposal)
        self.to_gate("treasury.proposals.v1", proposal, at_ms=self.time(row, "event"))

    def deliver(self, row: Row) -> None:
        """Carries the last decision's proposals to the gate and its answers back to the book."""
        out: list[Any] = []
        for emit in [item for item in self.out if topic_of(item) == TOPICS["proposal"]]:
            self.to_gate(emit.topic, emit.value)
            out += self.out
            for reply in [item for item in self.out if topic_of(item) == TOPICS["answer"]]:
                self.to_book(reply.topic, reply.value)
                out += self.out
        self.out = out

    def tick(self, row: Row) -> None:
        """Wakes a node at the time it asked for, or at the world's time when words say `now`."""
        node = row.words[0]
        if "now" not in row.words:
            due = self.wakes[node]
            assert due is not None, f"{node} asked for no wake-up"
            self.now_ms = due
        self.wakes[node] = None
        self.send(node, "@tick", Tick())

    def started(self, row: Row) -> None:
        self.send(row.words[0], "@started", Started(1))

    def again(self, row: Row) -> None:
        """The last record once more, at a later offset."""
        self.send(*self.last)

    def refused(self, row: Row) -> None:
        """The row that follows on this line is refused with this cause and field."""
        verb, *words = row.words[2:]
        with pytest.raises(Refused) as caught:
            getattr(self, verb)(Row(row.line, verb, tuple(words), row.fields))
        assert (caught.value.cause, caught.value.field) == row.words[:2], str(caught.value)

    def unsafe(self, row: Row) -> None:
        """The row that follows is a dead letter with this cause, and leaves the account frozen."""
        verb, *words = row.words[1:]
        getattr(self, verb)(Row(row.line, verb, tuple(words), row.fields))
        (letter,) = self.out
        assert isinstance(letter, DeadLetter), letter
        assert letter.cause == row.words[0], str(letter)
        assert any(mark.startswith(f"{letter.cause}:") for mark in self.marks())

    def frozen(self, row: Row) -> None:
        """`frozen exec_type:linear|e1 break:b1`: the account's marks are exactly these."""
        assert self.marks() == tuple(sorted(row.words)), self.marks()

    def marks(self) -> tuple[str, ...]:
        entry = self.book.get(f"frozen|{ACCOUNT}")
        return () if entry is None else entry.marks

    # What must hold

    def expect(self, row: Row) -> None:
        """`expect pnl a=1`, `expect no pnl`, `expect nothing`, `expect wake +60s`,
        `none` (cleared) or `same` (not said again)."""
        what, *rest = row.words
        if what == "nothing":
            assert self.out == []
        elif what == "nothing_but_wake":
            assert self.out == [Wake(T0_MS + span_ms(rest[0]))]
        elif what == "no":
            assert not self.said(rest[0]), self.said(rest[0])
        elif what == "wake":
            wakes = [item for item in self.out if isinstance(item, Wake)]
            due = None if rest[0] == "none" else T0_MS + span_ms(rest[0].replace("same", "0"))
            assert wakes == ([] if rest[0] == "same" else [Wake(due)])
        else:
            self.expect_one(what, row.fields)

    def expect_one(self, what: str, fields: dict[str, str]) -> None:
        found = self.said(what)
        assert found, f"no {what} among {[topic_of(item) for item in self.out]}"
        differences = [matches(record, fields) for record in found]
        assert [] in differences, differences

    def table(self, row: Row) -> None:
        """`table book pnl_book USDT allocated=950`: an entry of a node's state."""
        node, part, *rest = row.words
        key = ACCOUNT if node == "book" else "desk"
        full = "|".join((part, key, *rest))
        entry = (self.book if node == "book" else self.gate).get(full)
        if row.fields:
            differences = matches(entry, row.fields)
            assert not differences, differences
        else:
            assert entry is None, entry

    # How it happens

    def said(self, what: str) -> list[Any]:
        values = [item.value for item in self.out if topic_of(item) == TOPICS[what]]
        return [value.body for value in values] if what in IN_INBOXES else values

    def execute(self, row: Row, exec_type: str) -> None:
        exec_id, side, qty, _, price = row.words
        fields = row.fields
        self.to_book(
            "hedge-executions",
            HedgeExecution(
                exec_id=exec_id,
                account_id=ACCOUNT,
                venue="bybit",
                kind=fields.get("kind", "FILL"),
                category=fields.get("category", "linear"),
                symbol=fields.get("symbol", "BTCUSDT"),
                side=side.capitalize(),
                exec_type=fields.get("exec_type", exec_type),
                qty_e18=parse_e18(qty),
                price_e18=parse_e18(price),
                fee_e18=parse_e18(fields.get("fee", "0")),
                fee_ccy=fields.get("fee_ccy", "USDT"),
                settle_ccy=fields.get("settle_ccy", "USDT"),
                exec_time_ms=int(fields.get("time", self.now_ms)),
                source=fields.get("source", "ws"),
                position_idx=int(fields["idx"]) if "idx" in fields else None,
                multiplier_e18=parse_e18(fields.get("multiplier", "1")),
                seq=int(fields.get("seq", self.offset)),
                revision=int(fields.get("revision", "0")),
                **{f"{name}_e18": units(fields, name) for name in OPTIONAL_UNITS},
            ),
        )

    def part(self, row: Row) -> Proposal:
        kind = row.fields.get("part", self.proposals[-1].kind)
        name = row.fields.get("of")
        return next(
            proposal
            for proposal in reversed(self.proposals)
            if (proposal.intent_id == name if name else proposal.kind == kind)
        )

    def time(self, row: Row, field: str) -> int:
        return T0_MS + span_ms(row.fields[field]) if field in row.fields else self.now_ms

    def put_policy(self, settings: dict[str, Any]) -> None:
        self.version += 1
        body = canonical(Policy.model_validate(json.loads(json.dumps(settings))))
        copy = PolicyCopy("weir-default", self.version, policy_hash(body), body)
        self.to_book("treasury.book-inputs.v1", BookInput(body=copy), "@partition")
        self.to_gate("treasury.desk-inputs.v1", DeskInput(body=copy), "@partition")

    def put_control(self, mode: str, scope: str) -> None:
        copy = ControlCopy(scope, mode, self.offset + 1, "test", self.now_ms)
        self.to_book("treasury.book-inputs.v1", BookInput(body=copy), "@partition")
        self.to_gate("treasury.desk-inputs.v1", DeskInput(body=copy), "@partition")

    def to_book(self, topic: str, value: Any, key: str = ACCOUNT) -> None:
        self.send("book", topic, value, key)

    def to_gate(self, topic: str, value: Any, key: str = "desk", at_ms: int | None = None) -> None:
        self.send("gate", topic, value, key, at_ms)

    def send(
        self, node: str, topic: str, value: Any, key: str = "", at_ms: int | None = None
    ) -> None:
        self.last = (node, topic, value, key, at_ms)
        spec: Node = BOOK if node == "book" else GATE
        store = self.book if node == "book" else self.gate
        key = key or (ACCOUNT if node == "book" else "desk")
        self.offset += 1
        time_ms = self.now_ms if at_ms is None else at_ms
        event = Event(topic, 0, self.offset, key, value, time_ms, self.now_ms)
        self.out = fold(spec, store, event)
        for item in self.out:
            if isinstance(item, Wake):
                self.wakes[node] = item.at_ms
            elif topic_of(item) == TOPICS["proposal"]:
                self.proposals.append(item.value)
            elif topic_of(item) == TOPICS["trade"]:
                self.trades.append(item.value)


def units(fields: dict[str, str], name: str) -> int | None:
    """A number of a row that may be missing, or be empty as venues write it."""
    text = fields.get(name)
    return parse_e18(text) if text else None


def topic_of(item: Any) -> str:
    """Where an output goes; nothing for a wake-up."""
    return item.topic if isinstance(item, Emit) else ""


def span_ms(text: str) -> int:
    """`+90s`, `23h`, `0` in milliseconds."""
    digits = text.lstrip("+").rstrip("msdh")
    unit = text.lstrip("+")[len(digits) :] or "ms"
    return int(digits) * UNITS_MS[unit]


def assert_storable(spec: Node, store: MemoryStore) -> None:
    """Every entry reads back from its changelog bytes as it was written."""
    for key, value in store.entries.items():
        assert spec.table.loads(key, spec.table.dumps(key, value)) == value
