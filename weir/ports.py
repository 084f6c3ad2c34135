"""Ports of this machine, free and taken. Everything that Weir serves is on 127.0.0.1 only."""

import random
import socket
from contextlib import closing

from weir.errors import WeirError

HOST = "127.0.0.1"
_PORTS = range(20_000, 32_000)  # below the ports that outgoing connections take


def free_port(besides: int | None = None) -> int:
    """A port that nobody listens on now."""
    for port in random.sample(_PORTS, 200):
        if port != besides and is_free(port):
            return port
    raise WeirError(f"no free port found between {_PORTS.start} and {_PORTS.stop}")


def is_free(port: int) -> bool:
    """Whether a server could bind this port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listens(address: str) -> bool:
    """Whether somebody accepts connections at `host:port`."""
    host, _, port = address.rpartition(":")
    with closing(socket.socket()) as probe:
        return probe.connect_ex((host, int(port))) == 0
