"""The inboxes' seam: what frees a hold, changes a policy or ends a pause is taken only from those
who may say it, whoever else can write to the topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agents import exact, keys
from agents.exact.harness import Harness
from agents.nodes import add_node
from agents.signatures import (
    DESK,
    INBOXES,
    Sign,
    copying,
    ending,
    inbox_checks,
    must_be_signed,
    signing,
)
from agents.wiring import partition_of
from schemas.policy import Policy, canonical
from schemas.records import (
    BookInput,
    ControlCopy,
    DeskInput,
    IntentInput,
    IntentOutcome,
    PolicyCopy,
    Revoke,
    UsdRate,
    Withdrawal,
)
from schemas.signing import PrivateKey
from schemas.wire import SchemaIds, Wire
from streams.canonical import hash_of
from streams.node import Node
from streams.step import IMPORTED
from streams.topology import BOOK, GATE, INTENTS
from tables.spec import PARTITION_KEY

WIRE = Wire(SchemaIds.from_lock())
PIPELINE, EXECUTOR = PrivateKey.new("pipeline"), PrivateKey.new("executor")
BODY = canonical(Policy())
POLICY = PolicyCopy("test", 1, hash_of(BODY), BODY)
ACTIVE = ControlCopy("all", "ACTIVE", 1, "test", 0)
TAKEN = Withdrawal("i1", "d2", "cash", "bank:1", "floor_breach", 1)
SEEN, UNSIGNED = b"unknown_intent", b"signature"
"""Why an end is refused: by the gate, which never saw the intent, or before it."""
LIVE = ("treasury.mode", b"live")


def outcome(state: str = "REJECTED", final: bool = True) -> IntentOutcome:
    """The end of an intent."""
    return IntentOutcome(
        intent_id="i1", decision_id="d1", kind="REPAY", class_="loan", origin="book",
        account_id="bybit:1", lane="bybit|bybit:1|USDT", state=state, asked_e18=10**18,
        granted_e18=10**18, amount_done_e18=0, ccy="USDT", venue_refs=(), facts={}, final=final,
        at_ms=1,
    )  # fmt: skip


class Behind:
    """A node of the pipeline behind its seam."""

    def __init__(self, folder: Path, node: Node = GATE) -> None:
        config = exact.Config(bootstrap="127.0.0.1:1", datadir=folder, header_prefix="treasury")
        self.app = exact.App("pipeline", config=config)
        checks = inbox_checks(lambda: (PIPELINE.public,), lambda: (EXECUTOR.public,))
        add_node(self.app, node, WIRE, 1, checks=checks)

    async def feed(
        self, h: Harness, body: Any, signed: Mapping[str, str], key: str = "desk"
    ) -> None:
        headers = [LIVE, *((name, text.encode()) for name, text in signed.items())]
        value = DeskInput(body=body)
        await h.feed(DESK, value, key=key, timestamp_ms=1, at_ms=1, headers=headers)


def by(key: PrivateKey, body: Any, topic: str = DESK) -> dict[str, str]:
    """A signature over what lies on the desk's inbox, made for a topic."""
    value = DeskInput(body=body)
    return copying(key)[topic](PARTITION_KEY, value, WIRE.encode(DESK, value))


@pytest.mark.req("000-72")
@pytest.mark.parametrize(
    ("signed", "cause"),
    [
        (by(EXECUTOR, outcome()), SEEN),
        ({}, UNSIGNED),
        (by(PIPELINE, outcome()), UNSIGNED),
        (by(PrivateKey.new("executor"), outcome()), UNSIGNED),
        (by(EXECUTOR, outcome("EXPIRED")), UNSIGNED),
        (by(EXECUTOR, outcome(), "treasury.book-inputs.v1"), UNSIGNED),
    ],
    ids=["executor", "unsigned", "pipeline", "stranger", "altered", "of another topic"],
)
async def test_only_the_executor_says_that_an_intent_has_ended(
    tmp_path: Path, signed: dict[str, str], cause: bytes
) -> None:
    gate = Behind(tmp_path)
    async with Harness(gate.app) as h:
        await gate.feed(h, outcome(), signed)
        (letter,) = h.dead_letters
        assert dict(letter.headers)["treasury.outcome"] == cause


@pytest.mark.req("000-72", "004-03")
@pytest.mark.parametrize("name", ["pipeline", "executor", "stranger", ""])
async def test_only_the_pipeline_takes_back_what_it_has_proposed(tmp_path: Path, name: str) -> None:
    """Its own signature is the one that its records carry; one it lacks frees no hold."""
    gate = Behind(tmp_path)
    value = DeskInput(body=TAKEN)
    keys_by_name = {"pipeline": PIPELINE, "executor": EXECUTOR}
    key = keys_by_name.get(name) or PrivateKey.new(name)
    signed = signing(key)[DESK]("desk", value, WIRE.encode(DESK, value)) if name else {}
    async with Harness(gate.app) as h:
        await gate.feed(h, TAKEN, signed)
        (letter,) = h.dead_letters
        cause = dict(letter.headers)["treasury.outcome"]
        assert cause == (SEEN if name == "pipeline" else UNSIGNED)


