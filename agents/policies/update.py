"""The next version of the policy, made and judged the same way whoever sets it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from agents.standing import BY_PERSON, Standing
from schemas.policy import Policy, canonical, policy_hash
from schemas.records import PolicyUpdate
from schemas.signing import PrivateKey
from streams.statements import policy_bytes

Source = Literal["file", "env", "consul", "rest"]
PERSON: Source = BY_PERSON
"""A policy set by a person, by REST or from the command line: it stands above every other."""


def draft(
    standing: Standing,
    policy: Policy,
    source: Source,
    author: str,
    at_ms: int,
    simulation: str | None = None,
) -> PolicyUpdate:
    """The record that would put a policy in force after what stands, with what was seen of it
    before, not signed yet.
    """
    last, body = standing.update, canonical(policy)
    return PolicyUpdate(
        name=policy.name,
        version=last.version + 1 if last is not None else 1,
        hash=policy_hash(body),
        body=body,
        source=source,
        author=author,
        signatures=(),
        previous_hash=last.hash if last is not None else "",
        at_ms=at_ms,
        simulation=simulation,
    )


def next_version(
    standing: Standing,
    policy: Policy,
    source: Source,
    author: str,
    keys: Iterable[PrivateKey],
    at_ms: int,
    simulation: str | None = None,
) -> PolicyUpdate:
    """The record that puts a policy in force, signed by these keys. Raises Refused if it would not
    count.
    """
    update = draft(standing, policy, source, author, at_ms, simulation)
    signatures = tuple(key.sign(policy_bytes(update)) for key in keys)
    update = replace(update, signatures=signatures)
    standing.judge(update)
    return update
