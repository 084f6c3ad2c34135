"""Requests to one bank, each made once: OAuth2 client credentials, pacing, five kinds of failure.

A token is fetched before the request that needs it and renewed before it ends. A 401 says that the
request was not executed: a reading is made again with a new token, a payment is not (its caller
decides). Runs in threads and may block.

What a failure means: no connection (Unavailable) and 401, 429 are before execution; 400, 403, 404,
413, 415 and 422 are a definite no; all else, 409 (it exists already), timeouts and 5xx included,
proves nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from agents.connectors.bank.config import Bank, guard
from agents.connectors.pace import Pace
from agents.connectors.port import (
    ConnectorError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)

BODY_BYTES_MAX = 4 * 1024 * 1024 + 1
"""Of a longer answer the rest is not read: whoever reads it refuses its size."""
RENEW_S = 30.0
READ_S, WRITE_S = 0.05, 0.2
WAIT_MAX_S = 30.0
NOT_EXECUTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
REFUSED = frozenset({400, 403, 404, 413, 415, 422})


@dataclass(frozen=True)
class Answer:
    """What the bank answered with 2xx."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@lru_cache(maxsize=1024)
def client_of(bank: Bank) -> Client:
    """The one client of an account in this process: what polls and what pays wait in one line."""
    return Client(bank)


class Client:
    """Authorised requests of one account; every failure is a ConnectorError."""

    def __init__(self, bank: Bank, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.bank = bank
        self._monotonic = monotonic
        slow = 1.0 if bank.paced else 0.0
        self.reads, self.writes = Pace(slow * READ_S), Pace(slow * WRITE_S)
        self._http = httpx.Client(
            base_url=bank.endpoint,
            timeout=bank.timeout_s,
            follow_redirects=False,
            trust_env=False,
        )
        self._lock = threading.Lock()
        self._token, self._until_s = "", 0.0

    def get(self, path: str, **query: str) -> Answer:
        """One reading; made a second time only when the token was not accepted."""
        for last in (False, True):
            self.reads.wait()
            token = self._authorisation()
            try:
                return self._submit("GET", path, token, self.reads, params=query)
            except Unavailable as why:
                if why.code != "401" or last:
                    raise
        raise Unavailable("the token is not accepted", "401")

    def post(self, path: str, body: bytes, media_type: str, check: Callable[[], None]) -> Answer:
        """One request, `check` being the last thing before it: a token that has ended meanwhile is
        not renewed after it, because that takes time.
        """
        self.writes.wait()
        token = self._authorisation()
        check()
        headers = {"Content-Type": media_type}
        return self._submit("POST", path, token, self.writes, content=body, headers=headers)

    def _submit(
        self,
        method: str,
        path: str,
        token: str,
        pace: Pace,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        try:
            return self._once(method, path, {**(headers or {}), "Authorization": token}, **more)
        except RateLimited as why:
            pace.hold(why.retry_after_s)
            raise
        except Unavailable as why:
            if why.code == "401":
                self._forget(token)
            raise

    def _once(self, method: str, path: str, headers: Mapping[str, str], **more: Any) -> Answer:
        try:
            with self._http.stream(method, path, headers=headers, **more) as response:
                answer = Answer(response.status_code, response.headers, _body(response))
        except NOT_EXECUTED as why:
            raise Unavailable(f"{type(why).__name__}: {why}") from why
        except httpx.HTTPError as why:
            raise TimedOut(f"{type(why).__name__}: {why}") from why
        if 200 <= answer.status < 300:
            return answer
        raise _error(answer)

    def _authorisation(self) -> str:
        """The header of a token that still lives for a while. Raises ConnectorError."""
        with self._lock:
            if self._monotonic() >= self._until_s:
                self._token, life_s = self._fetched()
                self._until_s = self._monotonic() + max(life_s - RENEW_S, life_s / 2)
            return f"Bearer {self._token}"

    def _fetched(self) -> tuple[str, float]:
        """A new token. No answer here has moved money: what is unclear is asked again later."""
        place = self.bank.paths.discovery.format(tenant=self.bank.tenant)
        try:
            found = _object(self._once("GET", place, {}))
            url = urljoin(self.bank.endpoint, str(found.get("token_endpoint") or ""))
            _same_host(self.bank, url)
            body = {"grant_type": "client_credentials", "scope": self.bank.scope}
            who = httpx.BasicAuth(self.bank.client_id, self.bank.client_secret)
            given = _object(self._once("POST", url, {}, data=body, auth=who))
            token, life_s = given.get("access_token"), given.get("expires_in", 300)
            if not isinstance(token, str) or not isinstance(life_s, int | float):
                raise Unavailable("the token endpoint gave no token")
        except RateLimited:
            raise
        except ConnectorError as why:
            raise Unavailable(f"no token: {why.message}", why.code) from why
        return token, float(life_s)

    def _forget(self, authorisation: str) -> None:
        with self._lock:
            if authorisation == f"Bearer {self._token}":
                self._until_s = 0.0


def _body(response: httpx.Response) -> bytes:
    found = bytearray()
    for part in response.iter_bytes():
        found += part
        if len(found) >= BODY_BYTES_MAX:
            break
    return bytes(found[:BODY_BYTES_MAX])


def _error(answer: Answer) -> ConnectorError:
    code, text = str(answer.status), answer.body[:200].decode(errors="replace")
    if answer.status == 429:
        return RateLimited(text, code, _retry_after_s(answer.headers))
    if answer.status == 401:
        return Unavailable(text, code)
    return (Rejected if answer.status in REFUSED else TimedOut)(text, code)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds, where the header says so; a date or nonsense counts as one second."""
    text = headers.get("retry-after", "")
    return min(max(float(text), 0.2), WAIT_MAX_S) if text.isascii() and text.isdigit() else 1.0


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError as why:
        raise TimedOut(f"no JSON: {answer.body[:80]!r}") from why
    if not isinstance(found, dict):
        raise TimedOut(f"no JSON object: {answer.body[:80]!r}")
    return found


def _same_host(bank: Bank, url: str) -> None:
    """Secrets go to the endpoint's own host, whatever its configuration says."""
    parts = urlsplit(url)
    guard(bank.account_id, f"{parts.scheme}://{parts.netloc}")
    if parts.netloc != urlsplit(bank.endpoint).netloc:
        raise Unavailable(f"token_endpoint {url} is not at {bank.endpoint}")
