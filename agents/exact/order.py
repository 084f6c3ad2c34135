"""The merge order: which events of which topics each table folded, in which order, at what time,
with what result.

Two runs of the same log interleave its topics differently, and a join depends on that. So the order
is recorded in the transaction it belongs to, and a replay that repeats it gets the same bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agents.exact.batch import Batch, Out
from agents.exact.config import Config
from agents.exact.table import Table


class Order(msgspec.Struct, frozen=True):
    """One table's partition in one transaction; `table_hash` is the hex hash of its entries after
    it.
    """

    table: str
    partition: int
    at_ms: int
    runs: tuple[tuple[str, int, int], ...]
    table_hash: str
    stamp: Any = None


def records(config: Config, batch: Batch, hashes: dict[tuple[Table, int], int]) -> list[Out]:
    """The order records of one transaction, ready to produce."""
    if config.order_topic is None or config.order_dumps is None:
        return []
    out: list[Any] = []
    for (table, partition), runs in batch.runs.items():
        at_ms = batch.at_ms[table, partition]
        order = Order(
            table=table.name,
            partition=partition,
            at_ms=at_ms,
            runs=tuple((topic, start, stop) for topic, start, stop in runs),
            table_hash=f"{hashes[table, partition]:064x}",
            stamp=batch.stamps.get((table, partition)),
        )
        key = f"{table.name}|{partition}"
        out.append((config.order_topic, key, config.order_dumps(order), partition, at_ms, None))
    return out
