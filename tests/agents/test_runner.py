"""The runner: late means not sent, unclear means unknown, and a lane is served in order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from agents.connectors.bybit import Bybit
from agents.connectors.port import (
    Answer,
    ConnectorError,
    RateLimited,
    Reading,
    Rejected,
    TimedOut,
    Unavailable,
    Unsupported,
)
from agents.controls import Reading as ControlReading
from agents.exact.clock import elapsed_s
from agents.runner import Runner
from schemas.records import AttemptRecord
from streams.effects import Call, Look, Prepare
from tables.partition import ControlEntry
from tests.connectors.conftest import Sandbox, sandbox  # noqa: F401 a fixture of its own process
from tests.connectors.effects import call, look, prepare, work
from tests.streams.saga_world import World, intent

ACCOUNT = "bybit:1"


class Died(Exception):
    """The process would have ended."""


def die(why: str) -> NoReturn:
    """What stands in for the end of the process."""
    raise Died(why)


@dataclass
class Written:
    """Remembers what was written, or refuses to write."""

    records: list[tuple[str, AttemptRecord]] = field(default_factory=list)
    broken: bool = False

    async def write(
        self, topic: str, record: Any, *, key: str | None = None, headers: Any = None
    ) -> int:
        if self.broken:
            raise ConnectionError("no broker")
        self.records.append((key or "", record))
        return len(self.records)


@dataclass
class Known:
    """The runner's reading of the pause."""

    epoch: int = 1
    age_s: float = 0.0
    imported: bool = False
    modes: dict[str, str] = field(default_factory=lambda: {"all": "ACTIVE"})

    def reading(self) -> ControlReading:
        controls = [ControlEntry(scope, mode, 1, "test") for scope, mode in self.modes.items()]
        return ControlReading(self.epoch, self.age_s, self.imported, tuple(controls))


@dataclass
class Party:
    """An outside party that does what the test says, after its own last check."""

    says: Callable[[Call], Answer] = lambda _: Answer("accepted", venue_ref="7")
    before_check: Callable[[], None] = lambda: None
    raises: Exception | None = None
    posts: list[Call] = field(default_factory=list)
    capabilities: frozenset[str] = frozenset({"TRANSFER", "REPAY", "ADD_COLLATERAL"})

    def prepare(self, effect: Prepare) -> Reading:
        if self.raises:
            raise self.raises
        return Reading({"last_id": "1"}, {"late_ref": "2"})

    def call(self, effect: Call, check: Callable[[], None]) -> Answer:
        self.before_check()
        check()
        self.posts.append(effect)
        if self.raises:
            raise self.raises
        return self.says(effect)

    def look(self, effect: Look) -> Answer:
        if self.raises:
            raise self.raises
        return Answer("done", venue_ref="7", facts={"rows": "1"})


@dataclass
class Rig:
    """A runner with all its surroundings in the test's hand."""

    party: Party = field(default_factory=Party)
    written: Written = field(default_factory=Written)
    known: Known = field(default_factory=Known)
    now_s: float = 100.0
    now_ms: int = 1_000_000

    def runner(self) -> Runner:
        return Runner(
            {ACCOUNT: self.party},
            self.written,
            self.known,
            threads=4,
            clock_ms=lambda: self.now_ms,
            monotonic=lambda: self.now_s,
            die=die,
        )

    async def carry(self, effect: Any, before_s: float = 100.0) -> AttemptRecord:
        await self.runner().carry(effect, before_s)
        key, record = self.written.records[-1]
        assert key == effect.lane
        assert record.attempt_id == effect.effect_id
        return record


def repay(**more: Any) -> Call:
    """A call that would be sent."""
    return call(work(ACCOUNT, "REPAY", "50"), {"last_id": "1"}, **more)


async def test_an_answer_becomes_a_result() -> None:
    rig = Rig()
    effect = repay()
    record = await rig.carry(effect)
    assert (record.kind, record.class_, record.venue_ref) == ("RESULT", "accepted", "7")
    assert record.request_hash == effect.request_hash
    assert record.at_ms == rig.now_ms


async def test_the_log_says_whose_money_a_call_moves_and_how_much() -> None:
    rig = Rig()
    with capture_logs() as lines:
        await rig.carry(repay())
        rig.party.raises = TimedOut("no answer")
        await rig.carry(look(work(ACCOUNT, "REPAY", "50"), {"last_id": "1"}))
    called, unread = lines
    assert (called["event"], called["account_id"]) == ("call_answered", ACCOUNT)
    assert (called["amount"], called["ccy"], called["result"]) == ("50", "USDT", "accepted")
    assert (unread["event"], unread["account_id"]) == ("read_failed", ACCOUNT)


