"""The audit: every decision becomes a link of its partition's chain, without gaps and for ever.

It judges nothing: whatever a node decided is kept as it was written, with the place it lies at and
the input it came from. A body too large for one record goes in by its hash, and follows in parts,
each a link of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.ids import derive
from schemas.records import AuditRecord, Decision, Meta, Source
from streams.canonical import canonical, hash_of
from streams.chain import GENESIS, content, digest
from streams.step import Emit, Entries, Event, InForce, Refused
from tables.audit import Head

BODY_BYTES_MAX = 600_000
"""Quotes double when a text stands in a text, and a record must stay below what Kafka takes."""
PART_CHARACTERS = 100_000

__all__ = ["step"]


def step(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
    """Appends one decision to the chain `entries.key`."""
    decision = event.value
    if not isinstance(decision, Decision):
        raise Refused("body", "body", type(decision).__name__, "the audit reads decisions")
    head = entries.get("heads") or Head(0, GENESIS)
    out = []
    for number, body in enumerate(_bodies(decision)):
        link = AuditRecord(
            meta=_meta(event, entries.key, number),
            chain_id=entries.key,
            seq=head.seq + 1,
            prev_hash=head.hash,
            hash="",
            kind=decision.kind,
            decision_id=decision.decision_id,
            actor=decision.actor,
            body=body,
        )
        head = Head(link.seq, digest(head.hash, content(link)))
        out.append(Emit("treasury.audit.v1", replace(link, hash=head.hash)))
    entries.put("heads", head)
    return out


def _meta(event: Event, chain_id: str, number: int) -> Meta:
    decision: Decision = event.value
    trigger = f"decision:{decision.decision_id}#{decision.meta.event_id}"
    policy, at_ms = decision.meta.policy, event.timestamp_ms
    return Meta(
        event_id=derive("audit", chain_id, trigger, number, policy, at_ms),
        event_time_ms=at_ms,
        policy=policy,
        source=Source(topic=event.topic, partition=event.partition, offset=event.offset),
    )


def _bodies(decision: Decision) -> list[str]:
    """The body of the link, and where it is too large, of the links that follow it."""
    source = decision.meta.source
    said: dict[str, Any] = {
        "node": decision.node,
        "key": decision.key,
        "rule": decision.rule,
        "outcome": decision.outcome,
        "event_id": decision.meta.event_id,
        "event_time_ms": decision.meta.event_time_ms,
        "input": {"topic": source.topic, "partition": source.partition, "offset": source.offset},
    }
    facts = decision.body
    if len(facts.encode()) <= BODY_BYTES_MAX:
        return [canonical({**said, "facts": _embedded(facts)})]
    parts = [facts[at : at + PART_CHARACTERS] for at in range(0, len(facts), PART_CHARACTERS)]
    whole = {"sha256": hash_of(facts), "parts": len(parts)}
    return [
        canonical({**said, "facts": whole}),
        *(canonical({"part": n, "of": len(parts), "text": t}) for n, t in enumerate(parts, 1)),
    ]


def _embedded(facts: str) -> Any:
    """The facts as they were written, byte for byte; as text where they are no JSON."""
    try:
        msgspec.json.decode(facts)
    except msgspec.DecodeError:
        return facts
    return msgspec.Raw(facts.encode())
