"""What Weir says while it lives, written down beside what the venue knows; `verdict` compares.

Claims are taken from the states it tells: that a leg had its effect, that an attempt had none. What
is wrong as it happens is told at once: a second call of one attempt, a call nobody had committed, a
call under a pause, two intents of a lane in flight, a limit passed, an end without evidence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.simulation.swarm import PARKED_BY
from schemas.policy import Policy, parse
from schemas.records import (
    AllocationDecision,
    Approval,
    AttemptRecord,
    Decision,
    Intent,
    IntentState,
    Proposal,
)
from streams.effects import Call

if TYPE_CHECKING:
    from bench.simulation.world import World

E18 = 10**18
DAY_MS = 86_400_000
LATE_MS = 60_000
FINAL = frozenset({"CONFIRMED", "REJECTED", "REFUSED", "VOID", "EXPIRED"})
WITHOUT = FINAL - {"CONFIRMED"}
IN_FLIGHT = frozenset({"ATTEMPTED", "ACKED", "UNKNOWN", "PARKED"})
READS = frozenset({"TimedOut", "RateLimited", "Rejected", "Unavailable", "Unsupported"})


class Claim(NamedTuple):
    """What a state says of a leg: `effect`, or none of attempt `n` (0: of any)."""

    effect: bool
    intent_id: str
    leg: str
    n: int
    at_ms: int


@dataclass
class Granted:
    """One intent as the gate let it out."""

    intent_id: str
    day: str
    opened_ms: int
    usd_e18: int
    amount_e18: int
    rate_e18: int
    state: str
    version: str


@dataclass
class Judge:
    """`faults` are (kind, words). Everything else is what the verdict needs."""

    world: World
    faults: list[tuple[str, str]] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    lane_of: dict[str, str] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    states: dict[str, IntentState] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    granted: dict[str, Granted] = field(default_factory=dict)
    decided: dict[str, AllocationDecision] = field(default_factory=dict)
    profit_e18: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)
    _attempts: dict[tuple[str, str, int], AttemptRecord] = field(default_factory=dict)
    _posts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    _amounts: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    _flights: dict[str, set[str]] = field(default_factory=dict)
    _words: dict[tuple[str, str], int] = field(default_factory=dict)

    def fault(self, kind: str, words: str) -> None:
        """Something is wrong."""
        self.faults.append((kind, words))

    def broken(self, words: str) -> None:
        """A worker found what cannot be."""
        self.fault("broken", words)

    def earned(self, account_id: str, profit_e18: int) -> None:
        """The hedger closed a trade."""
        self.profit_e18[account_id] += profit_e18

    def honest(self, record: AttemptRecord) -> None:
        """An answer must come of the venue, not of a mistake of the simulation."""
        self.counts[f"{record.kind.lower()}_{record.class_ or 'read'}"] += 1
        if record.kind == "RESULT":
            wrong = record.class_ == "unknown" and record.code is None
        else:
            name = (record.message or "").partition(":")[0]
            wrong = record.watermark is None and record.facts is None and name not in READS
        if wrong:
            raise RuntimeError(f"the simulation is broken: {record}")

    def posted(self, call: Call) -> None:
        """A request leaves the process."""
        now_ms, attempt = self.world.agenda.now_ms, (call.intent_id, call.leg, call.n)
        self.counts["calls"] += 1
        self._posts[attempt] += 1
        if self._posts[attempt] > 1:
            self.fault("posted_twice", f"{attempt}")
        row = self._attempts.get(attempt)
        if row is None:
            self.fault("unrecorded", f"{attempt} was posted before its attempt was committed")
        elif (row.amount_e18, row.request_hash) != (call.amount_e18, call.request_hash):
            self.fault("unrecorded", f"{attempt} was committed with another body")
        if self.world.outside.paused(
            call.account_id, now_ms - 1000 * call.control_age_max_s, now_ms
        ):
            self.fault("under_pause", f"{attempt} was posted under a pause")
        granted = self.granted.get(call.intent_id)
        if granted is None or call.amount_e18 > granted.amount_e18:
            self.fault("above_grant", f"{attempt} is for more than the gate granted")
        if call.op != "TRANSFER":
            said = (call.intent_id, now_ms)
            other, when_ms = self._amounts.setdefault((call.lane, call.amount_e18), said)
            if other != call.intent_id and now_ms - when_ms < DAY_MS:
                self.fault("same_amount", f"{attempt} has the amount of {other}")
            self._amounts[call.lane, call.amount_e18] = said

    def told(self, topic: str, value: Any) -> None:
        """A record is on the log."""
        take = _TAKE.get(topic)
        if take is not None:
            take(self, value)

    # What is told

    def _decision(self, value: Decision) -> None:
        if value.node != "intents":
            return
        self.edges[f"{_said(value.body, 'from')} {value.outcome}"] += 1
        if value.outcome == "double_effect":
            self._halted(_said(value.body, "intent_id"), value)

    def _halted(self, intent_id: str, value: Decision) -> None:
        """A lane may stand still only where people did by hand what the venue knows nothing of."""
        self.counts["halted"] += 1
        if intent_id not in self.world.people.by_hand:
            self.fault("halted_without_cause", f"{intent_id}: {_said(value.body, 'reason')}")
        self.world.people.halted(intent_id)

    def _allocation(self, value: AllocationDecision) -> None:
        self.decided[value.decision_id] = value
        self.world.outside.poll_soon(value.account_id)

    def _proposal(self, value: Proposal) -> None:
        if value.intent_id not in self.proposals:
            self.counts["intents"] += 1
            self.proposals[value.intent_id] = value
            self.open[value.intent_id] = ""
            self.lane_of[value.intent_id] = value.lane

    def _attempt(self, value: AttemptRecord) -> None:
        if value.kind == "ATTEMPT":
            self._attempts[value.intent_id, value.leg, value.n] = value

    def _intent(self, value: Intent) -> None:
        granted = self.granted.get(value.intent_id)
        if granted is None or granted.state != "AWAITING":
            return
        dual = self.policy(value.meta.policy).approvals.dual_usd_e18
        needed = 2 if dual is not None and granted.usd_e18 > dual else 1
        if len(set(value.approvals)) < needed:
            self.fault("unapproved", f"{value.intent_id} went out without {needed} signatures")
        if self.world.swarm.jumps:
            return  # their time is the gate's, whose clock was set
        since_ms = self.world.agenda.now_ms - LATE_MS
        for name in value.approvals:
            if self._words.get((value.intent_id, name), 0) < since_ms:
                self.fault("unapproved", f"{value.intent_id}: the word of {name} had ended")

    def _approval(self, value: Approval) -> None:
        said = (value.intent_id, value.approver)
        self._words[said] = max(value.expires_ms, self._words.get(said, 0))

    def _state(self, value: IntentState) -> None:
        before = self.states.get(value.intent_id)
        self.states[value.intent_id] = value
        if value.state in FINAL:
            self.open.pop(value.intent_id, None)
            if before is None or before.state != value.state:
                self.counts[value.state] += 1
                self.world.outside.poll_soon(value.account_id)
        elif value.intent_id in self.open:
            self.open[value.intent_id] = value.state
        if value.legs:
            self._moved(before, value)
        elif before is None:
            self._answered(value)
        self.world.people.told(value)

    def _answered(self, value: IntentState) -> None:
        """The gate's first word on a proposal: what it lets out must fit what is left. What is
        late counts by the gate's clock, which may have been set.
        """
        if value.state not in ("READY", "AWAITING"):
            return
        proposal, version = self.proposals[value.intent_id], value.meta.policy
        policy, rate = self.policy(version), self.world.rate_e18(value.intent_id)
        event_ms, at_ms = proposal.meta.event_time_ms, self.world.gate.at_ms
        counted_ms = at_ms if at_ms - event_ms > LATE_MS else event_ms
        latest = max((one.opened_ms for one in self.granted.values()), default=0)
        new = Granted(
            value.intent_id,
            str(counted_ms // DAY_MS),
            max(counted_ms, latest),
            _usd(value.amount_e18, rate),
            value.amount_e18,
            rate,
            value.state,
            version,
        )
        self.granted[value.intent_id] = new
        limits = policy.limits
        used = sum(
            self.worth_e18(one)
            for one in self.granted.values()
            if (
                one.day == new.day
                if limits.window == "utc_day"
                else one.opened_ms > new.opened_ms - DAY_MS
            )
        )
        if used > limits.loan.daily_usd_e18 or new.usd_e18 > limits.loan.single_usd_e18:
            self.fault("over_limit", f"{value.intent_id} brings the use to {used / E18}")
        if new.usd_e18 > policy.approvals.loan_usd_e18 and value.state != "AWAITING":
            self.fault("unapproved", f"{value.intent_id} needs a signature")

    def worth_e18(self, one: Granted) -> int:
        """What a grant uses of a limit, by what the venue knows once it is said to have ended."""
        state = self.states[one.intent_id].state
        if state in WITHOUT:
            return 0
        if state == "CONFIRMED":
            done = self.world.done_e18(one.intent_id)
            return _usd(done, one.rate_e18)
        return one.usd_e18

    def state_of(self, intent_id: str) -> str:
        """The last state that was told; empty: the gate has not answered."""
        state = self.states.get(intent_id)
        return state.state if state is not None else ""

    def policy(self, version: str) -> Policy:
        """A version in force."""
        return parse(self.world.outside.versions[version].body)

    def _moved(self, before: IntentState | None, value: IntentState) -> None:
        """Claims of a change, and whether it had a reason to be made."""
        now_ms, intent_id = self.world.agenda.now_ms, value.intent_id
        known = {leg.leg: leg for leg in before.legs} if before is not None else {}
        for leg in value.legs:
            old = known.get(leg.leg)
            if old is not None and leg.n > old.n and old.state in IN_FLIGHT:
                self.claims.append(Claim(False, intent_id, leg.leg, old.n, now_ms))
            if old is not None and old.state == leg.state and old.n == leg.n:
                continue
            if leg.state == "CONFIRMED":
                self.claims.append(Claim(True, intent_id, leg.leg, leg.n, now_ms))
            elif leg.state in WITHOUT:
                self.claims.append(Claim(False, intent_id, leg.leg, 0, now_ms))
            elif leg.state == "PARKED":
                self._parked(value, leg.leg)
            elif leg.state == "UNKNOWN":
                self.counts["unknown"] += 1
            if old is not None and old.state == "UNKNOWN" and leg.state != "PARKED":
                self.counts["resolved"] += 1
                if value.meta.source.topic != "treasury.attempts.v1":
                    words = f"{intent_id} {leg.leg} became {leg.state} by {value.meta.source.topic}"
                    self.fault("without_evidence", words)
        flights = self._flights.setdefault(value.lane, set())
        if value.legs[-1].state in IN_FLIGHT:
            flights.add(intent_id)
        else:
            flights.discard(intent_id)
        if len(flights) > 1:
            self.fault("crowded", f"{sorted(flights)} are in flight in one lane")

    def _parked(self, value: IntentState, leg: str) -> None:
        """Parked is right only where something goes on that nothing but people can tell apart."""
        reason = (value.reason or "").partition(" ")[0]
        cause = reason if reason in PARKED_BY else "returned" if leg == "return" else reason
        self.counts[f"parked_{cause}"] += 1
        if not any(self.world.swarm.on(name) for name in PARKED_BY.get(cause, ())):
            self.fault("parked_without_cause", f"{value.intent_id} {leg}: {value.reason}")


def _said(body: str, name: str) -> str:
    """A text of a decision's body; reading the whole of it would cost more than the life."""
    return body.partition(f'"{name}":"')[2].partition('"')[0]


def _usd(amount_e18: int, rate_e18: int) -> int:
    return -(-amount_e18 * rate_e18 // E18)


_TAKE: dict[str, Any] = {
    "treasury.decisions.v1": Judge._decision,
    "treasury.allocations.v1": Judge._allocation,
    "treasury.proposals.v1": Judge._proposal,
    "treasury.attempts.v1": Judge._attempt,
    "treasury.approvals.v1": Judge._approval,
    "treasury.intents.v1": Judge._intent,
    "treasury.intent-states.v1": Judge._state,
}
