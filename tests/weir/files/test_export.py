"""A recorded day in files: it replays identical without a broker, and no damage goes unseen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from tests.weir.day import Day
from tests.weir.files.small import rehash
from tests.weir.rig import WIRE
from tests.weir.test_replay import HEDGED, PNL
from weir.errors import WeirError
from weir.files.manifest import load
from weir.replay import Choice, KafkaLog, Reader, Record, check, span
from weir.replay.folder import FolderLog
from weir.replay.log import FROM_THE_BEGINNING, At


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


@pytest.mark.req("003-45")
def test_a_range_replays_from_its_states(day: Day, exported: Path, tmp_path: Path) -> None:
    times = sorted(one["at"] for one in day.rig.values("treasury.merge-order.v1"))
    start, stop = times[len(times) // 4], times[len(times) // 2]
    folder = tmp_path / "range"
    done = day.rig.weir("export", "--to", str(folder), "--from", start, "--until", stop)
    assert done.returncode == 0, done.stderr
    log, choice = FolderLog(folder, WIRE), Choice(span(start, stop))
    found = check(log, WIRE, given=log.bases).as_json()
    wanted = check(FolderLog(exported, WIRE), WIRE, choice=choice).as_json()
    for said in (found, wanted):
        assert said["identical"]
        said["seconds"] = 0
        begun = said["range"].pop("begun")  # folded, or given as a state
        assert begun
    assert found == wanted
    whole, part = load(exported), load(folder)
    assert 0 < part.records < whole.records
    assert part.states
    state = folder / part.states[0].file
    state.write_bytes(state.read_bytes().replace(b":", b": ", 1))
    with pytest.raises(WeirError, match=r"states/\w+-\d.json has"):
        FolderLog(folder, WIRE)


def test_a_changed_byte_is_refused_and_if_hidden_found_by_the_replay(
    exported: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "day"
    shutil.copytree(exported, folder)
    file = folder / PNL / f"{HEDGED}.parquet"
    table = pq.read_table(file)
    values = table.column("kafka_value").to_pylist()
    planted = WIRE.decode(PNL, values[20])
    other = replace(planted, net_pnl_e18=planted.net_pnl_e18 + 1)
    values[20] = WIRE.encode(PNL, other)
    place = table.schema.get_field_index("kafka_value")
    column = pa.array(values, pa.binary())
    pq.write_table(table.set_column(place, table.schema.field(place), column), file)
    with pytest.raises(WeirError, match=f"{PNL}/{HEDGED}.parquet"):
        FolderLog(folder, WIRE)
    rehash(folder)
    found = check(FolderLog(folder, WIRE), WIRE).as_json()["difference"]
    assert found["what"] == "value"
    assert found["recorded"]["partition"] == HEDGED
    assert Decimal(found["recorded"]["value"]["net_pnl"]) - Decimal(
        found["replayed"]["value"]["net_pnl"]
    ) == Decimal("1e-18")
