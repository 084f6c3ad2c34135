"""A bank with books of its own for lanes in memory: payments by our id, booked once whatever is
sent twice.

It answers calls by the fate a test gives, and looks by what its books say at that moment. `settles`
is how long a payment stays accepted before it is booked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.money import parse_e18
from schemas.records import AttemptRecord
from streams.effects import Call, Look, Prepare
from tests.streams.saga_world import LATE_MS, T0_MS, World, answer, intent
from tests.streams.sweep_world import BANK, FUND, params

LANE = f"bank|{BANK}|USD"
FATES = ("ok", "refused", "lost_before", "lost_after", "late", "unavailable")
SETTLES_MS = 3_000


@dataclass
class Payment:
    """One payment as the bank has it."""

    amount_e18: int
    at_ms: int
    status: str = "ACSP"


@dataclass
class BankBooks:
    """Payments by our id; `effects` is every booking, in order, as (intent, leg)."""

    payments: dict[str, Payment] = field(default_factory=dict)
    effects: list[tuple[str, str]] = field(default_factory=list)
    later: list[tuple[int, Call]] = field(default_factory=list)
    duplicates: int = 0

    def post(self, call: Call, fate: str, now_ms: int) -> AttemptRecord:
        if fate == "refused":
            return answer(call, "RESULT", now_ms, class_="refused", code="AM04", message="funds")
        if fate == "unavailable":
            return answer(call, "RESULT", now_ms, class_="transient", code="503")
        if fate == "late":
            self.later.append((now_ms + LATE_MS, call))
        if fate in ("ok", "lost_after"):
            self.carry(call, now_ms)
        if fate != "ok":
            return answer(call, "RESULT", now_ms, class_="unknown", message="ReadTimeout")
        return answer(call, "RESULT", now_ms, class_="accepted", venue_ref=call.intent_id)

    def carry(self, call: Call, now_ms: int) -> None:
        if call.intent_id in self.payments:
            self.duplicates += 1
            return
        self.payments[call.intent_id] = Payment(parse_e18(call.body["amount"]), now_ms)

    def pass_time(self, now_ms: int) -> None:
        due = [call for at_ms, call in self.later if at_ms <= now_ms]
        self.later = [(at_ms, call) for at_ms, call in self.later if at_ms > now_ms]
        for call in due:
            self.carry(call, now_ms)
        for name, payment in self.payments.items():
            if payment.status == "ACSP" and now_ms >= payment.at_ms + SETTLES_MS:
                payment.status = "ACSC"
                self.effects.append((name, "only"))

    def prepare(self, work: Prepare, now_ms: int) -> AttemptRecord:
        known = work.intent_id in self.payments
        facts = {"late_ref": work.intent_id} if known else {}
        return answer(work, "PREPARED", now_ms, watermark={"server_ms": str(now_ms)}, facts=facts)

    def look(self, work: Look, now_ms: int) -> AttemptRecord:
        payment = self.payments.get(work.intent_id)
        said: dict[str, Any] = {"class_": "unknown"}
        if payment is not None:
            done = payment.status == "ACSC"
            said = {
                "class_": "done" if done else "accepted",
                "venue_ref": work.intent_id,
                "amount_done_e18": payment.amount_e18 if done else None,
            }
        facts = {"server_ms": str(now_ms), "rows": str(int(payment is not None))}
        return answer(work, "EVIDENCE", now_ms, facts=facts, **said)


def order(intent_id: str = "i1", amount: str = "750000", **more: Any) -> Any:
    """A sweep as the gate hands it over."""
    kind = more.pop("kind", "SWEEP")
    direction = "OUT" if kind == "SWEEP" else "BACK"
    said = {
        "origin": "cash",
        "origin_key": BANK,
        "class_": "sweep",
        "account_id": BANK,
        "lane": LANE,
        "ccy": "USD",
        "precision": 2,
        "params": params(direction, cutoff_ms=T0_MS + 3_900_000).text(),
        "beneficiary": FUND if direction == "OUT" else BANK,
        "compliance_tags": {"bsa": "own"},
        **more,
    }
    return intent(intent_id, kind, amount, **said)


def world(**fates: str) -> World:
    """A lane of this bank; `_1="late"` is the fate of the first call."""
    named = {("only", int(name.strip("_"))): fate for name, fate in fates.items()}
    return World(venue=BankBooks(), fates=named, lane_key=LANE)  # type: ignore[arg-type]


def word(class_: str, kind: str = "EVIDENCE", n: int = 1, **more: Any) -> AttemptRecord:
    """What a statement (EVIDENCE) or the other side (WEBHOOK) says of an order by its id."""
    said = {"attempt_id": f"w-{class_}-{more}", "intent_id": "i1", "leg": "only", "at_ms": T0_MS}
    return AttemptRecord(**{**said, "n": n, "kind": kind, "class_": class_, **more})
