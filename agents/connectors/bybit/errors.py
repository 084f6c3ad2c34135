"""What each answer of the venue means for money: the class table, as data.

Only codes documented as a definite refusal count as one; everything that is not listed is unknown,
because a code that nobody understood is no proof that nothing happened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError

from agents.connectors.port import (
    ConnectorError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)

TRANSIENT = frozenset({10002})
RATE_LIMITED = frozenset({10006})
REFUSED = frozenset(
    {
        *range(148001, 148007),
        148009,
        *range(148012, 148015),
        *range(148027, 148030),
        148032,
        148033,
        148037,
        148038,
        148047,
        148048,
        10001,
        10003,
        10004,
    }
)
TRANSFER_REFUSED = frozenset({131210, 131212, 131228})
TRANSFER_EXISTS = 131214
LEVERAGE_REFUSED = frozenset({110012, 110013, 110036, 110038, 110044, 110045})
LEVERAGE_IS_SET = 110043
ORDER_REFUSED = frozenset({110004, 110007, 110017, 110020, 110094})
ORDER_EXISTS = frozenset({"110072", "170141"})
ORDER_ENDED = frozenset({"110001", "110008", "110010", "170213", "170142", "170139"})
"""To a cancel: no such order, or one that was filled or cancelled; which, its own row says."""
LIMIT_RESET = "X-Bapi-Limit-Reset-Timestamp"


def error_of(raised: Exception) -> ConnectorError:
    """One of the five for whatever pybit or the network raised; the unexpected is TimedOut."""
    if isinstance(raised, InvalidRequestError):
        return _of_code(raised)
    if isinstance(raised, FailedRequestError):
        return TimedOut(f"HTTP {raised.status_code}: {raised.message}", str(raised.status_code))
    if isinstance(raised, requests.RequestException):
        return TimedOut(f"{type(raised).__name__}: {raised}")
    return TimedOut(f"unreadable answer: {type(raised).__name__}: {raised}")


def _of_code(raised: InvalidRequestError) -> ConnectorError:
    code, text = raised.status_code, str(raised.status_code)
    if code in RATE_LIMITED:
        return RateLimited(raised.message, text, _retry_after_s(raised.resp_headers or {}))
    if code in TRANSIENT:
        return Unavailable(raised.message, text)
    if code in REFUSED | TRANSFER_REFUSED | LEVERAGE_REFUSED | ORDER_REFUSED:
        return Rejected(raised.message, text)
    return TimedOut(raised.message, text)


def _retry_after_s(headers: Mapping[str, Any]) -> float:
    """Seconds until the window opens again; the header may lie in the past or be missing."""
    try:
        reset_ms = int(headers.get(LIMIT_RESET, 0))
    except ValueError:
        return 1.0
    return min(max(reset_ms / 1000 - time.time(), 0.2), 5.0)
