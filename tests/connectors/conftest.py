"""The sandbox venue as a real process, and small HTTP servers that answer what a test wants."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.connectors.bybit import Venue

ACCOUNTS_OPTION = ("--accounts", "250")
READY_S = 20.0
HTTP = httpx.Client(verify=False)  # one for all, and no certificates to read: it is plain HTTP


@dataclass
class Sandbox:
    """A running venue: each test takes an account of its own."""

    endpoint: str
    paced: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(100_001))

    def venue(self, number: int | None = None, **more: Any) -> Venue:
        """Settings of an account nobody has used yet, or of the one named."""
        number = number or next(self._numbers)
        options: dict[str, Any] = {
            "api_secret": f"secret-{number}",
            "endpoint": self.endpoint,
            "timeout_s": 1.0,
            "paced": self.paced,
        }
        return Venue(f"bybit:{number}", f"sandbox-{number}", **{**options, **more})

    def fault(self, path: str, kind: str, **more: Any) -> None:
        """Arms one fault for the next request of a path."""
        order = {"path": path, "kind": kind, **more}
        HTTP.post(f"{self.endpoint}/sandbox/faults", json=order).raise_for_status()

    def disarm(self) -> None:
        """Forgets the faults that have not fired."""
        HTTP.delete(f"{self.endpoint}/sandbox/faults").raise_for_status()

    def by_hand(self, venue: Venue, op: str, **params: str) -> Any:
        """Does something at the venue without us, as a person or as the venue itself would."""
        order = {"account": venue.account_id.partition(":")[2], "op": op, "params": params}
        return HTTP.post(f"{self.endpoint}/sandbox/manual", json=order).raise_for_status().json()

    def books(self, venue: Venue) -> Any:
        """What the venue really did for an account."""
        number = venue.account_id.partition(":")[2]
        asked = {"brief": True, "account": number}
        whole = HTTP.get(f"{self.endpoint}/sandbox/books", params=asked).json()
        return whole["accounts"][number]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sandbox of `weir sandbox bybit`, on a free port and without request limits."""
    options = ("--no-rate-limits", *ACCOUNTS_OPTION)
    with started(tmp_path_factory.mktemp("sandbox"), "weir.sandbox.bybit", *options) as endpoint:
        yield Sandbox(endpoint)


@pytest.fixture(scope="session")
def limited_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The same with the documented limits."""
    folder = tmp_path_factory.mktemp("limited")
    with started(folder, "weir.sandbox.bybit", *ACCOUNTS_OPTION) as endpoint:
        yield Sandbox(endpoint, paced=True)


@contextmanager
def started(folder: Path, module: str, *options: str) -> Iterator[str]:
    """A stand-in as a process of its own; where it answers."""
    port_file = folder / "port"
    command = [sys.executable, "-m", module, "--port", "0", "--port-file", str(port_file)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{_port(port_file, process)}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _port(port_file: Path, process: subprocess.Popen[bytes]) -> int:
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        if port_file.exists():
            return int(port_file.read_text())
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox ended with {process.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"the sandbox did not answer within {READY_S} s")


@dataclass
class Recorded:
    """A server that answers every request alike and remembers the exact bytes it got; what stands
    in `first` is answered before, one each.
    """

    endpoint: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    first: list[bytes] = field(default_factory=list)
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)

    def answer(self, value: Any) -> None:
        """The JSON of every answer from now on."""
        self.body = json.dumps(value).encode()

    def venue(self, **more: Any) -> Venue:
        """Settings of an account that is reached here."""
        return Venue("bybit:1", "key", **{"api_secret": "s", "endpoint": self.endpoint, **more})


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """A stand-in for one answer of the venue."""
    record = Recorded()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(record))
    record.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield record
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(record: Recorded) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            length = int(self.headers.get("Content-Length", 0))
            record.seen.append((method, self.path, self.rfile.read(length)))
            body = record.first.pop(0) if record.first else record.body
            self.send_response(record.status)
            for name, value in record.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing: the test looks at `seen`."""

    return Handler
