"""A small venue with books of its own, a runner and a clock: one lane lives its whole life in
memory.

The venue is the judge: it counts what really moved. Each call gets its fate from the test; reads
always tell the truth of the moment. A worker may die after any committed event; its runner may
still be heard of afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from msgspec.structs import replace

from schemas.money import E18, parse_e18, text_e18
from schemas.policy import Policy
from schemas.records import AttemptRecord, Intent, Meta, Proposal, Source
from streams.canonical import hash_of
from streams.effects import Call, Look, Prepare
from streams.handover import body_of
from streams.intents import step
from streams.step import Emit, Entries, Event, InForce, Started, Tick, Wake
from tables.memory import MemoryStore
from tables.partition import ControlEntry

T0_MS = 1_760_000_000_000
LANE = "bybit|bybit:1|USDT"
META = Meta("0" * 32, T0_MS, "weir-default@1", Source("treasury.proposals.v1", 0, 0))
FATES = ("ok", "refused", "lost_before", "lost_after", "late")
LATE_MS = 20_000


def in_force(mode: str = "ACTIVE", epoch: int = 1) -> InForce:
    """The default policy under one mode for everything."""
    return InForce(Policy(), "weir-default@1", "h", (ControlEntry("all", mode, epoch, "test"),))


def intent(intent_id: str = "i1", kind: str = "REPAY", amount: str = "9500", **more: Any) -> Intent:
    """An intent as the gate hands it over."""
    fields: dict[str, Any] = {
        "meta": META,
        "intent_id": intent_id,
        "decision_id": f"d-{intent_id}",
        "origin": "book",
        "origin_key": "bybit:1",
        "class_": "transfer" if kind == "TRANSFER" else "loan",
        "kind": kind,
        "account_id": "bybit:1",
        "lane": LANE,
        "amount_e18": parse_e18(amount),
        "ccy": "USDT",
        "precision": 4,
        "params": {},
        "maker": "weir:weir-default@1",
        "approvals": (),
        "pause_epoch": 1,
        "executed_by": "weir",
        "deadline_ms": T0_MS + 3_600_000,
        "compliance_tags": {},
    }
    fields |= more
    fields.setdefault("body_hash", "")
    one = Intent(**fields)
    body = body_of(cast(Proposal, one), one.amount_e18, one.executed_by)
    return replace(one, body_hash=more.get("body_hash") or hash_of(body))


@dataclass
class Venue:
    """Wallets, debt, and the rows it shows; `effects` is what really happened, by operation."""

    unified_e18: int = 100_000 * E18
    fund_e18: int = 0
    debt_e18: int = 20_000 * E18
    collateral_e18: int = 0
    rows: list[tuple[int, str, int, int]] = field(default_factory=list)
    transfers: dict[str, str] = field(default_factory=dict)
    effects: list[tuple[str, str]] = field(default_factory=list)
    last_id: int = 1771
    later: list[tuple[int, Call]] = field(default_factory=list)

    def post(self, call: Call, fate: str, now_ms: int) -> AttemptRecord:
        """Answers one call with its fate; the money moves or does not, whatever is answered."""
        if fate == "refused":
            return answer(
                call, "RESULT", now_ms, class_="refused", code="148029", message="balance"
            )
        if fate == "late":
            self.later.append((now_ms + LATE_MS, call))
        if fate in ("ok", "lost_after"):
            self.carry(call, now_ms)
        if fate != "ok":
            return answer(call, "RESULT", now_ms, class_="unknown", message="ReadTimeout")
        if call.op == "TRANSFER":
            return answer(call, "RESULT", now_ms, class_="done", venue_ref=call.transfer_id)
        return answer(call, "RESULT", now_ms, class_="accepted", venue_ref=str(self.last_id))

    def carry(self, call: Call, now_ms: int) -> None:
        """Moves the money, as the real venue would on receipt of the call."""
        if call.op == "TRANSFER":
            if call.transfer_id in self.transfers:
                return  # the venue knows our id: refused as a repeat
            sign = 1 if call.target == "FUND" else -1
            self.transfers[call.transfer_id] = "SUCCESS"
            self.fund_e18 += sign * call.amount_e18
            self.unified_e18 -= sign * call.amount_e18
        else:
            self.fund_e18 -= call.amount_e18
            if call.op == "REPAY":
                self.debt_e18 -= call.amount_e18
            else:
                self.collateral_e18 += call.amount_e18
            self.last_id += 1
            self.rows.append((self.last_id, call.op, call.amount_e18, now_ms))
        self.effects.append((call.intent_id, call.leg))

    def pass_time(self, now_ms: int) -> None:
        """Carries out what was on its way."""
        due = [call for at_ms, call in self.later if at_ms <= now_ms]
        self.later = [(at_ms, call) for at_ms, call in self.later if at_ms > now_ms]
        for call in due:
            self.carry(call, now_ms)

    def books(self, now_ms: int) -> dict[str, str]:
        """What a read shows."""
        return {
            "fund": text_e18(self.fund_e18),
            "debt": text_e18(self.debt_e18),
            "collateral": text_e18(self.collateral_e18),
            "hourly_rate": "0.000002",
            "ltv": "0.4",
            "server_ms": str(now_ms),
            "last_id": str(self.last_id),
        }

    def matches(self, op: str, amount_e18: int, mark: dict[str, str]) -> list[int]:
        """Rows after a watermark with the exact amount."""
        after, since = int(mark["last_id"]), int(mark["server_ms"]) - 2000
        return [
            row_id
            for row_id, kind, amount, at_ms in self.rows
            if kind == op and row_id > after and at_ms >= since and amount == amount_e18
        ]

    def prepare(self, work: Prepare, now_ms: int) -> AttemptRecord:
        """The reads before a call."""
        late = self.matches(work.op, work.amount_e18, work.absent_mark) if work.absent_mark else []
        facts = {"late_ref": str(late[0])} if late else {}
        return answer(work, "PREPARED", now_ms, watermark=self.books(now_ms), facts=facts)

    def look(self, work: Look, now_ms: int) -> AttemptRecord:
        """The reads after a call."""
        if work.op == "TRANSFER":
            found = [work.transfer_id] if work.transfer_id in self.transfers else []
        else:
            found = [str(one) for one in self.matches(work.op, work.amount_e18, work.watermark)]
        return answer(
            work,
            "EVIDENCE",
            now_ms,
            class_="done" if found else "unknown",
            venue_ref=found[0] if found else None,
            amount_done_e18=work.amount_e18 if found else None,
            facts={**self.books(now_ms), "rows": str(len(found))},
        )


def answer(work: Prepare | Call | Look, kind: str, now_ms: int, **more: Any) -> AttemptRecord:
    """A record as the runner writes it."""
    return AttemptRecord(
        attempt_id=work.effect_id,
        intent_id=work.intent_id,
        leg=work.leg,
        n=work.n,
        kind=kind,
        at_ms=now_ms,
        **more,
    )


@dataclass
class World:
    """One lane with its venue. `fates` names the fate of a call: `("main", 1): "late"`."""

    venue: Venue = field(default_factory=Venue)
    fates: dict[tuple[str, int], str] = field(default_factory=dict)
    force: InForce = field(default_factory=in_force)
    now_ms: int = T0_MS
    store: MemoryStore = field(default_factory=MemoryStore)
    pending: list[Any] = field(default_factory=list)
    wake_ms: int | None = None
    posts: list[Call] = field(default_factory=list)
    out: list[Any] = field(default_factory=list)
    folded: int = 0
    generation: int = 1
    lane_key: str = LANE

    def fold(self, value: Any, topic: str = "treasury.attempts.v1") -> list[Any]:
        """One committed event: state, wake-up and effects become true together."""
        event = Event(topic, 0, self.folded, self.lane_key, value, self.now_ms, self.now_ms)
        outputs = step(Entries(self.store, self.lane_key), event, self.force)
        self.folded += 1
        self.out += outputs
        for output in outputs:
            if isinstance(output, Wake):
                self.wake_ms = output.at_ms
            elif not isinstance(output, Emit):
                self.pending.append(output)
        return outputs

    def give(self, one: Intent) -> None:
        """The gate hands an intent over."""
        self.fold(one, "treasury.intents.v1")

    def carry(self, effect: Any) -> AttemptRecord:
        """The runner carries one effect out."""
        self.venue.pass_time(self.now_ms)
        if isinstance(effect, Prepare):
            return self.venue.prepare(effect, self.now_ms)
        if isinstance(effect, Look):
            return self.venue.look(effect, self.now_ms)
        self.posts.append(effect)
        return self.venue.post(effect, self.fates.get((effect.leg, effect.n), "ok"), self.now_ms)

    def tick(self) -> bool:
        """Moves the clock to the lane's wake-up and folds it; False when nothing waits."""
        if self.wake_ms is None:
            return False
        self.now_ms = max(self.now_ms, self.wake_ms)
        self.venue.pass_time(self.now_ms)
        self.fold(Tick(), "@tick")
        return True

    def restart(self, late: list[AttemptRecord]) -> None:
        """The worker dies, another takes over; what the former runner wrote arrives afterwards."""
        self.pending.clear()
        self.generation += 1
        self.now_ms += 3_000
        if self.wake_ms is not None:
            self.fold(Started(self.generation), "@started")
        for record in late:
            self.fold(record)

    def run(self, steps: int = 500) -> None:
        """Until nothing is pending and nobody asks to be woken."""
        for _ in range(steps):
            if self.pending:
                effect = self.pending.pop(0)
                self.fold(self.carry(effect))
            elif not self.tick():
                return
        raise AssertionError(f"still busy after {steps} steps: {self.states()}")

    def state(self, intent_id: str = "i1") -> Any:
        """An intent as the node knows it."""
        return Entries(self.store, self.lane_key).get("intents", intent_id)

    def lane(self) -> Any:
        """The lane as the node knows it."""
        return Entries(self.store, self.lane_key).get("lanes")

    def states(self) -> list[str]:
        """The states told to the world, in order."""
        return [
            one.value.state
            for one in self.out
            if isinstance(one, Emit) and one.topic == "treasury.intent-states.v1"
        ]

    def moved(self) -> list[str]:
        """The legs whose money really moved, in order."""
        return [leg for _, leg in self.venue.effects]
