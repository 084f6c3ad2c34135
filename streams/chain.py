"""Hash chains: how a record follows from the one before, and one root over many chains.

A record's hash is sha256 over the bytes of the hash before it and the canonical JSON of the record
without `prev_hash` and `hash`. That JSON is the record's own JSON form (what `weir consume --json`
prints as its value), so an auditor needs no code of ours. The root is the Merkle tree of RFC 6962
over the heads in the order of their chain ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from schemas.jsonform import iso, to_json
from schemas.records import AuditRecord, ChainHead, Checkpoint
from streams.canonical import canonical

GENESIS = "0" * 64
"""The hash before the first record."""


def digest(prev_hash: str, content: dict[str, Any]) -> str:
    """The hash of what stands after `prev_hash` (both in hex). ValueError if that is no hex."""
    return sha256(bytes.fromhex(prev_hash) + canonical(content).encode()).hexdigest()


def content(record: AuditRecord) -> dict[str, Any]:
    """What a record's hash speaks of: its JSON form without the two hashes."""
    meta = record.meta
    return {
        "meta": {
            "event_id": meta.event_id,
            "event_time": iso(meta.event_time_ms),
            "policy": meta.policy,
            "source": {
                "topic": meta.source.topic,
                "partition": meta.source.partition,
                "offset": meta.source.offset,
            },
        },
        "chain_id": record.chain_id,
        "seq": record.seq,
        "kind": record.kind,
        "decision_id": record.decision_id,
        "actor": record.actor,
        "body": record.body,
    }


def root(heads: Iterable[ChainHead]) -> str:
    """The Merkle root over heads, in hex; the sha256 of nothing where there are none."""
    ordered = sorted(heads, key=lambda head: head.chain_id)
    leaves = [sha256(b"\0" + canonical(to_json(head)).encode()).digest() for head in ordered]
    return (_tree(leaves) if leaves else sha256(b"").digest()).hex()


def payload(checkpoint: Checkpoint) -> bytes:
    """What is signed: the checkpoint without its signature, as canonical JSON."""
    form = to_json(checkpoint)
    del form["jws"]
    return canonical(form).encode()


def goes_back(now: Iterable[ChainHead], before: Checkpoint) -> str:
    """Which chain takes back what a checkpoint saw, in words; empty when none does."""
    heads = {head.chain_id: head for head in now}
    for old in before.heads:
        new = heads.get(old.chain_id)
        if new is None or new.seq < old.seq:
            shorter = "is gone" if new is None else f"ends at {new.seq}"
            return f"{old.chain_id} {shorter}, had {old.seq} records at {iso(before.at_ms)}"
        if new.seq == old.seq and new.hash != old.hash:
            return f"{old.chain_id} record {old.seq} has two hashes: fork"
    return ""


def _tree(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + _tree(leaves[:split]) + _tree(leaves[split:])).digest()
