"""Who is asking, and how often: signatures over raw bytes, and rate limits with their headers.

A signature covers timestamp, key, receive window and the exact query string or body that was sent,
so nothing is parsed or re-serialised before it is checked.
"""

import hashlib
import hmac
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from weir.sandbox.refusal import Refused

__all__ = ["LIMITS", "Keys", "Limit", "RateLimits", "sign"]

DEFAULT_WINDOW_MS = 5000
AHEAD_MS = 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in a rolling window, counted per account and group of paths."""

    group: str
    count: int
    window_ms: int = 1000


LIMITS = {
    "loan-write": Limit("loan-write", 1),
    "loan-read": Limit("loan-read", 5),
    "transfer": Limit("transfer", 60, 60_000),
    "transfer-list": Limit("transfer-list", 60, 60_000),
    "coins-balance": Limit("coins-balance", 5),
    "order-create": Limit("order-create", 10),
    "order-cancel": Limit("order-cancel", 10),
    "set-leverage": Limit("set-leverage", 10),
    "read": Limit("read", 50),
}


def sign(secret: str, timestamp: str, key: str, window: str, payload: bytes) -> str:
    """The lower-case hex HMAC-SHA256 the venue expects."""
    signed = f"{timestamp}{key}{window}".encode() + payload
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Keys:
    """API keys: `sandbox-<number>` with the secret `secret-<number>` for each account."""

    def __init__(self, accounts: list[str]) -> None:
        self._secrets = {f"sandbox-{number}": (f"secret-{number}", number) for number in accounts}

    def find(self, key: str) -> tuple[str, str] | None:
        """Secret and account of a key, if the venue gave it out."""
        return self._secrets.get(key)

    def account_of(self, headers: Mapping[str, str], payload: bytes, now_ms: int) -> str:
        """The account whose key signed the payload, or a refusal (10003, 10002, 10004)."""
        key = headers.get("x-bapi-api-key", "")
        if key not in self._secrets:
            raise Refused(10003, "API key is invalid.")
        secret, number = self._secrets[key]
        timestamp = headers.get("x-bapi-timestamp", "")
        window = headers.get("x-bapi-recv-window", "")
        sent_ms, window_ms = _number(timestamp), _number(window or str(DEFAULT_WINDOW_MS))
        if sent_ms is None or window_ms is None or not _in_time(sent_ms, window_ms, now_ms):
            raise Refused(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{timestamp}],server_timestamp[{now_ms}],recv_window[{window}]",
            )
        expected = sign(secret, timestamp, key, window, payload)
        if not hmac.compare_digest(expected, headers.get("x-bapi-sign", "")):
            raise Refused(10004, "error sign! origin_string does not match the signature.")
        return number


class RateLimits:
    """Rolling windows per account and group; a request that is refused does not count."""

    def __init__(self, limits: Mapping[str, Limit] | None = None) -> None:
        self._limits = dict(LIMITS if limits is None else limits)
        self._taken: dict[tuple[str, str], deque[int]] = {}
        self.allowed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def take(self, account: str, group: str, now_ms: int) -> tuple[bool, dict[str, str]]:
        """Whether the request may pass, and the headers of its answer."""
        limit = self._limits.get(group)
        if limit is None:
            self.allowed[group] += 1
            return True, {}
        taken = self._taken.setdefault((account, group), deque())
        while taken and taken[0] + limit.window_ms <= now_ms:
            taken.popleft()
        allowed = len(taken) < limit.count
        (self.allowed if allowed else self.refused)[group] += 1
        if allowed:
            taken.append(now_ms)
        left = limit.count - len(taken)
        reset_ms = now_ms if left else taken[0] + limit.window_ms
        return allowed, {
            "X-Bapi-Limit": str(limit.count),
            "X-Bapi-Limit-Status": str(left),
            "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
        }

    def snapshot(self) -> dict[str, dict[str, int]]:
        """How many requests were let through and refused, by group."""
        return {"allowed": dict(self.allowed), "refused": dict(self.refused)}


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None


def _in_time(sent_ms: int, window_ms: int, now_ms: int) -> bool:
    return now_ms - window_ms <= sent_ms < now_ms + AHEAD_MS
