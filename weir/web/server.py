"""`weir web`: serves the application until it is stopped; says where as one JSON line."""

from __future__ import annotations

import json
import socket
import sys

import uvicorn

from agents.worker import log_as_json
from weir.web.app import build
from weir.web.settings import WebSettings


class Server(uvicorn.Server):
    """uvicorn that says where it listens once it answers."""

    def __init__(self, settings: WebSettings) -> None:
        super().__init__(uvicorn.Config(build(settings), log_config=None, server_header=False))
        self._bound = socket.create_server((settings.web_host, settings.web_port))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        host, port = self._bound.getsockname()[:2]
        sys.stdout.write(json.dumps({"event": "web_ready", "url": f"http://{host}:{port}"}) + "\n")
        sys.stdout.flush()

    def serve_forever(self) -> None:
        """Until a signal."""
        self.run(sockets=[self._bound])


if __name__ == "__main__":
    log_as_json()
    Server(WebSettings()).serve_forever()
