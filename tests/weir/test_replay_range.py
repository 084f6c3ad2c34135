"""`weir replay --from --to`: a range begins from a state that is proven, and says what it replayed;
what is gone is said and never passed over.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace as changed

from bench.memory_log import MemoryLog
from bench.recorded import UNKNOWN, WIRE, recorded
from schemas.jsonform import iso
from schemas.wire import header
from streams.topology import BOOK, NODES, PIPELINE
from weir.errors import WeirError
from weir.replay import Base, Choice, Record, Report, check, span
from weir.replay.base import from_changelog
from weir.replay.copies import Copies
from weir.replay.report import EMPTY, FOLDED

ORDER, FILLS, PNL = "treasury.merge-order.v1", "hedge-executions", "treasury.pnl.v1"
DECISIONS = "treasury.decisions.v1"
OTHER_ID = "01975b5d-516a-77cf-b151-967e5b2b8a54"
BOOK_CHANGELOG = "weir-pipeline-book-changelog"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MemoryLog:
    """A run with takeovers and three policies."""
    return recorded(tmp_path_factory.mktemp("recorded"), turns=90, accounts=4)


@pytest.fixture
def log(whole: MemoryLog) -> MemoryLog:
    """One's own copy, to be spoiled."""
    made = copy.copy(whole)
    made.records = copy.copy(whole.records)
    made.records.update((at, list(records)) for at, records in whole.records.items())
    made.lows = {}
    return made


def replayed(log: MemoryLog, start: str | None, stop: str | None, **more: Any) -> Report:
    return check(log, WIRE, choice=Choice(span(start, stop), **more), patience_s=0)


def runs(log: MemoryLog) -> list[tuple[Record, Any]]:
    found = [one for at, records in log.records.items() if at[0] == ORDER for one in records]
    return [(one, WIRE.decode(ORDER, one.value)) for one in found]


def middle_ms(log: MemoryLog, share: float = 0.5) -> int:
    times = sorted(run.at_ms for _, run in runs(log))
    return int(times[int(share * len(times))])


@pytest.mark.req("003-45")
def test_any_part_of_a_run_is_identical_and_says_what_it_was(log: MemoryLog) -> None:
    first, second = middle_ms(log, 0.2), middle_ms(log, 0.8)
    report = replayed(log, str(iso(first)), str(second))
    assert report.identical, str(report)
    meant = [(one, run) for one, run in runs(log) if first <= run.at_ms < second]
    assert report.progress.transactions == len(meant)
    told = report.as_json()["range"]
    for partition in ("0", "1"):
        offsets = [one.offset for one, run in meant if run.partition == int(partition)]
        assert told["order"][partition] == [offsets[0], offsets[-1] + 1]
    fills = [run for _, run in meant for one in run.runs if one.topic == FILLS]
    assert told["inputs"][FILLS].keys() == {str(run.partition) for run in fills}
    assert {"test@1", "test@2", "test@3"} <= told["policies"].keys()
    assert all(len(hash_) == 64 for name, hash_ in told["policies"].items() if name != "none")
    assert told["code"]["recorded"] == [told["code"]["replayed"]]
    assert set(told["begun"].values()).isdisjoint({EMPTY, FOLDED})
    assert f"input     {FILLS}[0]@" in str(report)


def test_the_parts_are_the_whole(log: MemoryLog) -> None:
    cut = str(middle_ms(log))
    parts = [replayed(log, None, cut).progress, replayed(log, cut, None).progress]
    done = replayed(log, None, None).progress
    for name in ("transactions", "events", "outputs", "refused"):
        assert sum(getattr(part, name) for part in parts) == getattr(done, name)


def test_a_range_by_offset_a_day_or_a_partition(log: MemoryLog) -> None:
    day = replayed(log, "2026-01-05", "2026-01-05")
    assert day.progress.transactions == len(runs(log))
    one = replayed(log, "1:20", "30").as_json()["range"]
    assert one["order"] == {"1": [20, 30]}
    both = replayed(log, "0:5,1:20", None).as_json()["range"]["order"]
    assert (both["0"][0], both["1"][0]) == (5, 20)
    same = replayed(log, "20", "30").as_json()["range"]["order"]
    assert same == {"0": [20, 30], "1": [20, 30]}


def test_some_nodes_and_topics(log: MemoryLog) -> None:
    cut = str(middle_ms(log))
    gate = replayed(log, cut, None, nodes=("gate",))
    assert gate.identical
    assert {place.partition("[")[0] for place in gate.as_json()["range"]["begun"]} == {"gate"}
    pnl = replayed(log, cut, None, topics=(PNL,))
    assert pnl.identical
    fills = replayed(log, cut, None, topics=(FILLS,))
    assert 0 < pnl.progress.outputs < fills.progress.outputs
    with pytest.raises(WeirError, match="--topic nothing: no node reads or writes it"):
        replayed(log, None, None, topics=("nothing",))
    with pytest.raises(WeirError, match="--node nobody: there are book, cash"):
        replayed(log, None, None, nodes=("nobody",))


