"""The hedger as a foreign producer: it knows Kafka, a topic and a schema registry, nothing more.

The schema is fetched from the registry, values carry the 5-byte Confluent header, the key is the
account, partitions are chosen by murmur2 as every Java client does.
"""

import io
import json
import struct
import time
from random import Random
from typing import Any

import fastavro
import httpx
from confluent_kafka import KafkaError, Message, Producer
from fastavro.schema import SchemaParseException

from weir.sandbox.books import SETTLE_COIN
from weir.sandbox.money import decimal
from weir.sandbox.records import Execution

__all__ = ["TOPIC", "ExecutionFeed", "FeedBroken", "NoFeed", "fetch_schema", "record_of"]

TOPIC = "hedge-executions"
PAUSE_S = 0.25
REGISTRY_WAIT_S = 60.0


class FeedBroken(Exception):
    """The feed cannot go on: no schema, or the broker refused a row."""


def fetch_schema(
    registry: str, topic: str = TOPIC, wait_s: float = REGISTRY_WAIT_S
) -> tuple[int, Any]:
    """Id and schema of the newest version of a topic's value; waits for a registry that starts."""
    url = f"{registry.rstrip('/')}/subjects/{topic}-value/versions/latest"
    deadline = time.monotonic() + wait_s
    while True:
        try:
            response = httpx.get(url, timeout=5)
            response.raise_for_status()
            answer = response.json()
            return int(answer["id"]), fastavro.parse_schema(json.loads(answer["schema"]))
        except (httpx.HTTPError, ValueError, KeyError, SchemaParseException) as error:
            if time.monotonic() >= deadline:
                raise FeedBroken(f"no schema at {url}: {error}") from error
        time.sleep(PAUSE_S)


def record_of(row: Execution) -> dict[str, Any]:
    """One execution as the topic's record."""
    return {
        "exec_id": row.exec_id,
        "account_id": f"bybit:{row.account}",
        "venue": "bybit",
        "kind": "FILL",
        "category": "linear",
        "symbol": row.symbol,
        "position_idx": 0,
        "side": row.side,
        "exec_type": row.exec_type,
        "qty": decimal(row.quantity_e8),
        "price": decimal(row.price_e8),
        "value": decimal(row.value_e8),
        "fee": decimal(row.fee_e8),
        "fee_ccy": SETTLE_COIN,
        "settle_ccy": SETTLE_COIN,
        "closed_size": decimal(row.closed_e8),
        "multiplier": decimal(10**8),
        "order_id": row.order_id or None,
        "order_link_id": row.order_link_id or None,
        "seq": row.seq,
        "exec_time": row.exec_time_ms,
        "is_maker": row.is_maker,
        "mark_price": decimal(row.mark_e8),
        "source": "ws",
        "revision": 0,
    }


class NoFeed:
    """For a hedger that tells nobody: its executions are read from the venue."""

    delivered = repeated = 0

    def publish(self, row: Execution) -> None:
        """Keep it to itself."""

    def finish(self) -> None:
        """Nothing is under way."""


class ExecutionFeed:
    """Produces executions in order; repeats some of them, since real feeds do."""

    def __init__(
        self,
        bootstrap: str,
        registry: str,
        *,
        topic: str = TOPIC,
        duplicates: float = 0.0,
        seed: int = 0,
        wait_s: float = REGISTRY_WAIT_S,
    ) -> None:
        self._topic = topic
        self._schema_id, self._schema = fetch_schema(registry, topic, wait_s)
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "client.id": "sandbox-hedger",
            }
        )
        self._duplicates = duplicates
        self._random = Random(f"{seed}|duplicates")
        self._again: list[tuple[int, Execution]] = []
        self.delivered = 0
        self.repeated = 0
        self.error = ""

    def publish(self, row: Execution) -> None:
        """Hand one row to the producer; raises when an earlier one was refused."""
        self._produce(row)
        if self._random.random() < self._duplicates:
            self._again.append((self._random.randint(1, 20), row))
        self._again = [(rest - 1, late) for rest, late in self._again]
        for _, late in [entry for entry in self._again if entry[0] <= 0]:
            self._repeat(late)
        self._again = [entry for entry in self._again if entry[0] > 0]
        self._producer.poll(0)
        if self.error:
            raise FeedBroken(self.error)

    def finish(self, timeout_s: float = 60.0) -> None:
        """Send the repeats still due and wait until the broker has everything."""
        for _, late in self._again:
            self._repeat(late)
        self._again = []
        left = self._producer.flush(timeout_s)
        if left or self.error:
            raise FeedBroken(self.error or f"{left} rows not delivered within {timeout_s} s")

    def encode(self, row: Execution) -> bytes:
        """The row in Avro behind the Confluent header: a zero byte and the schema's id."""
        body = io.BytesIO()
        body.write(struct.pack(">bI", 0, self._schema_id))
        fastavro.schemaless_writer(body, self._schema, record_of(row))
        return body.getvalue()

    def _repeat(self, row: Execution) -> None:
        self.repeated += 1
        self._produce(row)

    def _produce(self, row: Execution) -> None:
        self._producer.produce(
            self._topic,
            key=f"bybit:{row.account}",
            value=self.encode(row),
            timestamp=row.exec_time_ms,
            on_delivery=self._delivered,
        )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered += 1
        elif not self.error:
            self.error = f"{message.topic()}: {error}"
