"""A recorded day in files: it replays identical without a broker, and no damage goes unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.weir.day import Day
from tests.weir.rig import WIRE
from weir.replay import KafkaLog, Reader, Record, check
from weir.replay.folder import FolderLog
from weir.replay.log import FROM_THE_BEGINNING, At


@pytest.fixture(scope="session")
def exported(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day in a folder; its workers still run meanwhile."""
    day.settled()
    folder = tmp_path_factory.mktemp("export") / "day"
    done = day.rig.weir("export", "--to", str(folder))
    assert done.returncode == 0, done.stderr
    assert " records of " in done.stdout
    return folder


class UpTo:
    """A cluster as it was when it was exported."""

    def __init__(self, log: KafkaLog, ends: FolderLog) -> None:
        self._log, self._ends = log, ends

    def partitions(self, topic: str) -> int:
        return self._log.partitions(topic)

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        return self._ends.bounds(places)

    def read(self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING) -> Reader:
        return _UpTo(self._log.read(topics, starts), self._ends)


class _UpTo:
    def __init__(self, reader: Reader, ends: FolderLog) -> None:
        self._reader, self._ends = reader, ends

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        record = self._reader.next(topic, partition, 0.0)
        end = self._ends.bounds([(topic, partition)])[topic, partition][1]
        return None if record is None or record.offset >= end else record

    def close(self) -> None:
        self._reader.close()


@pytest.mark.req("003-45")
def test_an_export_replays_as_the_log_does(day: Day, exported: Path) -> None:
    done = day.rig.weir("replay", "--check", "--json", "--input", str(exported), WEIR_KAFKA="no:1")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    log = FolderLog(exported, WIRE)
    live = check(UpTo(KafkaLog(day.rig.bootstrap), log), WIRE).as_json()
    assert told["identical"]
    assert told["outputs"] > 1200
    assert told | {"seconds": 0} == live | {"seconds": 0}
