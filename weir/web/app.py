"""The application: every router, what they share, and one form of refusal.

To add an endpoint: a file with a `router`, and its line in `ROUTERS`. What an endpoint needs it
takes from `request.app.state.services`; who may call it stands in its signature
(`weir.web.auth.needs`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI

from agents.keys import web
from agents.outside import Outside
from agents.runner import Writes
from agents.signatures import answering
from schemas.wire import Wire
from weir.access import wire
from weir.orders.pull import Orders
from weir.web import balances, errors, health, payments, policies, sweeps
from weir.web.idempotency import Keys
from weir.web.settings import WebSettings

ROUTERS = (
    health.router,
    balances.router,
    sweeps.router,
    payments.router,
    policies.router,
)


@dataclass
class Services:
    """What endpoints work with; made when the server starts, closed when it ends."""

    settings: WebSettings
    wire: Wire
    outside: Writes
    keys: Keys
    orders: Orders
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is changed after what stands was read."""
    seen: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """What dry runs saw of policies, by their hash, what they follow, and the reason given: the
    very text that an admin signs.
    """


Opened = Callable[[WebSettings], AbstractAsyncContextManager[Services]]


@asynccontextmanager
async def opened(settings: WebSettings) -> AsyncIterator[Services]:
    """The real ones: Kafka's idempotent producer, and the key of this home that signs its words."""
    codec = wire()
    sign = answering(web(settings.home))
    outside = Outside(settings.bootstrap, codec, settings.partitions, sign=sign)
    keys = Keys(settings.home / "web" / "keys.sqlite")
    orders = Orders(settings.bootstrap, codec)
    try:
        yield Services(settings, codec, outside, keys, orders)
    finally:
        orders.close()
        keys.close()
        await outside.close()


def build(settings: WebSettings, services: Opened = opened) -> FastAPI:
    """The ASGI application."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings) as made:
            app.state.services = made
            yield

    app = FastAPI(title="Weir", lifespan=life, docs_url=None, redoc_url=None)
    errors.add(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
