"""What came from outside, on another broker: record by record as it was, and never live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.records import ControlCopy, PolicyCopy
from tests.weir.day import Day
from tests.weir.files.small import FILLS, fills
from tests.weir.files.test_jsonlines import wrote
from tests.weir.rig import WIRE, Rig, control_line, rig, until
from weir.errors import WeirError
from weir.files.bring import FACTS, INBOXES, bring
from weir.files.export import export
from weir.files.manifest import Manifest
from weir.files.opening import opened
from weir.home import Home
from weir.replay import KafkaLog, Log, Record
from weir.replay.folder import FolderLog

CONTROLS = "treasury.controls.v1"
REPLAY = ("treasury.mode", b"replay")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Another Kafka, with empty topics."""
    with rig(Home(tmp_path_factory.mktemp("other") / "home")) as running:
        assert running.weir("topics", "create").returncode == 0
        yield running


Lying = dict[str, dict[int, list[Record]]]
"""Records by topic and partition."""


def lying(log: Log, topics: Sequence[str]) -> Lying:
    found: Lying = {topic: {} for topic in topics}
    with closing(log.read(topics)) as reader:
        for topic in topics:
            for partition in range(log.partitions(topic)):
                next_one = partial(reader.next, topic, partition)
                found[topic][partition] = list(iter(next_one, None))
    return found


def plain(record: Record) -> tuple[object, ...]:
    """All but the offset, and the header that an import adds."""
    headers = tuple(one for one in record.headers if one[0] != REPLAY[0])
    return record.key, record.value, record.timestamp_ms, headers


def from_outside(records: list[Record], topic: str) -> list[Record]:
    """Without what nodes and relay write, which those of the other log write themselves."""

    def is_inner(record: Record) -> bool:
        value = WIRE.decode(topic, record.value)
        return bool(value.meta) or isinstance(value.body, PolicyCopy | ControlCopy)

    return [one for one in records if topic not in INBOXES or not is_inner(one)]


@pytest.mark.req("003-45", "000-72")
def test_a_day_is_brought_to_another_log_and_decided_again_but_never_live(
    day: Day, exported: Path, other: Rig
) -> None:
    other.run("pipeline")
    other.await_ready("pipeline")
    done = other.weir("import", str(exported))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("this log is marked: nothing is carried out")
    topics = (*FACTS, *INBOXES)
    recorded, there = FolderLog(exported, WIRE), KafkaLog(other.bootstrap)
    wanted, found = lying(recorded, topics), lying(there, topics)
    marker = found[CONTROLS][0].pop(0)
    assert WIRE.decode(CONTROLS, marker.value).scope == "import"
    for topic in topics:
        for partition, records in found[topic].items():
            brought = [one for one in records if REPLAY in one.headers]
            outside = from_outside(wanted[topic][partition], topic)
            assert [plain(one) for one in brought] == [plain(one) for one in outside]
            assert topic in INBOXES or brought == records
    with pytest.raises(WeirError, match=rf"{FILLS}\[\d\] on Kafka at .* is not empty"):
        bring(recorded, other.bootstrap, WIRE, "day")
    booked = profits(day.rig)
    until(
        lambda: profits(other) == booked,
        lambda: f"all is booked again\n{other.log('pipeline-0')}",
    )
    inbox = "treasury.desk-inputs.v1"
    for records in lying(there, [inbox])[inbox].values():  # before anything may be ACTIVE
        bodies = [WIRE.decode(inbox, one.value).body for one in records]
        first = next(body for body in bodies if isinstance(body, ControlCopy))
        assert (first.scope, first.mode) == ("import", "PAUSED")


def profits(running: Rig) -> dict[str, tuple[int, Decimal]]:
    """Executions and profit that are booked of each account."""
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for value in running.values("treasury.pnl.v1"):
        found[value["account_id"]][value["exec_id"]] = Decimal(value["net_pnl"])
    return {account: (len(one), sum(one.values(), Decimal())) for account, one in found.items()}


@pytest.mark.parametrize(
    ("topic", "lines", "partitions", "said"),
    [
        ("treasury.approvals.v1", [], 4, "test holds nothing that came from outside"),
        (FILLS, fills(3), 5, r"hedge-executions has 4 partitions on Kafka at .* and 5 in the"),
        ("treasury.controls.v1", [control_line("ACTIVE", 1)], 4, r"controls.v1\[0\] .* not empty"),
    ],
)
def test_an_import_that_does_not_fit_writes_nothing(
    other: Rig, tmp_path: Path, topic: str, lines: list[Any], partitions: int, said: str
) -> None:
    other.put(CONTROLS, b"no record", b"all")
    file = wrote(tmp_path, topic, lines)
    before = lying(KafkaLog(other.bootstrap), FACTS)
    with pytest.raises(WeirError, match=said), opened([file], WIRE, partitions) as log:
        bring(log, other.bootstrap, WIRE, "test")
    assert lying(KafkaLog(other.bootstrap), FACTS) == before


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