@pytest.mark.req("000-59")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rig: setattr(rig, "now_s", 102.5), "late: 2.5 s"),
        (lambda rig: setattr(rig.known, "epoch", 2), "pause epoch is 2"),
        (lambda rig: setattr(rig.known, "age_s", 5.5), "controls last read 5.5 s ago"),
        (lambda rig: setattr(rig, "now_ms", 2_000_000), "deadline"),
        (lambda rig: setattr(rig.known, "imported", True), "this log was imported"),
        (lambda rig: rig.known.modes.update(all="PAUSED"), "the mode is PAUSED"),
        (lambda rig: rig.known.modes.update({"class:loan": "PAUSED"}), "the mode is PAUSED"),
        (lambda rig: rig.known.modes.clear(), "the mode is PAUSED"),
    ],
    ids=[
        "frozen",
        "paused",
        "controls unknown",
        "deadline",
        "imported",
        "paused under the same epoch",
        "its class is paused",
        "no control",
    ],
)
@pytest.mark.parametrize("when", ["before", "while waiting for its turn"])
async def test_a_call_that_may_not_start_is_not_sent(
    change: Callable[[Rig], None], why: str, when: str
) -> None:
    rig = Rig()
    if when == "before":
        change(rig)
    else:
        rig.party.before_check = lambda: change(rig)
    record = await rig.carry(repay(deadline_ms=1_500_000))
    assert record.class_ == "not_sent"
    assert why in (record.message or "")
    assert rig.party.posts == []


async def test_a_body_that_was_not_committed_is_refused() -> None:
    rig = Rig()
    record = await rig.carry(repay(request_hash="0" * 64))
    assert (record.class_, record.code, rig.party.posts) == ("refused", "request_hash", [])


ERRORS: list[tuple[Exception, str]] = [
    (Rejected("no", "148029"), "refused"),
    (Unsupported("no"), "refused"),
    (RateLimited("slow", "10006"), "transient"),
    (Unavailable("window", "10002"), "transient"),
    (TimedOut("gone"), "unknown"),
    (ConnectorError("some new one"), "unknown"),
    (KeyError("a bug"), "unknown"),
]


@pytest.mark.parametrize(("raised", "class_"), ERRORS)
async def test_every_failure_has_one_meaning(raised: Exception, class_: str) -> None:
    record = await Rig(party=Party(raises=raised)).carry(repay())
    assert record.class_ == class_
    assert record.code == getattr(raised, "code", None)


@pytest.mark.parametrize(("raised", "_"), ERRORS)
async def test_a_read_that_failed_says_nothing_about_the_call(raised: Exception, _: str) -> None:
    rig = Rig(party=Party(raises=raised))
    shared = work(ACCOUNT, "REPAY", "50")
    prepared = await rig.carry(prepare(shared))
    looked = await rig.carry(look(shared, {"last_id": "1"}))
    assert (prepared.class_, prepared.watermark) == ("unknown", None)
    assert (looked.class_, looked.facts, looked.venue_ref) == ("unknown", None, None)


async def test_reads_are_answered_with_what_was_read() -> None:
    rig = Rig()
    shared = work(ACCOUNT, "REPAY", "50")
    prepared = await rig.carry(prepare(shared), before_s=0.0)
    looked = await rig.carry(look(shared, {"last_id": "1"}), before_s=0.0)
    assert (prepared.kind, prepared.watermark) == ("PREPARED", {"last_id": "1"})
    assert (looked.kind, looked.class_) == ("EVIDENCE", "done")


async def test_an_account_without_connector_is_refused() -> None:
    rig = Rig()
    record = await rig.carry(call(work("bybit:2", "REPAY", "50"), {"last_id": "1"}))
    assert record.class_ == "refused"
    assert "bybit:2" in (record.message or "")


async def test_one_lane_in_order_and_lanes_side_by_side() -> None:
    together = threading.Barrier(2, timeout=10)
    order: list[str] = []

    def says(effect: Call) -> Answer:
        if effect.n == 1:
            together.wait()  # passes only if both lanes are being served at once
        order.append(f"{effect.coin}{effect.n}")
        return Answer("accepted", venue_ref="7")

    rig = Rig(party=Party(says=says))
    runner = rig.runner()
    effects = [
        call(work(ACCOUNT, "REPAY", "50", coin=coin, n=n), {"last_id": "1"})
        for n in (1, 2, 3)
        for coin in ("USDT", "BTC")
    ]
    await asyncio.gather(*(runner.carry(effect, 100.0) for effect in effects))
    for coin in ("USDT", "BTC"):
        assert [one for one in order if one.startswith(coin)] == [f"{coin}{n}" for n in (1, 2, 3)]
    runner.close()


