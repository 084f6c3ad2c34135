"""A range in files is whole: it replays as on the log it was taken from, wherever it is cut.

On a recorded run without a broker, with policies that change and partitions that are taken over.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.memory_log import MemoryLog
from bench.recorded import WIRE, recorded
from schemas.jsonform import iso
from streams.topology import NODES
from weir.errors import WeirError
from weir.files.folder import Folder
from weir.files.stretch import Stretch
from weir.replay import Choice, Span, check, span
from weir.replay.folder import FolderLog
from weir.replay.log import Record

ORDER = "treasury.merge-order.v1"
SOURCES = {topic for node in NODES for topic in node.sources}
SINKS = {topic for node in NODES for topic in node.sinks}
TOPICS = sorted({ORDER, *SOURCES, *SINKS, *(f"{topic}.dlq" for topic in SOURCES)})


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> MemoryLog:
    return recorded(tmp_path_factory.mktemp("run"), seed=3, turns=120)


def taken(log: MemoryLog, chosen: Span, folder: Path) -> FolderLog:
    """What a range needs, in files."""
    stretch, written = Stretch(log, WIRE, chosen), Folder(folder, WIRE)
    places = [(topic, p) for topic in TOPICS for p in range(log.partitions(topic))]
    for at in places:
        start = stretch.read_from(at, 0)
        for record in log.records[at]:
            if record.offset >= start and stretch.has(record):
                written.add(record)
    written.close({at: stretch.range(at) for at in places}, "memory", str(chosen), stretch.bases)
    return FolderLog(folder, WIRE)


@pytest.mark.req("003-45")
def test_a_range_cut_anywhere_replays_as_on_its_log(log: MemoryLog, tmp_path: Path) -> None:
    rng = random.Random(5)
    times = sorted(
        WIRE.decode(ORDER, one.value).at_ms
        for at in log.records
        if at[0] == ORDER
        for one in log.records[at]
    )
    for number in range(4):
        first, last = sorted(rng.sample(range(len(times)), 2))
        chosen = span(str(iso(times[first])), str(iso(times[last] + 1)))
        found = taken(log, chosen, tmp_path / f"{number}")
        there = check(found, WIRE, given=found.bases).as_json()
        here = check(log, WIRE, choice=Choice(chosen)).as_json()
        for said in (there, here):
            assert said["identical"], said["difference"]
            said["seconds"] = 0
            said["range"].pop("begun")
        assert there == here


def test_one_partition_alone_can_be_taken(log: MemoryLog, tmp_path: Path) -> None:
    middle = log.records[ORDER, 1][len(log.records[ORDER, 1]) // 2].offset
    found = taken(log, span(f"1:{middle}", None), tmp_path / "x")
    report = check(found, WIRE, given=found.bases)
    assert report.identical
    assert list(report.scope.survey.order) == [1]


def test_a_range_without_its_state_is_not_replayed(log: MemoryLog, tmp_path: Path) -> None:
    middle = log.records[ORDER, 1][len(log.records[ORDER, 1]) // 2].offset
    found = taken(log, span(f"1:{middle}", None), tmp_path / "x")
    with pytest.raises(WeirError, match=r"the state it had before the range is not on"):
        check(found, WIRE)
    with pytest.raises(WeirError, match="no transaction lies in the range"):
        taken(log, span("2020-01-01", "2020-01-02"), tmp_path / "y")


def test_a_letter_whose_place_has_no_value_is_taken_by_its_time(log: MemoryLog) -> None:
    """Kafka allows a header without a value: it names no place, as one that is missing."""
    times = sorted(
        WIRE.decode(ORDER, one.value).at_ms
        for at in log.records
        if at[0] == ORDER
        for one in log.records[at]
    )
    first_ms, last_ms = times[10], times[-10]
    stretch = Stretch(log, WIRE, span(str(iso(first_ms)), str(iso(last_ms))))
    place = (("__streams.errors.partition", None), ("__streams.errors.offset", b"1"))
    letter = Record("hedge-executions.dlq", 0, 0, None, b"?", first_ms + 1, place)
    assert stretch.has(letter)
    assert not stretch.has(letter._replace(timestamp_ms=last_ms + 86_400_000))
