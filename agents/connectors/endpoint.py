"""Which endpoints may be called at all: the guard that keeps real money out of reach.

A key for a real venue or bank that was set by mistake must stop the start, not the first payment.
Each party says what it takes besides a sandbox on this machine.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


class ForbiddenEndpoint(ValueError):
    """The endpoint could cost money."""


def is_sandbox(endpoint: str) -> bool:
    """Whether it is a server on this machine, and a bare address without a path or a user."""
    parts = urlsplit(endpoint)
    plain = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts.scheme == "http" and plain and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
