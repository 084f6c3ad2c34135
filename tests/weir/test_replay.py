"""`weir replay --check`: a day with kills and a new policy gives the same bytes again; a planted
difference is found.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from agents.wiring import partition_of
from bench.cuts import prove, whole
from schemas.records import PnLRecord, Position
from streams import book
from streams.step import Emit, Entries, Event, InForce
from streams.topology import BOOK, NODES
from tables.book import Repeats
from tests.weir.day import WORKED, Day
from tests.weir.rig import PARTITIONS, WIRE
from weir.errors import WeirError
from weir.replay import KafkaLog, Reader, Record, Report, check
from weir.replay.log import FROM_THE_BEGINNING, At

ORDER = "treasury.merge-order.v1"
FILLS, PNL, POSITIONS = "hedge-executions", "treasury.pnl.v1", "treasury.positions.v1"
HEDGED = partition_of("bybit:100001", PARTITIONS)
OTHER_ID = "01975b5d-516a-77cf-b151-967e5b2b8a54"


Change = Callable[[Record], list[Record]]


class Planted:
    """A log in which something is not as it was written: each record becomes none, one or more."""

    def __init__(self, log: KafkaLog, change: Change) -> None:
        self._log, self._change = log, change

    def partitions(self, topic: str) -> int:
        return self._log.partitions(topic)

    def bounds(self, places: Iterable[At]) -> dict[At, tuple[int, int]]:
        return self._log.bounds(places)

    def read(self, topics: Iterable[str], starts: Mapping[At, int] = FROM_THE_BEGINNING) -> Reader:
        return _PlantedReader(self._log.read(topics, starts), self._change)


class _PlantedReader:
    def __init__(self, reader: Reader, change: Change) -> None:
        self._reader, self._change = reader, change
        self._more: dict[tuple[str, int], list[Record]] = defaultdict(list)

    def next(self, topic: str, partition: int, wait_s: float = 0.0) -> Record | None:
        more = self._more[topic, partition]
        while not more:
            record = self._reader.next(topic, partition, wait_s)
            if record is None:
                return None
            more += self._change(record)
        return more.pop(0)

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
def log(day: Day) -> KafkaLog:
    day.settled()
    return KafkaLog(day.rig.bootstrap)


@pytest.mark.req("003-45")
def test_the_day_is_identical_twice_in_other_batches_under_other_hash_seeds(day: Day) -> None:
    day.settled()
    told = []
    for batch, seed in (("13", "1"), ("5000", "2")):
        words = ("replay", "--check", "--json", "--batch", batch)
        done = day.rig.weir(*words, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stdout + done.stderr
        told.append(json.loads(done.stdout))
    for one in told:
        assert one["identical"]
        assert one["difference"] is None
        assert one["transactions"] > 50
        assert one["outputs"] > 1200
        assert one["refused"] == told[0]["refused"]
        assert {"test@1", "test@2"} <= one["range"]["policies"].keys()
    assert told[1]["events"] >= told[0]["events"] > 600  # the workers go on meanwhile


@pytest.mark.req("003-45")
def test_the_hours_around_the_kills_begin_from_the_recorded_state(day: Day, log: KafkaLog) -> None:
    """From the first fill to the last one, which came under the new policy."""
    runs = day.rig.values(ORDER)
    fills = [r["at"] for r in runs if any(one["topic"] == FILLS for one in r["runs"])]
    first, last = min(fills), max(fills)
    done = day.rig.weir("replay", "--from", first, "--to", last, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    inside = [run for run in runs if first <= run["at"] < last]
    assert told["identical"]
    assert told["transactions"] == len(inside) < len(runs)
    assert {"test@1", "test@2"} <= told["range"]["policies"].keys()
    taken_over = [run for run in inside for one in run["runs"] if one["topic"] == "@started"]
    assert {run["node"] for run in taken_over} >= {"book", "intents"}
    line = day.rig.weir("replay", "--from", last, "--node", "book").stdout
    assert line.startswith("identical: ")
    assert "begun     from the state that was recorded: book[" in line


def test_the_day_is_taken_up_from_anywhere(log: KafkaLog) -> None:
    found = prove(whole(log), count=40, more=3, seed=11)
    assert found["ok"], found


def test_an_altered_output_is_found_with_both_records(log: KafkaLog) -> None:
    def alter(record: Record) -> list[Record]:
        if record.topic != PNL or record.partition != HEDGED or record.offset < 20:
            return [record]
        value: PnLRecord = WIRE.decode(PNL, record.value or b"")
        other = WIRE.encode(PNL, changed(value, net_pnl_e18=value.net_pnl_e18 + 1))
        return [record._replace(value=other)]

    report = check(Planted(log, alter), WIRE)
    found = report.difference
    assert found is not None
    assert found.what == "value"
    assert found.where.startswith(f"book[{HEDGED}], {FILLS}[{HEDGED}]@")
    assert found.recorded is not None
    assert found.replayed is not None
    differing = {
        name
        for name, value in found.recorded["value"].items()
        if value != found.replayed["value"][name]
    }
    assert differing == {"net_pnl"}
    assert (found.recorded["topic"], found.recorded["partition"]) == (PNL, HEDGED)
    assert str(found).startswith("different: an output has another value\nat        book[")


def test_a_lost_and_an_invented_output_are_found(log: KafkaLog) -> None:
    def lose(record: Record) -> list[Record]:
        return [] if record.topic == PNL and 20 <= record.offset < 30 else [record]

    lost = check(Planted(log, lose), WIRE, patience_s=0.5).difference
    assert lost is not None
    assert (lost.what, lost.recorded) == ("missing", None)

    def invent(record: Record) -> list[Record]:
        if record.topic != POSITIONS or not 20 <= record.offset < 30:
            return [record]
        value: Position = WIRE.decode(POSITIONS, record.value or b"")
        other = changed(value, meta=changed(value.meta, event_id=OTHER_ID))
        return [record, record._replace(value=WIRE.encode(POSITIONS, other))]

    surplus = check(Planted(log, invent), WIRE).difference
    assert surplus is not None
    assert (surplus.what, surplus.replayed) == ("surplus", None)
    assert surplus.recorded is not None
    assert surplus.recorded["value"]["meta"]["event_id"] == OTHER_ID


def test_what_compaction_takes_is_no_difference_but_the_newest_of_a_key_is_kept(
    day: Day, log: KafkaLog
) -> None:
    mine = [line for line in day.rig.lines(POSITIONS) if line["key"].startswith(WORKED)]
    offsets = [line["offset"] for line in mine]

    def losing(gone: list[int]) -> Report:
        def lose(record: Record) -> list[Record]:
            is_mine = record.topic == POSITIONS and record.partition == mine[0]["partition"]
            return [] if is_mine and record.offset in gone else [record]

        return check(Planted(log, lose), WIRE, patience_s=0.5)

    compacted = losing(offsets[:-1])
    assert (compacted.difference, compacted.progress.compacted) == (None, len(offsets) - 1)
    newest = losing(offsets[-1:]).difference
    assert newest is not None
    assert newest.what == "missing"


def test_an_altered_rule_of_state_is_found_by_the_tables_hash(log: KafkaLog) -> None:
    """A repeat is counted twice: no output shows it, the table does."""

    def miscount(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
        before = entries.get("repeats")
        outputs = book.step(entries, event, in_force)
        after = entries.get("repeats")
        if after is not None and after != before:
            entries.put("repeats", Repeats(after.dropped + 1))
        return outputs

    nodes = (replace(BOOK, step=miscount), *NODES[1:])
    found = check(log, WIRE, nodes).difference
    assert found is not None
    assert found.what == "table"
    assert found.where.startswith("book[")
    ((key, sides),) = found.more["entries"].items()
    assert key.startswith("repeats|bybit:")
    counted = {side: json.loads(text)["dropped"] for side, text in sides.items()}
    assert counted["replayed"] == 2 * counted["recorded"] > 0


def test_an_altered_rule_of_output_is_found_at_its_first_use(log: KafkaLog) -> None:
    def another(output: Any) -> Any:
        if not isinstance(output, Emit) or output.topic != "treasury.allocations.v1":
            return output
        return changed(output, value=changed(output.value, reason="another"))

    def rename(entries: Entries, event: Event, in_force: InForce) -> list[Any]:
        return [another(output) for output in book.step(entries, event, in_force)]

    found = check(log, WIRE, (replace(BOOK, step=rename), *NODES[1:])).difference
    assert found is not None
    assert found.what == "value"
    assert found.replayed is not None
    assert found.replayed["value"]["reason"] == "another"


def test_a_log_that_was_cut_is_said_and_not_replayed(log: KafkaLog) -> None:
    def cut(record: Record) -> list[Record]:
        return [] if record.topic == FILLS and record.offset < 10 else [record]

    with pytest.raises(WeirError, match=r"hedge-executions\[\d\]@\d+ was folded and is gone"):
        check(Planted(log, cut), WIRE)
