"""The relay: copies every policy and control that counts into each partition of every node's inbox.

A copy takes effect at a definite place in each partition's order, which a global table could not
give. The copies and the offsets of the originals are one transaction; what does not count becomes a
dead letter with its reason. The relay keeps nothing on disk: what stood before an event it reads
from the two topics themselves, at its first event and whenever it has missed one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from agents import exact
from agents.nodes import LIVE, NONE
from agents.signatures import Sign
from agents.standing import Reading, Standing, Told, read
from agents.wiring import WireCodec
from schemas.records import (
    BookInput,
    CashInput,
    Control,
    ControlCopy,
    DeskInput,
    IntentInput,
    PolicyCopy,
    PolicyUpdate,
)
from schemas.wire import Wire
from streams.step import Refused
from streams.topology import NODES, RELAYED
from tables.spec import PARTITION_KEY

INBOX_RECORD = {"book": BookInput, "cash": CashInput, "gate": DeskInput, "intents": IntentInput}


def add_relay(
    app: exact.App,
    wire: Wire,
    partitions: int,
    reading: Reading | None = None,
    sign: Mapping[str, Sign] = NONE,
) -> None:
    """Adds the relay's agent to the app; its sources have one partition. `reading` gives what both
    topics hold before some offsets; without it the broker is asked. Copies into an inbox of `sign`
    carry a signature.
    """
    codec = WireCodec(wire)
    source = app.topic(*RELAYED, value_serializer=codec)
    inboxes: list[tuple[Any, Any, Any, Any]] = [
        (
            app.topic(node.inbox, value_serializer=codec),
            INBOX_RECORD[node.name],
            wire.encoder(node.inbox),
            sign.get(node.inbox),
        )
        for node in NODES
        if node.inbox is not None
    ]

    def ask(before: Mapping[str, int]) -> list[Told]:
        return read(app.engine.config.bootstrap, wire, before)

    memory = _Memory(reading or ask)

    async def relay(stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            standing = await memory.before(event)
            try:
                standing.judge(event.value)
            except Refused as why:
                event.refuse(why.cause, str(why))
                continue
            standing.take(event.value)
            copy = _copy(event.value)
            for inbox, record, encode, signed in inboxes:
                value = record(body=copy)
                more = NONE if signed is None else signed(PARTITION_KEY, value, encode(value))
                for partition in range(partitions):
                    inbox.send_soon(
                        key=PARTITION_KEY,
                        value=value,
                        partition=partition,
                        headers={**LIVE, **more},
                    )
        return
        yield  # an agent of Faust's is a generator; this one sends instead of yielding

    app.agent(source, name="relay")(relay)


class _Memory:
    """The standing before an event: carried on while no record is missed, else read again.

    Of the event's own topic it holds what came before; of the other one all there is, because the
    two have no common order and the newest policy is the one to judge by.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._standing: Standing | None = None
        self._next: dict[str, int] = {}

    async def before(self, event: exact.Event) -> Standing:
        if self._standing is None or self._next.get(event.topic) != event.offset:
            told = await asyncio.to_thread(self._reading, {event.topic: event.offset})
            self._standing = Standing.of(told)
            self._next = {one.topic: one.offset + 1 for one in told}
        self._next[event.topic] = event.offset + 1
        return self._standing


def _copy(update: PolicyUpdate | Control) -> PolicyCopy | ControlCopy:
    if isinstance(update, Control):
        return ControlCopy(update.scope, update.mode, update.epoch, update.reason, update.at_ms)
    return PolicyCopy(update.name, update.version, update.hash, update.body)
