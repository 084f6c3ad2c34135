"""Is the audit whole? Every chain from its first record, against itself and the checkpoints.

A chain proves that no record in it was changed, removed or put in; a signed checkpoint that none
was taken from its end and that the whole was not written anew. Of each chain the first bad record
is named: what follows it proves nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.jsonform import iso
from schemas.records import AuditRecord
from streams.chain import GENESIS, content, digest
from weir.audit.checkpoints import Checked, Mark
from weir.audit.source import AUDIT, Laid


class Fault(NamedTuple):
    """The first bad record of a chain: where record `seq` should be, and why it is not."""

    chain_id: str
    seq: int
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.chain_id} record {self.seq} ({self.place}): {self.what}"


@dataclass
class Report:
    """What a verification came to. `heads` is the last good record of each chain."""

    heads: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    checkpoints: Checked = field(default_factory=Checked)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and not self.checkpoints.faults

    def __str__(self) -> str:
        lines = [f"BAD  {fault}" for fault in self.faults]
        lines += [f"BAD  checkpoint ({place}): {what}" for place, what in self.checkpoints.faults]
        good, last = sum(self.heads.values()), self.checkpoints.last_at_ms
        signed = f", the last of {iso(last)}" if last is not None else ""
        counted = (
            f"{good:,} records in {len(self.heads)} chains, {self.checkpoints.count} checkpoints"
        )
        lines.append(f"{'whole' if self.whole else 'good before that'}: {counted}{signed}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "whole": self.whole,
            "heads": self.heads,
            "checkpoints": self.checkpoints.count,
            "faults": [fault._asdict() for fault in self.faults]
            + [
                {"chain_id": None, "seq": None, "place": place, "what": what}
                for place, what in self.checkpoints.faults
            ],
        }


def verify(links: Iterable[Laid], checkpoints: Checked) -> Report:
    """Verifies all chains; each one's records in their order, chains mixed as they come."""
    chains: dict[str, _Chain] = {}
    for one in links:
        chain_id = f"audit-{one.partition}" if one.topic == AUDIT else "?"
        if chain_id not in chains:
            chains[chain_id] = _Chain(chain_id, checkpoints.marks.get(chain_id, {}))
        chains[chain_id].take(one)
    for chain_id, marks in checkpoints.marks.items():
        chains.setdefault(chain_id, _Chain(chain_id, marks)).end()
    known = sorted(chains.items())
    return Report(
        heads={chain_id: chain.seq for chain_id, chain in known if chain_id != "?"},
        faults=[chain.fault for _, chain in known if chain.fault is not None],
        checkpoints=checkpoints,
    )


class _Chain:
    """One chain while it is read: its last good record, and the first bad one."""

    def __init__(self, chain_id: str, marks: dict[int, Mark]) -> None:
        self.chain_id, self._marks = chain_id, marks
        self.seq, self._hash = 0, GENESIS
        self.fault: Fault | None = None

    def take(self, one: Laid) -> None:
        """The next record as it lies; after a fault nothing is judged."""
        if self.fault is not None:
            return
        record: AuditRecord | None = one.record
        what = one.why if record is None else self._envelope(one, record) or self._link(record)
        if what or record is None:
            self.fault = Fault(self.chain_id, self.seq + 1, one.place, what)
        else:
            self.seq, self._hash = record.seq, record.hash

    def end(self) -> None:
        """After the last record: what a checkpoint has seen beyond it is missing."""
        beyond = max(self._marks, default=0)
        if self.fault is None and beyond > self.seq:
            at = iso(self._marks[beyond].at_ms)
            what = f"the chain ends at {self.seq}, had {beyond} records at the checkpoint of {at}"
            self.fault = Fault(self.chain_id, self.seq + 1, "the end", what)

    def _envelope(self, one: Laid, record: AuditRecord) -> str:
        if record.chain_id != self.chain_id:
            return f"chain_id {record.chain_id!r} lies in {self.chain_id}"
        if one.key != self.chain_id:
            return f"key {one.key!r} is not the chain's"
        if one.timestamp_ms != record.meta.event_time_ms:
            return f"its time {iso(one.timestamp_ms)} is not the record's"
        return ""

    def _link(self, record: AuditRecord) -> str:
        fits = _fits(record)
        if record.seq != self.seq + 1:
            if fits and record.seq <= self.seq:
                return f"a second record {record.seq}: fork"
            if fits:
                return f"missing: record {record.seq} follows {self.seq}"
            return f"seq is {record.seq}"
        if record.prev_hash != self._hash:
            return f"prev_hash is not the hash of record {self.seq}" + (": fork" if fits else "")
        if not fits:
            return "hash does not fit the record"
        mark = self._marks.get(record.seq)
        if mark is not None and mark.hash != record.hash:
            return f"the checkpoint of {iso(mark.at_ms)} saw another record here: written anew"
        return ""


def _fits(record: AuditRecord) -> bool:
    """Whether a record's hash is that of its content and the hash before it."""
    try:
        return digest(record.prev_hash, content(record)) == record.hash
    except ValueError:
        return False
