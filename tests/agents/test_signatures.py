"""The executor's input seam: an intent that the pipeline did not sign is never seen by the step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from agents import exact, keys
from agents.exact.harness import Harness
from agents.nodes import add_node
from agents.signatures import INTENTS, checking, signing
from schemas.policy import Policy, canonical
from schemas.records import ControlCopy, Intent, IntentInput, PolicyCopy
from schemas.signing import PrivateKey
from schemas.wire import SchemaIds, Wire
from streams.canonical import hash_of
from streams.topology import INTENTS as NODE
from tables.spec import PARTITION_KEY
from tests.streams.saga_world import T0_MS, intent

WIRE = Wire(SchemaIds.from_lock())
KEY = PrivateKey.new("pipeline")
LIVE = ("treasury.mode", b"live")
POLICY_BODY = canonical(Policy())


class Executor:
    """The intents node behind its seam."""

    def __init__(self, folder: Path, trusted: tuple[str, ...] = (KEY.public,)) -> None:
        config = exact.Config(bootstrap="127.0.0.1:1", datadir=folder, header_prefix="treasury")
        self.app = exact.App("executor", config=config)
        self.trusted = trusted
        checks = {INTENTS: checking(lambda: self.trusted)}
        add_node(self.app, NODE, WIRE, 1, checks=checks)

    async def open(self, h: Harness) -> None:
        """A policy and ACTIVE."""
        policy = PolicyCopy("test", 1, hash_of(POLICY_BODY), POLICY_BODY)
        for body in (policy, ControlCopy("all", "ACTIVE", 1, "test", 0)):
            await h.feed(NODE.inbox, IntentInput(body=body), key=PARTITION_KEY, timestamp_ms=1)

    async def feed(self, h: Harness, one: Intent, headers: list[tuple[str, bytes]]) -> None:
        await h.feed(INTENTS, one, key=one.lane, timestamp_ms=T0_MS, at_ms=T0_MS, headers=headers)


def headers_of(one: Intent, key: PrivateKey = KEY) -> list[tuple[str, bytes]]:
    signed = signing(key)[INTENTS](one.lane, one, WIRE.encode(INTENTS, one))
    return [LIVE, *((name, text.encode()) for name, text in signed.items())]


@pytest.mark.req("000-72", "000-73")
async def test_a_signed_intent_is_taken(tmp_path: Path) -> None:
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        await executor.open(h)
        one = intent()
        await executor.feed(h, one, headers_of(one))
        assert h.dead_letters == []
        assert [effect.intent_id for effect in h.effects] == ["i1"]


@pytest.mark.req("000-72", "000-73")
@pytest.mark.parametrize("fault", ["unsigned", "altered", "stranger", "paper", "no mode", "bytes"])
async def test_any_other_is_a_dead_letter_and_nothing_is_done(tmp_path: Path, fault: str) -> None:
    executor = Executor(tmp_path)
    one = intent()
    signed = headers_of(one)
    headers = {
        "unsigned": [LIVE],
        "altered": signed,
        "stranger": headers_of(one, PrivateKey.new("pipeline")),
        "paper": [("treasury.mode", b"paper"), *signed[1:]],
        "no mode": signed[1:],
        "bytes": [LIVE, ("jws", b"\xff..\xff")],
    }[fault]
    sent = replace(one, deadline_ms=one.deadline_ms + 1) if fault == "altered" else one
    async with Harness(executor.app) as h:
        await executor.open(h)
        await executor.feed(h, sent, headers)
        (letter,) = h.dead_letters
        said = dict(letter.headers)
        assert said["treasury.outcome"] == b"signature"
        assert said["treasury.step"] == b"verify"
        assert letter.value == WIRE.encode(INTENTS, sent)
        assert h.effects == []
        assert set(h.table("intents")) <= {PARTITION_KEY}


async def test_a_key_that_is_made_later_is_found(tmp_path: Path) -> None:
    executor = Executor(tmp_path, trusted=())
    async with Harness(executor.app) as h:
        await executor.open(h)
        first, second = intent("i1"), intent("i2")
        await executor.feed(h, first, headers_of(first))
        executor.trusted = (KEY.public,)
        await executor.feed(h, second, headers_of(second))
        assert len(h.dead_letters) == 1
        assert [effect.intent_id for effect in h.effects] == ["i2"]


async def test_a_key_that_was_replaced_counts_no_more(tmp_path: Path) -> None:
    """At once, not only when the first intent of the new key has come."""
    executor = Executor(tmp_path)
    async with Harness(executor.app) as h:
        await executor.open(h)
        first, second = intent("i1"), intent("i2")
        await executor.feed(h, first, headers_of(first))
        executor.trusted = (PrivateKey.new("pipeline").public,)
        await executor.feed(h, second, headers_of(second))
        assert [effect.intent_id for effect in h.effects] == ["i1"]
        assert len(h.dead_letters) == 1


def test_keys_are_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    made = keys.create(tmp_path, "ann")
    path = keys.path_of(tmp_path, "ann")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.load(tmp_path, "ann").public == made.public
    assert [file.name for file in path.parent.iterdir()] == ["ann.jwk"]
    with pytest.raises(keys.KeyFault, match="exists already"):
        keys.create(tmp_path, "ann")
    assert keys.load(tmp_path, "ann").public == made.public
    path.chmod(0o640)
    with pytest.raises(keys.KeyFault, match="can be read by others"):
        keys.load(tmp_path, "ann")
    with pytest.raises(keys.KeyFault, match="weir keys new bob"):
        keys.load(tmp_path, "bob")
    with pytest.raises(keys.KeyFault, match="no name for a key"):
        keys.path_of(tmp_path, "../ann")
    path.chmod(0o600)
    path.write_text(json.dumps({"kty": "OKP"}))
    with pytest.raises(keys.KeyFault, match="not a private"):
        keys.load(tmp_path, "ann")


def test_the_pipelines_key_is_made_once_and_trusted(tmp_path: Path) -> None:
    assert keys.trusted(tmp_path, ()) == ()
    first = keys.pipeline(tmp_path)
    assert keys.pipeline(tmp_path).public == first.public
    other = PrivateKey.new("other").public
    assert keys.trusted(tmp_path, (other,)) == (first.public, other)
    with pytest.raises(keys.KeyFault, match="32 bytes"):
        keys.trusted(tmp_path, ("AA",))
