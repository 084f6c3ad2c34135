"""Checkpoints: each is signed, speaks of the heads it names, and never takes back an earlier one.

What a checkpoint that holds says about a chain is evidence against the chain: record `seq` had this
hash at that time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.jsonform import iso
from schemas.records import Checkpoint
from schemas.signing import signer, verify
from schemas.topics import CHECKPOINT_KEY
from streams.chain import goes_back, payload, root
from weir.audit.source import Laid


class Mark(NamedTuple):
    """What a signed checkpoint says about one record of a chain."""

    hash: str
    at_ms: int


@dataclass
class Checked:
    """`marks` by chain and seq; `faults` as (place, what is wrong)."""

    count: int = 0
    last_at_ms: int | None = None
    marks: dict[str, dict[int, Mark]] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)


def check(found: Iterable[Laid], public_keys: Sequence[str]) -> Checked:
    """Checks every checkpoint; `public_keys` are the keys that may have signed it."""
    checked = Checked()
    before: Checkpoint | None = None
    for one in found:
        checked.count += 1
        checkpoint: Checkpoint | None = one.record
        why = _fault(one, before, public_keys)
        if why or checkpoint is None:
            checked.faults.append((one.place, why))
            continue
        before, checked.last_at_ms = checkpoint, checkpoint.at_ms
        for head in checkpoint.heads:
            mark = Mark(head.hash, checkpoint.at_ms)
            checked.marks.setdefault(head.chain_id, {}).setdefault(head.seq, mark)
    return checked


def _fault(one: Laid, before: Checkpoint | None, public_keys: Sequence[str]) -> str:
    """What is wrong with a checkpoint; empty when nothing is."""
    checkpoint: Checkpoint | None = one.record
    if checkpoint is None:
        return one.why
    signed = any(verify(checkpoint.jws, payload(checkpoint), key) for key in public_keys)
    if not signed or not _is_canonical(checkpoint.jws):
        return f"the signature of {signer(checkpoint.jws)!r} fits none of {len(public_keys)} keys"
    if checkpoint.root_hash != root(checkpoint.heads):
        return "root_hash is not the root of the heads"
    if one.key != CHECKPOINT_KEY or one.timestamp_ms != checkpoint.at_ms:
        return f"key {one.key!r} or time {iso(one.timestamp_ms)} is not the record's"
    return _takes_back(checkpoint, before) if before is not None else ""


def _takes_back(checkpoint: Checkpoint, before: Checkpoint) -> str:
    if checkpoint.at_ms < before.at_ms:
        return f"is older than the one before, of {iso(before.at_ms)}"
    return goes_back(checkpoint.heads, before)


def _is_canonical(jws: str) -> bool:
    """Whether the text is the one writing of its bytes: base64 has bits that nobody reads."""
    for part in jws.split(".."):
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
            return False
    return True