def test_a_difference_inside_is_found_and_one_outside_is_not_looked_at(log: MemoryLog) -> None:
    cut = middle_ms(log)
    place = next(n for n, one in enumerate(log.records[PNL, 0]) if one.timestamp_ms > cut + 60_000)
    one = log.records[PNL, 0][place]
    value = WIRE.decode(PNL, one.value)
    other = changed(value, net_pnl_e18=value.net_pnl_e18 + 1)
    log.records[PNL, 0][place] = one._replace(value=WIRE.encode(PNL, other))
    assert replayed(log, None, str(cut)).identical
    found = replayed(log, str(cut), None).difference
    assert found is not None
    assert found.what == "value"
    log.records[PNL, 0].pop(place)
    lost = replayed(log, str(cut), None).difference
    assert lost is not None
    assert lost.what == "missing"
    log.records[PNL, 0][place:place] = [one, one]
    twice = replayed(log, str(cut), None).difference
    assert twice is not None
    assert twice.what == "surplus"


@pytest.mark.parametrize("share", [None, 0.1])
@pytest.mark.parametrize("moved_ms", [0, 1])
def test_what_nobody_decided_at_a_tick_is_surplus(
    log: MemoryLog, share: float | None, moved_ms: int
) -> None:
    """A second decision of a tick that was, and one of a tick that never was."""
    begin = None if share is None else middle_ms(log, share)
    pipeline = [node for node in NODES if node.app == PIPELINE]
    decided = [
        (one, WIRE.decode(DECISIONS, one.value))
        for at, records in log.records.items()
        for one in records
        if at[0] == DECISIONS
    ]
    own = [(one, value) for one, value in decided if value.meta.source.topic == "@tick"]
    model, value = next(pair for pair in own if pair[0].timestamp_ms > (begin or 0))
    at_ms = value.meta.event_time_ms + moved_ms
    meta = changed(value.meta, event_id=OTHER_ID, event_time_ms=at_ms)
    invented = model._replace(value=WIRE.encode(DECISIONS, changed(value, meta=meta)))
    log.records[DECISIONS, model.partition].append(invented)
    choice = Choice(span(None if begin is None else str(begin), None))
    found = check(log, WIRE, pipeline, choice=choice, patience_s=0).difference
    assert found is not None
    assert found.what == "surplus"
    assert found.recorded is not None
    assert found.recorded["value"]["meta"]["event_id"] == OTHER_ID
    later = Choice(span(str(at_ms + 1), None))
    assert check(log, WIRE, pipeline, choice=later, patience_s=0).identical


def test_a_schema_that_only_the_worker_knew_is_named(log: MemoryLog) -> None:
    """One that the worker did not know either is a dead letter, then and now."""
    letters = [one for at, each in log.records.items() if at[0] == f"{FILLS}.dlq" for one in each]
    assert any((one.value or b"").startswith(header(UNKNOWN)) for one in letters)
    assert replayed(log, None, None).identical
    records = log.records[PNL, 0]
    place = records[-1]
    records[-1] = place._replace(value=header(UNKNOWN) + (place.value or b"")[5:])
    with pytest.raises(WeirError, match=rf"pnl\.v1\[0\]@{place.offset}: schema: id={UNKNOWN}"):
        replayed(log, None, None)
    fill = next(one for one in log.records[FILLS, 0] if one.value != header(UNKNOWN) + b"?")
    at = log.records[FILLS, 0].index(fill)
    log.records[FILLS, 0][at] = fill._replace(value=header(UNKNOWN) + (fill.value or b"")[5:])
    with pytest.raises(
        WeirError, match=rf"executions\[0\]@{fill.offset} cannot be folded again: .*id={UNKNOWN}"
    ):
        replayed(log, None, None)


def compacted(log: MemoryLog, topic: str, share: float = 1.0) -> None:
    """Keeps the latest row of each key, as far as a share of the log."""
    for at, records in log.records.items():
        if at[0] == topic:
            head, tail = records[: int(share * len(records))], records[int(share * len(records)) :]
            latest = {one.key: one.offset for one in head}
            log.records[at] = [one for one in head if one.offset == latest[one.key]] + tail


def test_a_changelog_compacted_below_the_range_still_proves_the_state(log: MemoryLog) -> None:
    compacted(log, BOOK_CHANGELOG, 0.4)
    report = replayed(log, str(middle_ms(log, 0.9)), None)
    assert report.identical, str(report)
    assert FOLDED not in report.as_json()["range"]["begun"].values()


def test_one_compacted_beyond_it_is_folded_from_the_beginning(log: MemoryLog) -> None:
    compacted(log, BOOK_CHANGELOG)
    log.records[PNL, 0].pop(0)  # outside the range, so it is nobody's business
    report = replayed(log, str(middle_ms(log)), None)
    assert report.identical, str(report)
    begun = report.as_json()["range"]["begun"]
    assert {place for place, how in begun.items() if how == FOLDED} == {"book[0]", "book[1]"}
    proven = replayed(log, str(middle_ms(log)), None, nodes=("gate",)).as_json()["range"]
    assert FOLDED not in proven["begun"].values()


