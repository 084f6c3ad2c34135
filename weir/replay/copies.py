"""The outputs of a replay on topics of their own, `replay.RUN.<topic>`, to be read and compared
with any tool. Live topics are never written, and each copy says in its header what it is: the
executor carries out nothing whose `treasury.mode` is not `live`. They stay until somebody deletes
them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.signatures import MODE
from schemas.topics import BY_NAME, FOREVER, settings
from weir.errors import WeirError
from weir.replay.produced import Output
from weir.topics import PATIENCE_S, partition_counts

REPLAY = "replay"
ALL_KEPT = {"cleanup.policy": "delete", "retention.ms": str(FOREVER)}
"""By the copies' times, which are old, any retention would take them at once."""
_RUN = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Copies:
    """Writes the copies of one run. Its topics must not exist yet, so that no two runs mix."""

    def __init__(self, bootstrap: str, run: str, partitions: Mapping[str, int]) -> None:
        if not _RUN.fullmatch(run):
            raise WeirError(f"--to-topics {run}: must be letters, digits, - and _, at most 60")
        self._prefix = f"{REPLAY}.{run}."
        self._create(bootstrap, partitions)
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": int(PATIENCE_S * 1000),
                "log_level": 0,
            }
        )
        self.written = 0

    def take(self, output: Output) -> None:
        """Writes one output as it would lie on its topic."""
        self._producer.produce(
            self._prefix + output.topic,
            output.value,
            output.key,
            output.partition,
            timestamp=output.timestamp_ms,
            headers={MODE: REPLAY},
            on_delivery=self._delivered,
        )
        self.written += 1
        if len(self._producer) > 50_000:
            self._producer.flush(PATIENCE_S)
        self._producer.poll(0)

    def close(self) -> None:
        """WeirError unless the broker has confirmed all of them."""
        left = self._producer.flush(PATIENCE_S)
        if left or self._failed is not None:
            why = self._failed.str() if self._failed else f"{left} are not confirmed"
            raise WeirError(f"not all copies were written to {self._prefix}*: {why}")

    def _create(self, bootstrap: str, partitions: Mapping[str, int]) -> None:
        there = partition_counts(bootstrap)
        used = [name for name in there if name.startswith(self._prefix)]
        if used:
            raise WeirError(f"{used[0]} is there already: name another run, or delete its topics")
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        wanted = [
            NewTopic(
                self._prefix + topic,
                num_partitions=count,
                config=settings(BY_NAME[topic], count, 1) | ALL_KEPT,
            )
            for topic, count in partitions.items()
        ]
        for name, future in admin.create_topics(wanted, request_timeout=PATIENCE_S).items():
            try:
                future.result()
            except KafkaException as error:
                raise WeirError(f"{name} cannot be created: {error.args[0].str()}") from error

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failed = self._failed or error
