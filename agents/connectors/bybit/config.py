"""Where one Bybit account is reached, and the guard that keeps real money out of reach.

Until intents are signed, only a sandbox on this machine or the venue's test network may be called:
a key for the real venue set by mistake must stop the start, not the first payment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.connectors.endpoint import ForbiddenEndpoint, is_sandbox

TESTNET = "https://api-testnet.bybit.com"


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
    if endpoint == TESTNET or is_sandbox(endpoint):
        return
    raise ForbiddenEndpoint(
        f"account {account_id}: endpoint {endpoint!r} is refused; this version calls only a sandbox"
        f" on this machine (http://127.0.0.1:PORT) or the test network ({TESTNET})"
    )
