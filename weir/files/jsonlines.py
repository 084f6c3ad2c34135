"""Lines of JSON as a log: `TOPIC.jsonl`, lines as `weir produce` takes and `weir consume` prints.

The lines become an export first, so there is one form to read from, and not one record is used
before every line was understood. A record lies where its key says (murmur2), its offset is its
number there, and its time is the line's or the record's own. There is no merge order: it speaks of
offsets on Kafka, which lines do not keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from agents.wiring import ORDER_TOPIC, partition_of
from schemas.jsonform import Invalid
from schemas.topics import Topic, partitions_of
from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.folder import Folder
from weir.files.manifest import Manifest
from weir.lines import Ready, ready
from weir.progress import Tell
from weir.replay.log import At, Record
from weir.topics import find

SUFFIX = ".jsonl"
FAULTS_SHOWN = 20


def convert(
    files: Sequence[Path], folder: Path, wire: Wire, partitions: int, tell: Tell
) -> Manifest:
    """Writes the lines of these files as an export; nodes have so many `partitions`.

    WeirError names file, line, field and value of what is wrong, the first so many of it.
    """
    topics = _topics(files)
    written, faults = Folder(folder, wire), _Faults()
    ends: Counter[At] = Counter()
    read, total = 0, sum(_size(file) for file in files)
    for topic, file in topics:
        count = partitions_of(topic, partitions)
        ends.update({(topic.name, partition): 0 for partition in range(count)})
        for number, raw in _lines(file):
            read += len(raw)
            tell(read, total)
            try:
                record = _record(topic, raw, wire, count)
            except Invalid as why:
                faults.note(f"{file}, line {number}: {why}")
                continue
            if record is not None:
                at = topic.name, record.partition
                written.add(record._replace(offset=ends[at]))
                ends[at] += 1
    faults.end()
    ranges = {at: (0, end) for at, end in ends.items()}
    return written.close(ranges, "lines of JSON")


def _topics(files: Sequence[Path]) -> list[tuple[Topic, Path]]:
    found: dict[str, tuple[Topic, Path]] = {}
    for file in files:
        name = file.name.removesuffix(SUFFIX)
        if name == ORDER_TOPIC:
            raise WeirError(
                f"{file}: a merge order in lines cannot be used, because it speaks of offsets that"
                " lines do not keep; leave it out, or make an export"
            )
        try:
            topic = find(name)
        except WeirError as why:
            raise WeirError(f"{file} must be named after a topic: {why}") from None
        if name in found:
            raise WeirError(f"{file} and {found[name][1]} are both of {name}")
        found[name] = topic, file
    return list(found.values())


def _record(topic: Topic, raw: bytes, wire: Wire, partitions: int) -> Record | None:
    """The record of a line, without its offset; None for a blank one."""
    try:
        line = raw.decode()
    except UnicodeDecodeError as why:
        raise Invalid("", raw, f"is no UTF-8 text: {why.reason}") from None
    if not line.strip():
        return None
    made = ready(topic, line, wire)
    if made.timestamp_ms is None:
        raise Invalid("timestamp", None, "is missing, and the record has no time of its own")
    headers = tuple(
        (name, one.encode() if isinstance(one, str) else one) for name, one in made.headers
    )
    partition = _partition(made, partitions)
    return Record(topic.name, partition, 0, made.key, made.value, made.timestamp_ms, headers)


def _partition(made: Ready, partitions: int) -> int:
    if made.partition is not None:
        if made.partition >= partitions:
            raise Invalid("partition", made.partition, f"is not below {partitions}")
        return made.partition
    text = made.lies_by if made.lies_by is not None else (made.key or b"").decode()
    return partition_of(text, partitions)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with file.open("rb") as lines:
            yield from enumerate(lines, start=1)
    except OSError as error:
        raise WeirError(f"{file}: {error.strerror}") from error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise WeirError(f"{file}: {error.strerror}") from error


class _Faults:
    """All that is wrong is counted, and the first of it shown."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._count = 0

    def note(self, fault: str) -> None:
        self._count += 1
        if len(self._shown) < FAULTS_SHOWN:
            self._shown.append(fault)

    def end(self) -> None:
        """WeirError when there was any."""
        if self._shown:
            more = self._count - len(self._shown)
            shown = self._shown + ([f"and {more:,} lines more"] if more else [])
            raise WeirError("nothing is used of lines that are wrong:\n  " + "\n  ".join(shown))
