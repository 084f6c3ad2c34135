"""The loop: fetch, fold, commit, again. One fetch is always under way while the last one is being
folded; the end of a commit ends the wait for it too, because the next batch may be ready.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException

from agents.exact.session import Session

if TYPE_CHECKING:
    from agents.exact.engine import Engine

_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)
_WAIT_S = 0.05


async def run(engine: Engine) -> None:
    """Serves sessions until the worker is stopped. Errors that are not the network's end it."""
    fetch: asyncio.Future[list[Any]] | None = None
    fetched_for: Session | None = None
    while True:
        session = engine.session
        if session is None or not session.ready:
            fetch = None
            if engine.joined:  # with nothing to do, yet ready to take over
                engine.touch()
            await asyncio.sleep(_WAIT_S)
            continue
        if fetch is None or fetched_for is not session:
            fetch, fetched_for = _fetch(engine), session
        await asyncio.wait({fetch, *engine.awaited}, return_when=asyncio.FIRST_COMPLETED)
        engine.meter.looped()
        engine.touch()
        messages: list[Any] = []
        if fetch.done():
            messages, fetch = _usable(fetch.result()), None
        if session is engine.session and not session.stopping:
            fetch = fetch or _fetch(engine)
            await engine.turn(session, messages)
        else:
            fetch = None


def _fetch(engine: Engine) -> asyncio.Future[list[Any]]:
    config = engine.config
    return asyncio.get_running_loop().run_in_executor(
        engine.fetch_thread, engine.consumer.consume, config.batch_max, config.commit_interval_s
    )


def _usable(messages: list[Any]) -> list[Any]:
    out = []
    for message in messages:
        error = message.error()
        if error is None:
            out.append(message)
        elif error.code() not in _PASSING and not error.retriable():
            raise KafkaException(error)
    return out
