"""Cash, gate and intents in memory, with a bank, checkers and a clock: what becomes of an order
from the balance on.

What one node writes the others read at once. The runner carries an effect out when the test says
so; the account's flows are all alike, so that what an order may move is a sum that anyone can do.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from schemas.money import E18
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import (
    Approval,
    BalanceEvent,
    BankBalance,
    BankEntry,
    Calendar,
    CashInput,
    ControlCopy,
    IntentState,
    PolicyCopy,
    SweepOrder,
)
from streams.effects import Call, Look, Prepare
from streams.holidays import CALENDARS, closed
from streams.newyork import DAY_MS, at, day_number
from streams.statements import approval_bytes
from streams.topology import CASH, GATE, INTENTS
from tests.streams.bank_books import BankBooks
from tests.streams.cash_world import ACCOUNT, settings
from tests.streams.people_world import KEYS, person
from weir.backtest.desk import Desk, Placed

START_MS = at(day_number(2026, 7, 9), 9 * 3600)
LEAST_E18 = 240_000 * E18
"""80 % of the float, which is 30 % of a million that goes out every day."""
MIN_E18 = 10_000 * E18
AGE_MS = 3_600_000
PEOPLE = [person(name, "approve", classes=("sweep",), most="900000000") for name in ("ann", "bob")]


class Whole:
    """`orders` is what others were shown, `states` where each intent is by the last word of it."""

    def __init__(self, executed_by: str = "weir", checkers: int = 2) -> None:
        self.desk = Desk((CASH, GATE, INTENTS), 1, self._hear)
        self.bank = BankBooks()
        self.now_ms, self.balance_e18, self.told_ms, self.serial, self.epoch = START_MS, 0, 0, 0, 1
        self.orders: dict[str, SweepOrder] = {}
        self.states: dict[str, IntentState] = {}
        self.history: dict[str, list[str]] = {}
        self.confirmed: dict[str, int] = {}
        self.called: list[str] = []
        found = settings(people=PEOPLE, accounts=[{"account_id": ACCOUNT, "kind": "bank"}])
        found["sweep"] |= {"executed_by": executed_by}
        found["screening"]["allow"] = [row["beneficiary"] for row in found["sweep"]["products"]]
        found["limits"]["sweep"] |= {"single_usd": "900000000", "daily_usd": "900000000"}
        dual = "0" if checkers == 2 else None
        found["approvals"] |= {"sweep_usd": "0" if checkers else "900000000", "dual_usd": dual}
        body = canonical(Policy.model_validate(json.loads(json.dumps(found))))
        self.desk.copy(PolicyCopy("test", 1, policy_hash(body), body), self.now_ms)
        for name in CALENDARS:
            for year in range(2024, 2029):
                copy = CashInput(body=Calendar(name, year, closed(name, year)))
                self.desk.spread("treasury.cash-inputs.v1", copy, self.now_ms)
        first = day_number(2026, 7, 8)
        for day in range(first - 28, first + 1):
            flows = (("in", 10**10), ("out", -(10**10)))
            entries = tuple(
                BankEntry(f"{day}{name}", amount, "USD", "BOOK", False, day)
                for name, amount in flows
            )
            as_of_ms = (day + 1) * DAY_MS
            self._tell(BalanceEvent(ACCOUNT, "camt053", f"S{day}", (), entries, as_of_ms, day))
        self.mode("ACTIVE")

    # What happens

    def mode(self, mode: str) -> None:
        self.epoch += 1
        self.desk.copy(ControlCopy("all", mode, self.epoch, "test", self.now_ms), self.now_ms)
        self._look()

    def balance(self, amount_usd: int) -> None:
        """What the bank has now."""
        self.now_ms += 1
        self.balance_e18, self.told_ms = amount_usd * E18, self.now_ms
        balance = BankBalance("ITAV", amount_usd * 10**4, "USD", self.now_ms)
        event = BalanceEvent(ACCOUNT, "camt052", f"I{self.now_ms}", (balance,), (), self.now_ms)
        self._tell(event)

    def sign(self, name: str, verdict: str = "approve") -> None:
        """A checker's word on all that waits."""
        waiting = [one for one in self.states.values() if one.state == "AWAITING"]
        for one in waiting:
            self.now_ms += 1
            until_ms = self.now_ms + 4 * AGE_MS
            said = (one.intent_id, one.body_hash, verdict, name, "approve")
            word = Approval(*said, "", until_ms, self.now_ms)
            word = replace(word, jws=KEYS[name].sign(approval_bytes(word)))
            self._deliver("treasury.approvals.v1", "desk", word)

    def wait(self, minutes: int) -> None:
        """Time passes, and all who asked to be woken are."""
        until_ms = self.now_ms + minutes * 60_000
        while True:
            due_ms = self.desk.next_wake_ms()
            if due_ms is None or due_ms > until_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.desk.wake(self.now_ms)
            self._look()
        self.now_ms = until_ms

    def run(self, steps: int = 1) -> None:
        """The runner carries effects out, the oldest first."""
        for _ in range(steps):
            if not self.desk.effects:
                return
            effect: Any = self.desk.effects.pop(0)
            self.bank.pass_time(self.now_ms)
            if isinstance(effect, Prepare):
                record = self.bank.prepare(effect, self.now_ms)
            elif isinstance(effect, Call):
                record = self.bank.post(effect, "ok", self.now_ms)
            elif isinstance(effect, Look):
                record = self.bank.look(effect, self.now_ms)
            self._deliver("treasury.attempts.v1", effect.lane, record)

    # What must hold

    def room_e18(self) -> int:
        """What may go by the last balance: what the bank does not show is taken off."""
        return self.balance_e18 - sum(self.confirmed.values()) - LEAST_E18

    def _hear(self, placed: Placed) -> None:
        value = placed.value
        if isinstance(value, IntentState):
            self.states[value.intent_id] = value
            self.history.setdefault(value.intent_id, []).append(value.state)
            if value.state == "CONFIRMED":
                self.confirmed[value.intent_id] = value.amount_done_e18
        elif isinstance(value, SweepOrder):
            self.orders[value.order_id] = value
            self._covered(value.amount_usd_e4 * E18 // 10**4, "handed over")

    def _look(self) -> None:
        """A call that was just asked for is covered too: what fell since the hand-over counts."""
        for effect in self.desk.effects:
            if isinstance(effect, Call) and effect.effect_id not in self.called:
                self.called.append(effect.effect_id)
                self._covered(effect.amount_e18, "called")

    def _covered(self, amount_e18: int, what: str) -> None:
        age_ms = self.desk.at_ms - self.told_ms
        assert age_ms <= AGE_MS, f"{what} on a balance that is {age_ms} ms old"
        assert amount_e18 <= self.room_e18(), f"{what}: {amount_e18}, room {self.room_e18()}"

    # How it happens

    def _tell(self, event: BalanceEvent) -> None:
        self._deliver("balance_events", ACCOUNT, event, event.as_of_ms)

    def _deliver(self, topic: str, key: str, value: Any, time_ms: int | None = None) -> None:
        stamp_ms = self.now_ms if time_ms is None else time_ms
        self.desk.deliver(Placed(topic, 0, None, key, value, stamp_ms), self.now_ms)
        self._look()