def cut(log: MemoryLog, topic: str, partition: int, low: int) -> None:
    """Retention takes what lies before an offset."""
    at = topic, partition
    log.records[at] = [one for one in log.records[at] if one.offset >= low]
    log.lows[at] = low


def test_what_retention_took_is_named(log: MemoryLog) -> None:
    cut(log, FILLS, 0, 3)
    with pytest.raises(WeirError, match=r"hedge-executions\[0\]@0\.\.2 were folded and are gone"):
        replayed(log, None, None)
    assert replayed(log, str(middle_ms(log)), None).identical
    compacted(log, BOOK_CHANGELOG)
    with pytest.raises(WeirError, match=r"hedge-executions\[0\]@0\.\.2 were folded and are gone"):
        replayed(log, str(middle_ms(log)), None)


def test_a_merge_order_that_is_cut(log: MemoryLog) -> None:
    cut(log, ORDER, 1, 7)
    with pytest.raises(
        WeirError, match=r"cannot be folded: .*merge-order\.v1\[1\]@0\.\.6 are gone"
    ):
        replayed(log, None, None)
    with pytest.raises(WeirError, match=r"--from 1:5: .* begins at offset 7"):
        replayed(log, "1:5", None)
    with pytest.raises(WeirError, match=r"--to 1:99999: .* ends at offset"):
        replayed(log, "1:40", "1:99999")
    assert replayed(log, str(middle_ms(log)), None).identical


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda records: records.pop(20), r"hedge-executions\[0\]@20 was folded and is gone"),
        (lambda records: records.__delitem__(slice(20, None)), r"ends before offset \d+"),
    ],
)
def test_a_gap_is_named(log: MemoryLog, spoil: Callable[[list[Record]], Any], said: str) -> None:
    spoil(log.records[FILLS, 0])
    with pytest.raises(WeirError, match=said):
        replayed(log, None, None)


def test_a_lost_transaction_is_found(log: MemoryLog) -> None:
    taken = [
        (one, {each.topic for each in run.runs})
        for one, run in runs(log)
        if run.node == "book" and run.partition == 0
    ]
    lost = next(one for (one, a), (_, b) in pairwise(taken[5:]) if FILLS in a & b)
    log.records[ORDER, 0].remove(lost)
    with pytest.raises(WeirError, match=r"@\d+ lies there and was never folded"):
        replayed(log, None, None)


@pytest.mark.parametrize(
    ("start", "stop", "said"),
    [
        ("yesterday", None, "--from yesterday: must be a day"),
        ("2026-13-01", None, "--from 2026-13-01: must be a day"),
        ("2026-01-05T10:00:00", None, "must be a day, an ISO-8601 time with Z"),
        (None, "1:2:3", "--to 1:2:3: must be"),
        ("0:1", "1:2", "name different partitions"),
        ("2026-01-06", "2026-01-05", "does not lie before"),
        ("2027-01-01", None, r"no transaction lies in the range .*: recorded are those of 2026-"),
        (None, "2025-12-31", "no transaction lies in the range"),
    ],
)
def test_a_range_that_is_none(
    log: MemoryLog, start: str | None, stop: str | None, said: str
) -> None:
    with pytest.raises(WeirError, match=said):
        replayed(log, start, stop)


def test_copies_have_a_name_that_a_topic_can_have() -> None:
    with pytest.raises(WeirError, match="--to-topics a/b: must be letters"):
        Copies("127.0.0.1:1", "a/b", {})


def test_a_base_goes_out_and_comes_back(log: MemoryLog) -> None:
    """What an export that begins mid-way has to hold."""
    begin = middle_ms(log)
    before = {
        run.partition: run for _, run in runs(log) if run.node == "book" and run.at_ms < begin
    }
    hashes = {partition: run.table_hash for partition, run in before.items()}
    found = from_changelog(log, BOOK, hashes)
    assert found.keys() == {0, 1}
    texts = [base.dump() for base in found.values()]
    assert [Base.load(text) for text in texts] == list(found.values())
    spoiled = texts[0].replace(b"Buy", b"buy", 1)
    assert spoiled != texts[0]
    with pytest.raises(WeirError, match="is not the one that was recorded"):
        Base.load(spoiled)
    with pytest.raises(WeirError, match="are no state of a node"):
        Base.load(texts[0][:-5])
    first = {run.partition: one.offset for one, run in reversed(runs(log)) if run.at_ms >= begin}
    for partition in (0, 1):
        cut(log, ORDER, partition, first[partition])
        log.records[BOOK_CHANGELOG, partition].clear()
    choice = Choice(nodes=("book",))
    with pytest.raises(WeirError, match=r"book\[0\]: the state it had before the range"):
        check(log, WIRE, choice=choice)
    given = [Base.load(text) for text in texts]
    report = check(log, WIRE, choice=choice, given=given)
    assert report.identical, str(report)
    assert report.as_json()["range"]["begun"] == {
        f"book[{base.partition}]": base.table_hash for base in given
    }
