"""Who waits for a signature, and what becomes of it: out when enough have signed and the mode lets
it, void after the policy's time, expired after its deadline.

One wake-up of the desk serves all that wait, and the end of an unusual pace (`streams.anomaly`): it
is always set to what comes first. An intent that all have signed under a pause stays where it is
and is looked at every second, because a resume is no event of the desk's own.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from msgspec.structs import replace

from schemas.policy import Person, Policy
from schemas.records import Meta, Proposal
from streams import hold as holds
from streams.handover import answer, decision, hand_over, state
from streams.limits import lets
from streams.step import Entries, Event, InForce, InvariantBroken, Wake, meta
from tables.anomaly import Pace
from tables.gate import Awaiting, Hold

HELD_POLL_MS = 1_000


def begin(
    entries: Entries, event: Event, in_force: InForce, proposal: Proposal, body: str
) -> list[Any]:
    """Puts an intent among those that wait."""
    if in_force.policy is None:
        raise InvariantBroken("an intent waits for a signature, but no policy asks for one")
    void_ms = event.at_ms + in_force.policy.approvals.ttl_s * 1000
    ends_ms = min(void_ms, proposal.deadline_ms)
    ends_as = "VOID" if void_ms <= proposal.deadline_ms else "EXPIRED"
    before = _due_ms(entries, event.at_ms)
    _put(entries, Awaiting(proposal.intent_id, ends_ms, ends_as, body))
    return [Wake(ends_ms)] if before is None or ends_ms < before else []


def find(entries: Entries, intent_id: str) -> Awaiting | None:
    """An intent that waits, or None."""
    found: Any = (one for _, one in entries.range("awaiting") if one.intent_id == intent_id)
    waiting: Awaiting | None = next(found, None)
    return waiting


def lapse(entries: Entries, waiting: Awaiting, at_ms: int) -> Awaiting:
    """Takes off the signatures whose time is over; who gave them may sign again."""
    left = tuple(one for one in waiting.signed if not 0 < one.expires_ms < at_ms)
    if left == waiting.signed:
        return waiting
    hold = holds.known(entries, waiting.intent_id)
    approvers = tuple(one.approver for one in left)
    entries.put("holds", replace(hold, approvals=approvers), waiting.intent_id)
    waiting = replace(waiting, signed=left)
    _put(entries, waiting)
    return waiting


def signed(
    entries: Entries, event: Event, in_force: InForce, waiting: Awaiting, stamp: Meta
) -> list[Any]:
    """Takes a change of an intent's signatures; lets it out when they are enough."""
    hold = holds.known(entries, waiting.intent_id)
    approvers = tuple(one.approver for one in waiting.signed)
    hold = replace(hold, approvals=approvers)
    entries.put("holds", hold, waiting.intent_id)
    outputs = _let_out(entries, event, in_force, waiting, hold, stamp)
    return outputs + _wake(entries, event.at_ms)


def void(
    entries: Entries, event: Event, waiting: Awaiting, state: str, reason: str, stamp: Meta
) -> tuple[Hold, list[Any]]:
    """Ends one without effect and frees what it held."""
    _remove(entries, waiting)
    ended = holds.free(entries, waiting.intent_id, state)
    return ended, answer(waiting.intent_id, ended, waiting.body, reason, event, stamp)


def end(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Ends all whose time has come, and lets out what a pause held."""
    outputs: list[Any] = []
    due = takewhile(lambda item: item[1].ends_ms <= event.at_ms, entries.range("awaiting"))
    stamp = meta(event, in_force, f"tick:{event.at_ms}")
    for waiting in [one for _, one in due]:
        ended, told = void(entries, event, waiting, waiting.ends_as, "expired", stamp)
        said = {"intent_id": waiting.intent_id, "ends_ms": waiting.ends_ms, "reason": "expired"}
        outputs += told
        outputs.append(decision(ended.decision_id, ended.state, said, event, stamp, in_force))
    for waiting in [one for _, one in entries.range("awaiting") if one.held]:
        waiting = lapse(entries, waiting, event.at_ms)
        hold = holds.known(entries, waiting.intent_id)
        outputs += _let_out(entries, event, in_force, waiting, hold, stamp)
    return outputs + _wake(entries, event.at_ms)


def wake(entries: Entries, at_ms: int) -> list[Any]:
    """The desk's wake-up as it must be now; none where nothing waits any more."""
    return _wake(entries, at_ms) or [Wake(None)]


def needed(policy: Policy, held_usd_e18: int) -> int:
    """How many distinct checkers an amount asks for."""
    dual = policy.approvals.dual_usd_e18
    return 2 if dual is not None and held_usd_e18 > dual else 1


def in_scope(person: Person, class_: str, held_usd_e18: int) -> bool:
    """Whether a person may approve an operation of this class and size."""
    return class_ in person.classes and held_usd_e18 <= person.max_usd_e18


def _let_out(
    entries: Entries, event: Event, in_force: InForce, waiting: Awaiting, hold: Hold, stamp: Meta
) -> list[Any]:
    policy = in_force.policy
    count = 0 if policy is None else len(_counting(policy, waiting, hold))
    enough = policy is not None and count >= needed(policy, hold.held_usd_e18)
    mode = in_force.mode(hold.class_, hold.account_id)
    if not enough or not lets(mode, hold.kind):
        waits = replace(waiting, held=enough)
        if waits == entries.get("awaiting", _name(waiting)):
            return []
        _put(entries, waits)
        reason = "paused" if enough else f"signed by {', '.join(hold.approvals) or 'nobody'}"
        return [state(waiting.intent_id, hold, waiting.body, reason, event, stamp)]
    _remove(entries, waiting)
    ready = replace(hold, state="READY")
    entries.put("holds", ready, waiting.intent_id)
    said = {"intent_id": waiting.intent_id, "approvals": hold.approvals, "mode": mode}
    return [
        *hand_over(entries, waiting.body, ready, stamp, in_force),
        *answer(waiting.intent_id, ready, waiting.body, None, event, stamp),
        decision(hold.decision_id, "READY", said, event, stamp, in_force),
    ]


def _counting(policy: Policy, waiting: Awaiting, hold: Hold) -> list[str]:
    """The signatures that count under the policy in force: a key that leaked counts no more."""
    people = {one.approver: (policy.person(one.approver), one) for one in waiting.signed}
    return [
        name
        for name, (person, one) in people.items()
        if person is not None
        and person.public_key == one.public_key
        and "approve" in person.roles
        and in_scope(person, hold.class_, hold.held_usd_e18)
    ]


def _wake(entries: Entries, at_ms: int) -> list[Any]:
    due_ms = _due_ms(entries, at_ms)
    return [] if due_ms is None else [Wake(due_ms)]


def _due_ms(entries: Entries, at_ms: int) -> int | None:
    waiting: list[Awaiting] = [one for _, one in entries.range("awaiting")]
    times = [one.ends_ms for one in waiting[:1]]
    if any(one.held for one in waiting):
        times.append(at_ms + HELD_POLL_MS)
    pace: Pace | None = entries.get("pace")
    if pace is not None and pace.until_ms:
        times.append(pace.until_ms)
    return min(times, default=None)


def _put(entries: Entries, waiting: Awaiting) -> None:
    entries.put("awaiting", waiting, _name(waiting))


def _remove(entries: Entries, waiting: Awaiting) -> None:
    entries.delete("awaiting", _name(waiting))


def _name(waiting: Awaiting) -> str:
    return f"{waiting.ends_ms:016d}|{waiting.intent_id}"