async def test_an_answer_that_cannot_be_written_ends_the_process() -> None:
    rig = Rig(written=Written(broken=True))
    with pytest.raises(Died, match="no broker"):
        await rig.carry(repay())


@pytest.mark.parametrize(
    ("op", "path", "kind"),
    [
        ("REPAY", "/v5/crypto-loan-flexible/repay", None),
        ("REPAY", "/v5/crypto-loan-flexible/repay", "drop_after"),
        ("REPAY", "/v5/asset/transfer/inter-transfer", "drop_after"),
        ("ADD_COLLATERAL", "/v5/crypto-loan-common/adjust-ltv", "bad_json_after"),
        ("REPAY", "/v5/crypto-loan-flexible/repay", "refuse"),
    ],
)
@pytest.mark.req("000-08", "000-25", "000-49")
async def test_an_intent_over_real_http_ends_as_the_books_say(
    sandbox: Sandbox,  # noqa: F811
    op: str,
    path: str,
    kind: str | None,
) -> None:
    """The node, the runner and the connector against the sandbox; only Kafka is left out."""
    venue = sandbox.venue()
    if kind:
        sandbox.fault(path, kind)
    before = sandbox.books(venue)
    written = Written()
    runner = Runner({venue.account_id: Bybit(venue)}, written, Known(), die=die)
    lane = f"bybit|{venue.account_id}|USDT"
    world = World(lane_key=lane)
    world.now_ms = time.time_ns() // 1_000_000
    wish = intent(
        kind=op,
        account_id=venue.account_id,
        lane=lane,
        amount_e18=1234567 * 10**14,
        deadline_ms=world.now_ms + 60_000,
    )
    world.give(wish)
    deadline_s = time.monotonic() + 20
    while world.state().state not in ("CONFIRMED", "REJECTED"):
        assert time.monotonic() < deadline_s, world.states()
        world.now_ms = time.time_ns() // 1_000_000
        if world.pending:
            await runner.carry(world.pending.pop(0), elapsed_s())
            world.fold(written.records[-1][1])
        elif world.wake_ms is not None and world.now_ms >= world.wake_ms:
            world.tick()
        else:
            await asyncio.sleep(0.02)
    runner.close()
    after = sandbox.books(venue)["counts"]
    moved = {name: after[name] - before["counts"][name] for name in after}
    refused = kind == "refuse"
    assert world.state().state == ("REJECTED" if refused else "CONFIRMED")
    assert moved["transfers"] == (2 if refused else 1)
    assert moved["repays"] == (op == "REPAY" and not refused)
    assert moved["adjusts"] == (op == "ADD_COLLATERAL")
    if not refused:
        assert world.state().amount_done_e18 == 1234567 * 10**14
        assert "ltv_after" in world.state().facts


@pytest.mark.parametrize(
    ("mode", "kind", "leg", "class_"),
    [
        ("REDUCING", "REPAY", "main", "accepted"),
        ("REDUCING", "TRANSFER", "transfer", "not_sent"),
        ("REDUCING", "TRANSFER", "return", "accepted"),
        ("ACTIVE", "TRANSFER", "transfer", "accepted"),
    ],
)
@pytest.mark.req("000-59")
async def test_the_runner_lets_out_what_its_own_reading_of_the_mode_lets_out(
    mode: str, kind: str, leg: str, class_: str
) -> None:
    rig = Rig(known=Known(modes={"all": mode}))
    shared = work(ACCOUNT, "REPAY", "50") | {"kind": kind, "leg": leg}
    record = await rig.carry(call(shared, {"last_id": "1"}))
    assert record.class_ == class_


def test_the_clock_goes_on_while_the_machine_sleeps() -> None:
    before_s, now_s, after_s = time.monotonic(), elapsed_s(), time.monotonic()
    assert now_s >= before_s
    assert elapsed_s() >= now_s
    if hasattr(time, "CLOCK_BOOTTIME"):  # what this machine has slept so far
        slept_s = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        assert abs(now_s - slept_s - before_s) < 1 + after_s - before_s
