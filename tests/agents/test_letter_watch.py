"""The watch over dead letters on a real broker: every letter is told, and the end of it, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.letter import MARK
from agents.letter_watch import LetterWatch
from agents.outside import NotWritten, Outside
from schemas.records import Alert
from tests.weir.audit.recorded import WIRE
from weir.reading import whole

ALERTS, DEAD = "treasury.alerts.v1", "treasury.attempts.v1.dlq"
KEY = "dead-letters|treasury.attempts.v1"
PATIENCE_S = 30.0


class Forgetful:
    """A writer whose broker does not acknowledge the first record it is given."""

    def __init__(self, outside: Outside) -> None:
        self.outside, self.failed = outside, 0

    async def write(self, topic: str, record: Any, **more: Any) -> int:
        if not self.failed:
            self.failed += 1
            raise NotWritten("the broker was away")
        return await self.outside.write(topic, record, **more)


def lay(broker: str, number: int, cause: str, why: str, *, abort: bool = False) -> int:
    """A letter as the engine writes it; its offset."""
    errors = {"exception": cause, "message": why, "topic": "treasury.attempts.v1"}
    errors |= {"partition": str(number), "offset": "17"}
    headers = [(f"__streams.errors.{name}", text.encode()) for name, text in errors.items()]
    headers += [("treasury.step", b"process"), ("treasury.outcome", cause.encode())]
    return put(broker, number, b"not avro", headers, abort)


def redrive(broker: str, number: int, offset: int) -> None:
    """The mark that a letter went back."""
    put(broker, number, None, [(MARK, f"{number}:{offset}".encode())])


def put(broker: str, number: int, value: bytes | None, headers: Any, abort: bool = False) -> int:
    client = {"bootstrap.servers": broker, "transactional.id": "letters", "log_level": 0}
    producer, placed = Producer(client), []
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    arguments: Any = {"headers": headers, "on_delivery": lambda _, one: placed.append(one)}
    producer.produce(DEAD, value, b"lane", number, **arguments)
    producer.flush(PATIENCE_S)
    (producer.abort_transaction if abort else producer.commit_transaction)(PATIENCE_S)
    return int(placed[0].offset())


def told(broker: str) -> list[Alert]:
    found = [WIRE.decode(ALERTS, one.value() or b"") for one in whole(broker, [ALERTS])]
    return [one for one in found if one.key == KEY]


@asynccontextmanager
async def watching(broker: str, writer: Any) -> AsyncIterator[Callable[[int], Any]]:
    """A watch that runs; what is given waits until so many alerts have been written."""
    task = asyncio.create_task(LetterWatch(broker, WIRE, 8, writer).run())

    async def alerts(count: int) -> list[Alert]:
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await asyncio.to_thread(told, broker)) < count:
                pass
        assert len(found) == count, found
        return found

    try:
        yield alerts
    finally:
        task.cancel()


@pytest.mark.req("000-58")
async def test_every_letter_is_told_and_that_none_waits_any_more(
    broker: str, outside: Outside
) -> None:
    before = len(told(broker))
    assert not list(whole(broker, [DEAD])), "another test writes here"
    async with watching(broker, outside) as alerts:
        first = lay(broker, 3, "unknown_intent", "intent_id='x' was never admitted")
        (alert,) = (await alerts(before + 1))[before:]
        assert (alert.state, alert.severity) == ("firing", "warning")
        assert alert.text == (
            f"1 dead letter waits in {DEAD}; the last was treasury.attempts.v1[3]@17,"
            " unknown_intent: intent_id='x' was never admitted"
            f" (`weir dlq show {DEAD}:3:{first}`)"
        )
        lay(broker, 3, "reading", "never committed", abort=True)
        second = lay(broker, 5, "signature", "jws='..' does not fit this")
        alert = (await alerts(before + 2))[-1]
        assert alert.text.startswith(f"2 dead letters wait in {DEAD}; the last was ")
        assert (alert.severity, alert.labels["cause"]) == ("critical", "signature")
    async with watching(broker, Forgetful(outside)) as alerts:
        redrive(broker, 3, first)
        alert = (await alerts(before + 3))[-1]
        assert alert.text.startswith(
            f"1 dead letter waits in {DEAD}; the last was treasury.attempts.v1[5]@17, "
        )
        redrive(broker, 5, second)
        alert = (await alerts(before + 4))[-1]
        assert (alert.state, alert.severity) == ("resolved", "critical")
        assert alert.text == f"no dead letter waits in {DEAD}"
