"""The seam of answers to attempts: what became of money is believed only from who may say it, and
what was said once, written again by anybody, changes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from agents import exact, keys
from agents.exact.harness import Harness, Record
from agents.nodes import add_node
from agents.settings import WorkerSettings
from agents.signatures import (
    ANSWERS,
    ATTEMPTS,
    INTENTS,
    Trust,
    answer_check,
    answering,
    checking,
    ending,
    must_be_signed,
    signing,
    teller,
)
from agents.worker import trusting
from schemas.policy import Policy, canonical
from schemas.records import AttemptRecord, ControlCopy, Intent, IntentInput, PolicyCopy
from schemas.signing import PrivateKey
from schemas.wire import SchemaIds, Wire
from streams.canonical import hash_of
from streams.effects import Call, Prepare
from streams.step import IMPORTED, Refused
from streams.topology import INTENTS as NODE
from tables.spec import PARTITION_KEY
from tests.streams.saga_world import LANE, T0_MS, Venue, answer, intent
from tests.streams.saga_world import World as Carrying

WIRE = Wire(SchemaIds.from_lock())
KEYS = {name: PrivateKey.new(name) for name in (keys.PIPELINE, keys.EXECUTOR, keys.WEB)}
KEYS["stranger"] = PrivateKey.new(keys.EXECUTOR)
TRUST = Trust(*(lambda one=KEYS[name]: (one.public,) for name in ("pipeline", "executor", "web")))
AVRO = Path(__file__).parents[2] / "schemas" / "avro" / "attempt.avsc"
BODY = canonical(Policy())
OTHER_LANE = "bybit|bybit:2|USDT"
HOUR_MS = 3_600_000

Headers = list[tuple[str, bytes]]


def record(kind: str, **changes: Any) -> AttemptRecord:
    """An answer about an intent that nobody knows here: who is believed is told so by the step."""
    bare = AttemptRecord("a1", "i1", "main", 1, kind, T0_MS, class_="done")
    return replace(bare, **changes)


ENTRY = record("EVIDENCE", attempt_id="entry:E1", leg="only")


def signed(one: AttemptRecord, by: str, lane: str = LANE) -> Headers:
    made = answering(KEYS[by])[ATTEMPTS](lane, one, WIRE.encode(ATTEMPTS, one))
    return [(name, text.encode()) for name, text in made.items()]


class Executor:
    """The intents node behind its seams, in the harness, with a venue that carries out."""

    def __init__(self, folder: Path) -> None:
        config = exact.Config(bootstrap="127.0.0.1:1", datadir=folder, header_prefix="treasury")
        self.app = exact.App("executor", config=config)
        checks = {INTENTS: checking(TRUST.pipelines), **answer_check(TRUST)}
        key = KEYS["executor"]
        add_node(self.app, NODE, WIRE, 1, sign=ending(key) | answering(key), checks=checks)
        self.now_ms = T0_MS

    async def open(self, h: Harness, *first: Any) -> None:
        policy = PolicyCopy("test", 1, hash_of(BODY), BODY)
        for body in (*first, policy, ControlCopy("all", "ACTIVE", 1, "test", 0)):
            await h.feed(NODE.inbox or "", IntentInput(body=body), key=PARTITION_KEY, at_ms=1)

    async def give(self, h: Harness, one: Intent) -> None:
        made = signing(KEYS["pipeline"])[INTENTS](one.lane, one, WIRE.encode(INTENTS, one))
        headers = [("treasury.mode", b"live"), ("jws", made["jws"].encode())]
        await h.feed(INTENTS, one, key=one.lane, at_ms=self.now_ms, headers=headers)

    async def hear(self, h: Harness, one: Any, headers: Headers, lane: str = LANE) -> None:
        await h.feed(ATTEMPTS, one, key=lane, at_ms=self.now_ms, headers=headers)


def causes(h: Harness) -> list[str]:
    return [dict(one.headers)["treasury.outcome"].decode() for one in h.dead_letters]


SEEN, FORGED = "unknown_intent", "signature"


@pytest.mark.req("000-57", "000-72", "000-73")
@pytest.mark.parametrize(
    ("one", "by"),
    [
        (record("PREPARED"), "executor"),
        (record("RESULT"), "executor"),
        (record("EVIDENCE"), "executor"),
        (ENTRY, "pipeline"),
        (record("WEBHOOK"), "web"),
    ],
    ids=["prepared", "result", "evidence", "booked entry", "word of others"],
)
async def test_each_answer_is_the_word_of_one_process(
    tmp_path: Path, one: AttemptRecord, by: str
) -> None:
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        for name in KEYS:
            await executor.hear(h, one, signed(one, name))
        await executor.hear(h, one, [])
        assert causes(h) == [SEEN if name == by else FORGED for name in (*KEYS, "nobody")]
        assert set(h.table("intents")) == set()


RESULT = record("RESULT")
TRUE = signed(RESULT, "executor")


def test_the_end_of_the_key_is_signed_too() -> None:
    """Else a key that goes on with the beginning of the value would say the same."""
    sign = answering(KEYS["executor"])[ATTEMPTS]
    jws = sign("a", None, b"b\nc")["jws"]
    assert sign("a", None, b"b\nc")["jws"] == jws
    assert sign("a\nb", None, b"c")["jws"] != jws


@pytest.mark.req("000-57", "000-72", "000-73")
@pytest.mark.parametrize(
    ("sent", "headers", "lane"),
    [
        (replace(RESULT, class_="refused"), TRUE, LANE),
        (replace(RESULT, intent_id="i2"), TRUE, LANE),
        (replace(RESULT, n=2), TRUE, LANE),
        (replace(RESULT, leg="transfer"), TRUE, LANE),
        (replace(RESULT, kind="EVIDENCE"), TRUE, LANE),
        (replace(RESULT, attempt_id="entry:a1", kind="EVIDENCE"), TRUE, LANE),
        (RESULT, TRUE, OTHER_LANE),
        (RESULT, signed(RESULT, "executor", OTHER_LANE), LANE),
        (RESULT, [("jws", b"")], LANE),
        (RESULT, [("jws", b"\xff..\xff")], LANE),
        (RESULT, [("jws", TRUE[0][1][:-4] + b"AAAA")], LANE),
        (RESULT, [*TRUE, ("jws", b"e30..e30")], LANE),
        (record("ATTEMPT"), TRUE, LANE),
        (record("ATTEMPT"), [], LANE),
    ],
    ids=["class", "intent", "number", "leg", "kind", "as a booked entry", "lane", "for a lane",
         "empty", "bytes", "cut", "two headers", "attempt", "unsigned attempt"],
)  # fmt: skip
async def test_what_was_altered_or_moved_is_a_dead_letter_and_changes_nothing(
    tmp_path: Path, sent: AttemptRecord, headers: Headers, lane: str
) -> None:
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        await executor.hear(h, sent, headers, lane)
        (letter,) = h.dead_letters
        said = dict(letter.headers)
        assert (said["treasury.outcome"], said["treasury.step"]) == (b"signature", b"verify")
        assert (said["__streams.errors.topic"], said["__streams.errors.offset"]) == (
            ATTEMPTS.encode(),
            b"0",
        )
        assert f"{sent.kind}, the " in said["__streams.errors.message"].decode()
        assert letter.value == WIRE.encode(ATTEMPTS, sent)
        assert (h.table("intents"), h.effects) == ({}, [])


async def test_the_word_of_people_is_looked_at_by_the_step(tmp_path: Path) -> None:
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        await executor.hear(h, record("HUMAN"), [])
        assert causes(h) == [SEEN]


async def test_on_an_imported_log_nobody_signs(tmp_path: Path) -> None:
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        await executor.open(h, ControlCopy(IMPORTED, "PAUSED", 0, "import", 0))
        await executor.hear(h, ENTRY, [])
        assert causes(h) == [SEEN]


LIVES: list[tuple[dict[tuple[str, int], str], str]] = [
    ({}, "CONFIRMED"),
    ({("main", 1): "refused"}, "REJECTED"),
    ({("transfer", 1): "lost_after", ("main", 1): "lost_after"}, "CONFIRMED"),
    ({("main", 1): "lost_before"}, "CONFIRMED"),
    ({("main", 1): "lost_before", ("main", 2): "lost_after"}, "CONFIRMED"),
    ({("transfer", 1): "not_sent", ("main", 1): "not_sent"}, "CONFIRMED"),
    ({("main", 1): "not_sent", ("main", 2): "lost_before"}, "CONFIRMED"),
    ({("transfer", 1): "unread", ("main", 1): "unread"}, "CONFIRMED"),
]


@pytest.mark.req("000-57", "000-73")
@pytest.mark.parametrize(("fates", "end"), LIVES, ids=lambda one: str(one))
async def test_whatever_was_said_before_is_written_again_and_changes_nothing(
    tmp_path: Path, fates: dict[tuple[str, int], str], end: str
) -> None:
    """All that a lane's life brought is written again after every step of it, signatures and all:
    under its own key, and into another lane, where an equal intent waits for its own answers.
    """
    executor, world = Executor(tmp_path), Carrying(Venue(), dict(fates))
    said: list[tuple[AttemptRecord, Headers]] = []
    async with Harness(executor.app) as h:
        await executor.open(h)
        deadline_ms = T0_MS + 4 * HOUR_MS
        twin = intent("i2", account_id="bybit:2", lane=OTHER_LANE, deadline_ms=deadline_ms)
        for one in (twin, intent("i1", deadline_ms=deadline_ms)):
            await executor.give(h, one)
        effects = [one for one in h.effects if one.lane == LANE]
        for _ in range(200):
            h.effects.clear()
            if effects:
                world.now_ms = executor.now_ms
                one = _carried(world, effects.pop(0))
                said.append((one, signed(one, "executor")))
                await executor.hear(h, *said[-1])
            elif h.table("intents")[f"intents|{LANE}|i1"].state == end:
                break
            else:
                executor.now_ms += 60_000
                await h.tick(executor.now_ms)
            effects += [one for one in h.effects if one.lane == LANE]
            journal = _journal(h)
            for row in journal[sum(one.kind == "ATTEMPT" for one, _ in said) :]:
                said.append(row)
                await executor.hear(h, *row)
            assert h.dead_letters == []
            before = dict(h.table("intents"))
            for old in said:
                h.effects.clear()
                await executor.hear(h, *old)
                assert (h.effects, h.table("intents")) == ([], before), old[0]
                await executor.hear(h, *old, lane=OTHER_LANE)
            assert set(causes(h)) <= {FORGED}
            assert (h.effects, h.table("intents")) == ([], before)
            h.records[:] = [one for one in h.records if not one.topic.endswith(".dlq")]
        assert h.table("intents")[f"intents|{LANE}|i1"].state == end
        back = ["main"] if end == "CONFIRMED" else ["return"]
        assert [leg for _, leg in world.venue.effects] == ["transfer", *back]


def _carried(world: Carrying, effect: Any) -> AttemptRecord:
    """What the runner answers: also that it came too late to call, or could not read at first."""
    at = effect.leg, effect.n
    fate = world.fates.get(at)
    if isinstance(effect, Call) and fate == "not_sent":
        return answer(effect, "RESULT", world.now_ms, class_="not_sent", message="late")
    if isinstance(effect, Prepare) and fate == "unread":
        del world.fates[at]
        return answer(effect, "PREPARED", world.now_ms, class_="unknown", message="ReadTimeout")
    return world.carry(effect)


def _journal(h: Harness) -> list[tuple[AttemptRecord, Headers]]:
    """The rows that the node itself wrote, as they lie on the topic."""
    return [
        (WIRE.decode(ATTEMPTS, one.value), [(n, text.encode()) for n, text in one.headers.items()])
        for one in h.outputs
        if one.topic == ATTEMPTS
    ]


def test_every_kind_has_a_teller() -> None:
    (kinds, *_) = json.loads(AVRO.read_text())
    assert set(ANSWERS) == set(kinds["symbols"]) - {kinds["default"]}
    for kind, whose in ANSWERS.items():
        assert teller(record(kind)) == whose
        assert must_be_signed(ATTEMPTS, record(kind)) == (whose is not None)
    assert teller(ENTRY) == keys.PIPELINE


def test_the_web_has_a_key_that_its_home_trusts_and_others_are_told_of(tmp_path: Path) -> None:
    one = record("WEBHOOK")

    def is_believed(trust: Trust) -> bool:
        value, key = WIRE.encode(ATTEMPTS, one), LANE.encode()
        said = answering(keys.web(tmp_path / "web"))[ATTEMPTS](LANE, one, value)
        headers = [(name, text.encode()) for name, text in said.items()]
        message = Record(ATTEMPTS, 0, 0, key, value, T0_MS, headers)
        try:
            answer_check(trust)[ATTEMPTS](SimpleNamespace(message=message, value=one))
        except Refused:
            return False
        return True

    def trust(home: str, *told: str) -> Trust:
        where = {"bootstrap": "127.0.0.1:1", "home": tmp_path / home}
        return trusting(WorkerSettings(**where, web_keys=told))

    public = keys.web(tmp_path / "web").public
    assert is_believed(trust("web"))
    assert not is_believed(trust("elsewhere"))
    assert is_believed(trust("elsewhere", public))
    with pytest.raises(keys.KeyFault, match="a key of the web"):
        trust("elsewhere", "none")
