"""Which entries of a table differ after a transaction whose hash does: the changelog is asked.

A transaction's rows on the changelog end with the row `@hash`, which carries the hash; so they are
found by it. Compaction may have taken them since, then only the replayed side is known.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from agents.exact.store import HASH_KEY
from streams.node import Node
from weir.replay.base import changelog
from weir.replay.log import Log, Record


def entries(
    log: Log, node: Node, partition: int, table_hash: str, replayed: dict[str, str | None]
) -> dict[str, Any]:
    """By key, both sides of each entry of the transaction that is not the same in both."""
    rows = _rows(log, changelog(node), partition, table_hash)
    if rows is None:
        return {key: {"recorded": "compacted", "replayed": text} for key, text in replayed.items()}
    keys = sorted(rows.keys() | replayed.keys())
    return {
        key: {"recorded": rows.get(key), "replayed": replayed.get(key)}
        for key in keys
        if rows.get(key) != replayed.get(key)
    }


def _rows(log: Log, topic: str, partition: int, table_hash: str) -> dict[str, str | None] | None:
    """The rows of the transaction that came to this hash; None when they are gone."""
    rows: dict[str, str | None] = {}
    with closing(log.read([topic])) as reader:
        while (record := reader.next(topic, partition)) is not None:
            key = (record.key or b"").decode()
            if key != HASH_KEY:
                rows[key] = None if record.value is None else record.value.decode()
            elif _hash(record) == table_hash:
                return rows
            else:
                rows = {}
    return None


def _hash(record: Record) -> str:
    return str(json.loads(record.value or b"{}").get("hash"))
