"""Serves an ASGI application on a port of its own and says where, once it answers.

The address is printed as one JSON line and, if asked for, written to a file in one step, so that
whoever waits for the file never reads half of it.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvicorn

from weir.sandbox.faults import DroppableProtocol
from weir.sandbox.websocket import PrivateStream

__all__ = ["Server", "listen"]


class Server(uvicorn.Server):
    """uvicorn that announces its address and runs one task beside the requests."""

    def __init__(
        self,
        app: Any,
        bound: socket.socket,
        *,
        port_file: Path | None = None,
        beside: Coroutine[Any, Any, None] | None = None,
        announce: bool = True,
        stream: PrivateStream | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=DroppableProtocol,
            ws=stream.protocol if stream else "none",  # type: ignore[arg-type]
            lifespan="off",
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)
        self._bound, self._port_file, self._beside = bound, port_file, beside
        self._announce, self._stream = announce, stream
        self._task: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._bound.getsockname()[:2]
        return f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if self._beside is not None:
            self._task = asyncio.create_task(self._beside)
            self._task.add_done_callback(self._beside_ended)
        if self._port_file is not None:
            part = self._port_file.with_name(f"{self._port_file.name}.part")
            part.write_text(f"{self._bound.getsockname()[1]}\n")
            os.replace(part, self._port_file)
        if self._announce:
            sys.stdout.write(json.dumps({"event": "sandbox_ready", "url": self.url}) + "\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the task beside, then the stream and the requests."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._stream is not None:
            await self._stream.close()
        await super().shutdown(sockets)

    def serve_forever(self) -> None:
        """Serve until a signal or `should_exit`; raises what broke the task beside."""
        self.run(sockets=[self._bound])
        if self._broken is not None:
            raise self._broken

    def _beside_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
            self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound
