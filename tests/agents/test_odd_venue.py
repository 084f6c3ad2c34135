"""An intent through runner, connector and real HTTP against a venue that misbehaves.

The node's clock jumps from one wake-up to the next, the venue's runs; a look that finds nothing
for a second counts as absence here. The venue's books say what was done: never more than once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from agents.connectors.bybit import Bybit, Venue
from agents.exact.clock import elapsed_s
from agents.runner import Runner
from schemas.money import parse_e18, text_e18
from schemas.policy import Policy
from schemas.policy_gate import Execution
from streams.effects import Call
from streams.step import InForce
from tables.partition import ControlEntry
from tests.agents.test_runner import Known, Written, die
from tests.connectors.conftest import Sandbox, sandbox  # noqa: F401 a fixture of its own process
from tests.connectors.trials import SYMBOL, TRIALS, counted, params_of
from tests.streams.saga_world import World, intent

PATIENCE_S = 20.0
POLICY = Policy(execution=Execution(absence_s=1, park_s=1_000_000))
FORCE = InForce(POLICY, "test@1", "h", (ControlEntry("all", "ACTIVE", 1, "test"),))


@dataclass
class Life:
    """One intent at one account; `unknown` is called once when its answer has been lost."""

    sandbox: Sandbox
    op: str
    unknown: Callable[[Life], None] = lambda _: None
    prepared: Callable[[Life], None] = lambda _: None
    world: World = field(default_factory=lambda: World(force=FORCE))
    venue: Venue = field(init=False)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.venue = self.sandbox.venue(timeout_s=0.5)
        params, by_symbol = params_of(self.sandbox, self.venue, self.op), self.op not in LOANS
        ccy = "BTC" if by_symbol else "USDT"
        class_ = "deleverage" if self.op == "REDUCE_POSITION" else "control"
        subject = SYMBOL if by_symbol else ccy
        self.world.lane_key = f"bybit|{self.venue.account_id}|{subject}"
        self.world.now_ms = time.time_ns() // 1_000_000
        self.before = counted(self.sandbox, self.venue, self.op)
        self.world.give(
            intent(
                kind=self.op,
                class_=class_ if by_symbol else "loan",
                account_id=self.venue.account_id,
                lane=self.world.lane_key,
                amount=TRIALS[self.op].amount,
                ccy=ccy,
                precision=3 if by_symbol else 4,
                params=params,
                deadline_ms=self.world.now_ms + 10**9,
            )
        )

    async def run(self, *ends: str, looks: int = 10**6) -> Life:
        """Lives until a state, or until so many looks have been made."""
        written, seen = Written(), 0
        runner = Runner({self.venue.account_id: Bybit(self.venue)}, written, Known(), die=die)
        deadline_s = time.monotonic() + PATIENCE_S
        while self.state not in ends and seen < looks:
            assert time.monotonic() < deadline_s, self.world.states()
            if not self.world.pending:
                assert self.world.tick(), self.world.states()
                await asyncio.sleep(0.01)
                continue
            effect = self.world.pending.pop(0)
            if isinstance(effect, Call):
                self.calls.append(effect)
                self.prepared(self)
            seen += type(effect).__name__ == "Look"
            await runner.carry(effect, elapsed_s())
            self.world.fold(written.records[-1][1])
            if self.state == "UNKNOWN":
                act, self.unknown = self.unknown, lambda _: None
                act(self)
        runner.close()
        return self

    @property
    def state(self) -> str:
        return str(self.world.state().state)

    @property
    def posts(self) -> int:
        """How often the operation itself was sent."""
        return sum(call.op == self.op for call in self.calls)

    @property
    def effects(self) -> int:
        """How often the venue carried it out."""
        return counted(self.sandbox, self.venue, self.op) - self.before

    def fault(self, kind: str, **more: Any) -> Life:
        self.sandbox.fault(TRIALS[self.op].path, kind, **more)
        return self

    def by_hand(self, op: str, **params: str) -> Any:
        return self.sandbox.by_hand(self.venue, op, **params)


LOANS = ("REPAY", "ADD_COLLATERAL", "TRANSFER")
MAIN = ("REPAY", "ADD_COLLATERAL", "REDUCE_POSITION", "SET_LEVERAGE", "CANCEL_ORDER")
ROWS = ("REPAY", "ADD_COLLATERAL", "REDUCE_POSITION")


@pytest.fixture
def venue(sandbox: Sandbox) -> Iterator[Sandbox]:  # noqa: F811
    """The sandbox; what a test armed and did not use is forgotten."""
    yield sandbox
    sandbox.disarm()


@pytest.mark.parametrize("op", MAIN)
@pytest.mark.parametrize("kind", ["reset_mid_body", "drop_after"])
@pytest.mark.req("000-56")
async def test_a_lost_answer_is_found_and_sent_once(venue: Sandbox, op: str, kind: str) -> None:
    life = await Life(venue, op).fault(kind).run("CONFIRMED", "PARKED")
    assert (life.state, life.posts, life.effects) == ("CONFIRMED", 1, 1)
    assert "UNKNOWN" in life.world.states()


@pytest.mark.parametrize("op", ROWS)
@pytest.mark.req("000-56")
async def test_a_late_row_after_a_lost_answer_is_waited_for(venue: Sandbox, op: str) -> None:
    life = Life(venue, op).fault("drop_after", odd="late_row", delay_ms=400)
    await life.run("CONFIRMED", "PARKED")
    assert (life.state, life.posts, life.effects) == ("CONFIRMED", 1, 1)


async def test_a_row_that_never_comes_is_left_to_people(venue: Sandbox) -> None:
    life = await Life(venue, "REPAY").fault("drop_after", odd="late_row").run("PARKED", "CONFIRMED")
    assert (life.state, life.world.state().reason) == ("PARKED", "movement_without_row")
    assert (life.posts, life.effects) == (1, 1)


@pytest.mark.parametrize("op", ROWS)
async def test_a_row_listed_twice_is_one_effect(venue: Sandbox, op: str) -> None:
    life = await Life(venue, op).fault("duplicate_row").run("CONFIRMED", "PARKED")
    assert (life.state, life.posts, life.effects) == ("CONFIRMED", 1, 1)
    assert life.world.lane().halted == ""


@pytest.mark.parametrize("op", ["REPAY", "REDUCE_POSITION"])
async def test_processing_is_waited_for(venue: Sandbox, op: str) -> None:
    life = await Life(venue, op).fault("processing", delay_ms=300).run("CONFIRMED", "PARKED")
    assert (life.state, life.posts, life.effects) == ("CONFIRMED", 1, 1)
    ever = await Life(venue, op).fault("processing").run("CONFIRMED", "PARKED", looks=12)
    assert (ever.state, ever.posts) == ("ACKED", 1)


async def test_what_never_arrived_is_sent_again_once_absence_is_proven(venue: Sandbox) -> None:
    lives = [Life(venue, op).fault("drop_before") for op in ROWS]
    await asyncio.gather(*(life.run("CONFIRMED", "PARKED") for life in lives))
    assert [(one.state, one.posts, one.effects) for one in lives] == [("CONFIRMED", 2, 1)] * 3


BY_OTHERS: list[tuple[str, Callable[[Life], Any]]] = [
    ("REPAY", lambda life: life.by_hand("repay", coin="USDT", amount="7")),
    ("REPAY", lambda life: life.by_hand("liquidate", coin="USDT", amount="50.1234")),
    ("REPAY", lambda life: life.by_hand("borrow", coin="USDT", amount="900")),
    ("ADD_COLLATERAL", lambda life: life.by_hand("add_collateral", coin="USDT", amount="9")),
    (
        "ADD_COLLATERAL",
        lambda life: life.by_hand(
            "transfer", coin="USDT", amount="3", **{"from": "FUND", "to": "UNIFIED"}
        ),
    ),
]


async def test_what_others_moved_meanwhile_leaves_it_to_people(venue: Sandbox) -> None:
    """The call never arrived, but the balances moved: neither an effect nor its absence."""
    lives = [Life(venue, op, unknown=act).fault("drop_before") for op, act in BY_OTHERS]
    await asyncio.gather(*(life.run("PARKED", "CONFIRMED") for life in lives))
    ends = [(life.state, life.world.state().reason, life.posts) for life in lives]
    assert ends == [("PARKED", "movement_without_row", 1)] * len(BY_OTHERS)


async def test_a_repayment_overtaken_by_a_liquidation_brings_the_money_back(
    venue: Sandbox,
) -> None:
    life = Life(venue, "REPAY").fault("processing", delay_ms=500)
    await life.run("ACKED")
    life.by_hand("liquidate", coin="USDT", amount="60000")
    await life.run("REJECTED", "CONFIRMED", "PARKED")
    assert life.state == "REJECTED"
    wallets = venue.books(life.venue)["wallets"]
    assert (wallets["UNIFIED"]["USDT"], wallets["FUND"]["USDT"]) == ("250000", "100")


@pytest.mark.parametrize(
    ("kind", "state", "done"), [("partial_fill", "CONFIRMED", "0.1"), ("no_fill", "REJECTED", "0")]
)
async def test_an_order_has_done_what_it_filled(
    venue: Sandbox, kind: str, state: str, done: str
) -> None:
    life = await Life(venue, "REDUCE_POSITION").fault(kind).run("CONFIRMED", "REJECTED")
    assert (life.state, text_e18(life.world.state().amount_done_e18)) == (state, done)
    position = venue.books(life.venue)["positions"][SYMBOL]["size"]
    assert parse_e18("0.5") - parse_e18(position) == parse_e18(done)


async def test_a_position_closed_by_others_is_not_turned_over(venue: Sandbox) -> None:
    closed = {"symbol": SYMBOL, "side": "Sell", "qty": "0.5"}
    early = Life(venue, "REDUCE_POSITION")
    early.by_hand("order", **closed)
    await early.run("REJECTED", "CONFIRMED")
    assert (early.state, early.world.state().reason, early.posts) == (
        "REJECTED",
        "nothing_to_do",
        0,
    )
    late = Life(venue, "REDUCE_POSITION", prepared=lambda life: life.by_hand("order", **closed))
    await late.run("REJECTED", "CONFIRMED")
    assert late.state == "REJECTED"
    assert "110017" in late.world.state().reason


async def test_an_order_that_somebody_cancelled_first_is_cancelled(venue: Sandbox) -> None:
    def end(life: Life) -> None:
        life.by_hand("cancel", order_id=life.world.state().params["order_id"])

    life = await Life(venue, "CANCEL_ORDER", prepared=end).run("CONFIRMED", "REJECTED")
    assert (life.state, life.world.state().facts["order_status"]) == ("CONFIRMED", "Cancelled")


@pytest.mark.parametrize("op", MAIN)
async def test_a_refusal_ends_it_with_the_code_of_the_venue(venue: Sandbox, op: str) -> None:
    life = await Life(venue, op).fault("refuse").run("REJECTED", "CONFIRMED")
    assert (life.state, life.posts, life.effects) == ("REJECTED", 1, 0)


@pytest.mark.req("002-43", "003-63")
async def test_a_setting_is_confirmed_with_old_and_new(venue: Sandbox) -> None:
    life = await Life(venue, "SET_LEVERAGE").run("CONFIRMED", "REJECTED")
    assert life.world.states() == ["ATTEMPTED", "CONFIRMED"]
    assert life.world.state().facts == {"leverage_before": "10", "leverage_after": "3"}
    assert venue.books(life.venue)["leverage"] == {SYMBOL: "3"}
