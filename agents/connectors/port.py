"""What an outside party can be asked, and the only ways in which it may fail.

A connector reads, calls and looks; it decides nothing. It runs in a thread and may block. Amounts
are units of 10^-18 in effects and decimal text in what it hands back. Every failure is one of five:

    ConnectorError
     ├─ Rejected        a definite no: nothing was executed, and asking again is pointless
     ├─ RateLimited     refused before execution because of too many requests; `retry_after_s`
     ├─ TimedOut        nobody knows: the request may have been executed (also resets, 5xx, garbage)
     ├─ Unavailable     refused before execution for now; the same request may pass later
     └─ Unsupported     this party does not do this
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from streams.effects import Call, Look, Prepare

AnswerClass = Literal["accepted", "done", "refused", "transient", "not_sent", "unknown"]

TRANSFER = "TRANSFER"
REPAY = "REPAY"
ADD_COLLATERAL = "ADD_COLLATERAL"
SET_LEVERAGE = "SET_LEVERAGE"
REDUCE_POSITION = "REDUCE_POSITION"
CANCEL_ORDER = "CANCEL_ORDER"


class ConnectorError(Exception):
    """Base of the five; `code` is the party's own code, as text."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message, self.code = message, code


class Rejected(ConnectorError):
    """A definite refusal."""


class RateLimited(ConnectorError):
    """Refused before execution: too many requests."""

    def __init__(self, message: str, code: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, code)
        self.retry_after_s = retry_after_s


class TimedOut(ConnectorError):
    """The outcome is unknown: only the party's own records can tell."""


class Unavailable(ConnectorError):
    """Refused before execution; later it may pass."""


class Unsupported(ConnectorError):
    """This party does not do this."""


class NotSent(Exception):
    """Our own last check said no, right before the request would have gone out."""


@dataclass(frozen=True)
class Reading:
    """What was read before a call: the watermark, and facts about earlier attempts."""

    watermark: dict[str, str]
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a call or a look amounts to."""

    class_: AnswerClass
    venue_ref: str | None = None
    amount_done_e18: int | None = None
    facts: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    message: str | None = None
    raw: bytes | None = None


class Connector(Protocol):
    """One account at one outside party. `capabilities` names the operations it can carry out."""

    capabilities: frozenset[str]

    def prepare(self, work: Prepare) -> Reading:
        """Reads what the call will be judged by. Raises ConnectorError."""

    def call(self, work: Call, check: Callable[[], None]) -> Answer:
        """Posts once, `check` being the last thing before. Raises ConnectorError, NotSent."""

    def look(self, work: Look) -> Answer:
        """Reads what became of a call. Raises ConnectorError."""
