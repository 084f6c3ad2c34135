"""The sources that the settings name, the publisher that listens to them, and who takes back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Final

from agents import keys
from agents.policies import consul, file
from agents.policies.counting import Orders
from agents.policies.layers import Fault, Layer, environment
from agents.policies.publisher import Publisher
from agents.policies.returning import ReturnWatch
from agents.policies.seen import surroundings
from agents.runner import Writes
from agents.settings import WorkerSettings
from agents.standing import Standing
from schemas.signing import PrivateKey

ENV: Final = "env"


async def run_policy_sources(
    settings: WorkerSettings,
    writes: Writes,
    standing: Callable[[], Standing | None],
    stop: asyncio.Event,
    variables: Mapping[str, str] = os.environ,
) -> None:
    """Runs until told to stop; returns at once when no source is set."""
    env = _environment(variables)
    consul_at = _consul(settings)
    sources = {
        file.SOURCE: settings.policy_file is not None,
        ENV: isinstance(env, Fault) or bool(env.content),
        consul.SOURCE: consul_at is not None,
    }
    if not any(sources.values()):
        return

    chosen = [name for name, is_set in sources.items() if is_set]
    around = surroundings(settings)
    publisher = Publisher(chosen, writes, standing, lambda: signing_keys(settings), around)
    if sources[ENV]:
        publisher.hear(env)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stop))
        if settings.policy_file is not None:
            tasks.create_task(file.watch(settings.policy_file, publisher.hear, stop))
        if consul_at is not None:
            tasks.create_task(consul.watch(consul_at, publisher.hear, stop))


async def run_return_watch(
    settings: WorkerSettings,
    writes: Writes,
    standing: Callable[[], Standing | None],
    stop: asyncio.Event,
) -> None:
    """Takes a policy back that fires more than was agreed to; runs until told to stop."""
    orders = Orders(settings.bootstrap, settings.partitions)
    await ReturnWatch(writes, standing, orders, lambda: signing_keys(settings)).run(stop)


def signing_keys(settings: WorkerSettings) -> list[PrivateKey]:
    """What this worker signs a policy with. Raises KeyFault."""
    name = settings.policy_signer
    return [] if name is None else [keys.load(settings.home, name)]


def _environment(variables: Mapping[str, str]) -> Layer | Fault:
    try:
        return Layer(ENV, "environment", environment(variables))
    except ValueError as why:
        return Fault(ENV, "environment", str(why))


def _consul(settings: WorkerSettings) -> consul.Consul | None:
    if settings.consul is None:
        return None
    token = settings.consul_token.get_secret_value() if settings.consul_token else ""
    return consul.Consul(settings.consul.rstrip("/"), settings.consul_prefix.strip("/"), token)
