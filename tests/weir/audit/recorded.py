"""A recorded audit for tests: chains as they lie on their topic, and signed checkpoints."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas.records import AuditRecord, ChainHead, Checkpoint
from schemas.signing import PrivateKey
from schemas.wire import SchemaIds, Wire
from streams.chain import GENESIS, content, digest, payload, root
from tables.memory import MemoryStore
from tests.streams.test_audit import AT_MS, audited, decision
from weir.audit.checkpoints import check
from weir.audit.source import AUDIT, CHECKPOINTS, laid
from weir.audit.verify import Report, verify
from weir.lines import shown

WIRE = Wire(SchemaIds.from_lock())
KEY = PrivateKey.new("worker")
KEYS = [KEY.public]


class Lain(NamedTuple):
    """A record of a topic as confluent_kafka's `Message` shows it."""

    of: str
    number: int
    at: int
    name: str
    data: bytes
    time_ms: int

    def topic(self) -> str:
        return self.of

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes:
        return self.name.encode()

    def value(self) -> bytes:
        return self.data

    def headers(self) -> list[tuple[str, bytes]]:
        return [("treasury.mode", b"live")]

    def timestamp(self) -> tuple[int, int]:
        return 1, self.time_ms


def chain(partition: int, count: int) -> list[AuditRecord]:
    """A chain of so many records."""
    store = MemoryStore()
    return [
        link
        for n in range(count)
        for link in audited(store, n, decision(n, f'{{"n":{n}}}'), partition)
    ]


def again(links: list[AuditRecord]) -> list[AuditRecord]:
    """The chain that these records would have been: all hashes anew."""
    out: list[AuditRecord] = []
    before = GENESIS
    for seq, link in enumerate(links, 1):
        bare = replace(link, seq=seq, prev_hash=before)
        before = digest(before, content(bare))
        out.append(replace(bare, hash=before))
    return out


def lying(links: list[AuditRecord]) -> list[Lain]:
    """The records as they lie on the topic, one after the other."""
    offsets: dict[str, int] = {}
    out = []
    for link in links:
        offset = offsets[link.chain_id] = offsets.get(link.chain_id, -1) + 1
        number = int(link.chain_id.removeprefix("audit-"))
        out.append(_lain(AUDIT, number, offset, link.chain_id, link, link.meta.event_time_ms))
    return out


def signed(heads: list[AuditRecord], at_ms: int = AT_MS, key: PrivateKey = KEY) -> Checkpoint:
    """A checkpoint over these last records."""
    named = tuple(ChainHead(link.chain_id, link.seq, link.hash) for link in heads)
    bare = Checkpoint(root_hash=root(named), heads=named, at_ms=at_ms, jws="")
    return replace(bare, jws=key.sign(payload(bare)))


def checkpointed(checkpoints: list[Checkpoint]) -> list[Lain]:
    """The checkpoints as they lie on their topic."""
    return [_lain(CHECKPOINTS, 0, n, "root", one, one.at_ms) for n, one in enumerate(checkpoints)]


def judged(links: list[Lain], checkpoints: list[Lain]) -> Report:
    """What the verifier says."""
    seals = check((laid(one, WIRE) for one in checkpoints), KEYS)  # type: ignore[arg-type]
    return verify((laid(one, WIRE) for one in links), seals)  # type: ignore[arg-type]


def exported(lains: list[Lain]) -> list[dict[str, Any]]:
    """The lines that `weir consume --json` prints for them."""
    return [shown(lain, WIRE) for lain in lains]


def _lain(topic: str, number: int, offset: int, key: str, record: Any, at_ms: int) -> Lain:
    return Lain(topic, number, offset, key, WIRE.encode(topic, record), at_ms)


def text(line: dict[str, Any]) -> str:
    """A line as it stands in a file."""
    return json.dumps(line, ensure_ascii=False)
