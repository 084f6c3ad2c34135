"""A campaign folded again: the recorded merge order, through the same agents, without a broker.

Every transaction of every table's partition is repeated as it was recorded: its time, its runs, its
take-over. The order record that comes out, with its table hash, and the outputs must be the same
bytes as the recorded ones.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import Any

from agents.exact.harness import Harness
from bench import workload
from bench.rig import PARTITIONS, Rig

SOURCES = {"accounts": ("executions", "loans"), "desks": ("desk",)}
SINKS = {"accounts": ("pnl", "allocations"), "desks": ("numbered",)}


def replay(rig: Rig, suffix: str, times: int = 2) -> dict[str, int]:
    """Replays so often; counts transactions, and those whose bytes differ."""
    records = _Records(rig, suffix)
    result = {"replayed": 0, "replay_mismatch": 0}
    for _ in range(times):
        for (table, partition), orders in records.orders.items():
            again = asyncio.run(_one(records, table, partition, orders, suffix))
            result["replayed"] += len(orders)
            result["replay_mismatch"] += again
    return result


class _Records:
    """The log of a campaign, in memory."""

    def __init__(self, rig: Rig, suffix: str) -> None:
        self.inputs: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self.outputs: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
        self.orders: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for stem in {stem for stems in SOURCES.values() for stem in stems}:
            for message in rig.read(f"{stem}-{suffix}"):
                self.inputs[message.topic(), message.partition()].append(message)
        for stem in {stem for stems in SINKS.values() for stem in stems}:
            for message in rig.read(f"{stem}-{suffix}"):
                row = message.key(), message.value(), message.timestamp()[1]
                self.outputs[message.topic(), message.partition()].append(row)
        for message in rig.read(f"order-{suffix}"):
            table, partition = message.key().decode().split("|")
            self.orders[table, int(partition)].append(message.value())

    def run(self, topic: str, partition: int, start: int, stop: int) -> list[Any]:
        """The records of one stretch."""
        records = self.inputs[topic, partition]
        first = bisect_left(records, start, key=_offset)
        return records[first : bisect_left(records, stop, key=_offset)]


def _offset(message: Any) -> int:
    offset: int = message.offset()
    return offset


async def _one(
    records: _Records, table: str, partition: int, orders: list[bytes], suffix: str
) -> int:
    """Folds one partition of one table; returns how many transactions differ, and outputs."""
    bad = 0
    sent: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        app = workload.build(suffix, "127.0.0.1:1", Path(folder), chain=True)
        async with Harness(app, PARTITIONS, only=(table, partition)) as h:
            for recorded in orders:
                order = json.loads(recorded)
                generation, messages = None, []
                for topic, start, stop in order["runs"]:
                    if topic == "@started":
                        generation = start
                    elif topic[0] != "@":
                        messages += records.run(topic, partition, start, stop)
                await h.turn(messages, order["at_ms"], generation)
                for one in h.records:
                    if one.topic == f"order-{suffix}":
                        bad += one.value != recorded
                    key = one.key.encode() if isinstance(one.key, str) else one.key
                    sent[one.topic, one.partition].append((key, one.value, one.timestamp_ms))
                h.records.clear()
    for stem in SINKS[table]:
        at = f"{stem}-{suffix}", partition
        bad += sent[at] != records.outputs[at]
    return bad
