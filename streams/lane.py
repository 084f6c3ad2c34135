"""One lane while one event is folded: its intents, the table of states, and what goes out at each
change.

Every change of an intent is told four times in one transaction: its state, the outcome to the node
that proposed it and to the desk that granted it, and the decision for the audit.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from msgspec.structs import replace

from schemas.ids import derive
from schemas.money import text_e18
from schemas.policy import Policy
from schemas.records import (
    Decision,
    DeskInput,
    IntentOutcome,
    IntentState,
    Leg,
)
from streams import requests, saga, trouble
from streams.canonical import canonical
from streams.inboxes import ORIGINS, to_origin
from streams.step import Emit, Entries, Event, InForce, Wake, meta
from tables.intents import IntentEntry, LaneEntry, LegEntry, UsedAmount

USED = -1


class Lane:
    """The entries of one lane with the outputs gathered so far; lives for one event."""

    def __init__(self, entries: Entries, event: Event, in_force: InForce, trigger: str) -> None:
        self.entries, self.event, self.in_force, self.trigger = entries, event, in_force, trigger
        self.entry: LaneEntry = entries.get("lanes") or LaneEntry()
        self.meta = meta(event, in_force, trigger)
        self.out: list[Any] = []

    @property
    def now_ms(self) -> int:
        """The node's time."""
        return self.event.at_ms

    @property
    def policy(self) -> Policy | None:
        """The policy in force; without one nothing starts."""
        return self.in_force.policy

    def intent(self, intent_id: str) -> IntentEntry | None:
        """A known intent of this lane."""
        found: IntentEntry | None = self.entries.get("intents", intent_id)
        return found

    def queued(self) -> list[IntentEntry]:
        """The open intents in order of arrival."""
        found = (self.intent(intent_id) for intent_id in self.entry.queue)
        return [intent for intent in found if intent is not None]

    def store(self, intent: IntentEntry) -> None:
        """Writes an intent that changed nothing people are told of."""
        self.entries.put("intents", intent, intent.intent_id)

    def admit(self, intent: IntentEntry) -> None:
        """Takes a new intent to the end of the queue."""
        self.store(intent)
        self.entry = replace(self.entry, queue=(*self.entry.queue, intent.intent_id))

    def turn(self, intent: IntentEntry, **changes: Any) -> IntentEntry:
        """Changes the current leg without a change of state."""
        intent = with_leg(intent, **changes)
        self.store(intent)
        return intent

    def move(
        self, intent: IntentEntry, trigger: str, reason: str = "", /, **changes: Any
    ) -> IntentEntry:
        """Moves the current leg by the table, begins what follows, and tells everyone."""
        leg = intent.leg
        state = saga.after(leg.leg, leg.state, trigger)
        intent = with_leg(
            intent, **{"state": state, "since_ms": self.now_ms, "awaits": "", **changes}
        )
        intent = self._follow(replace(intent, state=state, reason=reason))
        self.store(intent)
        if intent.state in saga.FINAL:
            queue = tuple(one for one in self.entry.queue if one != intent.intent_id)
            self.entry = replace(self.entry, queue=queue)
        self._tell(intent, leg, trigger)
        return intent

    def halt(self, intent: IntentEntry, reason: str) -> None:
        """Stops the lane until two people answer for this intent: the venue's books contradict
        ours.
        """
        line = f"{intent.intent_id}: {reason}"
        lines = self.entry.halted.splitlines()
        if line not in lines:
            self.entry = replace(self.entry, halted="\n".join([*lines, line]))
        self._decide(intent, intent.leg, "double_effect", "RESULT", reason)

    def free(self, intent: IntentEntry) -> None:
        """Takes away what halted the lane about this intent; what is left still halts it."""
        lines = self.entry.halted.splitlines()
        left = [line for line in lines if not line.startswith(f"{intent.intent_id}: ")]
        self.entry = replace(self.entry, halted="\n".join(left))

    def used(self) -> list[UsedAmount]:
        """The amounts of the last 24 hours, the oldest first."""
        self._take_apart()
        oldest_ms = self.now_ms - requests.FINGERPRINT_MS
        return [one for _, one in self.entries.range("used") if one.at_ms > oldest_ms]

    def use(self, amount_e18: int) -> None:
        """Remembers an amount that goes out, and forgets those of the day before."""
        self._take_apart()
        oldest_ms = self.now_ms - requests.FINGERPRINT_MS
        past = takewhile(lambda item: item[1].at_ms <= oldest_ms, self.entries.range("used"))
        for name, _ in list(past):
            self.entries.delete("used", name)
        self._remember(UsedAmount(amount_e18=amount_e18, at_ms=self.now_ms))

    def _take_apart(self) -> None:
        """An older program kept all amounts in the lane's own entry."""
        for one in self.entry.used:
            self._remember(one)
        self.entry = replace(self.entry, used=())

    def _remember(self, one: UsedAmount) -> None:
        self.entries.put("used", one, f"{one.at_ms:016d}|{one.amount_e18}")

    def ask(self, intent: IntentEntry, kind: str) -> str:
        """The id of the next effect of the current leg."""
        leg = intent.leg
        key = f"{intent.intent_id}#{leg.leg}#{leg.n}#{leg.asked + 1}#{kind}"
        return derive("effect", self.entries.key, key, 0, "none", self.event.timestamp_ms)

    def woken(self) -> None:
        """The wake-up has been used: the next one is asked for, or none."""
        self.entry = replace(self.entry, wake_ms=USED)

    def close(self, wake_ms: int | None) -> list[Any]:
        """Writes the lane and returns all outputs of the event, what people are told included."""
        trouble.tell(self)
        if wake_ms != self.entry.wake_ms:
            self.entry = replace(self.entry, wake_ms=wake_ms)
            self.out.append(Wake(wake_ms))
        self.entries.put("lanes", self.entry)
        return self.out

    def _follow(self, intent: IntentEntry) -> IntentEntry:
        """What a leg that ended leads to: the next leg, the way back, or the end of the intent."""
        leg = intent.leg
        if leg.state == saga.CONFIRMED:
            if leg.leg == saga.RETURN:
                return replace(intent, state=intent.ending)
            following = saga.next_leg(intent.kind, leg.leg)
            if following is None:
                return replace(intent, amount_done_e18=leg.amount_e18)
            return self._begin(intent, following, intent.chosen_e18)
        moved = len(intent.legs) > 1
        if leg.state in saga.FINAL and leg.leg == "main" and moved and self._brings_back():
            back = intent.legs[0].amount_e18
            return self._begin(replace(intent, ending=leg.state), saga.RETURN, back)
        return intent

    def _begin(self, intent: IntentEntry, leg: str, amount_e18: int) -> IntentEntry:
        begun = LegEntry(leg=leg, state=saga.READY, since_ms=self.now_ms, amount_e18=amount_e18)
        return replace(intent, state=saga.READY, legs=(*intent.legs, begun))

    def _brings_back(self) -> bool:
        return self.policy is None or self.policy.execution.compensate == "return"

    def _tell(self, intent: IntentEntry, leg: LegEntry, trigger: str) -> None:
        self.out.append(Emit("treasury.intent-states.v1", self._state(intent)))
        outcome = self._outcome(intent, leg.leg)
        if intent.origin in ORIGINS:
            self.out.append(to_origin(outcome, self.meta))
        self.out.append(Emit("treasury.desk-inputs.v1", DeskInput(meta=self.meta, body=outcome)))
        kind = "ATTEMPT" if trigger == "prepared" else "DECISION"
        self._decide(intent, leg, trigger, kind, intent.reason)

    def _state(self, intent: IntentEntry) -> IntentState:
        return IntentState(
            meta=self.meta,
            intent_id=intent.intent_id,
            decision_id=intent.decision_id,
            kind=intent.kind,
            account_id=intent.account_id,
            lane=intent.lane,
            amount_e18=intent.granted_e18,
            ccy=intent.ccy,
            body=intent.body,
            body_hash=intent.body_hash,
            state=intent.state,
            seed_status=saga.SEED_STATUS[intent.state],
            legs=tuple(
                Leg(leg=leg.leg, state=leg.state, n=leg.n, venue_ref=leg.venue_ref or None)
                for leg in intent.legs
            ),
            amount_done_e18=intent.amount_done_e18,
            reason=intent.reason or None,
            updated_ms=self.now_ms,
        )

    def _outcome(self, intent: IntentEntry, leg: str) -> IntentOutcome:
        return IntentOutcome(
            intent_id=intent.intent_id,
            decision_id=intent.decision_id,
            kind=intent.kind,
            class_=intent.class_,
            origin=intent.origin,
            account_id=intent.account_id,
            lane=intent.lane,
            state=intent.state,
            leg=None if intent.state in saga.FINAL else leg,
            reason=intent.reason or None,
            asked_e18=intent.granted_e18,
            granted_e18=intent.granted_e18,
            amount_done_e18=intent.amount_done_e18,
            ccy=intent.ccy,
            amount_out_e18=None,
            fee_e18=None,
            venue_refs=tuple(one.venue_ref for one in intent.legs if one.venue_ref),
            facts=intent.facts,
            final=intent.state in saga.FINAL,
            at_ms=self.now_ms,
        )

    def _decide(
        self, intent: IntentEntry, leg: LegEntry, trigger: str, kind: str, reason: str
    ) -> None:
        source = self.meta.source
        facts = {
            "policy": self.in_force.version,
            "policy_hash": self.in_force.policy_hash,
            "at_ms": self.now_ms,
            "trigger": {
                "topic": source.topic,
                "partition": source.partition,
                "offset": source.offset,
            },
            "amount": text_e18(intent.leg.amount_e18),
            "attempt": leg.n,
            "cause": self.trigger,
            "from": leg.state,
            "intent_id": intent.intent_id,
            "leg": leg.leg,
            "reason": reason,
            "to": intent.state,
            "said": trigger,
            "watermark": leg.watermark,
        }
        self.out.append(
            Emit(
                "treasury.decisions.v1",
                Decision(
                    meta=self.meta,
                    decision_id=intent.decision_id,
                    node="intents",
                    key=self.entries.key,
                    kind=kind,
                    actor=f"weir:{self.in_force.version}",
                    rule="c10",
                    outcome=trigger,
                    body=canonical(facts),
                ),
            )
        )


def with_leg(intent: IntentEntry, **changes: Any) -> IntentEntry:
    """The intent with its current leg changed."""
    return replace(intent, legs=(*intent.legs[:-1], replace(intent.leg, **changes)))
