"""One worker's life on a real broker, and everything it wrote, seen by eyes that are not its own.

A worker takes good, bad and refused records, is killed, comes back, gets a colleague and loses it
again. The tests look at what then lies in the topics.
"""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator

import pytest

from agents.exact.harness import partition_of
from tests.agents.exact import verify
from tests.agents.exact.rig import Rig, until

GOOD = 600
LONG = b"{" + b"x" * 999_900  # as large as a producer lets through
POISON = (
    ("deposits", b"not json", b"acc-1", 111_000, [("trace", b"\x00\xff"), ("trace", b"2")]),
    ("deposits", None, b"acc-2", 112_000, None),
    ("deposits", b'{"id": 0, "amount": 1}', b"\xff\xfe", 113_000, None),
    ("rates", b"[", b"acc-3", 114_000, None),
    ("deposits", LONG, b"acc-1", 115_000, None),
)
REFUSED = [{"id": 10_000 + i, "amount": -2, "effect": True, "wake_in_ms": 1} for i in range(3)]
WITH_EFFECT = range(20_000, 20_005)


@pytest.fixture(scope="module")
def run(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(broker, f"e-{secrets.token_hex(3)}", tmp_path_factory.mktemp("engine"))
    try:
        _live(rig)
        yield rig
    finally:
        rig.close()


def _live(rig: Rig) -> None:
    rig.deposits(0, GOOD // 2)
    for stem, value, key, timestamp, headers in POISON:
        rig.send(stem, value, key, timestamp=timestamp, headers=headers)
    for refused in REFUSED:
        rig.send("deposits", refused, "acc-1", timestamp=120_000)
    for i in WITH_EFFECT:
        rig.send("deposits", {"id": i, "amount": 1, "effect": True}, f"fx-{i}")
    rig.send("single", {"hello": 1}, None, timestamp=130_000)
    rig.start(0, hang_timeout_s=10)
    rig.wait_for_ids(GOOD // 2 + len(WITH_EFFECT))
    rig.send("deposits", {"id": 30_000, "amount": 1, "wake_in_ms": 7_000}, "sleeper")
    rig.send("deposits", {"id": 30_001, "amount": 1, "wake_in_ms": 3_600_000}, "patient")
    rig.producer.flush(10)
    rig.wait_for_ids(GOOD // 2 + len(WITH_EFFECT) + 2)
    rig.kill(0)
    rig.deposits(GOOD // 2, GOOD)
    rig.start(0)
    rig.wait_for_ids(GOOD + len(WITH_EFFECT) + 2)
    rig.start(1)
    until(lambda: sum(taken_over(rig)[p][-1] == 3 for p in range(4)) == 2, "a share for worker 1")
    assert rig.stop(1) == 0
    rig.logged("ready", 0, times=4)  # two starts, one join, one leave
    rig.deposits(40_000, 40_001)
    rig.wait_for_ids(GOOD + len(WITH_EFFECT) + 3)
    assert rig.stop(0) == 0


def taken_over(run: Rig) -> dict[int, list[int]]:
    """Partition of stage one -> the group's generations in which it was told of a new owner."""
    generations: dict[int, list[int]] = defaultdict(list)
    for order in run.orders():
        if order.table == "accounts":
            generations[order.partition] += [g for topic, g, _ in order.runs if topic == "@started"]
    return generations


def test_every_deposit_comes_out_once_with_its_running_sum(run):
    verify.every_deposit_once(run)


def test_an_output_carries_its_events_time_and_key_and_lies_where_java_puts_it(run):
    times = {value["id"]: message.timestamp()[1] for message, _, value in verify.good_deposits(run)}
    for message in run.read("sums"):
        value = json.loads(message.value())
        if "id" in value:
            assert message.timestamp() == (1, times[value["id"]])
            assert message.partition() == partition_of(message.key(), 4)
            assert message.headers() is None


def test_dead_letters_are_the_original_record_with_its_coordinates(run):
    letters = [*run.read("deposits-{}.dlq"), *run.read("rates-{}.dlq")]
    found = {}
    for letter in letters:
        headers = letter.headers()
        ours = dict(headers[-7:])
        at = ours["__streams.errors.topic"].decode(), letter.partition()
        assert ours["__streams.errors.partition"] == str(letter.partition()).encode()
        found[*at, int(ours["__streams.errors.offset"])] = letter, headers[:-7], ours
    assert len(found) == len(POISON) + len(REFUSED) == len(letters)
    originals = {
        (m.topic(), m.partition(), m.offset()): m
        for stem in ("deposits", "rates")
        for m in run.read(stem)
    }
    for at, (letter, headers, ours) in found.items():
        original = originals[at]
        assert letter.value() == original.value()
        assert letter.key() == original.key()
        assert letter.timestamp() == original.timestamp()
        assert headers == (original.headers() or [])
        assert ours["exact.step"] == (
            b"process" if b'"amount": -2' in (letter.value() or b"") else b"decode"
        )
        assert ours["exact.outcome"] == ours["__streams.errors.exception"]
    assert {m.value() for m, _, _ in found.values()} == {p[1] for p in POISON} | {
        json.dumps(refused).encode() for refused in REFUSED
    }


def test_a_wake_up_comes_once_and_survives_a_kill(run):
    values = run.values("sums")
    assert [value["woken"] for value in values if "woken" in value] == ["sleeper"]
    order = [next(iter(value)) for value in values if "sleeper" in value.values()]
    assert order == ["started", "woken"]
    assert run.log(0).count("ready") == 4


def test_a_take_over_is_told_where_a_partition_changed_hands_and_nowhere_else(run):
    """Four partitions start twice (start, after the kill); the colleague takes some and gives them
    back.
    """
    assert sorted(taken_over(run).values()) == [[1, 2], [1, 2], [1, 2, 3, 4], [1, 2, 3, 4]]


def test_effects_are_carried_out_for_what_committed_only(run):
    assert verify.effects(run) == verify.wished_effects(run)
    assert set(WITH_EFFECT) < set(verify.effects(run))


def test_an_agent_of_one_partition_lives_in_the_same_app(run):
    copies = [message for message in run.read("sums") if message.key() == b"@copy"]
    assert sorted(message.partition() for message in copies) == [0, 1, 2, 3]
    assert {message.timestamp()[1] for message in copies} == {130_000}


def test_the_second_stage_counts_without_a_gap(run):
    verify.second_stage_without_a_gap(run)


def test_the_merge_order_names_every_offset_once_and_in_order(run):
    verify.order_names_every_offset(run)


def test_the_merge_orders_hash_is_the_changelogs_and_the_entries_own(run):
    verify.hashes_agree(run)


def test_the_changelog_is_readable_json_and_the_fold_of_the_input(run):
    verify.state_is_the_fold(run)
    due = [key for rows in run.entries("accounts").values() for key in rows if key[:5] == "@due|"]
    assert [key.split("|", 2)[2] for key in due] == ["patient"]
