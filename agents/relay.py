"""The relay: copies every policy and control into each partition of every node's inbox.

A copy takes effect at a definite place in each partition's order, which a global table could not
give. It decides nothing and keeps nothing; the copies and the offsets of the originals are one
transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agents import exact
from agents.nodes import LIVE
from agents.wiring import WireCodec
from schemas.policy import parse, policy_hash
from schemas.records import (
    BookInput,
    Control,
    ControlCopy,
    DeskInput,
    IntentInput,
    PolicyCopy,
    PolicyUpdate,
)
from schemas.wire import Wire
from streams.topology import NODES, RELAYED
from tables.spec import PARTITION_KEY

INBOX_RECORD = {"book": BookInput, "gate": DeskInput, "intents": IntentInput}


def add_relay(app: exact.App, wire: Wire, partitions: int) -> None:
    """Adds the relay's agent to the app; its sources have one partition."""
    codec = WireCodec(wire)
    source = app.topic(*RELAYED, value_serializer=codec)
    inboxes = [
        (app.topic(node.inbox, value_serializer=codec), INBOX_RECORD[node.name])
        for node in NODES
        if node.inbox is not None
    ]

    async def relay(stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            try:
                copy = _copy(event.value)
            except ValueError as why:
                event.refuse("policy", str(why))
                continue
            for inbox, record in inboxes:
                for partition in range(partitions):
                    inbox.send_soon(
                        key=PARTITION_KEY,
                        value=record(body=copy),
                        partition=partition,
                        headers=LIVE,
                    )
        return
        yield  # an agent of Faust's is a generator; this one sends instead of yielding

    app.agent(source, name="relay")(relay)


def _copy(update: PolicyUpdate | Control) -> PolicyCopy | ControlCopy:
    """Raises ValueError, naming the field, for a policy that is not what it says."""
    if isinstance(update, Control):
        return ControlCopy(update.scope, update.mode, update.epoch, update.reason, update.at_ms)
    parse(update.body)
    if policy_hash(update.body) != update.hash:
        raise ValueError(f"hash: {update.hash!r} is not the hash of the body")
    return PolicyCopy(update.name, update.version, update.hash, update.body)
