"""What the worker refused before any step saw it, for a reason that a replay cannot find again.

Nobody takes an intent, a copy or an end whose signature does not hold; a replay has no keys. A
schema that was known to nobody may be known now, and the other way round. So the verdict is read
where it was written down, among the dead letters, which are committed together with the merge
order. Whatever else does not decode needs no such list, because its bytes say it again.
"""

from __future__ import annotations

from collections import defaultdict

from agents.exact.deadletter import PREFIX
from agents.signatures import SEAM
from weir.replay.log import Log, Reader

DECODE = "decode"
_ENOUGH_S = 0.005
"""For what was committed with a transaction that has been read: it is there already."""


class Verdicts:
    """The refusals of topics by seam; read as far as they are asked for."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._readers: dict[str, Reader] = {}
        self._refused: dict[tuple[str, int, str], set[int]] = defaultdict(set)

    def unsigned(self, topic: str, partition: int) -> set[int]:
        """The offsets that were refused by their signature, of all that is written by now."""
        return self._read(topic, partition, SEAM)

    def undecoded(self, topic: str, partition: int) -> set[int]:
        """The offsets that could not be decoded, of all that is written by now."""
        return self._read(topic, partition, DECODE)

    def _read(self, topic: str, partition: int, seam: str) -> set[int]:
        letters = f"{topic}.dlq"
        if topic not in self._readers:
            self._readers[topic] = self._log.read([letters])
        reader = self._readers[topic]
        while (record := reader.next(letters, partition, _ENOUGH_S)) is not None:
            headers = dict(record.headers)
            step = (headers.get("treasury.step") or b"").decode()
            offset = int(headers.get(f"{PREFIX}offset") or -1)
            self._refused[topic, partition, step].add(offset)
        return self._refused[topic, partition, seam]

    def close(self) -> None:
        """Leaves the broker."""
        for reader in self._readers.values():
            reader.close()
