"""What a worker shows to Prometheus: the engine's own numbers, beside the metrics that feeds and
nodes keep, over HTTP where `WEIR_METRICS_PORT` says so.

Two workers of one machine need two ports: each takes the one for its app and slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.exact.status import status
from streams.topology import EXECUTOR, PIPELINE

if TYPE_CHECKING:
    from agents.exact.engine import Engine

PER_SLOT = (PIPELINE, EXECUTOR)
_GAUGES = {
    "ready": ("treasury_worker_ready", "1 when partitions are assigned and restored.", 1),
    "loop_age_ms": ("treasury_worker_loop_age_seconds", "Since the last turn of its loop.", 1000),
    "commit_age_ms": ("treasury_worker_commit_age_seconds", "Since the last commit.", 1000),
    "transaction_ms_p50": ("treasury_transaction_seconds_p50", "Median of the last 1,000.", 1000),
    "transaction_ms_p99": ("treasury_transaction_seconds_p99", "Of the last 1,000.", 1000),
}
_COUNTERS = {
    "events": ("treasury_worker_events", "Records folded."),
    "refused": ("treasury_worker_dead_letters", "Records that became dead letters."),
    "transactions": ("treasury_worker_transactions", "Transactions committed."),
}


class EngineCollector(Collector):
    """Reads the engine when it is asked; what is not known yet is left out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """One sample of each, labelled with app and slot."""
        now = status(self._engine)
        labels = [str(now["app"]), str(now["slot"])]
        for field, (name, text, per) in _GAUGES.items():
            if now[field] is not None:
                gauge = GaugeMetricFamily(name, text, labels=["app", "slot"])
                gauge.add_metric(labels, now[field] / per)
                yield gauge
        for field, (name, text) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["app", "slot"])
            counter.add_metric(labels, now[field])
            yield counter


def port_of(first: int, app: str, slot: int) -> int:
    """The port of a worker: pipeline and executor of one slot lie side by side."""
    return first + len(PER_SLOT) * slot + PER_SLOT.index(app)


def serve(engine: Engine, first: int, app: str, slot: int) -> None:
    """Answers `/metrics` on this machine, in a thread of its own. Raises OSError for a port that is
    taken.
    """
    prometheus_client.REGISTRY.register(EngineCollector(engine))
    prometheus_client.start_http_server(port_of(first, app, slot), addr="127.0.0.1")
