"""A real venue over real HTTP for each test that asks: own port, own books, own clock."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pybit.unified_trading import HTTP

from weir.sandbox.auth import RateLimits
from weir.sandbox.books import Books, Terms
from weir.sandbox.endpoints import Venue, build_app
from weir.sandbox.faults import Faults
from weir.sandbox.opening import open_accounts
from weir.sandbox.server import Server, listen
from weir.sandbox.websocket import PrivateStream

Serve = Callable[..., "Served"]
PATIENCE_S = 20.0


def wall_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until a condition holds; its value."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.01)
    return value


def run_in_thread(app: Any, stream: PrivateStream | None = None) -> tuple[Server, threading.Thread]:
    """Serve an ASGI application from a thread."""
    server = Server(app, listen("127.0.0.1", 0), announce=False, stream=stream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), "server started")
    return server, thread


@dataclass
class Served:
    """A running venue and how to reach it."""

    venue: Venue
    url: str

    def client(self, number: str = "100001", **options: Any) -> HTTP:
        """A pybit client of one account, without its own retries."""
        keys = {"api_key": f"sandbox-{number}", "api_secret": f"secret-{number}"}
        client = HTTP(**(keys | {"max_retries": 1, "retry_codes": {0}} | options))
        client.endpoint = self.url
        return client

    def books(self) -> Any:
        """What the venue says about itself."""
        return httpx.get(f"{self.url}/sandbox/books").json()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a venue: `serve(accounts=1, terms=..., limits=..., faults=...)`."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(
        accounts: int = 1,
        terms: Terms | None = None,
        limits: RateLimits | None = None,
        faults: Faults | None = None,
    ) -> Served:
        books = Books(terms=terms or Terms(settle_ms=0))
        open_accounts(books, accounts, wall_ms())
        venue = Venue(books, wall_ms, limits=limits or RateLimits({}), faults=faults or Faults())
        running.append(run_in_thread(build_app(venue), venue.stream))
        return Served(venue, running[-1][0].url)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=PATIENCE_S)


@pytest.fixture(scope="session")
def bank_server() -> Iterator[tuple[Any, str]]:
    """The server of all sandbox banks of a run."""
    from tests.weir.sandbox.bank_served import switching

    with switching() as running:
        yield running


@pytest.fixture
def serve_bank(bank_server: tuple[Any, str]) -> Callable[..., Any]:
    """Start a bank: `serve_bank(opening, terms, now=..., version=..., page=...)`, one at a time."""
    from tests.weir.sandbox.bank_served import serving

    return serving(*bank_server)


@pytest.fixture
def bank(serve_bank: Callable[..., Any]) -> Any:
    """A bank as it comes."""
    return serve_bank()
