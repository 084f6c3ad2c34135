"""A recorded run on a real broker without workers: a replay writes nothing, or copies to topics of
their own, and says what retention took.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from bench.flat import write
from bench.memory_log import MemoryLog
from bench.recorded import recorded
from schemas.topics import BY_NAME
from streams.topology import NODES
from tests.weir.rig import PARTITIONS, Rig, rig
from weir.home import Home
from weir.replay import KafkaLog, Record
from weir.replay.log import At

ORDER, FILLS = "treasury.merge-order.v1", "hedge-executions"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MemoryLog:
    folder = tmp_path_factory.mktemp("recorded")
    return recorded(folder, turns=60, accounts=5, partitions=PARTITIONS)


@pytest.fixture(scope="module")
def kept(run: MemoryLog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A broker that holds the run as it was recorded."""
    with rig(Home(tmp_path_factory.mktemp("kept") / "home")) as running:
        assert running.weir("topics", "create").returncode == 0
        write(running.bootstrap, run)
        yield running


def ends(running: Rig) -> dict[At, tuple[int, int]]:
    log = KafkaLog(running.bootstrap)
    return log.bounds([(topic, p) for topic in BY_NAME for p in range(log.partitions(topic))])


def middle(run: MemoryLog) -> str:
    times = sorted(
        one.timestamp_ms for at, each in run.records.items() if at[0] == ORDER for one in each
    )
    return str(times[len(times) // 2])


@pytest.mark.req("003-45")
def test_a_replay_writes_nothing_and_leaves_no_offsets(run: MemoryLog, kept: Rig) -> None:
    before = ends(kept)
    whole = json.loads(kept.weir("replay", "--json").stdout)
    assert whole["identical"]
    assert whole["transactions"] == sum(
        len(each) for at, each in run.records.items() if at[0] == ORDER
    )
    assert ends(kept) == before
    admin = AdminClient({"bootstrap.servers": kept.bootstrap})
    groups = admin.list_consumer_groups().result().valid
    assert [group.group_id for group in groups] == []


def test_copies_lie_on_topics_of_their_own_and_are_not_live(run: MemoryLog, kept: Rig) -> None:
    before, words = ends(kept), ("replay", "--from", middle(run), "--to-topics", "again")
    done = kept.weir(*words, "--json")
    assert done.returncode == 0, done.stderr
    sinks = sorted({sink for node in NODES for sink in node.sinks})
    copied, live = values(kept, sinks, "replay.again."), values(kept, sinks)
    for topic in sinks:
        for one in copied[topic]:
            assert one._replace(headers=()) in live[topic]
            assert one.headers == (("treasury.mode", b"replay"),)
    assert sum(map(len, copied.values())) == json.loads(done.stdout)["outputs"] > 100
    assert ends(kept) == before
    again = kept.weir(*words)
    assert again.returncode == 1
    assert again.stderr.startswith("weir: replay.again.")
    assert "is there already: name another run" in again.stderr


def values(running: Rig, topics: list[str], prefix: str = "") -> dict[str, list[Record]]:
    """What lies on topics: without names and offsets, and of a live one without headers."""
    log, found = KafkaLog(running.bootstrap), dict[str, list[Record]]()
    with closing(log.read([prefix + topic for topic in topics])) as reader:
        for topic in topics:
            found[topic] = []
            for partition in range(log.partitions(topic)):
                while (record := reader.next(prefix + topic, partition)) is not None:
                    headers = record.headers if prefix else ()
                    found[topic].append(record._replace(topic="", offset=0, headers=headers))
    return found


def test_what_retention_took_is_named(run: MemoryLog, kept: Rig) -> None:
    partition = next(
        p for (topic, p), each in run.records.items() if topic == FILLS and len(each) > 9
    )
    admin = AdminClient({"bootstrap.servers": kept.bootstrap})
    for future in admin.delete_records([TopicPartition(FILLS, partition, 2)]).values():
        future.result()
    done = kept.weir("replay")
    assert done.returncode == 1
    said = f"weir: {FILLS}[{partition}]@0..1 were folded and are gone: the log is cut\n"
    assert done.stderr == said
    assert json.loads(kept.weir("replay", "--json", "--from", middle(run)).stdout)["identical"]
