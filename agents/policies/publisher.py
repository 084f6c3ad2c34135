"""Turns what the sources say into versions of the policy, one at a time.

Nothing is written while a source is unread or wrong, while the result is no valid policy or the
lint calls it an error, or while a person's policy stands: then an alert says why, and the policy in
force stays. Only a person can set what the lint calls an error, in words. What it warns of is
logged and stands in the record. What is written has been judged by what stands, as the relay will
judge it; with an admin among the people it is signed by the key that the settings name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from agents.feeds.alerts import Alerts, wall_ms
from agents.keys import KeyFault
from agents.outside import NotWritten
from agents.policies import seen
from agents.policies.layers import ORDER, Fault, Layer, merged, speakers
from agents.policies.update import PERSON, next_version
from agents.runner import Writes
from agents.standing import POLICIES, Standing
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyUpdate
from schemas.signing import PrivateKey
from streams.lint import errors, lint
from streams.lint.finding import Finding, Surroundings
from streams.step import Refused

ALERT = "policy"
WHY_NOT_SIMULATED = "it comes from a watched source"
LOOK_S = 0.5
TAKEN_S = 10.0

log = structlog.get_logger()


class Publisher:
    """The sources named, and what each said last; usable from one event loop.

    `standing` gives what the log says holds now, None as long as nobody knows; `keys` gives the
    keys to sign with; `around` is what the lint is told.
    """

    def __init__(
        self,
        sources: Iterable[str],
        writes: Writes,
        standing: Callable[[], Standing | None],
        keys: Callable[[], list[PrivateKey]],
        around: Surroundings,
        clock_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._said: dict[str, Layer | Fault | None] = dict.fromkeys(sources)
        self._writes, self._standing, self._keys = writes, standing, keys
        self._around = around
        self._alerts, self._clock_ms = Alerts(writes, clock_ms), clock_ms
        self._news = asyncio.Event()
        self._published: dict[str, Layer | Fault | None] = {}
        self._written: PolicyUpdate | None = None
        self._written_ms = 0
        self._text: str | None = None

    def hear(self, said: Layer | Fault) -> None:
        """Takes what a source says now."""
        if self._said[said.source] != said:
            log.info("policy_source", source=said.source, where=said.where, bad=bool(_why(said)))
        self._said[said.source] = said
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Settles after each news, and now and then because people change what stands."""
        while not stop.is_set():
            self._news.clear()
            try:
                await self.settle()
            except NotWritten as why:
                log.warning("policy_not_written", error=str(why))
            try:
                await asyncio.wait_for(self._news.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def settle(self) -> PolicyUpdate | None:
        """Writes the next version if the sources ask for one; that version."""
        standing = self._standing()
        if standing is None or None in self._said.values() or self._on_its_way(standing):
            return None
        why, policy = self._wanted()
        if policy is None:
            await self._say(why)
            return None
        last = standing.update
        if last is not None and last.hash == policy_hash(canonical(policy)):
            self._published = dict(self._said)
            await self._say("")
            return None
        if last is not None and last.source == PERSON:
            name = f"{last.name}@{last.version}"
            await self._say(f"the sources say something else than {name}, set by {last.author}:"
                            " `weir policy release` lets them speak")  # fmt: skip
            return None
        findings = lint(policy, self._around)
        if wrong := errors(findings):
            await self._say("; ".join(map(self._told, wrong)))
            return None
        source = self._changed()
        try:
            update = self._next(standing, policy, source, findings)
        except (KeyFault, Refused) as refused:
            await self._say(f"{source.where}: {refused}")
            return None
        await self._writes.write(POLICIES, update)
        version = f"{update.name}@{update.version}"
        log.info("policy_set", version=version, where=source.where)
        for one in findings:
            log.warning("policy_lint", version=version, code=one.code, told=self._told(one))
        self._written, self._written_ms = update, self._clock_ms()
        self._published = dict(self._said)
        await self._say("")
        return update

    def _next(
        self, standing: Standing, policy: Policy, source: Layer, findings: list[Finding]
    ) -> PolicyUpdate:
        """The next version, with what was seen of it. Raises KeyFault and Refused."""
        follows = standing.update.hash if standing.update is not None else ""
        told = seen.record(policy, follows, findings, why_not_simulated=WHY_NOT_SIMULATED)
        return next_version(
            standing, policy, source.source, source.where, self._keys(), self._clock_ms(), told
        )

    def _told(self, one: Finding) -> str:
        """A finding with the sources it comes from and the fields that collide."""
        fields = ", ".join(f"{path}={value}" for path, value in one.values.items())
        return f"{speakers(self._layers(), one.values)}: {one.code}: {one.sentence} ({fields})"

    def _layers(self) -> list[Layer]:
        return [said for said in self._said.values() if isinstance(said, Layer)]

    def _on_its_way(self, standing: Standing) -> bool:
        """Whether the last version written has not been read back yet."""
        written, last = self._written, standing.update
        if written is None or (last is not None and last.version >= written.version):
            return False
        return self._clock_ms() - self._written_ms < TAKEN_S * 1000

    def _wanted(self) -> tuple[str, Policy | None]:
        faults = [said for said in self._said.values() if isinstance(said, Fault)]
        if faults:
            return "; ".join(f"{fault.where}: {fault.why}" for fault in faults), None
        try:
            return "", merged(self._layers())
        except ValueError as why:
            return str(why), None

    def _changed(self) -> Layer:
        """The strongest source whose word is new since the last version."""
        layers = self._layers()
        news = [layer for layer in layers if self._published.get(layer.source) != layer]
        speaking = [layer for layer in news if layer.content] or news or layers
        return max(speaking, key=lambda layer: ORDER.index(layer.source))

    async def _say(self, text: str) -> None:
        """One alert for all of it: what keeps the sources from being in force, or that they are."""
        if text == self._text:
            return
        if text:
            written = await self._alerts.say(ALERT, "firing", text, {}, "critical")
        else:
            written = await self._alerts.say(
                ALERT, "resolved", "the policy is what its sources say", {}, "info"
            )
        if written:
            self._text = text


def _why(said: Layer | Fault) -> str:
    return said.why if isinstance(said, Fault) else ""
