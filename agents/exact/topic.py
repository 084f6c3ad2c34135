"""Sending: inside an event into the transaction's buffer, outside of one not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import faust

if TYPE_CHECKING:
    from agents.exact.app import App


class TooLarge(ValueError):
    """A value the broker would refuse; it must not reach a transaction, because one refusal dooms
    all of it.
    """


def codec(serializer: Any, attribute: str, topic: str) -> Callable[[Any], Any]:
    """The bare function behind a Faust codec, without the generic layers around it.

    A codec that differs by topic offers `loads_of(topic)` and `dumps_of(topic)`.
    """
    by_topic = getattr(serializer, f"{attribute}_of", None)
    if by_topic is not None:
        made: Callable[[Any], Any] = by_topic(topic)
        return made
    if serializer is None or serializer == "raw":
        return lambda value: value
    nodes = getattr(serializer, "nodes", (serializer,))
    if len(nodes) != 1:
        raise ValueError("a topic of an exactly-once app has one codec, not a chain")
    function: Callable[[Any], Any] = getattr(nodes[0], "_" + attribute)
    return function


class Topic(faust.Topic):
    """A Faust topic whose `send` and `send_soon` go into the running transaction."""

    app: App
    _wire: tuple[str, Callable[[Any], bytes]] | None = None

    async def send(self, **call: Any) -> None:  # type: ignore[override]
        """As Faust's: key, value, partition, timestamp (ms), headers. Key and time default to the
        event's.
        """
        self.send_soon(**call)

    def send_soon(  # type: ignore[override]
        self,
        *,
        key: str | None = None,
        value: Any = None,
        partition: int | None = None,
        timestamp: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """The same without a coroutine. Raises RuntimeError outside an event, TooLarge for an
        oversized value.
        """
        engine = self.app.engine
        event = engine.current
        if event is None:
            raise RuntimeError(f"send to {self.get_topic_name()} outside an event: no transaction")
        if self._wire is None:
            name = self.get_topic_name()
            self._wire = name, codec(self.schema.value_serializer, "dumps", name)
        name, dumps = self._wire
        data = dumps(value)
        if len(data) > engine.config.value_bytes_max:
            raise TooLarge(f"{name}: value of {len(data)} bytes")
        engine.batch.outs.append(
            (
                name,
                event.key if key is None else key,
                data,
                partition,
                event.timestamp_ms if timestamp is None else timestamp,
                headers,
            )
        )
