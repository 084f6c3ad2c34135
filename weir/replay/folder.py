"""Where a replay reads from without a broker: an exported folder, checked before the first record.

The folder is a `Log` like a cluster: the same records at the same offsets, so the same verdict. Its
topics end where the export ended, and nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.manifest import Manifest, checked
from weir.files.parquet import records
from weir.replay.log import Record

FROM_THE_BEGINNING: Mapping[tuple[str, int], int] = {}


class FolderLog:
    """The topics of an export. WeirError names the file that is missing or not as it was written,
    and with a `wire` the schema that it does not know.
    """

    def __init__(self, folder: Path, wire: Wire | None = None) -> None:
        self._folder = folder
        self.manifest: Manifest = checked(folder, wire)

    @property
    def topics(self) -> list[str]:
        """The topics it holds, also those without records."""
        return list(self.manifest.topics)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; WeirError when it was not exported."""
        if topic not in self.manifest.topics:
            raise WeirError(f"{topic} is not in {self._folder}: it was exported without it")
        return len(self.manifest.topics[topic].partitions)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that was exported, and the one after the last."""
        self.partitions(topic)
        part = self.manifest.topics[topic].partitions[partition]
        return part.start, part.end

    def read(
        self, topics: Iterable[str], starts: Mapping[tuple[str, int], int] = FROM_THE_BEGINNING
    ) -> FolderReader:
        """A reader of these topics; each partition from its start, or from its beginning."""
        files: dict[tuple[str, int], Iterator[Record]] = {}
        for topic in topics:
            for partition in range(self.partitions(topic)):
                file = self.manifest.topics[topic].partitions[partition].file
                start = starts.get((topic, partition), 0)
                files[topic, partition] = (
                    iter(()) if file is None else records(self._folder / file, topic, start)
                )
        return FolderReader(files)


class FolderReader:
    """Each partition forward, once; of each only a stretch is in memory."""

    def __init__(self, files: dict[tuple[str, int], Iterator[Record]]) -> None:
        self._files = files

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        """The next record; None at the end, at once: files do not grow."""
        return next(self._files[topic, partition], None)

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            if isinstance(file, Generator):
                file.close()
        self._files.clear()
