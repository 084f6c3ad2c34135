"""Who waits for a signature, and what becomes of it: void after the policy's time, expired after
its deadline.

One wake-up of the desk serves all that wait: it is always set to the end that comes first.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from schemas.records import Proposal
from streams import hold as holds
from streams.handover import answer, decision
from streams.step import Entries, Event, InForce, InvariantBroken, Wake, meta
from tables.gate import Awaiting


def begin(
    entries: Entries, event: Event, in_force: InForce, proposal: Proposal, body: str
) -> list[Any]:
    """Puts an intent among those that wait."""
    if in_force.policy is None:
        raise InvariantBroken("an intent waits for a signature, but no policy asks for one")
    void_ms = event.at_ms + in_force.policy.approvals.ttl_s * 1000
    ends_ms = min(void_ms, proposal.deadline_ms)
    ends_as = "VOID" if void_ms <= proposal.deadline_ms else "EXPIRED"
    before = _first_ms(entries)
    entries.put(
        "awaiting",
        Awaiting(proposal.intent_id, ends_ms, ends_as, body),
        f"{ends_ms:016d}|{proposal.intent_id}",
    )
    return [Wake(ends_ms)] if before is None or ends_ms < before else []


def end(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Ends all whose time has come and frees what they held."""
    outputs: list[Any] = []
    due = takewhile(lambda item: item[1].ends_ms <= event.at_ms, entries.range("awaiting"))
    stamp = meta(event, in_force, f"tick:{event.at_ms}")
    for rest, waiting in list(due):
        entries.delete("awaiting", rest)
        ended = holds.free(entries, waiting.intent_id, waiting.ends_as)
        reason = "expired"
        outputs += answer(waiting.intent_id, ended, waiting.body, reason, event, stamp)
        said = {"intent_id": waiting.intent_id, "ends_ms": waiting.ends_ms, "reason": reason}
        outputs.append(decision(ended, ended.state, said, event, stamp, in_force))
    first_ms = _first_ms(entries)
    return outputs if first_ms is None else [*outputs, Wake(first_ms)]


def _first_ms(entries: Entries) -> int | None:
    first: tuple[str, Awaiting] | None = next(entries.range("awaiting"), None)
    return None if first is None else first[1].ends_ms
