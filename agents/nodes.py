"""One loop over the topology makes every Faust agent: decode, fold, and carry the outputs out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from agents import exact
from agents.observe import Observer
from agents.signatures import SEAM, UNSIGNED_IF_IMPORTED, Check, Sign
from agents.wiring import WireCodec, partition_of
from schemas.topics import BY_NAME, key_of, partition_key
from schemas.wire import Wire
from streams.effects import Call, Look, Prepare
from streams.node import Node, fold, node_key
from streams.step import IMPORTED, DeadLetter, Emit, Event, Refused, Started, Tick, Wake
from tables.spec import PARTITION_KEY

HOT = frozenset({"treasury.pnl.v1", "treasury.positions.v1"})
LIVE, REPLAY = {"treasury.mode": "live"}, {"treasury.mode": "replay"}
NONE: Mapping[str, Any] = {}


class _Sink(NamedTuple):
    """A topic that a node writes, and how its records are signed, if they are."""

    topic: Any
    encode: Callable[[Any], bytes]
    sign: Sign | None


def add_node(
    app: exact.App,
    node: Node,
    wire: Wire,
    partitions: int,
    *,
    sign: Mapping[str, Sign] = NONE,
    checks: Mapping[str, Check] = NONE,
    observer: Observer | None = None,
) -> None:
    """Adds one node's agent and table to the app. What goes out on a topic of `sign` carries a
    signature; what comes in on a topic of `checks` is looked at before the step sees it; an
    `observer` sees both ends of every step.
    """
    codec = WireCodec(wire)
    source = app.topic(*node.sources, value_serializer=codec)
    outs = {
        name: _Sink(app.topic(name, value_serializer=codec), wire.encoder(name), sign.get(name))
        for name in node.sinks
    }
    table = app.Table(
        node.table.name, source=source, dumps=node.table.dumps, loads=node.table.loads
    )

    async def agent(stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            part = table.parts[event.partition]
            check = checks.get(event.topic)
            if event.topic in UNSIGNED_IF_IMPORTED and _mode(part) is REPLAY:
                check = None
            try:
                if check is not None:
                    check(event)
            except Refused as why:
                event.refuse(why.cause, str(why), SEAM)
                continue
            try:
                _check_partition(event, partitions)
                if observer is not None:
                    observer.begin(event)
                outputs = fold(node, part, _input(event))
                for output in outputs:
                    seen = observer is not None and isinstance(output, Emit)
                    more = observer.headers(output.topic) if observer and seen else NONE
                    _carry_out(output, node, event, outs, part, partitions, more)
                if observer is not None:
                    observer.end(event, outputs, part)
            except (Refused, exact.TooLarge) as why:
                event.refuse(getattr(why, "cause", "too_large"), str(why))
        return
        yield  # an agent of Faust's is a generator; this one sends instead of yielding

    app.agent(source, name=node.name)(agent)


def _check_partition(event: exact.Event, partitions: int) -> None:
    """State of one key in two partitions would be two truths: a foreign partitioner is refused."""
    if event.key == PARTITION_KEY or event.topic[0] == "@":
        return
    expected = partition_of(event.key, partitions)
    if event.partition != expected:
        why = f"key {event.key!r} belongs to partition {expected} (murmur2)"
        raise Refused("partition", "partition", event.partition, why)


def _input(event: exact.Event) -> Any:
    """The engine's own runs become what steps know; a record has an Event's shape already."""
    if event.topic == exact.TICK:
        value: Any = Tick()
    elif event.topic == exact.STARTED:
        value = Started(event.offset)
    else:
        return event
    return Event(
        event.topic,
        event.partition,
        event.offset,
        event.key,
        value,
        event.at_ms,
        event.at_ms,
    )


def _carry_out(
    output: Any,
    node: Node,
    event: exact.Event,
    outs: dict[str, _Sink],
    part: Any,
    partitions: int,
    more: Mapping[str, str],
) -> None:
    if isinstance(output, Emit):
        topic = BY_NAME[output.topic]
        key = output.key if output.key is not None else key_of(topic, output.value)
        lies_by = partition_key(topic, output.value)
        sink = outs[output.topic]
        headers = None if output.topic in HOT else _mode(part)
        if sink.sign is not None and headers is LIVE:
            signed_as = event.key if key is None else key  # as it is sent
            headers = LIVE | sink.sign(signed_as, output.value, sink.encode(output.value))
        if more:
            headers = {**(headers or {}), **more}
        sink.topic.send_soon(
            key=key,
            value=output.value,
            partition=_partition(node, event, lies_by, partitions),
            timestamp=output.timestamp_ms,
            headers=headers,
        )
    elif isinstance(output, Wake):
        part.wake(node_key(node, event), output.at_ms)
    elif isinstance(output, Prepare | Call | Look):
        event.effect(output)
    elif isinstance(output, DeadLetter):
        event.dead_letter(output.cause, str(output))
    else:
        raise TypeError(f"a step returned {output!r}, which is no output")


def _mode(part: Any) -> dict[str, str]:
    """What is decided on an imported log says so, and nobody signs it."""
    entry = part.get(PARTITION_KEY)
    imported = entry is not None and any(one.scope == IMPORTED for one in entry.controls)
    return REPLAY if imported else LIVE


def _partition(node: Node, event: exact.Event, lies_by: str | None, partitions: int) -> int | None:
    """Where an output lies; None: where its key does."""
    if node.per_partition:
        return event.partition
    return None if lies_by is None else partition_of(lies_by, partitions)
