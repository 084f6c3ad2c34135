"""The pipeline: every node that decides, the relay, the signer of the audit's heads, the watch over
dead letters, and the almanac. It never calls the outside.
"""

from __future__ import annotations

from agents import exact, keys
from agents.almanac import Almanac
from agents.letter_watch import LetterWatch
from agents.nodes import add_node
from agents.observe import OBSERVED, Observer, committed
from agents.outside import Outside
from agents.relay import add_relay
from agents.settings import WorkerSettings
from agents.signatures import copying, inbox_checks, signing
from agents.signer import Signer
from agents.worker import new_app, run, trusting, wire_of
from streams.topology import NODES, PIPELINE


def build(settings: WorkerSettings) -> exact.App:
    """The pipeline's Faust app."""
    wire = wire_of(settings)
    app = new_app(PIPELINE, settings, wire)
    key = keys.pipeline(settings.home)
    trust = trusting(settings)
    checks = inbox_checks(trust.pipelines, trust.executors)
    for node in NODES:
        if node.app == PIPELINE:
            observer = Observer() if node.name in OBSERVED else None
            add_node(
                app,
                node,
                wire,
                settings.partitions,
                sign=signing(key),
                checks=checks,
                observer=observer,
            )
    app.effects(committed)
    add_relay(app, wire, settings.partitions, sign=copying(key))
    outside = Outside(settings.bootstrap, wire, settings.partitions)
    notary = Signer(
        settings.bootstrap, wire, settings.partitions, key, outside, settings.checkpoint_s
    )

    almanac = Almanac(settings.bootstrap, wire, settings.partitions, outside)

    @app.task
    async def checkpoints() -> None:
        if settings.slot == 0:
            await notary.run()

    @app.task
    async def letters() -> None:
        if settings.slot == 0:
            await LetterWatch(settings.bootstrap, wire, settings.partitions, outside).run()

    @app.task
    async def calendars() -> None:
        if settings.slot == 0:
            await almanac.run()

    return app


if __name__ == "__main__":
    run(build(WorkerSettings()))
