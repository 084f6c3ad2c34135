"""What a reader of Weir's topics knows: one thread folds them into a picture per account.

It reads only what any other service could read, committed records alone; the screen and the judge
see nothing else of Weir.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from agents.signatures import HEADER
from schemas.records import SweepOrder
from schemas.signing import verify
from schemas.wire import SchemaIds, Wire
from streams.sweep_order import payload
from weir.errors import WeirError

TOPICS = (
    "treasury.pnl.v1",
    "treasury.positions.v1",
    "treasury.allocations.v1",
    "treasury.intent-states.v1",
    "treasury.loan-states.v1",
    "balance_events",
    "cash_positions",
    "sweep_intent",
    "treasury.var.v1",
)
OUT, BACK = "SWEEP", "REVERSE_SWEEP"
FINAL = frozenset({"CONFIRMED", "REJECTED", "REFUSED", "VOID", "EXPIRED", "REVERSED", "PARKED"})


@dataclass
class Seen:
    """One account as Weir's topics tell it; amounts are units of 10^-18. Of a bank account: the
    days whose statements came, the orders by whether their signature holds, position and risk.
    """

    exec_ids: Counter[str] = field(default_factory=Counter)
    realised_e18: int = 0
    fees_e18: int = 0
    funding_e18: int = 0
    available_e18: int = 0
    sizes_e18: dict[str, int] = field(default_factory=dict)
    actions: Counter[str] = field(default_factory=Counter)
    decision: Any = None
    intents: dict[str, Any] = field(default_factory=dict)
    loan: Any = None
    days: set[int] = field(default_factory=set)
    orders: dict[str, bool] = field(default_factory=dict)
    position: Any = None
    risk: Any = None

    def done(self, kind: str) -> list[Any]:
        """The confirmed intents of a kind."""
        intents = self.intents.values()
        return [one for one in intents if one.kind == kind and one.state == "CONFIRMED"]

    @property
    def open_intents(self) -> int:
        return sum(state.state not in FINAL for state in self.intents.values())

    @property
    def confirmed(self) -> int:
        return sum(state.state == "CONFIRMED" for state in self.intents.values())


class Watch:
    """Reads from the beginning of the topics until closed. `changes` counts what it has folded;
    `trusted` reads the public keys that orders are verified with.
    """

    def __init__(self, bootstrap: str, trusted: Callable[[], tuple[str, ...]]) -> None:
        self._trusted = trusted
        self.accounts: dict[str, Seen] = {}
        self.changes = 0
        self.lock = threading.Lock()
        self._wire = Wire(SchemaIds.from_lock())
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "weir-demo-watch",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "log_level": 3,
            }
        )
        found = self._consumer.list_topics(timeout=10).topics
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in TOPICS
                for partition in found[topic].partitions
            ]
        )
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops reading; raises what broke it."""
        self._stopped.set()
        self._thread.join()
        self._consumer.close()
        self.check()

    def check(self) -> None:
        """Raises WeirError if the reader has broken."""
        if self._failure is not None:
            raise WeirError(f"the demo's reader broke: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                messages = self._consumer.consume(2000, 0.1)
                with self.lock:
                    for message in messages:
                        if message.error() is None:
                            self._take(message)
                            self.changes += 1
        except Exception as error:  # noqa: BLE001 - check() raises it where it is heard
            self._failure = error

    def _take(self, message: Any) -> None:
        record = self._wire.decode(message.topic(), message.value())
        seen = self.accounts.setdefault(record.account_id, Seen())
        if isinstance(record, SweepOrder):
            jws = dict(message.headers() or ()).get(HEADER, b"").decode()
            signed = payload(record)
            holds = any(verify(jws, signed, key) for key in self._trusted())
            seen.orders[record.order_id] = holds
            return
        _FOLDS[type(record).__name__](seen, record)


def _pnl(seen: Seen, record: Any) -> None:
    seen.exec_ids[record.exec_id] += 1
    seen.realised_e18 = record.realised_total_e18
    seen.available_e18 = record.available_e18
    seen.fees_e18 += record.fees_e18
    seen.funding_e18 += record.funding_e18


def _position(seen: Seen, record: Any) -> None:
    seen.sizes_e18[record.symbol] = record.size_e18


def _allocation(seen: Seen, record: Any) -> None:
    seen.actions[record.action] += 1
    seen.decision = record


def _intent_state(seen: Seen, record: Any) -> None:
    seen.intents[record.intent_id] = record


def _loan(seen: Seen, record: Any) -> None:
    seen.loan = record


def _balance(seen: Seen, record: Any) -> None:
    if record.statement_date is not None:
        seen.days.add(record.statement_date)


def _cash(seen: Seen, record: Any) -> None:
    seen.position = record


def _risk(seen: Seen, record: Any) -> None:
    seen.risk = record


_FOLDS = {
    "PnLRecord": _pnl,
    "Position": _position,
    "AllocationDecision": _allocation,
    "IntentState": _intent_state,
    "LoanState": _loan,
    "BalanceEvent": _balance,
    "CashPosition": _cash,
    "Var": _risk,
}
