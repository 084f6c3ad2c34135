"""The pipeline: every node that decides, and the relay. It never calls the outside."""

from __future__ import annotations

from agents import exact
from agents.nodes import add_node
from agents.relay import add_relay
from agents.settings import WorkerSettings
from agents.worker import new_app, run, wire_of
from streams.topology import NODES, PIPELINE


def build(settings: WorkerSettings) -> exact.App:
    """The pipeline's Faust app."""
    wire = wire_of(settings)
    app = new_app(PIPELINE, settings, wire)
    for node in NODES:
        if node.app == PIPELINE:
            add_node(app, node, wire, settings.partitions)
    add_relay(app, wire, settings.partitions)
    return app


if __name__ == "__main__":
    run(build(WorkerSettings()))