@pytest.mark.req("000-72")
@pytest.mark.parametrize("body", [POLICY, ACTIVE], ids=["policy", "control"])
@pytest.mark.parametrize(
    ("key", "taken"), [(PIPELINE, True), (EXECUTOR, False), (PrivateKey.new("pipeline"), False)]
)
async def test_only_the_relay_puts_a_policy_or_a_control_in_force(
    tmp_path: Path, body: Any, key: PrivateKey, taken: bool
) -> None:
    gate = Behind(tmp_path)
    async with Harness(gate.app) as h:
        await gate.feed(h, body, {}, PARTITION_KEY)
        await gate.feed(h, body, by(key, body), PARTITION_KEY)
        assert len(h.dead_letters) == (1 if taken else 2)
        assert (PARTITION_KEY in h.table("gate")) == taken


async def test_what_comes_from_outside_needs_no_signature(tmp_path: Path) -> None:
    gate = Behind(tmp_path)
    async with Harness(gate.app) as h:
        await gate.feed(h, UsdRate("USDT", 10**18, 1), {})
        assert h.dead_letters == []
        assert h.table("gate")["rates|desk|USDT"].rate_e18 == 10**18


@pytest.mark.parametrize(
    ("topic", "value", "needed"),
    [
        (DESK, DeskInput(body=outcome()), True),
        (DESK, DeskInput(body=outcome("UNKNOWN", final=False)), False),
        (DESK, DeskInput(body=TAKEN), True),
        (INTENTS.inbox, IntentInput(body=ACTIVE), True),
        (INTENTS.inbox, IntentInput(body=Revoke("i1", "ann", "")), False),
        ("treasury.intents.v1", None, True),
        ("treasury.proposals.v1", None, False),
    ],
)
def test_what_must_be_signed(topic: str, value: Any, needed: bool) -> None:
    assert must_be_signed(topic, value) == needed


@pytest.mark.parametrize("sign", [ending(EXECUTOR), signing(PIPELINE)])
def test_of_the_rest_ends_are_signed_and_nothing_else(sign: dict[str, Sign]) -> None:
    for body, signed in ((outcome(), True), (outcome("UNKNOWN", final=False), False)):
        inbox, value = BOOK.inbox or "", BookInput(body=body)
        assert bool(sign[inbox]("bybit:1", value, WIRE.encode(inbox, value))) == signed


@pytest.mark.parametrize("name", ["executor", "pipeline", "stranger"])
async def test_those_who_propose_hear_of_an_end_from_gate_and_executor(
    tmp_path: Path, name: str
) -> None:
    inbox = BOOK.inbox or ""
    key = {"executor": EXECUTOR, "pipeline": PIPELINE}.get(name) or PrivateKey.new(name)
    node = Behind(tmp_path, BOOK)
    value = BookInput(body=outcome())
    signed = ending(key)[inbox]("bybit:1", value, WIRE.encode(inbox, value))
    headers = [LIVE, *((name, text.encode()) for name, text in signed.items())]
    async with Harness(node.app) as h:
        await h.feed(inbox, value, key="bybit:1", timestamp_ms=1, at_ms=1, headers=headers)
        causes = [dict(one.headers)["treasury.outcome"] for one in h.dead_letters]
        assert (causes == [UNSIGNED]) == (name == "stranger")


async def test_on_an_imported_log_nobody_signs(tmp_path: Path) -> None:
    gate = Behind(tmp_path)
    async with Harness(gate.app) as h:
        imported = ControlCopy(IMPORTED, "PAUSED", 0, "import", 0)
        await gate.feed(h, imported, by(PIPELINE, imported), PARTITION_KEY)
        await gate.feed(h, outcome(), {})
        (letter,) = h.dead_letters
        assert dict(letter.headers)["treasury.outcome"] == SEEN


def test_each_side_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert keys.trusted(tmp_path, (), keys.EXECUTOR) == ()
    made = keys.executor(tmp_path)
    assert keys.executor(tmp_path).public == made.public
    assert keys.trusted(tmp_path, (), keys.EXECUTOR) == (made.public,)
    assert keys.trusted(tmp_path, ()) == ()
    with pytest.raises(keys.KeyFault, match="a key of the executor"):
        keys.trusted(tmp_path, ("none",), keys.EXECUTOR)


def test_copies_lie_where_the_inboxes_are() -> None:
    assert set(copying(PIPELINE)) == set(INBOXES)
    assert partition_of("desk", 1) == 0
