"""The word of people on an attempt whose end the venue's records do not tell.

Two of them, with their evidence in words. As long as the policy names nobody, their names are taken
as they stand; from then on each must be a person who operates, and have signed exactly this.
"""

from __future__ import annotations

from schemas.policy import Policy
from schemas.records import AttemptRecord
from schemas.signing import verify
from streams.statements import resolution_bytes
from streams.step import Refused

ROLE = "operate"
ACTORS, SIGNATURE = "actors", "jws."
"""Facts of a HUMAN row: the names, comma between them, and `jws.<name>` for each."""
NEEDED = 2


def people_of(record: AttemptRecord, policy: Policy | None) -> list[str]:
    """Who vouches for a HUMAN row. Raises Refused, naming what is missing."""
    facts = record.facts or {}
    people = sorted({name for name in facts.get(ACTORS, "").split(",") if name})
    if len(people) < NEEDED or not record.message:
        raise Refused("approval", ACTORS, facts.get(ACTORS), "two people and their evidence")
    if policy is not None and policy.people:
        payload = resolution_bytes(record)
        for name in people:
            _check(policy, name, facts.get(f"{SIGNATURE}{name}", ""), payload)
    return people


def _check(policy: Policy, name: str, signature: str, payload: bytes) -> None:
    person = policy.person(name)
    if person is None:
        raise Refused("approval", ACTORS, name, "is none of the policy's people")
    if ROLE not in person.roles:
        raise Refused("approval", ACTORS, name, f"has not the role {ROLE}")
    if not verify(signature, payload, person.public_key):
        raise Refused("signature", f"{SIGNATURE}{name}", signature[:40], "does not fit this")
