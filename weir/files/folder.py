"""An export in the making: records of many partitions, in the order of each, become files.

What waits for its row group is bounded for all partitions together, so memory is flat however many
there are. The manifest comes last, so a folder that was not finished cannot be taken for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from agents.wiring import CODE_VERSION
from schemas.topics import BY_NAME
from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.handles import allow_many
from weir.files.manifest import (
    Manifest,
    Part,
    Schema,
    State,
    TopicPart,
    place,
    save,
    sha256,
    state_place,
)
from weir.files.parquet import GROUP_ROWS, Writer
from weir.replay.base import Base
from weir.replay.log import At, Record

WAITING_BYTES_MAX = 48 << 20
_RECORD_BYTES = 600
"""About what a record takes in memory besides its key and value."""

Range = tuple[int, int]


class Folder:
    """Writes an export into a folder that does not exist yet or is empty."""

    def __init__(
        self,
        path: Path,
        wire: Wire,
        group_rows: int = GROUP_ROWS,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
    ) -> None:
        self._path, self._wire, self._group_rows = path, wire, group_rows
        self._waiting_bytes_max = waiting_bytes_max
        self._open: dict[At, _File] = {}
        self._waiting_bytes = 0
        allow_many()
        _empty(path)

    def add(self, record: Record) -> None:
        """Takes the next record of its partition."""
        at = record.topic, record.partition
        file = self._open.get(at)
        if file is None:
            name = place(record.topic, record.partition)
            file = self._open[at] = _File(self._path, name, record.topic, self._wire)
        self._waiting_bytes += file.take(record)
        if len(file.waiting) >= self._group_rows:
            self._waiting_bytes -= file.flush()
        while self._waiting_bytes > self._waiting_bytes_max:
            fullest = max(self._open.values(), key=lambda one: one.waiting_bytes)
            self._waiting_bytes -= fullest.flush()

    def close(
        self,
        ranges: dict[At, Range],
        origin: str,
        asked: str | None = None,
        bases: Iterable[Base] = (),
    ) -> Manifest:
        """Ends every file and writes the manifest. `ranges` names every partition there is, with
        the offsets that are held, the end exclusive. Of a range, `asked` says which, and `bases`
        are the states before it.
        """
        topics: dict[str, TopicPart] = {}
        for topic in dict.fromkeys(topic for topic, _ in ranges):
            places = sorted(at for at in ranges if at[0] == topic)
            parts = [self._part(at, ranges[at]) for at in places]
            topics[topic] = TopicPart(parts, self._schemas(topic, places))
        made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        states = [self._state(base) for base in bases]
        manifest = Manifest(CODE_VERSION, made, origin, topics, asked, states)
        save(self._path, manifest)
        return manifest

    def _part(self, at: At, offsets: Range) -> Part:
        file = self._open.get(at)
        if file is None:
            return Part(at[1], *offsets, records=0)
        file.close()
        path = self._path / file.name
        return Part(
            at[1],
            *offsets,
            records=file.records,
            undecoded=file.undecoded,
            first_ms=file.first_ms,
            last_ms=file.last_ms,
            file=file.name,
            bytes=path.stat().st_size,
            sha256=sha256(path),
        )

    def _state(self, base: Base) -> State:
        name = state_place(base.node, base.partition)
        path, data = self._path / name, base.dump()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        hashed = sha256(path)
        return State(base.node, base.partition, base.table_hash, name, len(data), hashed)

    def _schemas(self, topic: str, places: Iterable[At]) -> list[Schema]:
        if BY_NAME[BY_NAME[topic].source or topic].record is None:
            return []
        counts: Counter[int] = Counter()
        for at in places:
            if at in self._open:
                counts += self._open[at].schemas
        found = [(one, self._wire.released(topic, one), counts[one]) for one in sorted(counts)]
        return [
            Schema(one, known.subject if known else "", known.version if known else 0, count)
            for one, known, count in found
        ]


class _File:
    """One partition: what waits for its row group, and what is known of the whole."""

    def __init__(self, folder: Path, name: str, topic: str, wire: Wire) -> None:
        self.name = name
        self._writer = Writer(folder / name, topic, wire)
        self.waiting: list[Record] = []
        self.waiting_bytes = self.records = 0
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.schemas: Counter[int] = Counter()

    @property
    def undecoded(self) -> int:
        """Values that are no record of the topic."""
        return self._writer.undecoded

    def take(self, record: Record) -> int:
        """About how many bytes more wait now."""
        self.waiting.append(record)
        self.records += 1
        at_ms, value = record.timestamp_ms, record.value or b""
        self.first_ms = at_ms if self.first_ms is None else min(self.first_ms, at_ms)
        self.last_ms = at_ms if self.last_ms is None else max(self.last_ms, at_ms)
        if value[:1] == b"\0" and len(value) >= 5:
            self.schemas[int.from_bytes(value[1:5], "big")] += 1
        size = len(record.key or b"") + len(value) + _RECORD_BYTES
        self.waiting_bytes += size
        return size

    def flush(self) -> int:
        """Writes a row group; how many bytes wait no more."""
        if self.waiting:
            self._writer.write(self.waiting)
        size, self.waiting, self.waiting_bytes = self.waiting_bytes, [], 0
        return size

    def close(self) -> None:
        self.flush()
        self._writer.close()


def _empty(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise WeirError(f"{path} is not empty: an export gets a folder of its own")
    except OSError as error:
        raise WeirError(f"{path}: {error.strerror}") from error
