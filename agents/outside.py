"""The one producer for everything that is written outside a transaction: answers, polls, controls.

A record is written when the broker has acknowledged it from all in-sync replicas, not before;
`write` returns then and raises otherwise. Retries inside the client are idempotent. What lies
beyond that (a process that died between an answer and its record) is the reader's business: every
such record carries an id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from agents.signatures import Sign
from agents.wiring import partition_of
from schemas.topics import BY_NAME, key_of, partition_key, partitions_of, timestamp_ms
from schemas.wire import Wire

DELIVERY_S = 30


class NotWritten(RuntimeError):
    """The broker did not acknowledge a record: whether it is on the log is unknown."""


class Outside:
    """Writes contract records, those on a topic of `sign` with a signature; usable from any task of
    one event loop. `close` flushes.
    """

    def __init__(
        self,
        bootstrap: str,
        wire: Wire,
        partitions: int,
        client: Mapping[str, Any] | None = None,
        sign: Mapping[str, Sign] | None = None,
    ) -> None:
        self._wire, self._partitions, self._sign = wire, partitions, sign or {}
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "message.timeout.ms": DELIVERY_S * 1000,
                "log_level": 3,
                **(client or {}),
            }
        )
        self._poller: asyncio.Task[None] | None = None
        self._open = 0

    async def write(
        self,
        topic: str,
        record: Any,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        partition: int | None = None,
    ) -> int:
        """Writes one record and returns its offset. Raises NotWritten.

        The key, partition and time follow the topic's contract; `key` is for records that do not
        hold theirs, `partition` for copies that lie in each of them.
        """
        contract, value = BY_NAME[topic], self._wire.encode(topic, record)
        key = key if key is not None else key_of(contract, record)
        if key is None:
            raise ValueError(f"{topic}: {type(record).__name__} does not name its key")
        said, sign = dict(headers or {}), self._sign.get(topic)
        if sign is not None:
            said |= sign(key, record, value)
        at_ms = timestamp_ms(contract, record)
        placed = partition_key(contract, record)
        arguments: dict[str, Any] = {
            "key": key.encode(),
            "value": value,
            "headers": [(name, text.encode()) for name, text in said.items()],
        }
        if at_ms is not None:
            arguments["timestamp"] = at_ms
        if partition is not None:
            arguments["partition"] = partition
        elif placed is not None:
            count = partitions_of(contract, self._partitions)
            arguments["partition"] = partition_of(placed, count)
        return await self._deliver(topic, arguments)

    async def dead_letter(
        self, topic: str, key: bytes, value: bytes, headers: Mapping[str, str]
    ) -> int:
        """Writes to the dead letters of a topic what never became a record; its offset. Raises
        NotWritten.
        """
        arguments = {
            "key": key,
            "value": value,
            "headers": [(name, text.encode()) for name, text in headers.items()],
        }
        return await self._deliver(BY_NAME[f"{topic}.dlq"].name, arguments)

    async def close(self) -> None:
        """Waits for what is under way. Raises NotWritten if something stays behind."""
        left = await asyncio.to_thread(self._producer.flush, DELIVERY_S)
        if self._poller is not None:
            self._poller.cancel()
        if left:
            raise NotWritten(f"{left} records were not acknowledged within {DELIVERY_S} s")

    async def _deliver(self, topic: str, arguments: dict[str, Any]) -> int:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            loop.call_soon_threadsafe(_settle, done, topic, error, message)

        self._open += 1
        try:
            self._producer.produce(topic, on_delivery=delivered, **arguments)
            if self._poller is None or self._poller.done():
                self._poller = loop.create_task(self._poll())
            return await done
        except (BufferError, KafkaException) as why:
            raise NotWritten(f"{topic}: {why}") from why
        finally:
            self._open -= 1

    async def _poll(self) -> None:
        """Serves delivery reports while any is awaited."""
        while self._open:
            await asyncio.to_thread(self._producer.poll, 0.1)


def _settle(
    done: asyncio.Future[int], topic: str, error: KafkaError | None, message: Message
) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(NotWritten(f"{topic}: {error.str()}"))
    else:
        done.set_result(message.offset() or 0)
