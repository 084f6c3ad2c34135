"""An export is a log as it was, or it is refused with the name of what is wrong."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weir.files.small import FILLS, exported, fills, records, rehash, say
from tests.weir.rig import PARTITIONS, WIRE
from weir.errors import WeirError
from weir.files.folder import Folder
from weir.files.manifest import NAME, load
from weir.replay.folder import FolderLog
from weir.replay.log import Record

ROWS = records(fills(40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    exported(tmp_path / "x", ROWS)
    return tmp_path / "x"


def read(log: FolderLog, start: int = 0) -> list[Record]:
    starts = {(FILLS, partition): start for partition in range(log.partitions(FILLS))}
    reader = log.read([FILLS], starts)
    found = []
    for partition in range(log.partitions(FILLS)):
        while (record := reader.next(FILLS, partition)) is not None:
            found.append(record)
    reader.close()
    return found


def test_a_folder_gives_the_records_as_they_were(folder: Path) -> None:
    log = FolderLog(folder, WIRE)
    wanted = sorted(ROWS, key=lambda one: (one.partition, one.offset))
    assert read(log) == wanted
    for start in (1, 2, 7, 10, 1000):
        assert read(log, start) == [one for one in wanted if one.offset >= start]
    assert log.partitions(FILLS) == PARTITIONS
    ends = {(FILLS, p): [one.offset for one in ROWS if one.partition == p] for p in range(4)}
    assert log.bounds(ends) == {
        at: (0, max(offsets) + 2 if offsets else 0) for at, offsets in ends.items()
    }
    with pytest.raises(WeirError, match=r"treasury.pnl.v1 is not in .*x"):
        log.read(["treasury.pnl.v1"])


def test_what_waits_is_bounded_for_all_partitions_together(tmp_path: Path) -> None:
    written = Folder(tmp_path / "x", WIRE, 1_000, waiting_bytes_max=5_000)
    for record in ROWS:
        written.add(record)
    ends = {(FILLS, p): (0, 100) for p in range(PARTITIONS)}
    manifest = written.close(ends, "test")
    assert manifest.records == len(ROWS)
    assert read(FolderLog(tmp_path / "x")) == sorted(ROWS, key=lambda o: (o.partition, o.offset))
    groups = [pq.read_metadata(one).num_row_groups for one in (tmp_path / "x").glob("*/*.parquet")]
    assert sum(groups) > len(groups)


def test_more_partitions_than_files_a_process_may_open_at_first(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        written = Folder(tmp_path / "x", WIRE)
        for partition in range(100):
            written.add(ROWS[0]._replace(partition=partition))
        written.close({(FILLS, p): (0, 1) for p in range(100)}, "test")
        assert len(read(FolderLog(tmp_path / "x"))) == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_manifest_says_what_is_there(folder: Path) -> None:
    manifest = load(folder)
    parts = manifest.topics[FILLS].partitions
    assert manifest.records == sum(part.records for part in parts) == len(ROWS)
    assert manifest.bytes == sum(one.stat().st_size for one in folder.glob("*/*.parquet"))
    (schema,) = manifest.topics[FILLS].schemas
    assert (schema.subject, schema.records) == (f"{FILLS}-value", len(ROWS))
    for part in parts:
        times = [one.timestamp_ms for one in ROWS if one.partition == part.partition]
        assert (part.first_ms, part.last_ms) == (
            (min(times), max(times)) if times else (None, None)
        )


def test_a_foreign_reader_sums_a_decimal_exactly(folder: Path) -> None:
    table = ds.dataset(folder / FILLS, format="parquet").to_table(
        filter=ds.field("account_id") == "bybit:100001"
    )
    values = [WIRE.decode(FILLS, one.value) for one in ROWS]
    mine = [one for one in values if one.account_id == "bybit:100001"]
    with_18_places = Decimal(sum(one.price_e18 for one in mine)).scaleb(-18)
    assert sum(table.column("price").to_pylist(), Decimal()) == with_18_places
    assert with_18_places == Decimal("480000.000000000000000008")


def test_an_export_wants_a_folder_of_its_own(folder: Path) -> None:
    with pytest.raises(WeirError, match="is not empty"):
        Folder(folder, WIRE)


def some_file(folder: Path) -> Path:
    return next(iter(sorted(folder.glob(f"{FILLS}/*.parquet"))))


def lose(folder: Path) -> None:
    some_file(folder).unlink()


def cut(folder: Path) -> None:
    some_file(folder).write_bytes(some_file(folder).read_bytes()[:-9])


def flip(folder: Path) -> None:
    data = bytearray(some_file(folder).read_bytes())
    data[len(data) // 3] ^= 1
    some_file(folder).write_bytes(bytes(data))


def cut_and_hide(folder: Path) -> None:
    cut(folder)
    rehash(folder)


def shorten_and_hide(folder: Path) -> None:
    table = pq.read_table(some_file(folder))
    pq.write_table(table.slice(0, table.num_rows - 1), some_file(folder))
    rehash(folder)


def says(name: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / NAME
        path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))

    return change


def unfinished(folder: Path) -> None:
    (folder / NAME).unlink()


def cut_manifest(folder: Path) -> None:
    path = folder / NAME
    path.write_text(path.read_text()[:-200])


def lose_partition(folder: Path) -> None:
    say(folder, lambda said: said["topics"][FILLS]["partitions"].pop(1))


def foreign_schema(folder: Path) -> None:
    say(folder, lambda said: said["topics"][FILLS]["schemas"][0].update(id=4711))


def elsewhere(folder: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        for part in said["topics"][FILLS]["partitions"]:
            part["file"] = f"../{part['file']}"

    say(folder, change)


def foreign_topic(folder: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        said["topics"]["hedge-executionz"] = said["topics"].pop(FILLS)

    say(folder, change)


DAMAGES = [
    (lose, r"hedge-executions/\d.parquet is missing: \d+ records are not there"),
    (cut, r"hedge-executions/\d.parquet has [\d,]+ bytes, the manifest says [\d,]+"),
    (flip, r"hedge-executions/\d.parquet was changed: its sha256 is \w{64}, not \w{64}"),
    (cut_and_hide, r"hedge-executions/\d.parquet is no Parquet: "),
    (shorten_and_hide, r"hedge-executions/\d.parquet holds \d+ records, the manifest says \d+"),
    (unfinished, r"manifest.json is missing: .* is no export, or an unfinished one"),
    (cut_manifest, r"manifest.json is damaged: "),
    (lose_partition, r"manifest.json: hedge-executions lacks partition 1"),
    (says("format", "other"), r"manifest.json: format is 'other', not weir-export"),
    (says("version", 9), r"version 9 of the format is newer than .* reads \(1\): upgrade"),
    (says("records", 9), r"manifest.json is damaged: .*`records`"),
    (says("made", "2026"), r"manifest.json was changed: its seal is not that of what it says"),
    (foreign_schema, r"40 records of hedge-executions are written with schema id 4711"),
    (elsewhere, r"manifest.json: '../hedge-executions/\d.parquet' is not hedge-executions/\d"),
    (foreign_topic, r"manifest.json: 'hedge-executionz' is no topic of this version"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_what_is_not_as_it_was_written_is_refused_by_name(
    folder: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(folder)
    with pytest.raises(WeirError, match=said):
        FolderLog(folder, WIRE)


@settings(max_examples=150, deadline=None, database=None)
@given(st.data())
def test_no_bit_can_change_unseen(sound: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(sound.glob("**/*.*"))))
    was = file.read_bytes()
    place, bit = data.draw(st.integers(0, len(was) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(was)
    changed[place] ^= 1 << bit
    wanted, found, said = load(sound), None, ""
    file.write_bytes(changed)
    try:
        found = FolderLog(sound, WIRE).manifest
    except WeirError as why:
        said = str(why)
    finally:
        file.write_bytes(was)
    is_blank = file.name == NAME and found == wanted  # between the words of the manifest
    assert file.name in said or is_blank


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "x"
    exported(folder, ROWS)
    return folder
