"""The state that a range begins from, proven by its hash.

Every transaction records its table's hash: the sum modulo 2^256 of sha256(key, 0x00, value) over
all entries. Entries that have this sum are the state, wherever they come from: the changelog (as
long as compaction has not taken what is needed), a fold from the beginning, or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import msgspec

from agents.exact.store import HASH_KEY, digest
from streams.node import Node
from weir.errors import WeirError
from weir.replay.log import Log, Reader

MODULUS = 1 << 256


class Base(msgspec.Struct, frozen=True):
    """The entries of one node and partition after a transaction, as text: what the changelog shows
    of them. `table_hash` (hex) is the one that the transaction recorded.
    """

    node: str
    partition: int
    table_hash: str
    entries: Mapping[str, str]

    def prove(self) -> None:
        """WeirError unless the entries have the hash."""
        total = sum(digest(key.encode(), text.encode()) for key, text in self.entries.items())
        if hexed(total) != self.table_hash:
            raise WeirError(
                f"the state of {self.node}[{self.partition}] is not the one that was recorded: its"
                f" entries have the hash {hexed(total)}, not {self.table_hash}"
            )

    def dump(self) -> bytes:
        """As bytes, one JSON object; the same base always gives the same."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def load(cls, data: bytes) -> Base:
        """From bytes. WeirError when they are no base, or the entries do not have the hash."""
        try:
            found = msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as why:
            raise WeirError(f"{len(data)} bytes are no state of a node: {why}") from why
        found.prove()
        return found


def hexed(total: int) -> str:
    """A table's hash as it is recorded."""
    return f"{total % MODULUS:064x}"


def changelog(node: Node) -> str:
    """The topic of a node's changelog."""
    return f"{node.app}-{node.table.name}-changelog"


def from_changelog(log: Log, node: Node, wanted: Mapping[int, str]) -> dict[int, Base]:
    """The states of a node's partitions as its changelog gives them, by their hashes; those that it
    does not give (compacted, cut, not there) are left out.
    """
    found: dict[int, Base] = {}
    topic = changelog(node)
    try:
        reader = log.read([topic])
    except WeirError:  # an export need not hold it
        return found
    with closing(reader):
        for partition, table_hash in wanted.items():
            entries = _entries(reader, topic, partition, int(table_hash, 16))
            if entries is not None:
                found[partition] = Base(node.name, partition, table_hash, entries)
    return found


def _entries(reader: Reader, topic: str, partition: int, wanted: int) -> dict[str, str] | None:
    """Applies rows until the entries have the hash; that they have it is enough, wherever it is."""
    entries: dict[str, str] = {}
    digests: dict[str, int] = {}
    total = 0
    while total != wanted:
        record = reader.next(topic, partition)
        if record is None:
            return None
        key = (record.key or b"").decode()
        if key == HASH_KEY:
            continue
        total -= digests.pop(key, 0)
        entries.pop(key, None)
        if record.value is not None:
            entries[key] = record.value.decode()
            digests[key] = digest(key.encode(), record.value)
            total += digests[key]
        total %= MODULUS
    return entries
