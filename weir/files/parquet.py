"""The records of one partition in one Parquet file: the exact bytes, and beside them what they say.

The columns `kafka_*` are the record as it lies on the log: offset, timestamp, key, value, headers.
They alone are read back, so a replay gets the same bytes. The other columns are the value decoded,
for people with a query; `kafka_undecoded` says why they are null where the value is no record.
Files are written by row groups, so that memory stays flat in the length of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contracts import SUBJECTS
from schemas.errors import NewerSchema, Undecodable
from schemas.topics import BY_NAME
from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.columns import columns, fields
from weir.replay.log import Record

GROUP_ROWS = 20_000
READ_ROWS = 1_000

_HEADER = pa.struct([pa.field("name", pa.string()), pa.field("value", pa.binary())])
_RAW = [
    pa.field("kafka_partition", pa.int32(), nullable=False),
    pa.field("kafka_offset", pa.int64(), nullable=False),
    pa.field("kafka_timestamp", pa.timestamp("ms", tz="UTC"), nullable=False),
    pa.field("kafka_key", pa.binary()),
    pa.field("kafka_value", pa.binary()),
    pa.field("kafka_headers", pa.list_(_HEADER), nullable=False),
]
_UNDECODED = pa.field("kafka_undecoded", pa.string())
_TEXT = pa.field("text", pa.string())
"""The one decoded column of what has no contract: the state on changelogs, which is text."""


@cache
def schema_of(topic: str) -> pa.Schema:
    """The columns of a topic's files."""
    record = _record_of(topic)
    return pa.schema([*_RAW, _UNDECODED, *(fields(record) if record else [_TEXT])])


class Writer:
    """Writes one file, row group by row group; `undecoded` counts values that are no record."""

    def __init__(self, path: Path, topic: str, wire: Wire) -> None:
        self._schema, self._record = schema_of(topic), _record_of(topic)
        self._decode: Callable[[Any], Any] = (
            wire.decoder(BY_NAME[topic].source or topic) if self._record else _text
        )
        self.undecoded = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        repeating = [name for name in self._schema.names if name != "kafka_value"]
        self._file = pq.ParquetWriter(
            path, self._schema, compression="zstd", use_dictionary=repeating
        )

    def write(self, records: list[Record]) -> None:
        """One row group."""
        values, why = self._decoded(records)
        said = columns(self._record, values) if self._record else [pa.array(values, pa.string())]
        arrays = [*_raw(records), pa.array(why, pa.string()), *said]
        self._file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Ends the file; without this it is none."""
        self._file.close()

    def _decoded(self, records: list[Record]) -> tuple[list[Any], list[str | None]]:
        values: list[Any] = []
        reasons: list[str | None] = []
        for record in records:
            value = why = None
            try:
                value = self._decode(record.value)
            except (Undecodable, NewerSchema) as error:
                why = str(error)
                self.undecoded += 1
            values.append(value)
            reasons.append(why)
        return values, reasons


def records(path: Path, topic: str, start: int = 0) -> Iterator[Record]:
    """The records of a file from an offset on, in their order. WeirError when it cannot be read."""
    wanted = [field.name for field in _RAW]
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            groups = _groups_from(file, start)
            for batch in file.iter_batches(READ_ROWS, groups, columns=wanted):
                found = _records(topic, batch)
                yield from found if not start else (one for one in found if one.offset >= start)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise WeirError(f"{path} cannot be read: {error}") from error


def _groups_from(file: pq.ParquetFile, start: int) -> list[int]:
    """The row groups that reach an offset: the file says the last one of each."""
    column = file.schema_arrow.get_field_index("kafka_offset")
    known = [
        file.metadata.row_group(n).column(column).statistics for n in range(file.num_row_groups)
    ]
    return [n for n, one in enumerate(known) if one is None or one.max >= start]


def _records(topic: str, batch: pa.RecordBatch) -> Iterator[Record]:
    places, offsets, times, keys, values, headers = (batch.column(field.name) for field in _RAW)
    return map(
        Record,
        [topic] * batch.num_rows,
        places.to_pylist(),
        offsets.to_pylist(),
        keys.to_pylist(),
        values.to_pylist(),
        times.view(pa.int64()).to_pylist(),
        _headers(headers),
    )


def _headers(column: pa.ListArray) -> list[tuple[tuple[str, bytes], ...]]:
    """As rows of `to_pylist`, in half the time: most of what is read is read for this."""
    ends, pairs = column.offsets.to_pylist(), column.values
    names, values = (pairs.field(name).to_pylist() for name in ("name", "value"))
    flat = list(zip(names, values, strict=True))
    return [tuple(flat[start:end]) for start, end in pairwise(ends)]


def _raw(records: list[Record]) -> list[pa.Array]:
    headers = [[{"name": n, "value": v} for n, v in record.headers] for record in records]
    return [
        pa.array([record.partition for record in records], pa.int32()),
        pa.array([record.offset for record in records], pa.int64()),
        pa.array([record.timestamp_ms for record in records], _RAW[2].type),
        pa.array([record.key for record in records], pa.binary()),
        pa.array([record.value for record in records], pa.binary()),
        pa.array(headers, _RAW[5].type),
    ]


def _record_of(topic: str) -> str | None:
    return SUBJECTS.get(BY_NAME[topic].source or topic)


def _text(data: bytes | None) -> str | None:
    """The value of an entry of a changelog; a deleted one has none."""
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise Undecodable("decode", why=f"{len(data or b'')} bytes: {error}") from error
