"""A row that is refused and yet remembered: worker and replay agree on its dead letter, on the mark
that it left, and on the hash of the table.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from agents.exact.harness import Harness, Sent
from agents.pipeline import build
from agents.settings import WorkerSettings
from schemas.records import HedgeExecution
from schemas.wire import SchemaIds, Wire
from tests.fill import fill
from weir.replay import Record, check
from weir.replay.log import At

ACCOUNT, AT_MS = "bybit:1", 1_749_600_000_000
FILLS = "hedge-executions"
WIRE = Wire(SchemaIds.from_lock())


def row(exec_id: str, exec_type: str) -> HedgeExecution:
    return fill(exec_id, ACCOUNT, "Buy", 10**18, 10**20, AT_MS, exec_type=exec_type, source="rest")


class Kept:
    """A log in memory: what was fed, and what the harness saw written."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = list(records)

    def partitions(self, topic: str) -> int:
        return 1

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        return {at: (0, sum(one.topic == at[0] for one in self.records)) for at in places}

    def read(self, topics: Iterable[str], starts: Mapping[At, int] | None = None) -> KeptReader:
        return KeptReader([one for one in self.records if one.topic in set(topics)])


class KeptReader:
    def __init__(self, records: Iterable[Record]) -> None:
        self._left: dict[str, deque[Record]] = defaultdict(deque)
        for record in records:
            self._left[record.topic].append(record)

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        left = self._left[topic]
        return left.popleft() if left else None

    def close(self) -> None:
        """Nothing is open."""


def kept(offset: int, sent: Sent) -> Record:
    key = sent.key.encode() if isinstance(sent.key, str) else sent.key
    return Record(sent.topic, sent.partition, offset, key, sent.value, sent.timestamp_ms)


@pytest.mark.req("000-58")
async def test_a_dead_letter_may_leave_a_mark_and_a_replay_finds_it_too(tmp_path: Path) -> None:
    app = build(WorkerSettings(bootstrap="127.0.0.1:1", home=tmp_path, partitions=1))
    rows = [row("f1", "Trade"), row("f2", "FutureSpread"), row("f3", "Trade"), row("f4", "nothing")]
    async with Harness(app) as h:
        for one in rows:
            await h.feed(FILLS, one, key=ACCOUNT, timestamp_ms=AT_MS, at_ms=AT_MS)
        state = h.table("book")
        letters = [dict(letter.headers) for letter in h.dead_letters]
        written = list(h.records)
    assert state[f"frozen|{ACCOUNT}"].marks == ("exec_type:linear|f2", "exec_type:linear|f4")
    assert state[f"positions|{ACCOUNT}|linear|BTCUSDT|0"].qty_e18 == 2 * 10**18
    assert [letter["treasury.outcome"] for letter in letters] == [b"exec_type", b"exec_type"]
    assert letters[0]["__streams.errors.offset"] == b"1"
    assert b"FutureSpread" in letters[0]["__streams.errors.message"]

    inputs = [
        Record(FILLS, 0, offset, ACCOUNT.encode(), WIRE.encode(FILLS, one), AT_MS)
        for offset, one in enumerate(rows)
    ]
    outputs = [kept(offset, sent) for offset, sent in enumerate(written)]
    report = check(Kept([*inputs, *outputs]), WIRE)
    assert report.identical, str(report)
    assert (report.progress.events, report.progress.refused) == (4, 2)
