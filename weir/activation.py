"""What stands between a policy file and its being in force: the lint, and a simulation over the
last days of the log.

Both can object. An objection is overridden only in words, by `--despite REASON`: the reason stands
with the objections in the record of the activation, under the signature of the admins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agents.policies.seen import record
from agents.standing import Standing
from schemas.policy import Policy
from schemas.wire import Wire
from streams.lint import errors
from streams.lint.finding import Finding
from weir import lint, simulate
from weir.backtest import rulings
from weir.backtest.running import Tell
from weir.errors import WeirError
from weir.replay.log import Log


class Seen(NamedTuple):
    """What was seen of a policy before it is in force. `why_not`: why there is no simulation."""

    policy: Policy
    follows: str
    findings: list[Finding]
    simulation: simulate.Simulation | None
    why_not: str
    objections: list[str]

    def record(self, despite: str | None) -> str:
        """The text that the record of the activation carries."""
        return record(
            self.policy,
            self.follows,
            self.findings,
            objections=self.objections,
            despite=despite,
            simulation=None if self.simulation is None else self.simulation.as_json(),
            why_not_simulated=self.why_not,
        )

    def lines(self) -> Iterator[str]:
        """What a person reads."""
        yield from lint.lines(self.findings)
        if self.simulation is None:
            yield f"not simulated: {self.why_not}"
        else:
            yield from simulate.lines(self.simulation)


def look(log: Log, wire: Wire, standing: Standing, policy: Policy, tell: Tell) -> Seen:
    """Lints and, where the policy in force requires it, simulates."""
    findings = lint.look(policy)
    objections = [f"{one.code}: {one.sentence}" for one in errors(findings)]
    simulation, why_not = None, _exempt(log, wire, standing)
    if not why_not and standing.update is not None:
        try:
            in_force = rulings.of(standing.update)
            simulation = simulate.simulate(log, wire, in_force, policy, tell=tell)
        except WeirError as why:
            why_not = f"it cannot be simulated: {why}"
            objections.append(why_not)
    if simulation is not None and simulation.objection is not None:
        objections.append(simulation.objection)
    follows = standing.update.hash if standing.update is not None else ""
    return Seen(policy, follows, findings, simulation, why_not, objections)


def refuse(seen: Seen, despite: str | None, how: str = "--despite REASON") -> None:
    """Raises WeirError for objections that nobody has answered; `how` people answer them."""
    if seen.objections and not (despite or "").strip():
        told = "\n".join(f"  {one}" for one in seen.objections)
        raise WeirError(
            f"not set:\n{told}\nto set it all the same, say why: {how}; the reason and the"
            " objections stand in its record"
        )


def _exempt(log: Log, wire: Wire, standing: Standing) -> str:
    """Why nothing is to be simulated; empty when it is."""
    if standing.policy is None:
        return "no policy is in force yet"
    if not standing.policy.activation.required:
        return "activation.required is false in the policy in force"
    if simulate.newest(log, wire) is None:
        return "the log holds no record of the outside yet"
    return ""
