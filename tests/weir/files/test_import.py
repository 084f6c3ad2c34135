"""What came from outside, on another broker: record by record as it was, and never live."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.topics import BY_NAME
from tests.weir.day import Day
from tests.weir.files.small import FILLS, fills
from tests.weir.files.test_jsonlines import of, wrote
from tests.weir.rig import PARTITIONS, WIRE, Rig, rig, until
from weir.errors import WeirError
from weir.files.bring import FACTS, INBOXES
from weir.files.export import export
from weir.files.manifest import Manifest
from weir.home import Home
from weir.replay import KafkaLog, Record
from weir.replay.folder import FolderLog

CONTROLS = "treasury.controls.v1"
REPLAY = ("treasury.mode", b"replay")
COPIES = {"PolicyCopy", "ControlCopy"}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Another Kafka, with empty topics."""
    with rig(Home(tmp_path_factory.mktemp("other") / "home")) as running:
        assert running.weir("topics", "create").returncode == 0
        yield running


def lying(running: Rig, topic: str) -> dict[int, list[Record]]:
    reader = KafkaLog(running.bootstrap).read([topic])
    found = defaultdict(list)
    for partition in range(PARTITIONS if BY_NAME[topic].partitions == "P" else 1):
        while (record := reader.next(topic, partition)) is not None:
            found[partition].append(record)
    reader.close()
    return found


def plain(record: Record) -> tuple[object, ...]:
    """All but the offset, and the header that an import adds."""
    headers = tuple(one for one in record.headers if one[0] != REPLAY[0])
    return record.key, record.value, record.timestamp_ms, headers


def held(log: FolderLog, topic: str) -> dict[int, list[Record]]:
    found = defaultdict(list)
    for record in of(log, topic):
        found[record.partition].append(record)
    return found


def from_outside(records: dict[int, list[Record]], topic: str) -> dict[int, list[Record]]:
    """Without what nodes, relay and almanac write, which the other log's write themselves."""

    def is_inner(record: Record) -> bool:
        value = WIRE.decode(topic, record.value)
        return bool(value.meta) or type(value.body).__name__ in COPIES

    return {
        partition: [one for one in some if topic not in INBOXES or not is_inner(one)]
        for partition, some in records.items()
    }


@pytest.mark.req("003-45", "000-72")
def test_a_day_is_brought_to_another_log_and_decided_again_but_never_live(
    day: Day, exported: Path, other: Rig
) -> None:
    other.run("pipeline")
    other.await_ready("pipeline")
    done = other.weir("import", str(exported))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("this log is marked: nothing is carried out")
    log = FolderLog(exported, WIRE)
    for topic in (*FACTS, *INBOXES):
        there, wanted = (
            from_outside(lying(other, topic), topic),
            from_outside(held(log, topic), topic),
        )
        if topic == CONTROLS:
            marker = there[0].pop(0)
            assert WIRE.decode(CONTROLS, marker.value).scope == "import"
        for partition in range(log.partitions(topic)):
            found = [one for one in there.get(partition, []) if REPLAY in one.headers]
            assert [plain(one) for one in found] == [
                plain(one) for one in wanted.get(partition, [])
            ]
            if topic in FACTS:
                assert found == there.get(partition, [])
    again = other.weir("import", str(exported))
    assert again.returncode == 1
    assert f"{FILLS}[" in again.stderr
    assert "is not empty: an import wants topics without a past" in again.stderr
    wanted = profits(day.rig)
    until(
        lambda: profits(other) == wanted,
        lambda: f"all is booked again\n{other.log('pipeline-0')}",
    )
    for partition in range(PARTITIONS):  # the gate knows what this log is before anything else
        first = lying(other, "treasury.desk-inputs.v1")[partition][0]
        assert WIRE.decode("treasury.desk-inputs.v1", first.value).body.scope == "import"


def profits(running: Rig) -> dict[str, tuple[int, Decimal]]:
    """Executions and profit that are booked of each account."""
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for value in running.values("treasury.pnl.v1"):
        found[value["account_id"]][value["exec_id"]] = Decimal(value["net_pnl"])
    return {account: (len(one), sum(one.values(), Decimal())) for account, one in found.items()}


def test_an_import_that_does_not_fit_writes_nothing(other: Rig, tmp_path: Path) -> None:
    file = wrote(tmp_path, "treasury.approvals.v1", [])
    done = other.weir("import", str(file))
    assert done.returncode == 1
    assert "holds nothing that came from outside" in done.stderr
    file = wrote(tmp_path, FILLS, [*fills(3), {"value": 1}])
    done = other.weir("import", str(file))
    assert f"{FILLS}.jsonl, line 4: " in done.stderr
    file = wrote(tmp_path, FILLS, [json.dumps(one) for one in fills(3)])
    done = other.weir("import", str(file), WEIR_PARTITIONS="5")
    assert (
        f"{FILLS} has 4 partitions on Kafka at {other.bootstrap} and 5 in the input" in done.stderr
    )


def test_an_export_waits_for_what_is_not_committed_yet_and_not_for_ever(
    other: Rig, tmp_path: Path
) -> None:
    producer = Producer({"bootstrap.servers": other.bootstrap, "transactional.id": "test-open"})
    producer.init_transactions(10)
    topics = ["treasury.approvals.v1"]

    def begun(value: bytes) -> None:
        producer.begin_transaction()
        producer.produce(topics[0], value, b"desk", 1)
        assert producer.flush(10) == 0

    def export_to(name: str, open_s: float) -> Manifest:
        return export(other.bootstrap, WIRE, tmp_path / name, topics, open_s=open_s)

    begun(b"first")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(export_to, "a", 60)
        until((tmp_path / "a").exists, "the export has begun")
        producer.commit_transaction(10)
        assert waiting.result(60).records in (0, 1)  # 0: it was asked for before the record
    assert export_to("b", 60).records == 1
    begun(b"second")
    said = r"treasury.approvals.v1\[1\] .* nothing beyond offset 2 of 3: a transaction is open"
    with pytest.raises(WeirError, match=said):
        export_to("c", 1)
    producer.abort_transaction(10)
    assert export_to("d", 60).records == 1
    with pytest.raises(WeirError, match=r"c/manifest.json is missing"):
        FolderLog(tmp_path / "c")
