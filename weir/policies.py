"""`weir policy`: what a person says about the policy.

A YAML file becomes the next version, validated before it goes out and signed by an admin once the
policy in force names one. It then stands above the sources that the workers watch (file,
environment, Consul) until it is released.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from agents.keys import KeyFault, load
from agents.policies.update import PERSON, Source, next_version
from agents.standing import POLICIES, Standing
from schemas.policy import Policy, from_yaml
from schemas.records import PolicyUpdate
from schemas.wire import Wire
from streams.step import Refused
from weir.activation import look, refuse
from weir.backtest.rulings import updates
from weir.controls import standing_of, write
from weir.errors import WeirError
from weir.home import home
from weir.progress import progress
from weir.replay.log import KafkaLog, Log

RELEASED: Source = "file"


def put(
    bootstrap: str,
    wire: Wire,
    file: Path,
    admins: list[str],
    despite: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> str:
    """Puts the policy of a file in force. What is wrong with it is a WeirError and nothing is
    written; `tell` hears what was seen of it.
    """
    policy = of_file(file)
    standing = standing_of(bootstrap, wire)
    last = standing.update
    if standing.policy == policy and last is not None and last.source == PERSON:
        return f"{last.name}@{last.version} is in force already: nothing changed"
    _made(standing, policy, PERSON, admins, "{}")  # who may not set it is told before it takes long
    with progress("simulating", "records") as shown:
        seen = look(KafkaLog(bootstrap), wire, standing, policy, shown)
    for line in seen.lines():
        tell(line)
    refuse(seen, despite)
    update = _made(standing, policy, PERSON, admins, seen.record(despite))
    return _write(bootstrap, wire, update)


def of_file(file: Path) -> Policy:
    """The policy of a YAML file. WeirError names the field that is wrong."""
    try:
        return from_yaml(file.read_text("utf-8"))
    except (OSError, ValueError) as why:
        raise WeirError(f"{file}: {why}") from why


def in_force(standing: Standing) -> Policy:
    """The policy that stands. WeirError while there is none."""
    if standing.policy is None:
        raise WeirError("there is no policy yet: `weir policy defaults` prints the shipped one")
    return standing.policy


def standing_in(log: Log, wire: Wire) -> PolicyUpdate:
    """The policy in force at the end of a log, which need not lie on Kafka. WeirError if none."""
    standing = Standing()
    for update in updates(log, wire):
        try:
            standing.judge(update)
        except Refused:
            continue
        standing.take(update)
    if standing.update is None:
        raise WeirError("the log names no policy in force: there is nothing to compare with")
    return standing.update


def release(bootstrap: str, wire: Wire, admins: list[str]) -> str:
    """Lets the watched sources speak again: the policy in force goes on as one of theirs."""
    standing = standing_of(bootstrap, wire)
    last, policy = standing.update, standing.policy
    if last is None or policy is None:
        raise WeirError("there is no policy yet")
    if last.source != PERSON:
        return f"{last.name}@{last.version} is from {last.source}: nothing stands above the sources"
    return _write(bootstrap, wire, _made(standing, policy, RELEASED, admins))


def as_yaml(policy: Policy) -> str:
    """A policy as a file that `weir policy set` reads back as the same."""
    content = policy.model_dump(mode="json")
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


def _made(
    standing: Standing,
    policy: Policy,
    source: Source,
    admins: list[str],
    simulation: str | None = None,
) -> PolicyUpdate:
    """The next version, signed. WeirError if it would not count."""
    author = ", ".join(admins) or os.environ.get("USER", "unknown")
    now_ms = time.time_ns() // 1_000_000
    try:
        keys = [load(home().root, name) for name in admins]
        return next_version(standing, policy, source, author, keys, now_ms, simulation)
    except (KeyFault, Refused) as why:
        raise WeirError(f"not set: {why}") from why


def _write(bootstrap: str, wire: Wire, update: PolicyUpdate) -> str:
    offset = asyncio.run(write(bootstrap, wire, POLICIES, update))
    return f"{update.name}@{update.version}, hash {update.hash[:12]} ({POLICIES}[0]@{offset})"


class _Plain(yaml.SafeDumper):
    """Writes exact decimals, which a policy's JSON holds as text, as the numbers they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if _DECIMAL.fullmatch(text):
        kind = "float" if "." in text else "int"
        return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", text)
    return dumper.represent_str(text)


_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_Plain.add_representer(str, _text)
