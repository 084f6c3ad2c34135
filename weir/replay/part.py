"""The table of one node's partition during a replay: plain entries, the wake-ups among them, and
the hash after each transaction.

Written apart from the engine's own table, because it is its judge. What they share is the meaning
of an entry: its bytes, its digest, and the names under which wake-ups are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agents.exact.due import DUE, Due
from agents.exact.store import digest
from tables.memory import OrderedStore
from tables.spec import TableSpec
from weir.replay.base import MODULUS, Base, hexed


class Part:
    """Entries of one (node, partition). A refused event is taken back; `close` ends a
    transaction.
    """

    def __init__(self, table: TableSpec, base: Base | None = None) -> None:
        self._table = table
        self._store = OrderedStore()
        self._undo: list[tuple[str, Any, int | None]] = []
        self._changed: dict[str, None] = {}
        self._digests: dict[str, int] = {}
        self._total = 0
        if base is not None:
            self._begin_from(base)
        self.due = Due(self)

    def get(self, key: str) -> Any | None:
        return self._store.get(key)

    def put(self, key: str, value: Any) -> None:
        self._note(key)
        self._store.put(key, value)

    def delete(self, key: str) -> None:
        self._note(key)
        self._store.delete(key)

    def range(self, prefix: str) -> Iterator[tuple[str, Any]]:
        return self._store.range(prefix)

    def begin(self) -> None:
        """The next event: what the one before wrote stands."""
        self._undo.clear()

    def take_back(self) -> None:
        """Undoes what the present event wrote."""
        for key, before, due_at in reversed(self._undo):
            if before is None:
                self._store.delete(key)
            else:
                self._store.put(key, before)
            if key.startswith(DUE):
                self.due.restore(_due_key(key), due_at)
        self._undo.clear()

    def close(self) -> tuple[str, list[str]]:
        """The table's hash now, in hex, and the keys that the transaction changed."""
        changed = list(self._changed)
        for key in changed:
            value = self._store.get(key)
            self._total -= self._digests.pop(key, 0)
            if value is not None:
                self._digests[key] = digest(key.encode(), self._bytes(key, value))
                self._total += self._digests[key]
        self._changed.clear()
        self._total %= MODULUS
        return hexed(self._total), changed

    def text(self, key: str) -> str | None:
        """An entry as its changelog would show it."""
        value = self._store.get(key)
        return None if value is None else self._bytes(key, value).decode()

    def base(self, node: str, partition: int) -> Base:
        """All of it, as after the transaction that was closed last."""
        texts = {
            key: self._bytes(key, value).decode() for key, value in self._store.entries.items()
        }
        return Base(node, partition, hexed(self._total), texts)

    def _begin_from(self, base: Base) -> None:
        for key, text in base.entries.items():
            data = text.encode()
            is_due = key.startswith(DUE)
            self._store.put(key, int(data) if is_due else self._table.loads(key, data))
            self._digests[key] = digest(key.encode(), data)
        self._total = sum(self._digests.values()) % MODULUS
        if hexed(self._total) != base.table_hash:
            base.prove()

    def _bytes(self, key: str, value: Any) -> bytes:
        return str(value).encode() if key.startswith(DUE) else self._table.dumps(key, value)

    def _note(self, key: str) -> None:
        due_at = self.due.at(_due_key(key)) if key.startswith(DUE) else None
        self._undo.append((key, self._store.get(key), due_at))
        self._changed[key] = None


def _due_key(key: str) -> str:
    return key.split("|", 2)[2]
