"""What was refused before any step saw it, for a reason that does not lie in its bytes.

The executor does not carry out an intent whose signature does not hold. A replay has no keys: it
reads the verdict where it was written down, among the dead letters, which are committed together
with the merge order. What does not decode needs no such list, because the bytes say it again.
"""

from __future__ import annotations

from agents.exact.deadletter import PREFIX
from agents.signatures import INTENTS, SEAM
from weir.replay.log import Log, Reader

_ENOUGH_S = 0.005
"""For what was committed with a transaction that has been read: it is there already."""


class Verdicts:
    """The refusals of the topics whose records are verified; read as far as they are asked for."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._reader: Reader | None = None
        self._refused: set[tuple[int, int]] = set()

    def refused(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the record was refused by its signature."""
        return topic == INTENTS and (partition, offset) in self._refused

    def read(self, topic: str, partition: int) -> None:
        """Takes note of all verdicts on a partition that are written by now."""
        if topic != INTENTS:
            return
        letters = f"{INTENTS}.dlq"
        if self._reader is None:
            self._reader = self._log.read([letters])
        while (record := self._reader.next(letters, partition, _ENOUGH_S)) is not None:
            headers = dict(record.headers)
            if headers.get("treasury.step") == SEAM.encode():
                offset = int(headers[f"{PREFIX}offset"])
                self._refused.add((partition, offset))

    def close(self) -> None:
        """Leaves the broker."""
        if self._reader is not None:
            self._reader.close()
