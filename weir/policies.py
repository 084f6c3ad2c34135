"""`weir policy set`: a YAML file becomes the next version of the policy, validated before it goes
out and signed by an admin once the policy in force names one.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from msgspec.structs import replace

from agents.keys import KeyFault, load
from agents.standing import POLICIES
from schemas.policy import canonical, from_yaml, policy_hash
from schemas.records import PolicyUpdate
from schemas.wire import Wire
from streams.statements import policy_bytes
from streams.step import Refused
from weir.controls import standing_of, write
from weir.errors import WeirError
from weir.home import home


def put(bootstrap: str, wire: Wire, file: Path, admins: list[str]) -> str:
    """Puts the policy of a file in force; what is wrong with it is a WeirError and nothing is
    written.
    """
    try:
        policy = from_yaml(file.read_text("utf-8"))
    except (OSError, ValueError) as why:
        raise WeirError(f"{file}: {why}") from why
    standing = standing_of(bootstrap, wire)
    last, body = standing.update, canonical(policy)
    update = PolicyUpdate(
        name=policy.name,
        version=last.version + 1 if last is not None else 1,
        hash=policy_hash(body),
        body=body,
        source="file",
        author=", ".join(admins) or os.environ.get("USER", "unknown"),
        signatures=(),
        previous_hash=last.hash if last is not None else "",
        at_ms=time.time_ns() // 1_000_000,
    )
    if last is not None and last.hash == update.hash:
        return f"{last.name}@{last.version} is in force already: nothing changed"
    try:
        keys = [load(home().root, name) for name in admins]
        signatures = tuple(key.sign(policy_bytes(update)) for key in keys)
        update = replace(update, signatures=signatures)
        standing.judge(update)
    except (KeyFault, Refused) as why:
        raise WeirError(f"not set: {why}") from why
    offset = asyncio.run(write(bootstrap, wire, POLICIES, update))
    return f"{update.name}@{update.version}, hash {update.hash[:12]} ({POLICIES}[0]@{offset})"
