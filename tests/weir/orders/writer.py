"""A pipeline's producer for tests of those who pull: orders in a partition, committed when told."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass

from confluent_kafka import Producer
from msgspec.structs import replace

from agents.wiring import partition_of
from schemas.ids import derive
from schemas.records import SweepOrder
from schemas.wire import SchemaIds, Wire
from streams.sweep_order import TOPIC
from tests.streams.sweep_world import Bank

P = 8
WIRE = Wire(SchemaIds.from_lock())
(SHAPE,) = Bank().play("sweep o1 OUT 750000").said("order")
SIGNATURE = "e30..c2ln"
_numbers = itertools.count()
_run = secrets.token_hex(4)


def order(partition: int, at_ms: int = 1_749_600_000_000, **more: object) -> SweepOrder:
    """An order whose key lies in a partition."""
    while True:
        cause = f"test:{_run}-{next(_numbers)}"
        name = derive("sweep", "bank:0123456789", cause, 0, "test@1", at_ms)
        if partition_of(name, P) == partition:
            return replace(SHAPE, order_id=name, created_ts_ms=at_ms, **more)


@dataclass
class Writer:
    """What it writes counts once it has committed."""

    producer: Producer

    @classmethod
    def on(cls, bootstrap: str) -> Writer:
        """A new one, as after a takeover."""
        made = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": secrets.token_hex(6),
                "linger.ms": 0,
                "log_level": 0,
            }
        )
        made.init_transactions(10)
        return cls(made)

    def write(self, *orders: SweepOrder, mode: str = "live") -> list[str]:
        for one in orders:
            self.producer.produce(
                TOPIC,
                WIRE.encode(TOPIC, one),
                one.order_id.encode(),
                partition_of(one.order_id, P),
                timestamp=one.created_ts_ms,
                headers=[("treasury.mode", mode.encode()), ("jws", SIGNATURE.encode())],
            )
        assert self.producer.flush(10) == 0
        return [one.order_id for one in orders]

    def commit(self) -> None:
        self.producer.commit_transaction(10)

    def abort(self) -> None:
        self.producer.abort_transaction(10)

    def begin(self) -> Writer:
        self.producer.begin_transaction()
        return self
