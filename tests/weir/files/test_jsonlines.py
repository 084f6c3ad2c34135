"""Lines of JSON are a log too: all of them, or none and a sentence for each that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.wiring import partition_of
from schemas.jsonform import iso
from schemas.topics import BY_NAME
from tests.weir.files.small import FILLS, fills
from tests.weir.rig import PARTITIONS, WIRE
from weir.errors import WeirError
from weir.examples import example_line
from weir.files.opening import opened
from weir.replay.folder import FolderLog
from weir.replay.log import Record

LOANS, INBOX = "treasury.loan-states.v1", "treasury.book-inputs.v1"


def wrote(folder: Path, topic: str, lines: list[Any]) -> Path:
    path = folder / f"{topic}.jsonl"
    path.write_text(
        "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    )
    return path


def of(log: FolderLog, topic: str) -> list[Record]:
    reader = log.read([topic])
    places = range(log.partitions(topic))
    return [one for p in places for one in iter(lambda p=p: reader.next(topic, p), None)]


def test_lines_become_a_log_by_their_keys_and_times(tmp_path: Path) -> None:
    lines = fills(12)
    wrote(tmp_path, FILLS, [*lines, ""])
    wrote(tmp_path, LOANS, [example_line(BY_NAME[LOANS])])
    with opened([tmp_path], WIRE, PARTITIONS) as log:
        found = of(log, FILLS)
        assert log.topics == [FILLS, LOANS]
        assert len(of(log, LOANS)) == 1
        with pytest.raises(WeirError, match=f"in {tmp_path}: there is no recorded order"):
            log.partitions("treasury.merge-order.v1")
    assert len(found) == 12
    by_id = {line["value"]["exec_id"]: line["value"] for line in lines}
    for record in found:
        value = WIRE.decode(FILLS, record.value)
        assert record.partition == partition_of(value.account_id, PARTITIONS)
        assert iso(record.timestamp_ms) == by_id[value.exec_id]["exec_time"]
    for partition in range(PARTITIONS):
        offsets = [one.offset for one in found if one.partition == partition]
        assert offsets == list(range(len(offsets)))


def test_what_consume_prints_is_taken_as_it_stands(tmp_path: Path) -> None:
    line = fills(1)[0] | {
        "topic": FILLS,
        "partition": 0,
        "offset": 77,
        "key": "bybit:100001",
        "timestamp": "2026-01-05T11:00:00.000Z",
        "headers": {"a": ["b", None]},
    }
    file = wrote(tmp_path, FILLS, [line])
    with opened([file], WIRE, PARTITIONS) as log:
        (record,) = of(log, FILLS)
    assert (record.offset, record.key) == (0, b"bybit:100001")
    assert iso(record.timestamp_ms) == line["timestamp"]
    assert record.headers == (("a", b"b"), ("a", None))


def test_every_line_that_is_wrong_is_named_and_nothing_is_used(tmp_path: Path) -> None:
    good = fills(1)[0]
    qty = {"value": good["value"] | {"qty": "1.0000000000000000001"}}
    freeze = {"Freeze": {"break_id": "b", "on": True, "reason": "r"}}
    wrote(tmp_path, FILLS, [good, "{", qty, good | {"key": "bybit:1"}])
    wrote(tmp_path, INBOX, [{"key": "bybit:1", "value": {"meta": None, "body": freeze}}])
    with pytest.raises(WeirError) as caught, opened([tmp_path], WIRE, PARTITIONS):
        pass
    said = str(caught.value).splitlines()
    assert said[0] == "nothing is used of lines that are wrong:"
    assert f"{FILLS}.jsonl, line 2: '{{" in said[1]
    assert f"{FILLS}.jsonl, line 3: value.qty: '1.0000000000000000001' " in said[2]
    assert f"{FILLS}.jsonl, line 4: key: 'bybit:1' contradicts the value" in said[3]
    assert f"{INBOX}.jsonl, line 1: timestamp: None is missing" in said[4]
    assert len(said) == 5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hedge-executionz.jsonl", "must be named after a topic: 'hedge-executionz' is no topic"),
        ("treasury.merge-order.v1.jsonl", "a merge order in lines cannot be used"),
        ("fills.csv", "is neither a folder nor a file TOPIC.jsonl"),
        ("hedge-executions.jsonl", "does not exist"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, said: str) -> None:
    if said != "does not exist":
        (tmp_path / name).write_text("")
    with pytest.raises(WeirError, match=said), opened([tmp_path / name], WIRE, PARTITIONS):
        pass


def test_a_folder_without_either_is_refused(tmp_path: Path) -> None:
    said = r"holds no manifest.json and no TOPIC.jsonl"
    with pytest.raises(WeirError, match=said), opened([tmp_path], WIRE, PARTITIONS):
        pass
