"""Where one Bybit account is reached, and the guard that keeps real money out of reach.

Until intents are signed, only a sandbox on this machine or the venue's test network may be called:
a key for the real venue set by mistake must stop the start, not the first payment.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TESTNET = "https://api-testnet.bybit.com"


class ForbiddenEndpoint(ValueError):
    """The endpoint is neither a sandbox on this machine nor the test network."""


@dataclass(frozen=True)
class Venue:
    """One account: `account_id` is `bybit:<number>`; a timeout is for one request, in seconds.

    `paced` is false only for a sandbox that was started without request limits.
    """

    account_id: str
    api_key: str
    api_secret: str = field(repr=False)
    endpoint: str
    timeout_s: float = 10.0
    recv_window_ms: int = 5000
    paced: bool = True

    def __post_init__(self) -> None:
        guard(self.account_id, self.endpoint)


def guard(account_id: str, endpoint: str) -> None:
    """Refuses every endpoint but the two kinds that cannot cost money. Raises ForbiddenEndpoint."""
    if endpoint == TESTNET:
        return
    parts = urlsplit(endpoint)
    plain = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme == "http" and plain and _loopback(parts.hostname or ""):
        return
    raise ForbiddenEndpoint(
        f"account {account_id}: endpoint {endpoint!r} is refused; this version calls only a sandbox"
        f" on this machine (http://127.0.0.1:PORT) or the test network ({TESTNET})"
    )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
