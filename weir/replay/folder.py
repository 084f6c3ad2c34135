"""Where a replay reads from without a broker: an exported folder, checked before the first record.

The folder is a `Log` like a cluster: the same records at the same offsets, so the same verdict. Its
topics end where the export ended, and nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from agents.wiring import ORDER_TOPIC
from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.handles import allow_many
from weir.files.manifest import Manifest, checked
from weir.files.parquet import records
from weir.replay.base import Base
from weir.replay.log import FROM_THE_BEGINNING, At, Record


class FolderLog:
    """The topics of an export. WeirError names the file that is missing or not as it was written,
    and with a `wire` the schema that it does not know. `name` is what a person calls it.
    """

    def __init__(self, folder: Path, wire: Wire | None = None, name: str = "") -> None:
        self._folder, self._name = folder, name or str(folder)
        allow_many()
        self.manifest: Manifest = checked(folder, wire)

    @cached_property
    def bases(self) -> list[Base]:
        """The states that a range begins from. WeirError for one that its hash does not prove."""
        return [
            Base.load((self._folder / state.file).read_bytes()) for state in self.manifest.states
        ]

    @property
    def topics(self) -> list[str]:
        """The topics it holds, also those without records."""
        return list(self.manifest.topics)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; WeirError when it was not exported."""
        if topic not in self.manifest.topics:
            so = ": there is no recorded order to repeat" if topic == ORDER_TOPIC else ""
            raise WeirError(f"{topic} is not in {self._name}{so}")
        return len(self.manifest.topics[topic].partitions)

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        """Of each place the first offset that was exported, and the one after the last."""
        found = {}
        for topic, partition in places:
            self.partitions(topic)
            part = self.manifest.topics[topic].partitions[partition]
            found[topic, partition] = part.start, part.end
        return found

    def read(
        self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING
    ) -> FolderReader:
        """A reader of these topics; each partition from its start, or from its beginning."""
        files: dict[At, Iterator[Record]] = {}
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

    def __init__(self, files: dict[At, Iterator[Record]]) -> None:
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
