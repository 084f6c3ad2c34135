"""OAuth2 client credentials: who may ask, for how long, and how often."""

import hmac
import secrets
from collections import deque
from dataclasses import dataclass, field

__all__ = ["Gate", "TooMany", "Unauthorised"]


class Unauthorised(Exception):
    """No token, an unknown one, or one that has ended."""


class TooMany(Exception):
    """Over the limit; `retry_s` until the next request is taken."""

    def __init__(self, retry_s: int) -> None:
        super().__init__(f"over the limit, again in {retry_s} s")
        self.retry_s = retry_s


@dataclass
class Gate:
    """Clients with their secrets, and the tokens that live. A limit of 0 is none."""

    clients: dict[str, str]
    life_s: int = 300
    limit_per_s: int = 50
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    given: int = 0
    refused: int = 0
    _asked: dict[str, deque[int]] = field(default_factory=dict)

    def token(self, client: str, secret: str, now_ms: int) -> str:
        """A new token. Raises Unauthorised."""
        known = self.clients.get(client, "")
        if not known or not hmac.compare_digest(known.encode(), secret.encode()):
            raise Unauthorised("invalid_client")
        self.tokens = {one: kept for one, kept in self.tokens.items() if kept[1] > now_ms}
        token = secrets.token_urlsafe(24)
        self.tokens[token] = (client, now_ms + self.life_s * 1000)
        self.given += 1
        return token

    def admit(self, authorisation: str, now_ms: int) -> str:
        """The client of a request. Raises Unauthorised, TooMany."""
        kind, _, token = authorisation.partition(" ")
        client, until_ms = self.tokens.get(token, ("", 0))
        if kind.lower() != "bearer" or now_ms >= until_ms:
            raise Unauthorised("invalid_token")
        asked = self._asked.setdefault(client, deque())
        while asked and asked[0] + 1000 <= now_ms:
            asked.popleft()
        if self.limit_per_s and len(asked) >= self.limit_per_s:
            self.refused += 1
            raise TooMany(1)
        asked.append(now_ms)
        return client

    def forget(self) -> None:
        """End every token now."""
        self.tokens.clear()
