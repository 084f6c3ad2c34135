"""A Consul agent for tests: its key-value store over HTTP as Consul's documentation describes it.

GET answers with the keys below a prefix (`recurse`), values in base64, `X-Consul-Index` in every
answer and 404 when there is no key; with `index` it waits until the index is above it or `wait` is
over. `refuse` and `rewind` are what a test makes it do.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KV = "/v1/kv/"


class Store:
    """The agent's store; `queries` are the (index, wait) it was asked with."""

    def __init__(self, token: str = "") -> None:
        self.url, self.token = "", token
        self.index, self.queries = 10, list[tuple[int, str]]()
        self._rows: dict[str, tuple[bytes | None, int]] = {}
        self._refusals = 0
        self._changed = threading.Condition()
        self.closed = False

    def put(self, key: str, value: str | None) -> None:
        """Writes a key; None makes a folder."""
        with self._changed:
            self.index += 1
            self._rows[key] = (None if value is None else value.encode(), self.index)
            self._changed.notify_all()

    def delete(self, key: str) -> None:
        """Takes a key away."""
        with self._changed:
            self.index += 1
            self._rows.pop(key)
            self._changed.notify_all()

    def rewind(self, index: int) -> None:
        """A restored snapshot: the index goes back, and whoever waits is answered."""
        with self._changed:
            self.index = index
            self._rows = {key: (value, index) for key, (value, _) in self._rows.items()}
            self._changed.notify_all()

    def refuse(self, times: int) -> None:
        """The next queries are answered with an error; those that wait are too."""
        with self._changed:
            self._refusals = times
            self._changed.notify_all()

    def close(self) -> None:
        """Lets all go that wait."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def answer(self, path: str, token: str) -> tuple[int, int, Any]:
        """Status, index and body for a GET."""
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        prefix = unquote(parts.path.removeprefix(KV))
        index, wait = int(query.get("index", ["0"])[0]), query.get("wait", ["300s"])[0]
        with self._changed:
            self.queries.append((index, wait))
            if self.token and token != self.token:
                return 403, self.index, "ACL not found"
            if index:
                self._changed.wait_for(
                    lambda: self.index != index or self._refusals or self.closed,
                    float(wait.removesuffix("s")),
                )
            if self._refusals:
                self._refusals -= 1
                return 500, self.index, "No cluster leader"
            rows = [
                _row(key, value, at)
                for key, (value, at) in sorted(self._rows.items())
                if key.startswith(prefix)
            ]
            return (200 if rows else 404), self.index, rows or ""


def _row(key: str, value: bytes | None, at: int) -> dict[str, Any]:
    shown = None if value is None else base64.b64encode(value).decode()
    return {"LockIndex": 0, "Key": key, "Flags": 0, "Value": shown, "CreateIndex": at,
            "ModifyIndex": at}  # fmt: skip


@contextmanager
def serving(token: str = "") -> Iterator[Store]:
    """A store that answers at its `url`."""
    store = Store(token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("X-Consul-Token", "")
            status, index, body = store.answer(self.path, given)
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("X-Consul-Index", str(index))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        store.close()
        server.shutdown()
        thread.join()
        server.server_close()
