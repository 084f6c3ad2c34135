"""`weir status`: what runs, how far it is behind and what is in force, for the person on call.

Files of this home tell about its processes, the cluster tells about everything else, so it also
works from a machine that runs no worker. Nothing is written and no group is joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.wire import Wire
from weir.home import Home, settings
from weir.kafka import Broker, answers
from weir.registry import Registry
from weir.status.cluster import Cluster, look
from weir.status.workers import Worker, workers

__all__ = ["Picture", "picture"]

ANSWER_S = 3.0


@dataclass(frozen=True)
class Picture:
    """Everything `weir status` knows; `cluster` is None when Kafka does not answer."""

    kafka: dict[str, Any]
    registry: str | None
    workers: list[Worker]
    cluster: Cluster | None

    @property
    def answers(self) -> bool:
        return self.cluster is not None

    def as_json(self) -> dict[str, Any]:
        """For programs: the same facts under stable names."""
        return {
            "kafka": self.kafka,
            "registry": self.registry,
            "workers": [worker.as_json() for worker in self.workers],
            "cluster": self.cluster.as_json() if self.cluster else None,
        }


def picture(here: Home, wire: Wire) -> Picture:
    """Looks once; takes about a second."""
    outside = settings().kafka
    registry = settings().registry or Registry(here).url
    if outside:
        alive = answers(outside, ANSWER_S)
        kafka: dict[str, Any] = {"bootstrap": outside, "outside": True, "answers": alive}
    else:
        broker = Broker(here).status()
        alive = broker.answers
        kafka = {
            "bootstrap": broker.bootstrap,
            "outside": False,
            "answers": alive,
            "pid": broker.pid,
            "data_bytes": broker.data_bytes,
            "home": str(here.root),
        }
    address = kafka["bootstrap"]
    cluster = look(address, wire) if alive and address else None
    return Picture(kafka, registry, workers(here), cluster)
