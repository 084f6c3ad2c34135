"""Takes a policy back that fires more orders than its simulation said: the one before it stands
again, and people are told.

A person's policy says in its record how many orders it would have fired over the last days. For
`activation.watch_s` after it was set the orders that really go out are counted: as many as its
simulation had in an equal time, and as many more as the policy before it allowed, are what was
agreed to. With one more it goes. Without a simulation nothing was agreed to, and nothing is taken
back. What comes back stands as a person's policy, and is not watched itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import structlog
from confluent_kafka import KafkaException

from agents.feeds.alerts import Alerts, wall_ms
from agents.keys import KeyFault
from agents.outside import NotWritten
from agents.policies.update import PERSON, next_version
from agents.runner import Writes
from agents.standing import POLICIES, Standing
from schemas.jsonform import parse_time
from schemas.policy import parse
from schemas.records import PolicyUpdate
from schemas.signing import PrivateKey
from streams.canonical import canonical
from streams.step import Refused

ALERT = "policy-return"
AUTHOR = "weir: return"
LOOK_S = 1.0

log = structlog.get_logger()


class Agreed(NamedTuple):
    """What the record of an activation says: orders over a time, and how many more are allowed."""

    orders: int
    span_ms: int
    allowed: int

    def limit(self, passed_ms: int) -> int:
        """The orders that may have gone out after so long; a part of one counts as one."""
        return -(-self.orders * passed_ms // self.span_ms) + self.allowed


class Counts(Protocol):
    """Counts what goes out."""

    async def since(self, at_ms: int) -> int:
        """How many orders have gone out since a time."""
        ...


class _Orders(msgspec.Struct):
    proposed: int
    allowed: int


class _Simulation(msgspec.Struct, rename={"start": "from", "end": "to"}):
    start: str
    end: str
    orders: _Orders


class _Seen(msgspec.Struct):
    simulation: _Simulation | None = None


def agreed(update: PolicyUpdate) -> Agreed | None:
    """What was agreed to when a policy was set; None where nothing was."""
    try:
        seen = msgspec.json.decode(update.simulation or "{}", type=_Seen).simulation
        if update.source != PERSON or seen is None:
            return None
        span_ms = parse_time(seen.end) - parse_time(seen.start)
    except ValueError as why:
        log.warning("simulation_unreadable", version=update.version, error=str(why))
        return None
    return Agreed(seen.orders.proposed, span_ms, seen.orders.allowed) if span_ms > 0 else None


class ReturnWatch:
    """Watches the policy that stands; usable from one event loop."""

    def __init__(
        self,
        writes: Writes,
        standing: Callable[[], Standing | None],
        counts: Counts,
        keys: Callable[[], list[PrivateKey]],
        clock_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._writes, self._standing, self._counts = writes, standing, counts
        self._keys, self._clock_ms = keys, clock_ms
        self._alerts = Alerts(writes, clock_ms)
        self._done = ""
        """The version that was taken back, or could not be."""
        self._firing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Looks now and then until told to stop."""
        while not stop.is_set():
            try:
                await self.look()
            except (NotWritten, KafkaException) as why:
                log.warning("policy_not_watched", error=str(why))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def look(self) -> PolicyUpdate | None:
        """Takes the policy back if it has fired too much; the version that stands instead."""
        standing = self._standing()
        last = standing.update if standing is not None else None
        if standing is None or standing.policy is None or last is None or _name(last) == self._done:
            return None
        await self._calm(last)
        promise, passed_ms = agreed(last), max(0, self._clock_ms() - last.at_ms)
        if promise is None or passed_ms > standing.policy.activation.watch_s * 1000:
            return None
        fired, limit = await self._counts.since(last.at_ms), promise.limit(passed_ms)
        if fired <= limit:
            return None
        text = (
            f"{_name(last)} fired {fired} orders in {passed_ms // 1000} s, agreed to were {limit}"
        )
        try:
            back = self._back(standing, last, text)
        except (KeyFault, Refused) as why:
            await self._tell(last, f"{text}; it stands, because it cannot be taken back: {why}")
            self._done = _name(last)
            return None
        await self._writes.write(POLICIES, back)
        self._done = _name(last)
        to = _name(standing.before) if standing.before is not None else ""
        await self._tell(last, f"{text}: {to} stands again as {_name(back)}")
        return back

    def _back(self, standing: Standing, last: PolicyUpdate, text: str) -> PolicyUpdate:
        before = standing.before
        if before is None:
            raise Refused("policy", "previous_hash", last.previous_hash, "none stood before it")
        seen = canonical({"follows": last.hash, "returned": text})
        policy, now_ms = parse(before.body), self._clock_ms()
        return next_version(standing, policy, PERSON, AUTHOR, self._keys(), now_ms, seen)

    async def _tell(self, last: PolicyUpdate, text: str) -> None:
        labels = {"policy": _name(last), "author": last.author}
        self._firing = await self._alerts.say(ALERT, "firing", text, labels, severity="critical")

    async def _calm(self, last: PolicyUpdate) -> None:
        """The alert is over once people have set another policy."""
        if self._firing and last.author != AUTHOR:
            text = f"{_name(last)} stands, set by {last.author}"
            self._firing = not await self._alerts.say(ALERT, "resolved", text, {}, severity="info")


def _name(update: PolicyUpdate) -> str:
    return f"{update.name}@{update.version}"
