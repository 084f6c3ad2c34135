"""What every benchmark needs: a broker of its own, topics, worker processes, and what they cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from weir.home import Home
from weir.kafka import Broker

PARTITIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")


class Rig:
    """A folder, a broker in it, and the workers started on it."""

    def __init__(self, *, brief: bool = True) -> None:
        """`brief` False: a broker compiled for a long life, as `weir up` starts it."""
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.broker = Broker(Home(self.folder / "home"))
        self.bootstrap = self.broker.up(attached=True, brief=brief)
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 3})
        self.workers: dict[int, subprocess.Popen[bytes]] = {}

    def close(self) -> None:
        for worker in self.workers.values():
            worker.kill()
        self.broker.down(wipe=True)

    def create(self, topics: dict[str, bool]) -> None:
        """Name -> compacted."""
        new = [
            NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"} if compact else {})
            for name, compact in topics.items()
        ]
        for answer in self.admin.create_topics(new).values():
            answer.result()

    def start(self, slot: int, module: str, **settings: Any) -> subprocess.Popen[bytes]:
        """Starts a worker process; its log is `worker-<slot>.log` in the folder."""
        given = {"bootstrap": self.bootstrap, "slot": slot, "datadir": str(self.datadir(slot))}
        log = (self.folder / f"worker-{slot}.log").open("ab")
        command = [sys.executable, "-m", module, json.dumps(given | settings)]
        self.workers[slot] = subprocess.Popen(command, stdout=log, stderr=log)
        return self.workers[slot]

    def datadir(self, slot: int) -> Path:
        return self.folder / f"worker-{slot}"

    def stop(self) -> list[int]:
        """Asks every worker to stop; kills what does not. Returns the exit codes."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers.values():
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        return [worker.returncode for worker in self.workers.values()]

    def producer(self, **settings: Any) -> Producer:
        ours = {"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"}
        more = {"queue.buffering.max.messages": 2_000_000, "linger.ms": 5, "log_level": 3}
        return Producer({**ours, **more, **settings})

    def ends(self, topic: str) -> dict[int, int]:
        """End offsets, uncommitted records included."""
        where = {TopicPartition(topic, p): OffsetSpec.latest() for p in range(PARTITIONS)}

        def ask() -> dict[int, int]:
            asked = self.admin.list_offsets(where, isolation_level=IsolationLevel.READ_UNCOMMITTED)
            return {tp.partition: answer.result().offset for tp, answer in asked.items()}

        return _patient(ask)

    def lag(self, group: str, topic: str) -> int:
        """Records of a topic the group has not committed; markers count, so it may not reach 0."""
        where = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        request = [ConsumerGroupTopicPartitions(group, where)]
        found = _patient(
            lambda: self.admin.list_consumer_group_offsets(request)[group].result()
        ).topic_partitions
        ends = self.ends(topic)
        return sum(ends[item.partition] - max(item.offset, 0) for item in found)

    def read(self, topic: str, committed: bool = True) -> Iterator[Any]:
        """Every record of a topic, to its end."""
        level = "read_committed" if committed else "read_uncommitted"
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "bench-reader",
                "isolation.level": level,
                "enable.partition.eof": True,
                "enable.auto.commit": False,
                "log_level": 3,
            }
        )
        ends = self.ends(topic)
        left = {p for p, end in ends.items() if end > 0}
        consumer.assign([TopicPartition(topic, p, 0) for p in left])
        deadline = time.monotonic() + 120
        while left:
            for message in consumer.consume(10_000, 0.5):
                if message.error() is None:
                    yield message
                elif (
                    message.error().code() == KafkaError._PARTITION_EOF
                    and message.offset() >= ends[message.partition()]
                ):
                    left.discard(message.partition())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic}: partitions {left} do not end")
        consumer.close()


def _patient(ask: Callable[[], Any]) -> Any:
    """Asks again while a fresh broker is still electing and loading."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> int:
    """Largest resident size of a process so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise LookupError(f"process {pid} has no VmHWM")
