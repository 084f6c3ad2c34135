"""The executor: carries intents out. It decides no policy, and it alone calls the outside.

Its `intents` node decides what is attempted; the runner carries effects out after their transaction
has committed and answers with records. The pollers read accounts and write what they read.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agents import exact, keys
from agents.connectors.bybit.config import Venue
from agents.connectors.registry import connectors
from agents.controls import Controls
from agents.feeds.assembly import run_feeds
from agents.nodes import add_node
from agents.observe import Observer, Reached, committed
from agents.outside import Outside
from agents.policies.assembly import run_policy_sources, run_return_watch
from agents.runner import Runner
from agents.settings import WorkerSettings
from agents.signatures import (
    INTENTS,
    answer_check,
    answering,
    checking,
    ending,
    inbox_checks,
)
from agents.worker import new_app, run, trusting, wire_of
from streams.topology import EXECUTOR, NODES


def build(settings: WorkerSettings) -> exact.App:
    """The executor's Faust app, with runner and pollers beside it."""
    wire = wire_of(settings)
    app = new_app(EXECUTOR, settings, wire)
    trust = trusting(settings)
    checks = {
        INTENTS: checking(trust.pipelines),
        **answer_check(trust),
        **inbox_checks(trust.pipelines, trust.executors),
    }
    key = keys.executor(settings.home)
    for node in NODES:
        if node.app == EXECUTOR:
            add_node(
                app,
                node,
                wire,
                settings.partitions,
                sign=ending(key) | answering(key),
                checks=checks,
                observer=Observer(),
            )
    venues = [
        Venue(
            account_id=account.account_id,
            api_key=account.api_key,
            api_secret=account.api_secret.get_secret_value(),
            endpoint=account.endpoint,
        )
        for account in settings.venues
    ]
    outside = Outside(settings.bootstrap, wire, settings.partitions, sign=answering(key))
    controls = Controls(settings.bootstrap, wire)
    parties = connectors([*venues, *(account.bank() for account in settings.banks)])
    runner = Runner(parties, outside, controls)

    under_way: set[asyncio.Task[None]] = set()

    @app.effects
    async def carry(effects: list[Any], before_commit_s: float) -> None:
        await committed(effects, before_commit_s)
        for effect in (one for one in effects if not isinstance(one, Reached)):
            task = asyncio.get_running_loop().create_task(runner.carry(effect, before_commit_s))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    @app.task
    async def poll() -> None:
        controls.start()
        if settings.slot == 0:
            await run_feeds(settings, venues, outside, wire, asyncio.Event())

    @app.task
    async def watch_policies() -> None:
        if settings.slot == 0:
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                for watch in (run_policy_sources, run_return_watch):
                    tasks.create_task(watch(settings, outside, controls.standing, stop))

    return app


if __name__ == "__main__":
    run(build(WorkerSettings()))
