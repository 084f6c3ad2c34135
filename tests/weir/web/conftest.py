"""The web application over HTTP, its records remembered instead of sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.wire import SchemaIds, Wire
from tests.agents.bank_rig import Log
from tests.weir.sandbox.bank_served import Switch, switching
from weir.orders.pull import Orders
from weir.web.app import Services, build
from weir.web.idempotency import Keys
from weir.web.settings import WebSettings

PUSHER, READER, SETTER = "pusher-token-0001", "reader-token-0001", "setter-token-0001"
TOKENS: Any = (
    {"name": "bank", "token": PUSHER, "scopes": ["balances"]},
    {"name": "desk", "token": READER, "scopes": ["read"]},
    {"name": "admin", "token": SETTER, "scopes": ["policy"]},
)


class Web:
    """A client that shows the token of a pusher, and what was written."""

    def __init__(self, url: str, log: Log) -> None:
        self.client, self.log = httpx.Client(base_url=url, trust_env=False), log

    def push(self, body: bytes, kind: str = "application/json", **headers: str) -> httpx.Response:
        """POST /balances."""
        shown = {"Authorization": f"Bearer {PUSHER}", "Content-Type": kind, **headers}
        return self.client.post("/balances", content=body, headers=shown)


@pytest.fixture(scope="session")
def web_server() -> Iterator[tuple[Switch, str]]:
    """One server for the applications of all tests."""
    with switching() as running:
        yield running


@pytest.fixture
def web(tmp_path: Path, web_server: tuple[Switch, str]) -> Iterator[Web]:
    """The application with a home of its own."""
    switch, url = web_server
    settings, log = WebSettings(bootstrap="none", home=tmp_path, web_tokens=TOKENS), Log()
    keys = Keys(tmp_path / "web" / "keys.sqlite")
    app = build(settings)
    wire = Wire(SchemaIds.from_lock())
    orders = Orders("127.0.0.1:9", wire)  # nobody asks it for any here
    app.state.services = Services(settings, wire, log, keys, orders)
    switch.app = app
    made = Web(url, log)
    yield made
    made.client.close()
    orders.close()
    keys.close()
