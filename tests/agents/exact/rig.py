"""Workers of the sums app as real processes on a real broker, and independent eyes on what they
wrote.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from tests.agents.exact import sums

PATIENCE_S = 120.0
FAST = {"session_timeout_s": 6.0}


class Order(msgspec.Struct):
    """A merge order record as it lies in its topic."""

    table: str
    partition: int
    at_ms: int
    runs: list[tuple[str, int, int]]
    table_hash: str


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Polls until `holds()`; says what did not happen."""
    deadline = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{patience_s:.0f} s passed without: {what}")
        time.sleep(0.05)


class Rig:
    """Topics with one suffix, and the workers of one app on them."""

    def __init__(self, broker: str, suffix: str, folder: Path, partitions: int | None = None):
        self.broker, self.suffix, self.folder = broker, suffix, folder
        self.admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
        self.producer = Producer(
            {
                "bootstrap.servers": broker,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        self.workers: dict[int, subprocess.Popen] = {}
        self.started: list[subprocess.Popen] = []
        topics = sums.topics(suffix)
        self.partitions = {n: partitions or t["partitions"] for n, t in topics.items()}
        new = [
            NewTopic(
                name,
                self.partitions[name],
                1,
                config={
                    **({"cleanup.policy": "compact"} if topic.get("compact") else {}),
                    **({"max.message.bytes": "2000000"} if name.endswith(".dlq") else {}),
                    # event times of tests lie anywhere
                    "retention.ms": "-1",
                    "message.timestamp.after.max.ms": "9223372036854775807",
                },
            )
            for name, topic in topics.items()
        ]
        for answer in self.admin.create_topics(new).values():
            answer.result()

    # -- workers

    def start(self, slot: int = 0, limit: str = "", **settings) -> subprocess.Popen:
        """Starts a worker; `limit` is a shell line to run before it."""
        given = {"suffix": self.suffix, "bootstrap": self.broker, "slot": slot, **FAST}
        given |= {"datadir": str(self.datadir(slot)), **settings}
        command = [sys.executable, "-m", "tests.agents.exact.sums", json.dumps(given)]
        if limit:
            command = ["/bin/sh", "-c", f'{limit}; exec "$@"', "sh", *command]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path(slot).open("ab") as log:
            worker = subprocess.Popen(command, stdout=log, stderr=log)
        self.workers[slot] = worker
        self.started.append(worker)
        return worker

    def close(self) -> None:
        for worker in self.started:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
                worker.wait()

    def stop(self, slot: int = 0) -> int:
        """Asks a worker to stop and returns its exit code."""
        self.workers[slot].send_signal(signal.SIGTERM)
        return self.workers[slot].wait(PATIENCE_S)

    def kill(self, slot: int = 0) -> None:
        self.workers[slot].kill()
        self.workers[slot].wait()

    def ended(self, slot: int = 0) -> int:
        """Waits for a worker to end by itself."""
        return self.workers[slot].wait(PATIENCE_S)

    def stopped(self, slot: int = 0) -> None:
        """Waits until a worker has reached the crash window it was sent to."""
        mark = self.datadir(slot) / "stopped"
        until(mark.exists, f"worker {slot} stops in its window")
        mark.unlink()

    def datadir(self, slot: int) -> Path:
        return self.folder / f"worker-{slot}"

    def log_path(self, slot: int) -> Path:
        return self.folder / f"worker-{slot}.log"

    def log(self, slot: int = 0) -> str:
        return self.log_path(slot).read_text()

    def logged(self, text: str, slot: int = 0, times: int = 1) -> None:
        until(lambda: self.log(slot).count(text) >= times, f"{text!r} in the log of {slot}")

    # -- topics

    def topic(self, stem: str) -> str:
        return stem.replace("{}", self.suffix) if "{}" in stem else f"{stem}-{self.suffix}"

    def changelog(self, table: str) -> str:
        return f"sums-{self.suffix}-{table}-changelog"

    def send(self, stem: str, value, key: str | bytes | None, **more) -> None:
        data = value if isinstance(value, bytes | None) else json.dumps(value).encode()
        self.producer.produce(self.topic(stem), data, key, **more)

    def deposits(
        self, start: int, stop: int, amount=lambda i: 10 + i * 37 % 1000, accounts=7
    ) -> None:
        """Deposits with ids in [start, stop) for a few accounts; now and then a rate, an effect."""
        for i in range(start, stop):
            key = f"acc-{i % accounts}"
            if i % 50 == 0:
                self.send("rates", {"rate": i}, key)
            deposit = {"id": i, "amount": amount(i), "effect": i % 10 == 0}
            self.send("deposits", deposit, key, timestamp=1_000_000 + i)
        self.producer.flush(30)

    def ends(self, topic: str) -> dict[int, int]:
        where = {
            TopicPartition(topic, p): OffsetSpec.latest() for p in range(self.partitions[topic])
        }
        return {tp.partition: a.result().offset for tp, a in self.admin.list_offsets(where).items()}

    def read(self, stem: str, committed: bool = True) -> Iterator:
        """Every record of a topic as it stands now, partition by partition."""
        yield from read(self.broker, self.topic(stem), self.partitions[self.topic(stem)], committed)

    def values(self, stem: str) -> list:
        return [json.loads(message.value()) for message in self.read(stem)]

    def ids(self) -> list[int]:
        return [value["id"] for value in self.values("sums") if "id" in value]

    def wait_for_ids(self, count: int, patience_s: float = PATIENCE_S) -> None:
        """Waits until that many deposits have come out, and all of stage two (committed ones)."""
        seen: set = set()
        with _follower(self.broker, self.topic("sums"), self.partitions) as consumer:
            deadline = time.monotonic() + patience_s
            while len(seen) < count:
                for message in consumer.consume(5000, 0.2):
                    if message.error() is None:
                        seen.add(json.loads(message.value()).get("id", "none"))
                        seen.discard("none")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{len(seen)} of {count} deposits came out")
        until(lambda: self._stage_two_is_done(seen), "all of stage two")

    def _stage_two_is_done(self, seen: set) -> bool:
        """What a transaction wrote becomes visible partition by partition: `large` may lag behind
        the sums, so it is not enough that stage two has numbered what `large` shows.
        """
        wanted = 0
        for message in self.read("deposits"):
            with contextlib.suppress(ValueError):
                value = json.loads(message.value() or b"")
                wanted += value["id"] in seen and value["amount"] > 900
        numbered = len(self.values("numbered"))
        return numbered >= wanted and numbered == len(self.values("large"))

    def orders(self) -> list[Order]:
        decode = msgspec.json.Decoder(Order).decode
        return [decode(message.value()) for message in self.read("order")]

    def entries(self, table: str) -> dict[int, dict[str, object]]:
        """Partition -> key -> value of a changelog, as compaction would leave it."""
        out: dict[int, dict[str, object]] = {}
        topic = self.changelog(table)
        for message in read(self.broker, topic, self.partitions[topic]):
            rows = out.setdefault(message.partition(), {})
            if message.value() is None:
                rows.pop(message.key().decode(), None)
            else:
                rows[message.key().decode()] = message.value()
        return out


class _follower:
    """A consumer of a whole topic, closed at the end."""

    def __init__(self, broker: str, topic: str, partitions: dict[str, int]):
        self._consumer = _consumer(broker, True)
        self._consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions[topic])])

    def __enter__(self) -> Consumer:
        return self._consumer

    def __exit__(self, *_) -> None:
        self._consumer.close()


def _consumer(broker: str, committed: bool) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": f"eyes-{os.getpid()}",
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
            "log_level": 3,
        }
    )


def read(broker: str, topic: str, partitions: int, committed: bool = True) -> Iterator:
    """Every record of a topic in offset order; waits out transactions that are open."""
    consumer = _consumer(broker, committed)
    where = [TopicPartition(topic, p, 0) for p in range(partitions)]
    ends = {p: consumer.get_watermark_offsets(where[p], 10)[1] for p in range(partitions)}
    left = {p for p, end in ends.items() if end > 0}
    consumer.assign([where[p] for p in left])
    deadline = time.monotonic() + PATIENCE_S
    try:
        while left:
            for message in consumer.consume(10_000, 0.1):
                if message.error() is None:
                    yield message
                elif message.error().code() != KafkaError._PARTITION_EOF:
                    raise RuntimeError(str(message.error()))
                elif message.offset() >= ends[message.partition()]:
                    left.discard(message.partition())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic}: {left} do not end")
    finally:
        consumer.close()
