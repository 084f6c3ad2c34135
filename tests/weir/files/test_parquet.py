"""Any record of any topic survives its file: the same bytes, and the same decoded numbers.

Read back by pyarrow as any foreign reader would, against the record's own JSON form.
"""

from __future__ import annotations

import base64
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contracts import SUBJECTS
from schemas.jsonform import iso, iso_date, to_json
from schemas.records import RECORDS
from schemas.topics import BY_NAME
from tests.schemas.strategies import records as any_record
from tests.weir.rig import WIRE
from weir.files.parquet import Writer, records, schema_of
from weir.replay.log import Record

MANY = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=2)
TIMES = st.integers(0, 2**62)


def written(topic: str, rows: list[Record], at: Path) -> Path:
    path = at / "0.parquet"
    writer = Writer(path, topic, WIRE)
    middle = len(rows) // 2
    for part in (rows[:middle], rows[middle:]):
        if part:
            writer.write(part)
    writer.close()
    return path


@pytest.mark.parametrize("topic", SUBJECTS)
@MANY
@given(data=st.data())
def test_any_record_survives_its_file(topic: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(any_record(SUBJECTS[topic]), min_size=1, max_size=4))
    rows = [
        Record(
            topic,
            3,
            7 * number,
            data.draw(st.none() | st.binary(max_size=9)),
            WIRE.encode(topic, value),
            data.draw(TIMES),
            tuple(data.draw(HEADERS)),
        )
        for number, value in enumerate(values)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = written(topic, rows, Path(folder))
        assert list(records(path, topic)) == rows
        assert list(records(path, topic, 7)) == rows[1:]
        table = pq.read_table(path)
    assert table.schema.equals(schema_of(topic))
    assert table.column("kafka_undecoded").null_count == len(rows)
    for number, value in enumerate(values):
        for name, wanted in to_json(value).items():
            assert shown(table.column(name)[number]) == wanted


def test_what_is_no_record_keeps_its_bytes_and_has_no_columns(tmp_path: Path) -> None:
    topic = "treasury.pnl.v1"
    unknown = b"\0\0\0\xff\xff12"
    rows = [
        Record(topic, 0, offset, b"k", value, 5, ())
        for offset, value in enumerate([b"{}", None, unknown, b""])
    ]
    path = written(topic, rows, tmp_path)
    assert list(records(path, topic)) == rows
    table = pq.read_table(path)
    assert table.column("kafka_undecoded").to_pylist() == [
        "decode: not in the Confluent wire format",
        "decode: no value",
        "schema: id=65535 not known for treasury.pnl.v1",
        "decode: not in the Confluent wire format",
    ]
    assert table.column("net_pnl").null_count == table.column("meta").null_count == 4


def test_dead_letters_and_entries_show_what_can_be_read(tmp_path: Path) -> None:
    source, letters = "treasury.controls.v1", "treasury.controls.v1.dlq"
    record = BY_NAME[source].record
    assert record is not None
    value = record(scope="all", mode="PAUSED", epoch=1, reason="", actors=(), jws=(), at_ms=1)
    rows = [Record(letters, 0, 0, b"all", WIRE.encode(source, value), 5, (("a", b"b"),))]
    table = pq.read_table(written(letters, rows, tmp_path))
    assert table.column("mode").to_pylist() == ["PAUSED"]
    entries = "weir-pipeline-book-changelog"
    rows = [
        Record(entries, 0, number, b"k", value, 5, ())
        for number, value in enumerate([b'{"a":1}', None, b"\xff"])
    ]
    table = pq.read_table(written(entries, rows, tmp_path))
    assert table.column("text").to_pylist() == ['{"a":1}', None, None]
    assert table.column("kafka_undecoded").to_pylist()[2].startswith("decode: 1 bytes: ")


def shown(found: pa.Scalar) -> Any:
    """A cell as the JSON form of records shows it."""
    if not found.is_valid:
        return None
    kind = found.type
    if pa.types.is_struct(kind):
        said = {name: shown(found[name]) for name in dict(found)}
        is_union = all(name in RECORDS for name in said)
        return {k: v for k, v in said.items() if v is not None} if is_union else said
    if pa.types.is_map(kind):
        pairs = (found.values[n] for n in range(len(found.values)))
        return {one["key"].as_py(): shown(one["value"]) for one in pairs}
    if pa.types.is_list(kind):
        return [shown(found.values[n]) for n in range(len(found.values))]
    if pa.types.is_timestamp(kind):
        return iso(found.value)
    if pa.types.is_date(kind):
        return iso_date(found.cast(pa.int32()).as_py())
    value = found.as_py()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return plain(value)
    return value


def plain(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
