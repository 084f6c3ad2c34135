"""pybit, made safe for money: one request is one request.

pybit repeats some answers by itself and its session follows redirects; a repeated POST of a loan
repayment pays twice, since the venue has no idempotency key. All of that is switched off here,
after construction, because an empty `retry_codes` argument would bring the defaults back. One
client per thread: a session is not thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pybit.unified_trading import HTTP

from agents.connectors.bybit.config import Venue
from agents.connectors.bybit.errors import error_of
from agents.connectors.pace import Pace
from agents.connectors.port import ConnectorError, NotSent, RateLimited, TimedOut

LOAN_WRITE_S = 1.1  # the venue allows one loan write a second
TRANSFER_S = 1.1  # and 60 transfers a minute
LOAN_READ_S = 0.25  # five loan reads a second
ASSET_READ_S = 0.25  # five balance reads a second
READ_S = 0.05  # 50 of all others

Json = dict[str, Any]


@lru_cache(maxsize=1024)
def client_of(venue: Venue) -> Client:
    """The one client of an account in this process: the venue counts requests per account, so what
    calls and what polls must wait in the same line.
    """
    return Client(venue)


class Client:
    """Paced, classified requests of one account; every failure is a ConnectorError."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._local = threading.local()
        slow = 1.0 if venue.paced else 0.0
        self.loan_writes, self.transfers = Pace(slow * LOAN_WRITE_S), Pace(slow * TRANSFER_S)
        self.loan_reads, self.asset_reads = Pace(slow * LOAN_READ_S), Pace(slow * ASSET_READ_S)
        self.transfer_reads, self.reads = Pace(slow * TRANSFER_S), Pace(slow * READ_S)

    def read(self, pace: Pace, method: str, **query: str) -> Json:
        """One GET by the name of pybit's method: the whole answer."""
        pace.wait()
        return self._submit(pace, method, query)

    def post(
        self, pace: Pace, method: str, body: dict[str, str], check: Callable[[], None]
    ) -> Json:
        """One POST, after the pace and the caller's last check."""
        pace.wait()
        check()
        return self._submit(pace, method, dict(body))

    def _submit(self, pace: Pace, method: str, parameters: dict[str, str]) -> Json:
        try:
            answer = getattr(self._http(), method)(**parameters)
        except (ConnectorError, NotSent):
            raise
        except Exception as raised:
            error = error_of(raised)
            if isinstance(error, RateLimited):
                pace.hold(error.retry_after_s)
            raise error from raised
        if not isinstance(answer, dict) or answer.get("retCode") != 0:
            raise TimedOut(f"no return code: {str(answer)[:200]}")
        return answer

    def _http(self) -> HTTP:
        found: HTTP | None = getattr(self._local, "http", None)
        if found is None:
            found = self._local.http = http(self._venue)
        return found


def http(venue: Venue) -> HTTP:
    """A pybit client that sends each request once, to the venue's endpoint and nowhere else."""
    made = HTTP(
        api_key=venue.api_key,
        api_secret=venue.api_secret,
        timeout=venue.timeout_s,
        recv_window=venue.recv_window_ms,
        max_retries=1,
        force_retry=False,
    )
    made.retry_codes = set()
    made.endpoint = venue.endpoint
    made.client.max_redirects = 0
    made.client.trust_env = False
    return made
