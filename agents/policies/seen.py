"""What was seen of a policy before it is in force: what the lint is told, and the text that the
record of the policy carries, the same whoever sets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from agents.connectors.registry import VENUES
from agents.settings import Readings
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyUpdate
from streams import canonical as json_text
from streams.lint.finding import Finding, Surroundings


def surroundings(told: Readings) -> Surroundings:
    """What the lint must know besides the policy, of workers that are told this."""
    return Surroundings(
        poll_ms=round(told.poll_s * 1000),
        bank_poll_ms=round(told.bank_poll_s * 1000),
        balance_limit_ms=round(told.balance_limit_s * 1000),
        settle_coin=told.settle_coin,
        venues=frozenset(VENUES),
    )


def record(
    policy: Policy,
    follows: str,
    findings: Iterable[Finding],
    *,
    objections: Iterable[str] = (),
    despite: str | None = None,
    simulation: dict[str, Any] | None = None,
    why_not_simulated: str = "",
) -> str:
    """The text as canonical JSON, so that one has one hash; `follows`: the hash of the policy in
    force then.
    """
    said: dict[str, Any] = {
        "policy_hash": policy_hash(canonical(policy)),
        "follows": follows,
        "findings": [f"{one.severity}: {one.code}" for one in findings],
        "objections": [*objections],
        "despite": despite,
        "simulation": simulation,
        "why_not_simulated": why_not_simulated,
    }
    return json_text.canonical(said)


class _Seen(msgspec.Struct):
    findings: tuple[str, ...] = ()


def findings(update: PolicyUpdate) -> tuple[str, ...]:
    """What the lint found, as the record of a policy says it: `warning: nobody_named`. A text that
    is none says nothing.
    """
    try:
        return msgspec.json.decode(update.simulation or "{}", type=_Seen).findings
    except ValueError:
        return ()
