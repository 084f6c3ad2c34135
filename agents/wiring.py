"""What joins the contracts to Faust: the Avro codec, partition numbers, and the merge order's
record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import faust
from aiokafka.partitioner import murmur2

from agents.exact.order import Order
from schemas.records import MergeRun, Run
from schemas.wire import Wire

ORDER_TOPIC = "treasury.merge-order.v1"
CODE_VERSION = "0.1.0"


class WireCodec(faust.Codec):
    """The Avro contract of each topic behind Faust's codec interface."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def loads_of(self, topic: str) -> Callable[[bytes], Any]:
        return self._wire.decoder(topic)

    def dumps_of(self, topic: str) -> Callable[[Any], bytes]:
        return self._wire.encoder(topic)


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """Where a key lies: murmur2 as every Java client computes it."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % partitions


def order_dumps(wire: Wire) -> Callable[[Order], bytes]:
    """Writes the engine's merge order as the contract's record, with policy and code in force."""
    encode = wire.encoder(ORDER_TOPIC)

    def dumps(order: Order) -> bytes:
        known = order.stamp
        return encode(
            MergeRun(
                node=order.table,
                partition=order.partition,
                at_ms=order.at_ms,
                policy=f"{known.policy_name}@{known.policy_version}" if known else "none",
                policy_hash=known.policy_hash if known else "",
                code=CODE_VERSION,
                runs=tuple(Run(topic, start, stop) for topic, start, stop in order.runs),
                table_hash=order.table_hash,
            )
        )

    return dumps
